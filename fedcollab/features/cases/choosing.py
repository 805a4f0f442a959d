"""Decides who and what can be chosen in the forms of a case: its people, the organisations and people who are on it, whom something can be
given to, consents in force."""

from collections.abc import Iterable, Iterator

from .calling import everybody
from .desk import Desk
from .forms import Choices, Option
from .grounds import ROLES
from .partners import Candidate
from .shown import ConsentShown


def choices(desk: Desk, recipients: Iterable[Candidate] = ()) -> Choices:
    """By the fields that name them. `recipients` are those who can be given something and stand on no list here: a person consents before
    anybody is asked onto the case, or is referred to."""
    people = tuple(Option(one.code, one.code, own=True, more=ROLES.get(one.role, "")) for one in desk.case.people)
    organisations = tuple(Option(one.who.uri, one.who.said, own=True) for one in desk.access.inside)
    names = everybody(desk)
    persons = tuple(Option(uri, names[uri].said, own=True) for uri in _persons(desk))
    listed = (one.who for one in desk.access.organisations if one.who.uri != desk.look.organisation)
    others = tuple(Option(who.uri, who.said, own=True) for who in listed)
    asked = tuple(Option(person.uri, person.said, own=True) for one in desk.access.waiting for person in one.people)
    outside = tuple(Option(one.uri, f"{one.name} ({one.host})", own=True) for one in recipients)
    consents = tuple(Option(one.item.id, _said(desk, one), own=True) for one in desk.case.in_force if one.entry)
    named = {"person": people, "people": people, "lead": organisations, "owner": persons, "to": (*others, *persons, *asked, *outside)}
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
