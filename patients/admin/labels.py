"""Words for coded values of a patient, as people at a desk use them."""

BIRTH_SEX = {"F": "Female", "M": "Male", "OTH": "Other", "UNK": "Unknown", "ASKU": "Asked, not known"}
MARITAL = {
    "A": "Annulled", "D": "Divorced", "I": "Divorce not final", "L": "Legally separated", "M": "Married",
    "C": "Common-law partner", "P": "Polygamous", "T": "Domestic partner", "U": "Unmarried",
    "S": "Never married", "W": "Widowed", "UNK": "Unknown",
}  # fmt: skip
LINK = {
    "replaced-by": "Replaced by", "replaces": "Replaces", "refer": "See the other record", "seealso": "See also",
}  # fmt: skip
RELATIONSHIP = {
    "C": "Emergency contact", "E": "Employer", "F": "Federal agency", "I": "Insurance company", "N": "Next of kin",
    "S": "State agency", "U": "Unknown", "O": "Other", "BP": "Billing contact", "CP": "Contact person",
    "EP": "Emergency contact person", "PR": "Person preparing referral",
}  # fmt: skip
LANGUAGE = {
    "en": "English", "en-US": "English (United States)", "es": "Spanish", "zh": "Chinese", "vi": "Vietnamese",
    "ko": "Korean", "ru": "Russian", "ar": "Arabic", "fr": "French", "fr-FR": "French (France)", "de": "German",
    "de-DE": "German (Germany)", "pt": "Portuguese", "it": "Italian", "hi": "Hindi", "nl": "Dutch", "pl": "Polish",
    "tl": "Tagalog", "ja": "Japanese", "ht": "Haitian Creole", "fa": "Persian", "ur": "Urdu", "bn": "Bengali",
    "so": "Somali", "uk": "Ukrainian", "ase": "American Sign Language",
}  # fmt: skip
RACE = {
    "1002-5": "American Indian or Alaska Native", "2028-9": "Asian", "2054-5": "Black or African American",
    "2076-8": "Native Hawaiian or Other Pacific Islander", "2106-3": "White", "2131-1": "Other race",
}  # fmt: skip
UNSAID = {"ASKU": "Asked but unknown", "UNK": "Unknown"}
ETHNICITY = {"2135-2": "Hispanic or Latino", "2186-5": "Not Hispanic or Latino"}
