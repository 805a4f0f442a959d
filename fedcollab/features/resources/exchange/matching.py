"""Decides which of our codes somebody's words mean: topics, kinds, licences, languages, countries, labels."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from fedcollab.access.models import LABELS, STRICT
from fedcollab.base.called import countries
from fedcollab.base.i18n import LANGUAGES, catalogue
from fedcollab.features.resources.words import KINDS, LICENCES, TOPICS

from . import numbers, synonyms

ACCENTS = re.compile("[\u0300-\u036f]")
BLANKS = re.compile(r"[\s_\-‐-―]+")
TAG = re.compile(r"(country|kind|licence|review):(\S+)")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}")
LONGEST_TAG = 16


@dataclass
class Tagged:
    """What keywords say: those of ours by which a record keeps in any format what the format has no place for, and topics."""

    topics: list[str] = field(default_factory=list)
    countries: list[str] = field(default_factory=list)
    kind: str = ""
    licence: str = ""
    review_on: str = ""
    labels: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def folded(text: str) -> str:
    """A word as it is compared: no case, no accents of Latin letters, any hyphens and blanks as one blank."""
    bare = ACCENTS.sub("", unicodedata.normalize("NFKD", text[:200]))
    return BLANKS.sub(" ", unicodedata.normalize("NFC", bare).casefold()).strip(" .")


@cache
def _table(kind: str) -> Mapping[str, str]:
    names, more = {"topics": (TOPICS, synonyms.TOPICS), "kinds": (KINDS, synonyms.KINDS), "licences": (LICENCES, synonyms.LICENCES)}[kind]
    found = {folded(word): code for code, text in more.items() for word in text.split("|")}
    for code, name in names.items():
        found |= {folded(catalogue(language).gettext(name)): code for language in LANGUAGES} | {folded(name): code, folded(code): code}
    return found


def topic(text: str) -> str:
    """The code of a topic; empty for what is none of ours."""
    return _table("topics").get(folded(text), "")


def kind(text: str) -> str:
    """The code of a kind of resource, by its name or a type of others' formats; empty for what is none of ours."""
    return _table("kinds").get(folded(text), "")


def licence(text: str) -> str:
    """The code of a licence, by its code, name or address; empty for what is not on the list."""
    bare = re.sub(r"^https?://(www\.)?|/(deed\.\w+|legalcode\w*)?/?$", "", text.strip().lower())
    return _table("licences").get(folded(bare), "")


@cache
def _languages() -> Mapping[str, str]:
    from babel import Locale

    found = dict(synonyms.LANGUAGES)
    for reader in LANGUAGES:
        for code, name in Locale.parse(reader).languages.items():
            if LANGUAGE.fullmatch(str(code).replace("_", "-")):
                found.setdefault(folded(name), str(code).replace("_", "-"))
    for code in ("en", "fr", "es", "ar", "km", "th", "vi", "my", "zh", "ru", "pt", "de", "hi", "bn", "ne", "fa", "uk", "tl", "id", "sw"):
        found.setdefault(folded(Locale.parse(code).get_display_name(code) or code), code)
    return found


def language(text: str) -> str:
    """A BCP 47 tag: of a tag, however it is spelt, of a code of three letters, or of a language's name."""
    from babel.core import get_global

    said = text.strip().replace("_", "-")
    if found := _languages().get(folded(said)):
        return found
    if not LANGUAGE.fullmatch(said):
        return ""
    first, *rest = said.split("-")
    aliases = get_global("language_aliases")
    code = aliases.get(first.lower(), first.lower())
    if code not in _known_languages():
        return ""
    found = "-".join([code, *(_part(part) for part in rest[:2])])
    return found if len(found) <= LONGEST_TAG else code


@cache
def _known_languages() -> frozenset[str]:
    from babel import Locale

    return frozenset(str(code) for code in Locale.parse("en").languages if str(code).isalpha())


def _part(text: str) -> str:
    """A subtag in its usual case: regions in capitals, scripts with one."""
    if len(text) == 2 and text.isalpha():
        return text.upper()
    return text.capitalize() if len(text) == 4 and text.isalpha() else text.lower()


@cache
def _countries() -> Mapping[str, str]:
    from babel import Locale

    found = dict(synonyms.COUNTRIES)
    for reader in LANGUAGES:
        for code, name in Locale.parse(reader).territories.items():
            if code in countries():
                found.setdefault(folded(name), code)
    return found


def country(text: str) -> str:
    """A country's code of two letters, by a code of two or three letters or its name."""
    from babel.core import get_global

    said = text.strip()
    if said.upper() in countries():
        return said.upper()
    alias = get_global("territory_aliases").get(said.upper(), ())
    if len(said) in (2, 3) and len(alias) == 1 and alias[0] in countries():
        return str(alias[0])
    return _countries().get(folded(said), "")


def label(text: str) -> str:
    """A label of TLP, with or without its "TLP:"; empty for anything else."""
    said = "".join(text.upper().split())
    said = said if said.startswith("TLP:") else "TLP:" + said
    said = {"TLP:WHITE": "TLP:CLEAR", "TLP:STRICT": STRICT}.get(said, said)
    return said if said in LABELS else ""


def tags(keywords: Iterable[str]) -> Tagged:
    """What the keywords of an entry say."""
    found = Tagged()
    for keyword in dict.fromkeys(text.strip() for text in keywords):
        if not keyword:
            continue
        match = TAG.fullmatch(keyword)
        if keyword.upper().startswith("TLP:") and (said := label(keyword)):
            found.labels.append(said)
        elif match and _takes(found, *match.groups()):
            continue
        elif code := topic(keyword):
            found.topics.append(code)
        else:
            found.unknown.append(keyword)
    return found


def _takes(found: Tagged, name: str, value: str) -> bool:
    """Whether it is a keyword that we have written, and means something still."""
    if name == "country" and value in countries():
        found.countries.append(value)
    elif name == "kind" and value in KINDS:
        found.kind = value
    elif name == "licence" and value in LICENCES:
        found.licence = value
    elif name == "review" and numbers.day(value):
        found.review_on = value
    else:
        return False
    return True
