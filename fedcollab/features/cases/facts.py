"""Decides how an entry is read back field by field, in the words that it was asked for in."""

from collections.abc import Iterator
from typing import NamedTuple

from fedcollab.base.errors import N_
from fedcollab.base.i18n import Words
from fedcollab.sealing.naming import Names

from .asked import Ask
from .asked_sharing import ALL
from .fields import COUNTRIES, LANGUAGES, Code, Day, Flag, Named, Several, Spec, Uri
from .mending import Correction
from .reading import members
from .record import Entry

YES = N_("Yes")
READ = {  # where it is called otherwise than asked
    "opinion": N_("An opinion, and not a fact"),
    "nobody": N_("Nobody contacts this person"),
    "to_name": N_("For whom"),
    "without": N_("Without consent, because"),
}
OTHERS = {  # of kinds that no form of entries asks for
    "name": Ask(N_("Name")),
    "works_for": Ask(N_("Works for")),
    "type": Ask(N_("What that is")),
    "parts": Ask(N_("Needs to know")),
    "until": Ask(N_("Until")),
    "about": Ask(N_("What it is")),
    "why": Ask(N_("Why")),
}
CODED, OWN, NAME, TEXT = "coded", "own", "name", "text"


class Said(NamedTuple):
    """A value as it is shown: `how` is "coded" (a message id), "own" (a day, a country in the reader's words), "name" (of a person or an
    organisation, a code) or "text" (as somebody wrote it)."""

    text: str
    how: str


class Fact(NamedTuple):
    """A field that says something: its name, its label (a message id), its values."""

    name: str
    label: str
    said: tuple[Said, ...]


def facts(entry: Entry, names: Names, words: Words) -> list[Fact]:
    """All that an entry says, in the order in which it was asked; of a correction what it puts in the place; nothing of
    what no form asks for, such as a file."""
    if isinstance(entry, Correction):
        return facts(entry.entry, names, words) if entry.entry is not None else []
    if entry.KIND not in ALL:
        return []
    specs = {member.name: member.spec for member in members(type(entry))}
    return list(_facts(entry, specs, names, words))


def _facts(entry: Entry, specs: dict[str, Spec], names: Names, words: Words) -> Iterator[Fact]:
    asked = ALL[entry.KIND].fields if entry.KIND in ALL else {name: ask for name, ask in OTHERS.items() if name in specs}
    for name, ask in asked.items():
        value, spec = getattr(entry, name), specs[name]
        if value != spec.empty:
            one = spec.one if isinstance(spec, Several) else spec
            values = value if isinstance(value, tuple) else (value,)
            yield Fact(name, READ.get(name, ask.label), tuple(_said(one, each, names, words) for each in values))


def _said(spec: Spec, value: str, names: Names, words: Words) -> Said:
    if isinstance(spec, Code):
        return Said(spec.of[value], CODED)
    if isinstance(spec, Flag):
        return Said(YES, CODED)
    if isinstance(spec, Day):
        return Said(words.on_day(value), OWN)
    if isinstance(spec, Named):
        return Said(value, NAME)
    if isinstance(spec, Uri):
        return Said(names[value].said, NAME)
    if spec in (COUNTRIES, LANGUAGES):
        return Said(words.country_name(value) if spec == COUNTRIES else words.language_name(value), OWN)
    return Said(value, TEXT)
