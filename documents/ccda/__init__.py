"""C-CDA (HL7 CDA R2, US Realm): its header, for what a sender left out, and its narrative, for people to read."""
