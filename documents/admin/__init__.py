"""The screens of documents in the admin, and their part of a patient's page."""

from documents.admin import section
from documents.admin.screens import DocumentAdmin

__all__ = ["DocumentAdmin", "section"]
