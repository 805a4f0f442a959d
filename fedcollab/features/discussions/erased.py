"""Decides what deletion and moderation mean where an older backup comes back: what was taken away after it is taken away again."""

import json
from dataclasses import asdict, replace
from typing import Any

import sqlalchemy as sa

from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.backup.erasures import Part
from fedcollab.base.errors import NotFound, Refused
from fedcollab.base.session import Session

from .models import Post
from .moderation import state
from .moderation.models import ModerationAct
from .moderation.state import HIDE, LOCK, REMOVE, Act
from .service import bury

UNDONE = "undone"


def taken_since(session: Session, since: int) -> list[str]:
    """The posts that were deleted since, by their uris; and what moderators did or undid since, as JSON objects, oldest first."""
    gone = session.scalars(sa.select(Post.uri).where(Post.deleted_at >= since).order_by(Post.deleted_at))
    lately = sa.and_(ModerationAct.at.is_not(None), sa.or_(ModerationAct.at >= since, ModerationAct.undone_at >= since))
    acts = sa.select(ModerationAct).where(lately, ModerationAct.kind.in_((REMOVE, HIDE, LOCK))).order_by(ModerationAct.at, ModerationAct.id)
    return [*gone, *map(_noted, session.execute(acts))]


def _noted(row: Any) -> str:
    act = Act(row.uri, row.kind, row.object_uri, row.context, row.group_id, row.by_id, row.reason, row.at or 0)
    undone = None if row.undone_at is None else [row.undone_at, row.undone_reason]
    return json.dumps(asdict(act) | {UNDONE: undone}, separators=(",", ":"))


def take_again(session: Session, node: Node, name: str) -> None:
    """Buries a post that has come back, or has a moderator's act stand as it did: partners know of it already. Raises NotFound where there
    is nothing of it here, Refused where it is so already."""
    if name.startswith("{"):
        _act_again(session, node, json.loads(name))
        return
    post_id = session.scalar(sa.select(Post.id).where(Post.uri == name, Post.deleted_at.is_(None)))
    if post_id is None:
        raise NotFound()
    bury(session, node, post_id)


def _act_again(session: Session, node: Node, said: dict[str, object]) -> None:
    undone = said.pop(UNDONE)
    act = Act(**said)  # type: ignore[arg-type]  # as `_noted` has written it
    here = set(session.scalars(sa.select(Actor.id).where(Actor.id.in_([act.group_id or "", act.by_id or ""]))))
    if act.group_id is not None and act.group_id not in here:
        raise NotFound()
    act = replace(act, by_id=act.by_id if act.by_id in here else None)
    fresh = state.begin(session, node, act)
    if isinstance(undone, list):
        fresh |= state.end(session, node, replace(act, at=int(undone[0]), reason=str(undone[1])))
    if not fresh:
        raise Refused()


ERASURES = Part("posts", taken_since, take_again)
