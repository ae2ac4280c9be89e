"""The screens of immunizations in the admin, and their part of a patient's page."""

from immunizations.admin import section
from immunizations.admin.duplicates import DuplicateAdmin
from immunizations.admin.screens import ImmunizationAdmin
from immunizations.admin.stock import LotAdmin

__all__ = ["DuplicateAdmin", "ImmunizationAdmin", "LotAdmin", "section"]
