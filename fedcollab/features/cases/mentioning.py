"""Decides whom an entry is about, and which entries of a case speak of somebody: of them alone, of others too, or by their code or name in
what people wrote."""

from collections.abc import Iterator

from .acts import GONE, HIDDEN
from .finding import texts
from .kinds import KINDS
from .people import Identity, Part, Person
from .record import Entry
from .sharing import Consent, Share
from .shown import THERE, Case, Shown
from .work import Contact, File, Step

SHORTEST = 3  # letters of a name that is looked for


def people_of(entry: Entry) -> tuple[str, ...]:
    """The codes of those whom an entry names as whom it is about; none for free text."""
    if isinstance(entry, Person | Part | Step | Consent | File):
        return (entry.person,) if entry.person else ()
    return entry.people if isinstance(entry, Contact | Share) else ()


def alone(case: Case, code: str) -> tuple[Shown, ...]:
    """What is kept of a person alone: their record, plan, files, consents, and contacts with them, what is withheld from whoever looks
    too."""
    return tuple(shown for shown in case.timeline if shown.state not in GONE and _is_alone(shown, code))


def _is_alone(shown: Shown, code: str) -> bool:
    if shown.entry is None or shown.person:
        return shown.person == code
    return not isinstance(shown.entry, Share) and people_of(shown.entry) == (code,)


def beside(case: Case, code: str) -> Iterator[Shown]:
    """The other entries that speak of them, the latest first: as one of several people, or by their code or a name of theirs in what
    people wrote, as far as whoever looks may read it."""
    words = [code.lower(), *(name.lower() for name in _names(case, code))]
    for shown in reversed(case.timeline):
        kind, entry = KINDS.get(shown.kind), shown.entry
        if shown.state != THERE or entry is None or kind is None or not issubclass(kind, HIDDEN) or _is_alone(shown, code):
            continue
        if code in people_of(entry) or _says(entry, words):
            yield shown


def _names(case: Case, code: str) -> Iterator[str]:
    for person in case.people:
        for part in person.parts if person.code == code else ():
            for entry in part.entries:
                if isinstance(entry, Identity):
                    yield from (name for name in (entry.name, *entry.also) if len(name) >= SHORTEST)


def _says(entry: Entry, words: list[str]) -> bool:
    said = "\n".join(texts(entry)).lower()
    return any(word in said for word in words)
