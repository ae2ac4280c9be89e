/* Joins the page's button to the browser's passkey dialog, by allauth's script. */
(function () {
  const button = document.querySelector('[data-passkey]')
  const told = document.getElementById('passkey-told')
  document.addEventListener('allauth.error', function (event) {
    event.preventDefault()
    told.textContent = 'The browser gave no passkey. Try again, or use another way.'
    told.hidden = false
  })
  const ids = { data: 'js_data', credential: 'id_credential' }
  if (button.dataset.passkey === 'add') {
    window.allauth.webauthn.forms.addForm({ ids: { ...ids, add: button.id } })
  } else {
    window.allauth.webauthn.forms.authenticateForm({ ids: { ...ids, authenticate: button.id } })
  }
  button.disabled = false
})()
