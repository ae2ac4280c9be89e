"""The screens of patients in the admin."""

from patients.admin import apps
from patients.admin.screens import PatientAdmin

__all__ = ["PatientAdmin", "apps"]
