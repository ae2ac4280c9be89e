"""Who may do what, written by hand to be read by people: the tests compare the server with it, cell by cell.

Nothing here comes from the code that it is compared with. Letters as in SMART scopes: c(reate), r(ead and history),
u(pdate), d(elete), s(earch).
"""

ROLES = (
    "clinician", "front-desk", "immunization-nurse", "integrator", "operator", "compliance-officer", "security-officer",
    "auditor", "administrator",
)  # fmt: skip

# subject            clinician desk   nurse  integr. operator compl. secur. auditor admin.
LETTERS = """
Patient              crus      crus   crus   cruds   -        -      -      -       -
Immunization         crus      rs     crus   cruds   -        -      -      -       -
DocumentReference    crus      crs    rs     cruds   -        -      -      -       -
Binary               cr        c      r      cr      -        -      -      -       -
Provenance           crs       -      crs    crs     -        -      -      -       -
Consent              crus      crus   rs     -       -        crus   -      rs      -
Organization         crus      rs     rs     cruds   -        -      -      -       -
Practitioner         crus      rs     rs     cruds   -        -      -      -       -
PractitionerRole     crus      rs     rs     cruds   -        -      -      -       -
Location             crus      rs     rs     cruds   -        -      -      -       -
Stock                crus      rs     crus   -       -        -      -      -       -
Trail                -         -      -      -       -        rs     rs     rs      -
Review               -         -      -      -       -        crus   rus    rs      -
Accounting           -         -      -      -       -        crs    -      -       -
PurposeDefault       -         -      -      -       -        us     -      s       -
User                 -         -      -      -       -        -      rs     rs      crus
Backup               -         -      -      -       crus     -      -      rs      -
Operations           -         -      -      -       crus     -      rs     rs      crus
Emergency            c         -      c      -       -        -      -      -       -
"""

# The API: verb, address below the type, the letter that opens it, and what a record gets that is the caller's to see
# (own), that a consent hides from everybody (other), and that is not there (none). A dash: no record is named.
API = """
GET     -                           s   200  -    -
POST    -                           c   201  -    -
POST    /_search                    s   200  -    -
GET     /_history                   s   200  -    -
POST    /$validate                  r   200  -    -
GET     /{id}                       r   200  404  404
GET     /{id}/_history              r   200  404  404
GET     /{id}/_history/1            r   200  404  404
GET     /{id}/$validate             r   200  404  404
PUT     /{id}                       u   200  409  201
DELETE  /{id}                       d   204  404  404
"""

