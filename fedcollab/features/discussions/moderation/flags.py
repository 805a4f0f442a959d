"""Decides who gets a report and what becomes of it: told to the moderators whom its maker chose, closed with an outcome that comes back."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit, policy
from fedcollab.access.viewer import Viewer, partner
from fedcollab.actors import service as actors
from fedcollab.actors.models import OWN
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.clock import DAY, new_id
from fedcollab.base.errors import N_, NotFound, Refused, TooMany
from fedcollab.base.session import Session
from fedcollab.features.discussions import groups
from fedcollab.features.discussions.models import Post, Thread
from fedcollab.federation import outbox, partners

from . import wire
from .models import Flag, FlagReceiver

REASONS = {
    "person": N_("Somebody can be recognised or found by it"),
    "harm": N_("It helps those who exploit people"),
    "wrong": N_("It is false or misleading"),
    "rude": N_("It insults, threatens or shames somebody"),
    "spam": N_("It is advertising, or sent to everybody"),
    "other": N_("Something else"),
}
A_DAY = 30
ORDER = "flags"


@dataclass(frozen=True)
class Recipients:
    """Who can get a report of a post beside our own moderators: the group's host, and the author's organisation, which we reach ourselves
    or (`passed_on`) the host does. None where that is us, the same one, or nobody that we talk with."""

    host: ActorData | None
    author: ActorData | None
    passed_on: bool = False


@dataclass(frozen=True)
class Reported:
    """A post as its report needs it."""

    id: str
    uri: str
    organisation_id: str
    group: ActorData


def reported(session: Session, viewer: Viewer, post_id: str) -> Reported:
    """A visible post. Raises NotFound, for a deleted one too."""
    query = sa.select(Post.uri, Post.organisation_id, Thread.group_id).join(Thread, Thread.id == Post.thread_id)
    row = session.execute(query.where(Post.id == post_id, Post.deleted_at.is_(None), policy.visible(Post, viewer))).one_or_none()
    if row is None:
        raise NotFound()
    return Reported(post_id, row.uri, row.organisation_id, actors.by_id(session, row.group_id))


def recipients(session: Session, post: Reported) -> Recipients:
    """Who can get a report of this post."""
    host = actors.by_id(session, post.group.organisation_id) if post.group.known != OWN else None
    host = host if host and partners.talks_with(session, host.host, groups.FEATURE) else None
    author = actors.by_id(session, post.organisation_id)
    if author.known == OWN or author.id == post.group.organisation_id:
        return Recipients(host, None)
    direct = partners.talks_with(session, author.host, groups.FEATURE)
    return Recipients(host, author if direct or host else None, passed_on=not direct and host is not None)


def make(
    session: Session, node: Node, viewer: Viewer, post_id: str, *, reason: str, text: str, host: bool = True, author: bool = True
) -> str:
    """A member's report, to our own moderators and, where they said so, to the host's and the author's. Other nodes learn that our
    organisation reports, never who. The same words again within a day are the same report. Answers its row id. Raises NotFound, Refused,
    TooMany."""
    post = reported(session, viewer, post_id)
    if reason not in REASONS:
        raise Refused(N_("Choose what is wrong with the post."))
    if len(text) > wire.REPORT:
        raise Refused(N_("Use at most %(num)s characters for what the moderators should know."), num=wire.REPORT)
    today = sa.and_(Flag.person_id == viewer.person_id, Flag.at > node.now() - DAY)
    same = sa.and_(today, Flag.post_id == post_id, Flag.reason == reason, Flag.text == text.strip())
    if again := session.scalar(sa.select(Flag.id).where(same).limit(1)):
        return again  # the button was pressed twice
    mine = sa.select(sa.func.count()).select_from(Flag).where(today)
    if session.execute(mine).scalar_one() >= A_DAY:
        raise TooMany(N_("You have made many reports today. Talk to your moderators about the rest."))
    me = actors.own(session, node)
    flag_id = store(session, node, post.id, me.id, reason, text.strip(), person_id=viewer.person_id)
    receive(session, flag_id, me.id, "")
    _send(session, node, post, flag_id, content(reason, text.strip()), _chosen(recipients(session, post), host=host, author=author))
    audit.record(session, node.now(), partner(me.id), "flag.make", flag_id)  # who made it stays out of the record
    return flag_id


def content(reason: str, text: str) -> str:
    """A report as other nodes read it: the reason in English, and what was written."""
    return "\n\n".join(part for part in (REASONS.get(reason, ""), text) if part)


def _chosen(found: Recipients, *, host: bool, author: bool) -> Recipients:
    """Without the host nobody passes a report on."""
    reaches = author and not (found.passed_on and not host)
    return Recipients(found.host if host else None, found.author if reaches else None, found.passed_on)


def _send(session: Session, node: Node, post: Reported, flag_id: str, said: str, to: Recipients) -> None:
    by_host = to.author if to.passed_on else None
    if to.host is not None:
        tell(session, node, flag_id, to.host, post.uri, said, pass_on=by_host.uri if by_host else "")
    if by_host is not None:
        receive(session, flag_id, by_host.id, "")
    elif to.author is not None:
        tell(session, node, flag_id, to.author, post.uri, said)


def tell(session: Session, node: Node, flag_id: str, to: ActorData, post_uri: str, said: str, *, pass_on: str = "") -> None:
    """Sends a report to another organisation, in our Organization's name."""
    me, uri = actors.own(session, node), outbox.new_uri(node)
    receive(session, flag_id, to.id, uri)
    made = wire.flag(uri, me.uri, to.uri, post_uri, said, pass_on=pass_on)
    outbox.publish(session, node, me.id, made, to=[to.id], order_key=ORDER, about=uri)


def store(session: Session, node: Node, post_id: str, organisation_id: str, reason: str, text: str, *, person_id: str | None = None) -> str:
    """Keeps a report; answers its row id."""
    flag_id = new_id(node.now())
    row = dict(id=flag_id, post_id=post_id, organisation_id=organisation_id, person_id=person_id, reason=reason, text=text, at=node.now())
    session.execute(sa.insert(Flag).values(row))
    return flag_id


def receive(session: Session, flag_id: str, organisation_id: str, uri: str) -> None:
    """An organisation's moderators have a report, under this id."""
    session.execute(sa.insert(FlagReceiver).values(flag_id=flag_id, organisation_id=organisation_id, uri=uri))


def close(session: Session, node: Node, viewer: Viewer | None, post_id: str, outcome: str, why: str) -> int:
    """Closes what is open with us about a post and tells those who reported it; answers how many reports that were."""
    me = actors.own(session, node)
    open_here = sa.and_(FlagReceiver.organisation_id == me.id, FlagReceiver.outcome == "")
    query = sa.select(Flag.id, Flag.organisation_id, FlagReceiver.uri, Post.uri.label("post")).join(Post, Post.id == Flag.post_id)
    query = query.join(FlagReceiver, FlagReceiver.flag_id == Flag.id).where(Flag.post_id == post_id, open_here)
    rows = session.execute(query.order_by(Flag.id)).all()
    values: dict[str, Any] = dict(outcome=outcome, why=why, closed_at=node.now(), closed_by_id=viewer.person_id or None if viewer else None)
    mine = sa.update(FlagReceiver).where(open_here, FlagReceiver.flag_id.in_([row.id for row in rows]))
    session.execute(mine.values(values))
    for row in rows:
        if row.uri:
            made = wire.answer(outcome, outbox.new_uri(node), me.uri, row.uri, row.post, why)
            outbox.publish(session, node, me.id, made, to=[row.organisation_id], order_key=ORDER, about=made["id"])
    return len(rows)
