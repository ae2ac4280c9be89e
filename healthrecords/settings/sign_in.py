"""How people sign in (django-allauth): password and second factor; and how long a session lasts.

The tries at passwords and codes are counted by healthrecords.accounts.attempts, so that allauth's own limits are off.
"""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from .environment import number, one_of, optional, required, secret, words

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


def _role_map(name: str) -> dict[str, str]:
    """The role here for each value of the provider's claim, written as VALUE=ROLE, separated by commas."""
    pairs = [word.partition("=") for word in words(name)]
    if any(not (value and equals and role) for value, equals, role in pairs):
        raise ImproperlyConfigured(f"{name} must hold pairs such as Doctors=clinician,Reception=front-desk.")
    return {value.strip(): role.strip() for value, _, role in pairs}


# Single sign-on by OpenID Connect; off without an issuer.
OIDC_ISSUER = optional("HEALTHCARE_OIDC_ISSUER")
OIDC_CLIENT_ID = required("HEALTHCARE_OIDC_CLIENT_ID") if OIDC_ISSUER else ""
OIDC_CLIENT_SECRET = secret("HEALTHCARE_OIDC_CLIENT_SECRET", shortest=16) if OIDC_ISSUER else ""
OIDC_NAME = optional("HEALTHCARE_OIDC_NAME", "single sign-on")
OIDC_ROLE_CLAIM = optional("HEALTHCARE_OIDC_ROLE_CLAIM")
OIDC_ROLES = _role_map("HEALTHCARE_OIDC_ROLES")
OIDC_CREATES_PEOPLE = one_of("HEALTHCARE_OIDC_CREATES_PEOPLE", "0", ("0", "1")) == "1"
OIDC_FACTORS = words("HEALTHCARE_OIDC_FACTORS", "mfa")  # values of `amr` or `acr` that mean a second factor (RFC 8176)
