"""Consents in the console: recorded in words, previewed, printed, revoked."""

from compliance.consent.screens import defaults, panel
from compliance.consent.screens.admin import ConsentAdmin

__all__ = ["ConsentAdmin", "defaults", "panel"]
