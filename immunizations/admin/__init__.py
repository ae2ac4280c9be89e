"""The screens of immunizations in the admin, and their part of a patient's page."""

from immunizations.admin import section
from immunizations.admin.screens import ImmunizationAdmin

__all__ = ["ImmunizationAdmin", "section"]