# The pages below /admin/: address, the subject and letter that open it. {…} is a record of that type.
ADMIN = """
patients/patient/                                                Patient           s
patients/patient/add/                                            Patient           c
patients/patient/{Patient}/                                      Patient           r
patients/patient/{Patient}/change/                               Patient           u
patients/patient/{Patient}/delete/                               Patient           d
patients/patient/{Patient}/history/                              Patient           r
immunizations/immunization/                                      Immunization      s
immunizations/immunization/scan/                                 Immunization      c
immunizations/immunization/offers/                               Immunization      c
immunizations/immunization/visit/{Patient}/                      Immunization      c
immunizations/immunization/report/{Patient}/                     Immunization      c
immunizations/immunization/{Immunization}/                       Immunization      r
immunizations/immunization/{Immunization}/change/                Immunization      u
immunizations/immunization/{Immunization}/delete/                Immunization      d
immunizations/immunization/{Immunization}/history/               Immunization      r
immunizations/immunization/{Immunization}/error/                 Immunization      u
immunizations/duplicatepair/                                     Immunization      s
immunizations/lot/                                               Stock             s
immunizations/lot/receive/                                       Stock             c
immunizations/lot/{Lot}/                                         Stock             r
immunizations/lot/{Lot}/recall/                                  Stock             r
immunizations/lot/{Lot}/recipients.csv                           Stock             u
documents/documentreference/                                     DocumentReference s
documents/documentreference/upload/{Patient}/                    DocumentReference c
documents/documentreference/{DocumentReference}/                 DocumentReference r
documents/documentreference/{DocumentReference}/change/          DocumentReference u
documents/documentreference/{DocumentReference}/delete/          DocumentReference d
documents/documentreference/{DocumentReference}/history/         DocumentReference r
documents/documentreference/{DocumentReference}/hold/            DocumentReference u
documents/documentreference/{DocumentReference}/retain/          DocumentReference u
documents/documentreference/{DocumentReference}/content/{Key}/   Binary            r
documents/documentreference/{DocumentReference}/file/{Key}/      Binary            r
healthrecords/organization/                                      Organization      s
healthrecords/organization/add/                                  Organization      c
healthrecords/organization/{Organization}/                       Organization      r
healthrecords/organization/{Organization}/change/                Organization      u
healthrecords/organization/{Organization}/delete/                Organization      d
healthrecords/organization/{Organization}/history/               Organization      r
healthrecords/practitioner/                                      Practitioner      s
healthrecords/practitioner/add/                                  Practitioner      c
healthrecords/practitioner/{Practitioner}/                       Practitioner      r
healthrecords/practitioner/{Practitioner}/change/                Practitioner      u
healthrecords/practitioner/{Practitioner}/delete/                Practitioner      d
healthrecords/practitioner/{Practitioner}/history/               Practitioner      r
healthrecords/location/                                          Location          s
healthrecords/location/add/                                      Location          c
healthrecords/location/{Location}/                               Location          r
healthrecords/location/{Location}/change/                        Location          u
healthrecords/location/{Location}/delete/                        Location          d
healthrecords/location/{Location}/history/                       Location          r
compliance/consent/                                              Consent           s
compliance/consent/add/                                          Consent           c
compliance/consent/record/{Patient}/                             Consent           c
compliance/consent/{Consent}/                                    Consent           r
compliance/consent/{Consent}/history/                            Consent           r
compliance/consent/{Consent}/paper.pdf                           Consent           r
compliance/purposedefault/                                       PurposeDefault    s
compliance/breakglass/                                           Trail             s
compliance/breakglass/{BreakGlass}/                              Trail             r
compliance/breakglass/declare/{Patient}/                         Emergency         c
compliance/accessevent/                                          Trail             s
compliance/accessevent/{AccessEvent}/                            Trail             r
compliance/accessevent/export.csv                                Trail             s
compliance/accessevent/patient/                                  Trail             s
compliance/accessevent/patient/export.csv                        Trail             s
compliance/accessevent/person/                                   Trail             s
compliance/accessevent/person/export.csv                         Trail             s
compliance/finding/                                              Review            s
compliance/finding/{Finding}/                                    Review            r
compliance/finding/export.csv                                    Review            s
compliance/finding/setup/                                        Review            c
compliance/entereddisclosure/                                    Accounting        s
compliance/entereddisclosure/accounting.pdf                      Accounting        r
healthrecords/user/                                              User              s
healthrecords/user/add/                                          User              c
healthrecords/user/{User}/                                       User              r
healthrecords/role/                                              User              s
healthrecords/role/matrix/                                       User              s
healthrecords/role/{Role}/                                       User              r
healthrecords/apitoken/                                          User              s
healthrecords/apitoken/{ApiToken}/                               User              r
ops/backups/                                                     Backup            s
healthrecords/notice/                                            Operations        s
healthrecords/notice/{Notice}/                                   Operations        r
healthrecords/channel/                                           Operations        s
healthrecords/channel/add/                                       Operations        c
healthrecords/channel/{Channel}/                                 Operations        r
ops/alert/                                                       Operations        s
ops/alert/{Alert}/                                               Operations        r
ops/healthstate/                                                 Operations        s
ops/sample/                                                      Operations        s
ops/standing/                                                    Operations        s
ops/standing/{Standing}/                                         Operations        r
"""

# Routes that are open by what they are, not by a role, each with who asks there and who answers for it.
ELSEWHERE = {
    "": "leads to the admin",
    "health": "says that the process lives, to anybody",
    "health/ready": "says whether the stores answer, to anybody",
    "alerts": "asks for its own token (ops/alerts/tests)",
    "metrics": "asks for its own token (tests/test_routes.py)",
    "accounts/": "a person's own sign-in, factors and sessions (healthrecords/accounts/tests)",
    "oauth/": "clients and who lets them in (tests/smart)",
    ".well-known/": "what clients must know, to anybody",
    "fhir/metadata": "what the server can do, to anybody",
    "fhir/.well-known/": "what clients must know, to anybody",
    "fhir/^": "addresses where nothing is: 404 for whoever is signed in",
    "fhir": "batches, whose entries are judged one by one (tests/conformance)",
    "fhir/": "batches, whose entries are judged one by one (tests/conformance)",
    "admin/": "the home page, which shows what is open to the person",
    "admin/login/": "leads to the sign-in page",
    "admin/jsi18n/": "words for scripts, to anybody",
    "admin/autocomplete/": "pick lists, each judged by its screen (healthrecords/console/tests)",
    "admin/(": "addresses where nothing is: 404",
    "admin/documents/documentreference/receive/<str:object_id>/": "a POST alone (documents/tests)",
    "admin/compliance/consent/<str:object_id>/revoke/": "a POST alone (compliance/consent/tests)",
    "admin/compliance/consent/<str:object_id>/bind/": "a POST alone (compliance/consent/tests)",
    "admin/compliance/breakglass/<str:object_id>/end/": "a person's own, a POST alone (compliance/breakglass/tests)",
}


def rows(text: str) -> list[list[str]]:
    """The rows of one of the tables above."""
    return [line.split() for line in text.strip().splitlines()]


def letters() -> dict[str, dict[str, str]]:
    """Subject → role → letters."""
    return {
        subject: {role: "" if said == "-" else said for role, said in zip(ROLES, given, strict=True)}
        for subject, *given in rows(LETTERS)
    }
