"""Purposes of use (HL7 v3 PurposeOfUse) in the light of 45 CFR 164.528(a)(1): which disclosures need no accounting.

Treatment, payment and the organization's own operations, and what goes to the patients themselves, are left out, as the
rule permits. Every other purpose is accounted for, also one that is not known here.
"""

TREATMENT = frozenset({"TREAT", "ETREAT", "BTG", "ERTREAT", "COC", "TREATDS"})
PAYMENT = frozenset({"HPAYMT", "CLMATTCH", "COVAUTH", "COVERAGE", "ELIGDTRM", "ELIGVER", "ENROLLM", "REMITADV"})
OPERATIONS = frozenset(
    {"HOPERAT", "CAREMGT", "HCOMPL", "HQUALIMP", "HSYSADMIN", "PATADMIN", "PATSFTY", "RECORDMGT", "TRAIN"}
)
TO_THE_PATIENT = frozenset({"PATRQT"})
LEFT_OUT = TREATMENT | PAYMENT | OPERATIONS | TO_THE_PATIENT

WORDS = {
    "PUBHLTH": "Public health", "HRESCH": "Research", "CLINTRL": "Clinical trial", "HLEGAL": "Legal proceedings",
    "GOV": "Government oversight", "FRAUD": "Detection of fraud", "DISASTER": "Disaster relief",
    "THREAT": "Threat to health or safety", "FAMRQT": "Request of the family", "HMARKT": "Marketing",
    "DECD": "Coroner or funeral director", "DONAT": "Organ donation", "HACCRED": "Accreditation",
    "HOUTCOMS": "Study of outcomes", "JUDICIAL": "Court order", "LAW": "Law enforcement",
    "WORKCOMP": "Workers' compensation",
}  # fmt: skip


def in_words(code: str) -> str:
    """A purpose as the patient reads it; the code itself for one that has no words here."""
    return WORDS.get(code, code or "Not stated")
