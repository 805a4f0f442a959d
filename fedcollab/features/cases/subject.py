"""Decides what of a case is given to a person who asks what is kept of them: what is about them alone; what may tell of others is left out
and counted, by a rule that the page names. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fedcollab.base.errors import N_

from .mentioning import people_of
from .people import Suspicion
from .shown import THERE, Case, Shown

OTHERS, WORDS, SUSPECT, UNREAD, CHOSEN = "others", "words", "suspect", "unread", "chosen"
WHY = {  # why something is left out, by its code
    OTHERS: N_("It is about other people as well."),
    WORDS: N_("It is free text of those who work on the case, which may speak of anybody."),
    SUSPECT: N_("It says what is suspected, and telling it could hinder an investigation. Another procedure decides on that."),
    UNREAD: N_("It is hidden, was taken away, or whoever made this copy has no need to know it."),
    CHOSEN: N_("Whoever made this copy left it out, for a reason that they have noted."),
}
NAMES = frozenset(
    {"owner", "only", "by", "who", "replaces", "consent", "renews"}
)  # members that name others, or are of use to the program alone


@dataclass(frozen=True, repr=False)
class Copy:
    """What is given, the oldest first, and how many entries are left out, by the reason's code."""

    items: tuple[Shown, ...]
    left_out: Mapping[str, int]


def copy(case: Case, code: str, without: Iterable[str] = ()) -> Copy:
    """What a person's copy holds; `without` are the ids of entries that whoever makes it leaves out."""
    chosen, items, left = set(without), list[Shown](), Counter[str]()
    for shown in _about(case, code):
        why = CHOSEN if shown.id in chosen else _why_not(shown, code)
        if why:
            left[why] += 1
        else:
            items.append(shown)
    return Copy(tuple(items), dict(left))


def _about(case: Case, code: str) -> Iterator[Shown]:
    """What speaks of a person, as far as that is known, and all free text."""
    for shown in case.timeline:
        entry = shown.entry
        if shown.state != THERE or entry is None:
            if shown.person in ("", code) and shown.kind not in ("opened", "terms", "status", "closed"):
                yield shown
        elif code in people_of(entry) or entry.KIND in ("message", "decision", "task"):
            yield shown


def _why_not(shown: Shown, code: str) -> str:
    if shown.state != THERE or shown.entry is None:
        return UNREAD
    if isinstance(shown.entry, Suspicion):
        return SUSPECT
    people = people_of(shown.entry)
    if not people:
        return WORDS
    return "" if set(people) == {code} else OTHERS
