"""What ends a start or a run; the text of each is the one sentence that the person at the terminal sees."""


class CannotStart(Exception):
    """The surroundings do not allow a start (port, disk, directory); exit code 2, nothing was left behind."""


class ServerFailed(Exception):
    """A server or a step of the start failed; exit code 1."""


class StopRequested(Exception):
    """INT or TERM came while something was waited for; the stop is in order, exit code 0."""
