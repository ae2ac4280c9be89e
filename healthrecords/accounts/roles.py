"""The roles as shipped, each with the least that it needs. A migration writes them; from then on they are rows.

Letters as in SMART scopes: c(reate), r(ead), u(pdate), d(elete), s(earch).
"""

CARE = ["TREAT", "HPAYMT", "HOPERAT"]

SHIPPED: dict[str, tuple[str, dict[str, str], list[str]]] = {
    "clinician": (
        "Clinician",
        {"Patient": "crus", "Directory": "crus", "Immunization": "crus", "Provenance": "crs"},
        CARE,
    ),
    "front-desk": (
        "Front desk",
        {"Patient": "crus", "Directory": "rs", "Immunization": "rs"},
        ["HOPERAT", "HPAYMT", "TREAT"],
    ),
    "immunization-nurse": (
        "Immunization nurse",
        {"Patient": "crus", "Directory": "rs", "Immunization": "crus", "Provenance": "crs"},
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
