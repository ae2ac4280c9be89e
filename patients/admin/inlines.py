"""The repeated parts of a patient's form."""

from healthrecords.console.inlines import Addresses, Identifiers, Names, PartInline, Telecoms
from patients import models as m
from patients.admin import forms as f


class PatientNames(Names):
    model = m.PatientName


class PatientIdentifiers(Identifiers):
    model = m.PatientIdentifier


class PatientTelecoms(Telecoms):
    model = m.PatientTelecom


class PatientAddresses(Addresses):
    model = m.PatientAddress


class Contacts(PartInline):
    model = m.PatientContact
    form = f.ContactForm
    verbose_name, verbose_name_plural = "contact", "Contacts"
    fields = [("given", "family"), ("relationship_code", "relationship_text"), ("telecom_value", "telecom_system")]


class Languages(PartInline):
    model = m.PatientCommunication
    form = f.LanguageForm
    verbose_name, verbose_name_plural = "language", "Languages"
    fields = [("language_code", "language_text", "preferred")]


class GeneralPractitioners(PartInline):
    model = m.PatientGeneralPractitioner
    form = f.PractitionerForm
    verbose_name, verbose_name_plural = "practitioner", "General practitioner"
    fields = [("practitioner", "organization")]
    autocomplete_fields = ["practitioner", "organization"]


INLINES = [
    PatientNames, PatientIdentifiers, PatientTelecoms, PatientAddresses, Contacts, Languages, GeneralPractitioners,
]  # fmt: skip
