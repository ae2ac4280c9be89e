"""The addresses of the OAuth 2 server, under /oauth/."""

from django.urls import path

from healthrecords.oauth import authorize, pages, views

app_name = "oauth"

urlpatterns = [
    path("authorize", authorize.authorize, name="authorize"),
    path("token", views.token, name="token"),
    path("introspect", views.introspect, name="introspect"),
    path("revoke", views.revoke, name="revoke"),
    path("launch/<str:client_id>/<str:patient>/", pages.launch, name="launch"),
    path("apps/end/", pages.end, name="end-app"),
]
