"""Decides which hosts are shown with a warning: names with letters beyond a to z, and names that read like one that we know."""

from collections.abc import Iterable

# Letters of other scripts that look like Latin ones in most typefaces, and groups of Latin ones that look like another.
LIKE = str.maketrans("аеорсухіјѕһӏԁԛԝвнкмтαεορνικτυχγ0135ıɡƅ", "aeopcyxijshldqwbhkmtaeopviktuxyolesigb")
GROUPS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("l", "i"), ("-", ""))


def readable(host: str) -> str:
    """A name that is written in punycode as browsers may show it; empty for one without such letters."""
    if not any(label.startswith("xn--") for label in host.split(".")):
        return ""
    try:
        return ".".join(_label(label) for label in host.split("."))
    except UnicodeError:
        return host


def _label(label: str) -> str:
    return label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label


def _skeleton(host: str) -> str:
    text = (readable(host) or host).lower().translate(LIKE)
    for several, one in GROUPS:
        text = text.replace(several, one)
    return text


Looks = dict[str, list[str]]  # hosts by what they look like


def looks_of(known: Iterable[str]) -> Looks:
    """The hosts that others could pose as, for as many questions as there are."""
    found: Looks = {}
    for host in known:
        found.setdefault(_skeleton(host), []).append(host)
    return found


def resembles(host: str, known: Looks) -> str:
    """The host among `known` that another one could be mistaken for; empty for none."""
    return next((other for other in known.get(_skeleton(host), ()) if other != host), "")
