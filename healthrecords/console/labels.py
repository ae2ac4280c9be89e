"""Words for coded values of FHIR's data types, as people at a desk use them."""

GENDER = {"male": "Male", "female": "Female", "other": "Other", "unknown": "Unknown"}
NAME_USE = {
    "usual": "Usual", "official": "Official", "temp": "Temporary", "nickname": "Nickname", "anonymous": "Anonymous",
    "old": "Former", "maiden": "Before marriage",
}  # fmt: skip
TELECOM = {
    "phone": "Phone", "fax": "Fax", "email": "E-mail", "pager": "Pager", "url": "Web", "sms": "Text message",
    "other": "Other",
}  # fmt: skip
USE = {
    "home": "Home", "work": "Work", "temp": "Temporary", "old": "Former", "mobile": "Mobile", "billing": "Billing",
    "usual": "Usual", "official": "Official", "secondary": "Secondary",
}  # fmt: skip
ADDRESS_TYPE = {"postal": "For mail", "physical": "To visit", "both": "For mail and to visit"}
IDENTIFIER = {
    "MR": "Medical record number", "SS": "Social Security number", "DL": "Driver's license", "PPN": "Passport",
    "NI": "National id", "TAX": "Tax number", "PI": "Internal patient id", "PT": "External patient id",
    "MC": "Medicare number", "MA": "Medicaid number", "MB": "Member number", "SB": "Social beneficiary id",
    "AN": "Account number", "JHN": "Jurisdictional health number", "NPI": "National provider number",
}  # fmt: skip
LOCATION_STATUS = {"active": "In use", "suspended": "Suspended", "inactive": "Not in use"}
