"""Every address of the server, who may use it, and the row in the trail that a refusal leaves.

The table below is compared with the URL configuration: a route that it does not name fails, and so does one that it
names in vain. Each route is then called by an outsider and by an operator, whose role opens no records.
"""

from dataclasses import dataclass
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

KEY = str(uuid4())
RECORDS = ("patients/patient", "healthrecords/organization", "healthrecords/practitioner", "healthrecords/location")
TYPES = (
    "Organization",
    "Practitioner",
    "PractitionerRole",
    "Location",
    "Patient",
    "Immunization",
    "DocumentReference",
    "Consent",
    "Provenance",
)


@dataclass(frozen=True)
class Expected:
    """What an outsider and an operator get, by GET unless said otherwise. `row` is the operator's outcome recorded."""

    outsider: int
    operator: int
    row: str = ""
    method: str = "get"
    outsider_row: str = ""


OPEN = Expected(200, 200)
SIGNED_IN = Expected(302, 200, outsider_row="denied")
NO_RECORDS = Expected(302, 403, row="denied", outsider_row="denied")
API = Expected(401, 403, row="denied", outsider_row="denied")
API_POST = Expected(401, 403, row="denied", method="post", outsider_row="denied")

SCREENS = (
    "",
    "add/",
    "<str:object_id>/",
    "<str:object_id>/change/",
    "<str:object_id>/delete/",
    "<str:object_id>/history/",
)

ROUTES: dict[str, Expected] = {
    # the edge: nothing about anybody
    "": Expected(302, 302),
    "health": OPEN,
    "health/ready": Expected(503, 503),
    "metrics": Expected(401, 401),
    "alerts": Expected(401, 401, method="post"),
    # sign-in
    "accounts/login/": Expected(200, 302),
    "accounts/logout/": Expected(405, 405),
    "accounts/password/": Expected(302, 200),
    "accounts/enrol/<str:secret>/": Expected(410, 410),
    "accounts/login/factor/": Expected(302, 302),
    "accounts/confirm/code/": Expected(302, 200),
    "accounts/confirm/passkey/": Expected(302, 302),
    "accounts/confirm/password/": Expected(302, 302),
    "accounts/security/": Expected(302, 200),
    "accounts/factor/": Expected(302, 200),
    "accounts/factor/later/": Expected(405, 405),
    "accounts/factor/app/": Expected(302, 302),
    "accounts/factor/app/remove/": Expected(302, 200),
    "accounts/factor/passkey/": Expected(302, 200),
    "accounts/factor/passkey/<int:pk>/remove/": Expected(302, 404),
    "accounts/factor/codes/": Expected(302, 404),
    "accounts/factor/codes/file/": Expected(302, 404),
    "accounts/factor/codes/new/": Expected(302, 200),
    "accounts/sessions/end/": Expected(405, 405),
    "accounts/sessions/keep/": Expected(405, 405),
    "accounts/sso/": Expected(404, 404),
    "accounts/sso/back/": Expected(404, 404),
    # the OAuth 2 server
    "oauth/authorize": Expected(302, 400, row="failure"),
    "oauth/introspect": Expected(401, 401, row="failure", method="post", outsider_row="failure"),
    "oauth/revoke": Expected(401, 401, row="failure", method="post", outsider_row="failure"),
    "oauth/launch/<str:client_id>/<str:patient>/": Expected(302, 404),
    "oauth/apps/end/": Expected(405, 405),
    ".well-known/openid-configuration": OPEN,
    ".well-known/jwks.json": OPEN,
    "oauth/token": Expected(400, 400, row="failure", method="post", outsider_row="failure"),
    # the admin
    "admin/": SIGNED_IN,
    "admin/login/": Expected(302, 302),
    "admin/autocomplete/": NO_RECORDS,
    "admin/jsi18n/": OPEN,
    "admin/(?P<url>.*)$": Expected(302, 404, row="failed 404", outsider_row="denied"),
    **{f"admin/{record}/{screen}": NO_RECORDS for record in RECORDS for screen in SCREENS},
    **{f"admin/immunizations/immunization/{screen}": NO_RECORDS for screen in (
        *(screen for screen in SCREENS if screen != "add/"), "<str:object_id>/error/", "visit/<str:object_id>/",
        "report/<str:object_id>/", "scan/", "offers/",
    )},
    **{f"admin/immunizations/lot/{screen}": NO_RECORDS for screen in (
        "", "receive/", "<str:object_id>/", "<str:object_id>/recall/", "<str:object_id>/recipients.csv",
    )},
    "admin/immunizations/duplicatepair/": NO_RECORDS,
    **{f"admin/documents/documentreference/{screen}": NO_RECORDS for screen in (
        *(screen for screen in SCREENS if screen != "add/"), "upload/<str:object_id>/", "receive/<str:object_id>/",
        "<str:object_id>/content/<str:key>/", "<str:object_id>/file/<str:key>/", "<str:object_id>/hold/",
        "<str:object_id>/retain/",
    )},
    "admin/healthrecords/user/": NO_RECORDS,
    "admin/healthrecords/user/add/": NO_RECORDS,
    "admin/healthrecords/user/<str:object_id>/": NO_RECORDS,
    "admin/healthrecords/role/": NO_RECORDS,
    "admin/healthrecords/role/matrix/": NO_RECORDS,
    "admin/healthrecords/role/<str:object_id>/": NO_RECORDS,
    "admin/healthrecords/apitoken/": NO_RECORDS,
    "admin/healthrecords/apitoken/<str:object_id>/": NO_RECORDS,
    **{f"admin/compliance/accessevent/{screen}": NO_RECORDS for screen in (
        "", "<str:object_id>/", "export.csv", "patient/", "patient/export.csv", "person/", "person/export.csv",
    )},
    "admin/compliance/entereddisclosure/": NO_RECORDS,
    "admin/compliance/entereddisclosure/accounting.pdf": NO_RECORDS,
    **{f"admin/compliance/finding/{screen}": NO_RECORDS for screen in ("", "<str:object_id>/", "export.csv", "setup/")},
    "admin/compliance/purposedefault/": NO_RECORDS,
    **{f"admin/compliance/consent/{screen}": NO_RECORDS for screen in (
        "", "add/", "record/<str:object_id>/", "<str:object_id>/", "<str:object_id>/history/",
        "<str:object_id>/paper.pdf",
    )},
    **{f"admin/compliance/consent/<str:object_id>/{last}/": Expected(302, 405, outsider_row="denied")
       for last in ("revoke", "bind")},
    **{f"admin/compliance/breakglass/{screen}": NO_RECORDS for screen in (
        "", "declare/<str:object_id>/", "<str:object_id>/",
    )},
    "admin/compliance/breakglass/<str:object_id>/end/": Expected(302, 405, row="", outsider_row="denied"),
    "admin/ops/backups/": SIGNED_IN,
    **{f"admin/{screen}/": SIGNED_IN for screen in (
        "ops/alert", "healthrecords/notice", "healthrecords/channel", "healthrecords/channel/add",
    )},
    **{f"admin/{screen}/<str:object_id>/": Expected(302, 404, row="failed 404", outsider_row="denied")
       for screen in ("ops/alert", "healthrecords/notice", "healthrecords/channel")},
    "admin/ops/healthstate/": SIGNED_IN,
    "admin/ops/sample/": SIGNED_IN,
    "admin/ops/standing/": SIGNED_IN,
    "admin/ops/standing/<str:object_id>/": Expected(302, 404, row="failed 404", outsider_row="denied"),
    # the API
    "fhir/": Expected(401, 415, row="failed 415", method="post", outsider_row="denied"),
    "fhir": Expected(401, 415, row="failed 415", method="post", outsider_row="denied"),
    "fhir/metadata": OPEN,
    "fhir/.well-known/smart-configuration": OPEN,
    **{f"fhir/{name}{rest}": API for name in TYPES for rest in (
        "", "/_history", "/<logical_id>", "/<logical_id>/_history", "/<logical_id>/_history/<number>",
        "/<logical_id>/$validate",
    )},
    "fhir/Binary": API_POST,
    "fhir/Binary/<logical_id>": API,
    "fhir/Patient/<logical_id>/$break-glass": API_POST,
    "fhir/AuditEvent": API,
    "fhir/AuditEvent/_search": API_POST,
    "fhir/AuditEvent/<logical_id>": API,
    **{f"fhir/{name}/{last}": API_POST for name in TYPES for last in ("_search", "$validate")},
    "fhir/^(?P<rest>.*)$": Expected(401, 404, row="failed 404", outsider_row="denied"),
}  # fmt: skip

