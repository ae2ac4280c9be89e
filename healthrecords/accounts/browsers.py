"""A browser in words, from its User-Agent header: enough for a person to know their own again."""

_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "an iPhone"), ("iPad", "an iPad"), ("Android", "Android"), ("Windows", "Windows"),
    ("Mac OS X", "a Mac"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def describe(user_agent: str) -> str:
    """Such as `Firefox on Windows`; what is not recognized is `another program`."""
    browser, system = _named(_BROWSERS, user_agent), _named(_SYSTEMS, user_agent)
    if not browser:
        return "another program"
    return f"{browser} on {system}" if system else browser


def _named(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for mark, name in names if mark in user_agent), "")
