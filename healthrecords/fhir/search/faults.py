"""How a search ends when it cannot be answered; each message is one sentence for the client."""


class BadSearch(Exception):
    """The search is malformed or asks for what is not known (status 400)."""


class PageGone(Exception):
    """A page link that has expired, or whose fixed order the cache no longer holds (status 410)."""
