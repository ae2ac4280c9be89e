"""What ends a backup or a restore; the text of each is the one sentence that the operator sees, with exit code 2."""

from django.core.management.base import CommandError


class BackupFault(CommandError):
    """It could not be done: the surroundings, the input or a program did not allow it."""


class DiskFull(BackupFault):
    """There is no room; what was written so far has been removed."""


class RepositoryDown(BackupFault):
    """The repository does not answer, refuses the credentials or is not there."""


class Missing(BackupFault):
    """An object that should be in the repository is not there."""


class Damaged(BackupFault):
    """An object of the repository is not what was stored; nothing of it is used."""


class OutsideRange(BackupFault):
    """The moment asked for cannot be restored; the sentence says which can."""
