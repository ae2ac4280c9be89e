"""The account pages under /accounts/."""

from django.urls import path

from healthrecords.accounts import views

app_name = "accounts"

urlpatterns = [
    path("login/", views.SignIn.as_view(), name="login"),
    path("logout/", views.SignOut.as_view(), name="logout"),
    path("password/", views.ChangePassword.as_view(), name="password"),
    path("enrol/<str:secret>/", views.Enrol.as_view(), name="enrol"),
]
