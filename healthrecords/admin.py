"""The kernel's screens, each kept in the package of its subject."""

from healthrecords.accounts import admin as accounts
from healthrecords.directory import admin as directory
from healthrecords.notify import admin as notify

__all__ = ["accounts", "directory", "notify"]
