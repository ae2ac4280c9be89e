"""The account pages of our own, under /accounts/."""

from django.urls import path

from healthrecords.accounts import factor_views, oidc_views, session_views, views

app_name = "accounts"

urlpatterns = [
    path("password/", views.ChangePassword.as_view(), name="password"),
    path("enrol/<str:secret>/", views.Enrol.as_view(), name="enrol"),
    path("factor/", factor_views.ChooseFactor.as_view(), name="factor"),
    path("factor/later/", factor_views.later, name="later"),
    path("sso/", oidc_views.begin, name="sso"),
    path("sso/back/", oidc_views.back, name="sso-back"),
    path("sessions/end/", session_views.end, name="end-sessions"),
    path("sessions/keep/", session_views.keep, name="keep-session"),
]
