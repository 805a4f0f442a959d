"""Decides who and what can be chosen in the forms of a case: its people, the organisations and people who are on it, consents in force."""

from collections.abc import Iterator

from .calling import everybody
from .desk import Desk
from .forms import Choices, Option
from .grounds import ROLES
from .shown import ConsentShown


def choices(desk: Desk) -> Choices:
    """By the fields that name them."""
    people = tuple(Option(one.code, one.code, own=True, more=ROLES.get(one.role, "")) for one in desk.case.people)
    organisations = tuple(Option(one.who.uri, one.who.said, own=True) for one in desk.access.inside)
    names = everybody(desk)
    persons = tuple(Option(uri, names[uri].said, own=True) for uri in _persons(desk))
    others = tuple(one for one in organisations if one.value != desk.look.organisation)
    consents = tuple(Option(one.item.id, _said(desk, one), own=True) for one in desk.case.in_force if one.entry)
    named = {"person": people, "people": people, "lead": organisations, "owner": persons, "to": (*others, *persons)}
    return named | {"only": (*organisations, *persons), "consent": consents}


def _persons(desk: Desk) -> Iterator[str]:
    """Ours who are on the case, those of others who are named or have written in it."""
    ours = [one.uri for one in desk.access.ours]
    theirs = [one.uri for organisation in desk.access.others for one in organisation.people]
    wrote = [one.author for one in desk.case.timeline if one.organisation != desk.look.organisation]
    yield from dict.fromkeys((*ours, *theirs, *wrote))


def _said(desk: Desk, consent: ConsentShown) -> str:
    entry = consent.entry
    if entry is None:
        return ""
    to = desk.names[entry.to].said if entry.to else entry.to_name
    return f"{entry.person} · {to} · {entry.until} · {entry.what[:80]}"
