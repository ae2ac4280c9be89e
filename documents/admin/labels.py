"""Words for what documents are, as people at a desk use them."""

STATUS = {"current": "Current", "superseded": "Replaced", "entered-in-error": "Entered in error"}
DOC_STATUS = {
    "preliminary": "Preliminary", "final": "Final", "amended": "Amended", "entered-in-error": "Entered in error",
}  # fmt: skip
RELATION = {"replaces": "Replaces", "transforms": "Transforms", "signs": "Signs", "appends": "Adds to"}
# LOINC codes of document types that clinics file most (from the value sets of US Core clinical notes and C-CDA).
TYPE = {
    "34133-9": "Summary of care (CCD)", "18842-5": "Discharge summary", "11506-3": "Progress note",
    "11488-4": "Consultation note", "34117-2": "History and physical", "28570-0": "Procedure note",
    "11504-8": "Surgical operation note", "57133-1": "Referral note", "18761-7": "Transfer summary",
    "11502-2": "Laboratory report", "18748-4": "Imaging report", "11526-1": "Pathology report",
    "52521-2": "Plan of care", "11369-6": "Immunization history", "59284-0": "Consent", "64290-0": "Insurance card",
    "51851-4": "Administrative note", "34109-9": "Other note",
}  # fmt: skip
KIND = {
    "application/pdf": "PDF", "image/png": "PNG image", "image/jpeg": "JPEG image", "image/gif": "GIF image",
    "image/webp": "WebP image", "image/bmp": "BMP image", "image/tiff": "TIFF image", "image/svg+xml": "SVG drawing",
    "text/plain": "Text", "text/html": "Web page (HTML)", "application/json": "JSON", "application/xml": "XML",
    "application/hl7-cda+xml": "C-CDA", "x-application/hl7-v2+er7": "HL7 v2 message", "application/zip": "ZIP archive",
    "application/dicom": "DICOM image", "application/rtf": "Rich text", "application/octet-stream": "Unknown type",
}  # fmt: skip
