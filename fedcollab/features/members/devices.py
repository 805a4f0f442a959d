"""Decides how a browser is named where people see where they are signed in: its kind and system, and nothing more is kept of it."""

# The first that a browser says of itself counts: most of them also claim to be those further down.
BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser/": "Samsung Internet",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "CrOS": "ChromeOS",
    "Windows": "Windows",
    "Macintosh": "Mac",
    "Linux": "Linux",
}


def device(agent: str) -> str:
    """A browser's kind and system from its User-Agent field, such as "Firefox, Android"; as much as is known, or nothing."""
    return ", ".join(found for names in (BROWSERS, SYSTEMS) if (found := next((names[mark] for mark in names if mark in agent), "")))
