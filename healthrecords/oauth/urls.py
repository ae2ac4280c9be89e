"""The addresses of the OAuth 2 server, under /oauth/."""

from django.urls import path

from healthrecords.oauth import views

app_name = "oauth"

urlpatterns = [
    path("token", views.token, name="token"),
]
