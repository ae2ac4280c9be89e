"""The roles as shipped, each with the least that it needs. A migration writes them; from then on they are rows.

Letters as in SMART scopes: c(reate), r(ead), u(pdate), d(elete), s(earch). `Stock` is the vaccine on the shelves: its
list (s), its lots (r), deliveries, losses and counts (c), marks such as a recall (u).
"""

CARE = ["TREAT", "HPAYMT", "HOPERAT"]

SHIPPED: dict[str, tuple[str, dict[str, str], list[str]]] = {
    "clinician": (
        "Clinician",
        {"Patient": "crus", "Directory": "crus", "Immunization": "crus", "Provenance": "crs", "Stock": "crus"},
        CARE,
    ),
    "front-desk": (
        "Front desk",
        {"Patient": "crus", "Directory": "rs", "Immunization": "rs", "Stock": "rs"},
        ["HOPERAT", "HPAYMT", "TREAT"],
    ),
    "immunization-nurse": (
        "Immunization nurse",
        {"Patient": "crus", "Directory": "rs", "Immunization": "crus", "Provenance": "crs", "Stock": "crus"},
        CARE,
    ),
    "integrator": (
        "Integrator",
        {"Patient": "cruds", "Directory": "cruds", "Immunization": "cruds", "Provenance": "crs"},
        [*CARE, "PUBHLTH"],
    ),
    "operator": ("Operator", {}, ["HSYSADMIN"]),
    "compliance-officer": ("Compliance officer", {"Trail": "rs"}, ["HCOMPL"]),
    "security-officer": ("Security officer", {"Trail": "rs"}, ["HSYSADMIN"]),
    "auditor": ("Auditor", {"Trail": "rs"}, ["HCOMPL"]),
    "administrator": ("Administrator", {"User": "crus"}, ["HSYSADMIN"]),
}
