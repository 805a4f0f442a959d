"""Decides what a member has muted: people and conversations, for that member alone; it goes to no log and no other node."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import PERSON, Actor
from fedcollab.actors.node import Node
from fedcollab.base.errors import N_, NotFound, Refused
from fedcollab.base.model import aliased
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.features.discussions.models import Post, Thread

from .models import Mute

MOST = 500


@dataclass(frozen=True)
class Muted:
    """Somebody or something muted; `title` is None for a conversation that its reader may not see any more."""

    id: str
    title: str | None
    host: str = ""
    known: str = ""


def mute(session: Session, node: Node, viewer: Viewer, subject_id: str) -> None:
    """Mutes a person or a conversation whose posts the viewer can see; again changes nothing. Raises NotFound, Refused."""
    if subject_id == viewer.person_id:
        raise Refused(N_("These are your own posts."))
    seen = sa.select(Post.id).where(sa.or_(Post.author_id == subject_id, Post.thread_id == subject_id), policy.visible(Post, viewer))
    if session.execute(seen.limit(1)).first() is None:
        raise NotFound()
    mine = Mute.person_id == viewer.person_id
    if session.execute(sa.select(sa.func.count()).select_from(Mute).where(mine)).scalar_one() >= MOST:
        raise Refused(N_("You have muted as much as can be kept. Look at the list and take something off it."))
    if session.execute(sa.select(Mute.at).where(mine, Mute.subject_id == subject_id)).first() is None:
        session.execute(sa.insert(Mute).values(person_id=viewer.person_id, subject_id=subject_id, at=node.now()))


def unmute(session: Session, viewer: Viewer, subject_id: str) -> None:
    """Shows a person's posts or a conversation again."""
    session.execute(sa.delete(Mute).where(Mute.person_id == viewer.person_id, Mute.subject_id == subject_id))


def subjects(session: Session, viewer: Viewer) -> frozenset[str]:
    """The ids of what the viewer has muted."""
    return frozenset(prepared(session, _subjects_query(), {"person": viewer.person_id}).scalars())


@cache
def _subjects_query() -> sa.Select[Any]:
    return sa.select(Mute.subject_id).where(Mute.person_id == sa.bindparam("person"))


def listed(session: Session, viewer: Viewer) -> tuple[list[Muted], list[Muted]]:
    """(people by name, conversations by title) that the viewer has muted."""
    mine, author = Mute.person_id == viewer.person_id, aliased(Actor)
    people = sa.select(author.id, author.name, author.host, author.known).join(Mute, Mute.subject_id == author.id)
    people = people.where(mine, author.kind == PERSON).order_by(author.name, author.id)
    seen = sa.and_(policy.visible(Thread, viewer), Thread.untitled.is_(False))
    title = sa.case((seen, Thread.title), else_=None).label("title")
    threads = sa.select(Thread.id, title).join(Mute, Mute.subject_id == Thread.id).where(mine).order_by(Thread.title, Thread.id)
    return [Muted(*row) for row in session.execute(people)], [Muted(*row) for row in session.execute(threads)]
