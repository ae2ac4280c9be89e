"""Those pages of django-allauth that we use, by the names under which it looks for them; the others have no address."""

from allauth.mfa.recovery_codes.views import DownloadRecoveryCodesView
from django.urls import path

from healthrecords.accounts import factor_views, views

urlpatterns = [
    path("login/", views.SignIn.as_view(), name="account_login"),
    path("login/factor/", factor_views.GiveFactor.as_view(), name="mfa_authenticate"),
    path("logout/", views.SignOut.as_view(), name="account_logout"),
    path("confirm/code/", factor_views.ConfirmCode.as_view(), name="mfa_reauthenticate"),
    path("confirm/passkey/", factor_views.ConfirmPasskey.as_view(), name="mfa_reauthenticate_webauthn"),
    path("confirm/password/", views.ConfirmPassword.as_view(), name="account_reauthenticate"),
    path("security/", factor_views.Security.as_view(), name="mfa_index"),
    path("factor/app/", factor_views.AddApp.as_view(), name="mfa_activate_totp"),
    path("factor/app/remove/", factor_views.RemoveApp.as_view(), name="mfa_deactivate_totp"),
    path("factor/passkey/", factor_views.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("factor/passkey/<int:pk>/remove/", factor_views.RemovePasskey.as_view(), name="mfa_remove_webauthn"),
    path("factor/codes/", factor_views.RecoveryCodes.as_view(), name="mfa_view_recovery_codes"),
    path("factor/codes/file/", DownloadRecoveryCodesView.as_view(), name="mfa_download_recovery_codes"),
    path("factor/codes/new/", factor_views.NewRecoveryCodes.as_view(), name="mfa_generate_recovery_codes"),
]
