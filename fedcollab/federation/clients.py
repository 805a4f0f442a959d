"""Decides how an activity that a member's own tool hands in is read: of a kind that some feature takes, its author the tool's owner,
ids of its own without meaning; and what a tool reads back: its owner's activities, and what came to them."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import BadRequest, Forbidden, N_, Refused
from fedcollab.base.session import Session

from . import activitystreams as ap
from .models import Activity

ADDRESSING = ("to", "cc", "bto", "bcc", "audience")
NOT_TAKEN = N_("This node takes no activity of that kind. Send one of these, about a Note or an Article: %(known)s.")


@dataclass(frozen=True)
class HandedIn:
    """An activity as a tool has sent it, read for its owner `viewer`. `sure` is the owner's yes to readers that have to be named first."""

    activity: dict[str, Any]
    viewer: Viewer
    sure: str = ""

    @property
    def object(self) -> dict[str, Any]:
        """The embedded object, or one with its id alone."""
        value = self.activity.get("object")
        return value if isinstance(value, dict) else {"id": ap.ident(value)}

    @property
    def addressed(self) -> set[str]:
        """All ids that the activity or its object is addressed to."""
        return ap.addressed(self.activity) | ap.addressed(self.object)


Take = Callable[[Session, Node, HandedIn], str]


@dataclass(frozen=True)
class Taker:
    """Takes activities of one type about an object of one of `objects` (any, where empty), in one unit; answers the id of what came of
    it."""

    activity: str
    objects: tuple[str, ...]
    take: Take


@dataclass(frozen=True)
class Arrival:
    """Something that came to a member, at a moment; `id` sorts those of the same moment."""

    at: int
    id: str
    activity: dict[str, Any]


Key = tuple[int, str]
Arrivals = Callable[[Session, Node, Viewer, Key | None, int], list[Arrival]]


def hand_in(session: Session, node: Node, viewer: Viewer, owner: str, document: object, takers: Iterable[Taker], *, sure: str = "") -> str:
    """Does what a tool hands in, for its owner whose actor is `owner`; an object alone is to be created. Answers the activity's id.

    Raises BadRequest, Forbidden, Refused, and what the feature's own pages refuse."""
    known = tuple(takers)
    activity = _activity(document, known)
    authors = {*ap.idents(activity.get("actor")), *ap.idents(activity.get("object", {}).get("attributedTo") if _embeds(activity) else None)}
    if authors - {owner}:
        raise Forbidden(N_("The token is another person's than the actor named in it. Leave “actor” and “attributedTo” out."))
    kinds, objects = ap.types(activity), set(ap.types(activity.get("object")))
    for taker in known:
        named = not objects and taker.activity != "Create"  # by its id alone: what is there already has a type
        if taker.activity in kinds and (not taker.objects or named or objects & set(taker.objects)):
            return taker.take(session, node, HandedIn(activity, viewer, sure))
    raise Refused(NOT_TAKEN, known=", ".join(sorted({taker.activity for taker in known})))


def _activity(document: object, known: tuple[Taker, ...]) -> dict[str, Any]:
    """The activity, or the Create of an object that came alone, addressed as the object is (ActivityPub 6.2.1)."""
    if not isinstance(document, dict) or not ap.types(document):
        raise BadRequest(N_("Send one JSON object with a “type”: an activity, or the Note or Article to create."))
    if {taker.activity for taker in known} & set(ap.types(document)) or "object" in document or "actor" in document:
        return document
    return {"type": "Create", "object": document} | {name: document[name] for name in ADDRESSING if name in document}


def _embeds(activity: dict[str, Any]) -> bool:
    return isinstance(activity.get("object"), dict)


def newest_about(session: Session, actor_id: str, object_uri: str) -> str:
    """The id of an actor's newest activity about a thing; the thing's own where it is for us alone and no activity exists."""
    rows = session.execute(sa.select(Activity.id, Activity.uri, Activity.actor_id).where(Activity.object_uri == object_uri))
    return max(((row.id, row.uri) for row in rows if row.actor_id == actor_id), default=("", object_uri))[1]


def published(session: Session, actor_id: str, before: str, limit: int) -> list[tuple[str, dict[str, Any]]]:
    """(row id, activity) of what an actor of ours has published, newest first; emptied ones, whose object was deleted, are left out."""
    mine = sa.and_(Activity.actor_id == actor_id, Activity.body != "", *([Activity.id < before] if before else []))
    rows = session.execute(sa.select(Activity.id, Activity.body).where(mine).order_by(Activity.id.desc()).limit(limit))
    return [(row.id, json.loads(row.body)) for row in rows]


def one_published(session: Session, actor_id: str, activity_id: str) -> dict[str, Any] | None:
    """One of them, by its row id."""
    mine = sa.and_(Activity.id == activity_id, Activity.actor_id == actor_id, Activity.body != "")
    body = session.execute(sa.select(Activity.body).where(mine)).scalar_one_or_none()
    found: dict[str, Any] | None = json.loads(body) if body else None
    return found


def count_published(session: Session, actor_id: str) -> int:
    """How many there are in all."""
    mine = sa.and_(Activity.actor_id == actor_id, Activity.body != "")
    return session.execute(sa.select(sa.func.count()).select_from(Activity).where(mine)).scalar_one()
