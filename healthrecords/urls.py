"""All addresses of the server."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from healthrecords import health

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("health", health.live, name="health"),
    path("health/ready", health.ready, name="readiness"),
    path("accounts/", include("healthrecords.accounts.urls")),
    path("admin/", admin.site.urls),
    path("fhir/", include("healthrecords.fhir.urls")),
]
