"""Decides which reports of other organisations reach our moderators, and how their answers to ours are taken."""

import sqlalchemy as sa

from fedcollab.access import audit, policy
from fedcollab.access.models import AudienceMember
from fedcollab.access.viewer import partner
from fedcollab.actors import service as actors
from fedcollab.actors.models import OWN
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.clock import HOUR
from fedcollab.base.errors import Refused
from fedcollab.base.markup import plain
from fedcollab.base.session import Session
from fedcollab.features.discussions import groups
from fedcollab.features.discussions.models import Post, Thread
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import partners, profiles
from fedcollab.federation.registry import Handler, Verified

from . import flags, wire
from .flags import Reported
from .models import Flag, FlagReceiver

AN_HOUR = 60
POSTS = 20


def receive_flag(session: Session, node: Node, received: Verified) -> None:
    """A partner's report of one or more posts. Raises Refused where none of them is ours to moderate and theirs to see, or where the
    partner reports more than 60 posts an hour: nobody could look at them."""
    by = actors.by_id(session, received.actor.organisation_id)
    found = [post for uri in _named(received) if (post := _post(session, by, uri)) is not None]
    if not found:
        raise Refused(reason="reports nothing that is ours to moderate and theirs to see")
    lately = sa.select(sa.func.count()).select_from(Flag).where(Flag.organisation_id == by.id, Flag.at > node.now() - HOUR)
    if session.execute(lately).scalar_one() + len(found) > AN_HOUR:
        raise Refused(reason=f"more than {AN_HOUR} reports within an hour")
    me, (reason, text) = actors.own(session, node), _said(received)
    for post in found:
        flag_id = flags.store(session, node, post.id, by.id, reason, text)
        flags.receive(session, flag_id, me.id, received.activity["id"])
        _pass_on(session, node, received, post, flag_id, by)
        audit.record(session, node.now(), partner(by.id), "flag.receive", flag_id)


def _named(received: Verified) -> list[str]:
    """The ids in a report: one, several or embedded; other software names the author's actor among them."""
    return list(dict.fromkeys(ap.idents(received.activity.get("object"))))[:POSTS]


def _said(received: Verified) -> tuple[str, str]:
    """(reason, text): a report between our nodes begins with one of the reasons in English; markup is shown as typed."""
    said = ap.text(received.activity, "content") or ap.text(received.activity, "summary")
    reason = next((key for key, words in flags.REASONS.items() if said.startswith(words)), "")
    return reason, plain(said.removeprefix(flags.REASONS.get(reason, "")), wire.REPORT)


def _post(session: Session, by: ActorData, uri: str) -> Reported | None:
    """A post that is ours to moderate (our group's, or our member's) and that the reporting organisation may see."""
    query = sa.select(Post.id, Post.organisation_id, Thread.group_id).join(Thread, Thread.id == Post.thread_id)
    row = session.execute(query.where(Post.uri == uri, Post.deleted_at.is_(None))).one_or_none()
    if row is None:
        return None
    group = actors.by_id(session, row.group_id)
    if group.known == OWN:
        seen = sa.or_(policy.visible(Post, partner(by.id)), sa.and_(_was_sent(by), policy.not_blocked(Post.organisation_id)))
        sees = session.scalar(sa.select(Post.id).where(Post.id == row.id, seen)) is not None
    else:
        ours = actors.by_id(session, row.organisation_id).known == OWN
        sees = ours and _inside(session, group, by)
    return Reported(row.id, uri, row.organisation_id, group) if sees else None


def _was_sent(by: ActorData) -> sa.ColumnElement[bool]:
    """Whether an organisation was inside when a post came in, though not yet when it was written."""
    mine = sa.and_(AudienceMember.audience_id == Post.audience_id, AudienceMember.organisation_id == by.id)
    return sa.exists().where(mine, AudienceMember.since <= Post.confirmed_at)


def _inside(session: Session, group: ActorData, by: ActorData) -> bool:
    """Whether somebody else's group lists an organisation, or is kept by it."""
    listed = groups.inside(session, profiles.stored_document(session, group.id))
    return by.id == group.organisation_id or by.uri in [organisation.uri for organisation in listed]


def _pass_on(session: Session, node: Node, received: Verified, post: Reported, flag_id: str, by: ActorData) -> None:
    """The author's organisation, which the reporting one does not know, hears of it from us: in our own name."""
    author = actors.by_id(session, post.organisation_id)
    wished = author.uri in ap.idents(received.activity.get("cc")) and author.id != by.id and post.group.known == OWN
    if wished and author.known != OWN and partners.talks_with(session, author.host, groups.FEATURE):
        reason, text = _said(received)
        flags.tell(session, node, flag_id, author, post.uri, flags.content(reason, text))


def receive_answer(session: Session, node: Node, received: Verified) -> None:
    """What others' moderators made of our report: taken from those who have it, once."""
    mine = sa.and_(FlagReceiver.uri == ap.ident(received.object), FlagReceiver.organisation_id == received.actor.organisation_id)
    asked = sa.update(FlagReceiver).where(mine, FlagReceiver.uri != "", FlagReceiver.outcome == "")
    values = dict(outcome=wire.outcome(received.activity), why=wire.reason(received.activity), closed_at=node.now())
    for flag_id in session.scalars(asked.values(values).returning(FlagReceiver.flag_id)).all():
        audit.record(session, node.now(), partner(received.actor.organisation_id), "flag.answer", flag_id)


HANDLERS = (
    Handler("Flag", (), receive_flag),
    Handler("Accept", ("Flag",), receive_answer),
    Handler("Reject", ("Flag",), receive_answer),
)
