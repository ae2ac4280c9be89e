"""The models of immunization, each kept in the package of its subject."""

from immunizations.codes import models as _codes  # noqa: F401  Django looks for an app's models here
