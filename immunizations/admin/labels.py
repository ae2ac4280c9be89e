"""Words for coded values of an immunization, as people at a desk use them."""

SITE = {
    "LD": "Left deltoid", "RD": "Right deltoid", "LA": "Left arm", "RA": "Right arm", "LT": "Left thigh",
    "RT": "Right thigh", "LVL": "Left vastus lateralis", "RVL": "Right vastus lateralis", "LG": "Left gluteus medius",
    "RG": "Right gluteus medius", "BU": "Buttock",
}  # fmt: skip
ROUTE = {
    "IM": "Intramuscular", "SQ": "Subcutaneous", "IDINJ": "Intradermal", "NASINHLC": "Nasal", "PO": "By mouth",
    "IVINJ": "Intravenous", "TRNSDERM": "Through the skin",
}  # fmt: skip
FUNDING = {"private": "Private", "public": "Public"}
ELIGIBILITY = {"ineligible": "Not eligible", "uninsured": "Eligible: uninsured"}
ORIGIN = {
    "provider": "Another provider", "record": "Written record", "recall": "Patient or parent, from memory",
    "school": "School record", "jurisdiction": "Immunization registry",
}  # fmt: skip
NOT_DONE = {
    "PATOBJ": "Refused", "MEDPREC": "Medical precaution", "IMMUNE": "Already immune", "OSTOCK": "Out of stock",
}  # fmt: skip
SUBPOTENT = {"partial": "Partial dose", "coldchainbreak": "Cold chain was broken", "recall": "Lot was recalled"}
FUNCTION = {"AP": "Given by", "OP": "Ordered by"}
STATUS = {"completed": "Given", "not-done": "Not done", "entered-in-error": "Entered in error"}

# CDC's vaccine groups under the names that clinics use, in the order of the schedule; one row of the grid each.
GROUP = {
    "FLU": "Influenza", "COVID-19": "COVID-19", "RSV": "RSV", "HepB": "HepB", "ROTAVIRUS": "Rotavirus",
    "DTAP": "DTaP/Tdap/Td", "TDAP": "DTaP/Tdap/Td", "Td": "DTaP/Tdap/Td", "HIB": "Hib", "PneumoPCV": "Pneumococcal",
    "PneumoPPV": "Pneumococcal", "POLIO": "Polio", "MMR": "MMR", "VARICELLA": "Varicella", "HepA": "HepA",
    "MENING": "MenACWY", "MeningB": "MenB", "HPV": "HPV", "ZOSTER": "Zoster",
}  # fmt: skip
OTHER_GROUP = "Other vaccines"
