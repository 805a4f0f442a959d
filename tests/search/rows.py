"""Gives tests of search two organisations, an audience each, and entries to be found."""

from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.models import GREEN
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import GROUP, PERSON, Actor
from fedcollab.base.clock import MINUTE, new_id
from fedcollab.base.session import Session
from fedcollab.search import index
from fedcollab.search.finding import Asked, Found, find
from fedcollab.search.index import Entry
from tests.rows import START, organisation


@dataclass(frozen=True)
class Place:
    """Our organisation and another one, each with a group; the viewer is of ours."""

    ours: str
    theirs: str
    our_audience: str
    their_audience: str
    viewer: Viewer
    stranger: Viewer


def place(session: Session) -> Place:
    ours, theirs = organisation(session, "ours.example", known="own"), organisation(session, "theirs.example")
    audiences = [audience(session, owner) for owner in (ours, theirs)]
    return Place(ours, theirs, *audiences, member(ours), member(theirs))


def member(organisation_id: str) -> Viewer:
    return Viewer(organisation_id, new_id(START), frozenset({"member"}))


def actor(session: Session, kind: str, owner: str, name: str, known: str = "partner") -> str:
    """A person or group of an organisation."""
    row_id = new_id(START)
    uri = f"https://x.example/{row_id}"
    row = dict(id=row_id, uri=uri, kind=kind, username=row_id, name=name, host="x.example", organisation_id=owner, inbox=uri, known=known)
    session.execute(sa.insert(Actor).values(**row, created_at=START, updated_at=START))
    return row_id


def person(session: Session, owner: str, name: str) -> str:
    return actor(session, PERSON, owner, name)


def audience(session: Session, owner: str, label: str = GREEN, *, history: bool = False) -> str:
    """An audience with its owner inside."""
    group_id = actor(session, GROUP, owner, "Group")
    return policy.open_audience(session, now=START, label=label, owner_id=owner, group_id=group_id, history=history)


def entry(there: Place, text: str = "", **more: Any) -> Entry:
    """An entry of ours in our audience, a minute later than START for each number in `at`."""
    at = more.pop("at", 0)
    row_id = more.pop("subject_id", new_id(START))
    values = dict(kind="post", audience_id=there.our_audience, label=GREEN, organisation_id=there.ours)
    made = Entry(**(values | dict(subject_id=row_id, posted_at=START + at * MINUTE, path=f"/posts/{row_id}", text=text)))
    return replace(made, **more)


def put(session: Session, there: Place, text: str = "", **more: Any) -> str:
    """Puts such an entry in; answers its subject's id."""
    made = entry(there, text, **more)
    index.put(session, made)
    return made.subject_id


def found(session: Session, viewer: Viewer, q: str = "", **more: Any) -> list[str]:
    """The subjects that are found, in their order."""
    return [hit.subject_id for hit in look(session, viewer, q, **more).rows]


def look(session: Session, viewer: Viewer, q: str = "", **more: Any) -> Found:
    return find(session, viewer, Asked(q, **more))
