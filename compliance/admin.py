"""The compliance app's screens, each kept in the package of its subject."""

from compliance.accounting import admin as accounting
from compliance.breakglass import admin as breakglass
from compliance.consent import screens as consent
from compliance.phi_access import admin as phi_access
from compliance.review import admin as review

__all__ = ["accounting", "breakglass", "consent", "phi_access", "review"]