FILLED = {
    "<str:object_id>": KEY, "<str:key>": KEY, "<logical_id>": "some-id", "<number>": "1",
    "<str:secret>": "wrong", "<str:client_id>": "wrong", "<str:patient>": "some-id", "<int:pk>": "1",
    "(?P<url>.*)$": "nowhere/", "^(?P<rest>.*)$": "nowhere",
}  # fmt: skip


def routes(resolver: URLResolver, prefix: str = "") -> list[str]:
    """All routes below `resolver`, written as in the URL configuration."""
    found = []
    for each in resolver.url_patterns:
        route = prefix + str(each.pattern)
        found += routes(each, route) if isinstance(each, URLResolver) else [route]
        assert isinstance(each, URLPattern | URLResolver)
    return found


def address(route: str) -> str:
    for pattern, value in FILLED.items():
        route = route.replace(pattern, value)
    return f"/{route}"


def call(client: Client, route: str, **headers: str) -> int:
    return getattr(client, ROUTES[route].method)(address(route), headers=headers).status_code


def test_every_route_is_known_and_every_known_route_exists():
    assert sorted(routes(get_resolver())) == sorted(ROUTES)


@pytest.mark.parametrize("route", ROUTES)
def test_an_outsider_gets_no_record_and_a_refusal_leaves_its_row(route, db, trail):
    assert call(Client(), route) == ROUTES[route].outsider
    assert [row.outcome for row in trail()] == ([ROUTES[route].outsider_row] if ROUTES[route].outsider_row else [])


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.startswith("fhir")])
def test_an_operator_sees_no_record_in_the_admin_and_a_refusal_leaves_its_row(route, signed_in, trail):
    client = signed_in("operator")
    before = len(trail())
    assert call(client, route) == ROUTES[route].operator
    assert [row.outcome for row in trail()[before:]] == ([ROUTES[route].row] if ROUTES[route].row else [])


@pytest.mark.parametrize("route", [route for route in ROUTES if route.startswith("fhir")])
def test_an_operator_s_token_opens_no_record_in_the_api_and_a_refusal_leaves_its_row(route, operator, trail):
    status = call(operator.client, route, Authorization=f"Bearer {operator.token}")
    assert status == ROUTES[route].operator
    assert [row.outcome for row in trail()] == ([ROUTES[route].row] if ROUTES[route].row else [])
