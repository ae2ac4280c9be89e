"""How people sign in (django-allauth): password and second factor; and how long a session lasts.

The tries at passwords and codes are counted by healthrecords.accounts.attempts, so that allauth's own limits are off.
"""

from typing import Any

from .environment import number

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"
LOGOUT_REDIRECT_URL = "account_login"

ACCOUNT_ADAPTER = "healthrecords.accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # an administrator invited the address
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = False
ACCOUNT_FORMS = {
    "login": "healthrecords.accounts.forms.SignInForm",
    "reauthenticate": "healthrecords.accounts.forms.ConfirmPasswordForm",
}

MFA_ADAPTER = "healthrecords.accounts.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "HealthRecords"
MFA_TOTP_TOLERANCE = 1  # periods of 30 seconds that a phone's clock may be off
MFA_RECOVERY_CODE_DIGITS = 10
MFA_RATE_LIMITS: Any = False
MFA_FORMS = {
    "authenticate": "healthrecords.accounts.factor_forms.CodeForm",
    "reauthenticate": "healthrecords.accounts.factor_forms.ConfirmCodeForm",
    "authenticate_webauthn": "healthrecords.accounts.factor_forms.PasskeyForm",
    "reauthenticate_webauthn": "healthrecords.accounts.factor_forms.ConfirmPasskeyForm",
    "activate_totp": "healthrecords.accounts.factor_forms.AddAppForm",
}

SESSION_ENGINE = "healthrecords.accounts.sessions"
SESSION_IDLE_MINUTES = number("HEALTHCARE_SESSION_IDLE_MINUTES", 15, least=1, most=15)
SESSION_HOURS = number("HEALTHCARE_SESSION_HOURS", 12, least=1, most=12)
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
STEP_UP_MINUTES = 5  # how long a second factor counts as fresh
