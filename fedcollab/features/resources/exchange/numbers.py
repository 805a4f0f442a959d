"""Decides how years, days, addresses, DOIs and ISBNs are read, however people write them."""

import re
from datetime import date
from urllib.parse import unquote, urlsplit

from fedcollab.base.addresses import host_of
from fedcollab.base.errors import BadRequest
from fedcollab.features.resources.record import ADDRESS

YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
DOI = re.compile(r"\b10\.\d{4,9}/[^\s<>\"{}|\\^`]+", re.IGNORECASE | re.ASCII)
UNSAFE = re.compile(r"[{}|\\^`<>\"]")
ISBN = re.compile(r"(?<![\dX])(?:97[89][- ]?)?(?:\d[- ]?){9}[\dX](?![\dX])", re.IGNORECASE | re.ASCII)
LONGEST_DOI = 180
BUDDHIST, EARLIEST, LATEST = 543, 1000, 2200


def year(text: str) -> tuple[int | None, bool]:
    """The first year in a text, in whatever digits; and whether it was taken for one of the Buddhist calendar."""
    for found in YEAR.findall(text[:1000]):
        number = int(found)
        if EARLIEST <= number < LATEST:
            return number, False
        if 1900 <= number - BUDDHIST < 2100:
            return number - BUDDHIST, True
    return None, False


def day(text: str) -> str:
    """A day as YYYY-MM-DD; empty for anything else."""
    try:
        return date.fromisoformat(text.strip()).isoformat() if DAY.fullmatch(text.strip()) else ""
    except ValueError:
        return ""


def address(text: str) -> str:
    """An address that a link may lead to (http or https, a host, no blanks, no name or password in it), signs that do not belong into one
    escaped as browsers do; empty for anything else."""
    made = UNSAFE.sub(lambda found: f"%{ord(found.group()):02X}", text.strip())
    try:
        return made if len(made) <= ADDRESS and host_of(made) and "@" not in urlsplit(made).netloc else ""
    except (ValueError, BadRequest):
        return ""


def identifiers(text: str) -> list[str]:
    """The DOIs and valid ISBNs in a text, as "doi:10..." and "isbn:978...": small letters, no hyphens, thirteen digits."""
    text = unquote(text[:ADDRESS])
    dois = [f"doi:{_whole(found).lower()}" for found in DOI.findall(text) if len(found) < LONGEST_DOI]
    if dois:
        return list(dict.fromkeys(dois))
    isbns = [isbn(found) for found in ISBN.findall(text)]
    return list(dict.fromkeys(f"isbn:{found}" for found in isbns if found))


def _whole(doi: str) -> str:
    """Without the end of the sentence or of the brackets that it stands in."""
    while doi and (doi[-1] in ".,;:" or (doi[-1] in ")]" and doi.count(doi[-1]) > doi.count({")": "(", "]": "["}[doi[-1]]))):
        doi = doi[:-1]
    return doi


def isbn(text: str) -> str:
    """Thirteen digits, or nothing where the check digit is wrong."""
    digits = re.sub(r"[^0-9Xx]", "", text).upper()
    if len(digits) == 10 and digits[:9].isdigit():
        total = sum((10 - at) * (10 if c == "X" else int(c)) for at, c in enumerate(digits))
        return _closed("978" + digits[:9]) if total % 11 == 0 else ""
    return digits if len(digits) == 13 and digits.isdigit() and _closed(digits[:12]) == digits else ""


def _closed(twelve: str) -> str:
    total = sum(int(c) * (3 if at % 2 else 1) for at, c in enumerate(twelve))
    return twelve + str(-total % 10)
