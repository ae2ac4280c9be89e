"""All addresses of the server."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.utils.module_loading import import_string
from django.views.generic import RedirectView

from healthrecords import health
from healthrecords.fhir.views import BundleView
from healthrecords.oauth import discovery

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("health", health.live, name="health"),
    path("health/ready", health.ready, name="readiness"),
    path("metrics", import_string(settings.METRICS), name="metrics"),
    path("alerts", import_string(settings.ALERTS), name="alerts"),
    path("accounts/", include("healthrecords.accounts.urls")),
    path("accounts/", include("healthrecords.accounts.allauth_urls")),
    path("oauth/", include("healthrecords.oauth.urls")),
    path("admin/", admin.site.urls),
    path("fhir", BundleView.as_view(), name="fhir"),
    path(".well-known/openid-configuration", discovery.openid, name="openid-configuration"),
    path(".well-known/jwks.json", discovery.keys, name="jwks"),
    path("fhir/.well-known/smart-configuration", discovery.smart, name="smart-configuration"),
    path("fhir/", include("healthrecords.fhir.urls")),
]
