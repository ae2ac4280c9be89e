"""The roles as shipped, each with the least that it needs. A migration writes them; from then on they are rows.

Letters as in SMART scopes: c(reate), r(ead), u(pdate), d(elete), s(earch). `Stock` is the vaccine on the shelves: its
list (s), its lots (r), deliveries, losses and counts (c), marks such as a recall (u). What else is no record: `User`
(people, roles, tokens), `Trail` (the access log), `Review` (of accesses: findings are listed (s), read (r) and signed
off (u), its rules are set and run (c)), `Accounting` (of disclosures), `PurposeDefault` (what purposes show without a
consent), `Backup`, `Incident`, `Breach`, `Control` (checks of compliance), `Settings`.
Letters for documents come with that app's own migration. The purpose ETREAT shows nothing but the patient for whom its
holder has declared an emergency.
"""

CARE = ["TREAT", "HPAYMT", "HOPERAT"]

SHIPPED: dict[str, tuple[str, dict[str, str], list[str]]] = {
    "clinician": (
        "Clinician",
        {"Patient": "crus", "Directory": "crus", "Immunization": "crus", "Provenance": "crs", "Stock": "crus"}
        | {"Consent": "crus"},
        [*CARE, "ETREAT"],
    ),
    "front-desk": (
        "Front desk",
        {"Patient": "crus", "Directory": "rs", "Immunization": "rs", "Stock": "rs", "Consent": "crus"},
        ["HOPERAT", "HPAYMT", "TREAT"],
    ),
    "immunization-nurse": (
        "Immunization nurse",
        {"Patient": "crus", "Directory": "rs", "Immunization": "crus", "Provenance": "crs", "Stock": "crus"}
        | {"Consent": "rs"},
        [*CARE, "ETREAT"],
    ),
    "integrator": (
        "Integrator",
        {"Patient": "cruds", "Directory": "cruds", "Immunization": "cruds", "Provenance": "crs"},
        [*CARE, "PUBHLTH"],
    ),
    "operator": (
        "Operator",
        {"Backup": "crus", "Incident": "crus", "Operations": "crus", "Settings": "r"},
        ["HSYSADMIN"],
    ),
    "compliance-officer": (
        "Compliance officer",
        {
            "Trail": "rs",
            "Review": "crus",
            "Accounting": "crs",
            "Breach": "crus",
            "Control": "crus",
            "Incident": "rs",
            "Consent": "crus",
            "PurposeDefault": "us",
        },
        ["HCOMPL"],
    ),
    "security-officer": (
        "Security officer",
        {"Trail": "rs", "Review": "rus", "User": "rs", "Incident": "crus", "Breach": "rs", "Settings": "r"}
        | {"Operations": "rs"},
        ["HSYSADMIN"],
    ),
    "auditor": (
        "Auditor",
        {
            "Trail": "rs",
            "Review": "rs",
            "User": "rs",
            "Backup": "rs",
            "Incident": "rs",
            "Breach": "rs",
            "Control": "rs",
            "Settings": "r",
            "Consent": "rs",
            "Operations": "rs",
            "PurposeDefault": "s",
        },
        ["HCOMPL"],
    ),
    "administrator": ("Administrator", {"User": "crus", "Operations": "crus", "Settings": "ru"}, ["HSYSADMIN"]),
}
