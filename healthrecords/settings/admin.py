"""The look of the admin (django-unfold), and its screens in the order in which people meet them.

A screen is shown to whom the access policy permits to search its `type`.
"""

from typing import Any

from django.templatetags.static import static

CONSOLE_SCREENS: list[tuple[str, list[dict[str, str]]]] = [
    ("Care", [
        {"title": "Patients", "name": "patients_patient", "type": "Patient", "icon": "person_search",
         "text": "Find a patient by name, number, birth date or phone."},
        {"title": "Immunizations", "name": "immunizations_immunization", "type": "Immunization",
         "icon": "vaccines", "text": "Doses by date, lot and state; a patient's own are on the patient's page."},
        {"title": "Documents", "name": "documents_documentreference", "type": "DocumentReference",
         "icon": "description", "text": "Letters, reports and pictures by patient, type, date and status."},
        {"title": "Vaccine stock", "name": "immunizations_lot", "type": "Stock", "icon": "inventory_2",
         "text": "Lots on hand by location, deliveries, counts and recalls."},
        {"title": "Consents", "name": "compliance_consent", "type": "Consent", "icon": "verified_user",
         "text": "What patients permit and forbid, and which of it ends soon."},
        {"title": "Possible duplicates", "name": "immunizations_duplicatepair", "type": "Immunization",
         "icon": "compare_arrows", "text": "Doses that may be recorded twice."},
    ]),
    ("Directory", [
        {"title": "Organizations", "name": "healthrecords_organization", "type": "Organization", "icon": "apartment",
         "text": "Clinics, hospitals, departments and payers."},
        {"title": "Practitioners", "name": "healthrecords_practitioner", "type": "Practitioner", "icon": "stethoscope",
         "text": "The people who give care."},
        {"title": "Locations", "name": "healthrecords_location", "type": "Location", "icon": "location_on",
         "text": "The places where care is given."},
    ]),
    ("Administration", [
        {"title": "People", "name": "healthrecords_user", "type": "User", "icon": "group",
         "text": "Who may sign in, and what their roles are."},
        {"title": "Roles", "name": "healthrecords_role", "type": "User", "icon": "badge",
         "text": "What each role opens, and who holds it."},
        {"title": "Access matrix", "name": "healthrecords_role", "screen": "matrix", "type": "User", "icon": "grid_on",
         "text": "All roles and all that they open, on one page."},
        {"title": "API tokens", "name": "healthrecords_apitoken", "type": "User", "icon": "key",
         "text": "The tokens by which machines come in."},
    ]),
    ("Operations", [
        {"title": "Charts", "name": "ops_sample", "type": "Operations", "icon": "monitoring",
         "text": "Requests, response times, disclosures, queues and the machine, over a day to a year."},
        {"title": "Health", "name": "ops_healthstate", "type": "Operations", "icon": "ecg_heart",
         "text": "How every part of the server stands, since when, and what to do about what is wrong."},
        {"title": "Scheduled jobs", "name": "ops_standing", "type": "Operations", "icon": "schedule",
         "text": "Every recurring job: when it ran, how it ended, how long it took, and when it runs next."},
        {"title": "Alerts", "name": "ops_alert", "type": "Operations", "icon": "notification_important",
         "text": "What is wrong now, and what was, as Alertmanager told it."},
        {"title": "Notices", "name": "healthrecords_notice", "type": "Operations", "icon": "outgoing_mail",
         "text": "What people were told, and whether it reached them; the channels, each with a test."},
        {"title": "Backups", "name": "ops_backups", "type": "Backup", "icon": "cloud_done",
         "text": "What there is to restore, to which moments, and when it was last proven."},
    ]),
    ("Oversight", [
        {"title": "Emergency access", "name": "compliance_breakglass", "type": "Trail", "icon": "emergency",
         "text": "Records opened by break-glass, each to be reviewed within 72 hours."},
        {"title": "Access log", "name": "compliance_accessevent", "type": "Trail", "icon": "visibility",
         "text": "Who looked at or changed whose record, and when."},
        {"title": "Who saw this patient", "name": "compliance_accessevent", "screen": "patient", "type": "Trail",
         "icon": "person_alert", "text": "Everybody who opened one patient's chart."},
        {"title": "What this person saw", "name": "compliance_accessevent", "screen": "person", "type": "Trail",
         "icon": "badge", "text": "Every patient whom one person, token or client looked at."},
        {"title": "Unusual access", "name": "compliance_finding", "type": "Review", "icon": "policy_alert",
         "text": "What the nightly review found, to judge and sign off."},
        {"title": "Accounting of disclosures", "name": "compliance_entereddisclosure", "type": "Accounting",
         "icon": "outbound", "text": "What left about one patient, to whom and why, as a patient may ask."},
        {"title": "Purposes of use", "name": "compliance_purposedefault", "type": "PurposeDefault", "icon": "rule",
         "text": "What each purpose shows where no consent says anything."},
    ]),
]  # fmt: skip

# Functions of a request that answer what every page says first (healthrecords.console.notices).
CONSOLE_NOTICES = [
    "compliance.breakglass.console.notices",
    "ops.proof.admin.notices",
    "healthrecords.notify.console.notices",
]

# Functions of a request that answer what the home page says at a glance (healthrecords.console.glances).
CONSOLE_GLANCES = [
    "ops.monitoring.glances.health",
    "ops.alerts.admin.glance",
    "ops.monitoring.glances.notices",
    "ops.monitoring.glances.backups",
    "ops.schedule.admin.glances",
    "compliance.glances.seal",
    "compliance.glances.reviews",
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "HealthRecords",
    "SITE_HEADER": "HealthRecords",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("console/logo.svg")}],
    "STYLES": [lambda _: static("console/console.css")],
    "THEME": "light",
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {
            "50": "#eef7fa", "100": "#d8edf3", "200": "#b3dbe7", "300": "#7fc0d3", "400": "#469eb8", "500": "#2482a0",
            "600": "#0d6a87", "700": "#0d5f79", "800": "#114c60", "900": "#124050", "950": "#082936",
        }
    },
}  # fmt: skip
