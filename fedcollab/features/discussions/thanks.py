"""Decides how somebody says thanks for a post and takes it back: a Like to the group's host, announced, counted on every node."""

from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.access import audit, policy
from fedcollab.access.models import CLEAR, STRICT, AudienceMember
from fedcollab.access.viewer import Viewer, partner
from fedcollab.actors import service as actors
from fedcollab.actors.models import OWN, PERSON, Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import iso
from fedcollab.base.errors import Forbidden, N_, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import outbox, proofs
from fedcollab.federation.registry import BOTH, UNTYPED, Handler, Verified

from . import groups, receiving, service
from .models import LAST, Post, Thanks, Thread

NAMED = 30


class Thanked(NamedTuple):
    """Who said thanks for a post: their number, whether the viewer is among them, and the first of them as (id, name, host, known)."""

    number: int
    mine: bool
    people: list[tuple[str, str, str, str]]


def of_page(session: Session, viewer: Viewer, thread_id: str, first: int = 0, last: int = LAST) -> dict[str, Thanked]:
    """{post: thanks} of the posts at these places of a conversation; a post without any is left out. Names are for who has signed in."""
    values = {"thread": thread_id, "first": first, "last": last, "person": viewer.person_id}
    found: dict[str, Thanked] = {}
    for post_id, number, mine, *who in prepared(session, _of_page_query(), values).all():
        before = found.setdefault(post_id, Thanked(number, False, []))
        shown = [tuple(who)] if viewer.signed_in and len(before.people) < NAMED else []
        found[post_id] = Thanked(number, before.mine or bool(mine), before.people + shown)
    return found


@cache
def _of_page_query() -> sa.Select[Any]:
    """The first of each post and the viewer's own, with the number of all: a page costs the same however many there are."""
    number = sa.func.count().over(partition_by=Thanks.post_id).label("number")
    nth = sa.func.row_number().over(partition_by=Thanks.post_id, order_by=(Thanks.at, Thanks.person_id)).label("nth")
    mine = (Thanks.person_id == sa.bindparam("person")).label("mine")
    columns: tuple[Any, ...] = (Thanks.post_id, number, mine, Actor.id, Actor.name, Actor.host, Actor.known, nth)
    standing = sa.select(*columns).join(Actor, Actor.id == Thanks.person_id).join(Post, Post.id == Thanks.post_id)
    place = Post.place.between(sa.bindparam("first"), sa.bindparam("last"))
    there = Post.thread_id == sa.bindparam("thread"), place, Thanks.undone_at.is_(None)
    all_of = standing.where(*there, policy.not_blocked(Actor.organisation_id)).subquery()
    shown = [column for column in all_of.c if column.name != "nth"]
    return sa.select(*shown).where(sa.or_(all_of.c.nth <= NAMED, all_of.c.mine)).order_by(all_of.c.post_id, all_of.c.nth)


def thank(session: Session, node: Node, viewer: Viewer, post_id: str) -> None:
    """Says thanks for a post; a second time changes nothing. Raises NotFound, Forbidden, Refused."""
    row, now = _seen(session, viewer, post_id), node.now()
    if row.author_id == viewer.person_id:
        raise Refused(N_("These are your own words. Thanks are for what others wrote."))
    there = _row(session, post_id, viewer.person_id)
    if there is not None and there.undone_at is None:
        return
    node.room.need()
    uri = outbox.new_uri(node)
    _put(session, post_id, viewer.person_id, uri, now)
    _send(session, node, row, ap.activity("Like", uri, _uri(session, viewer), row.uri, **_about(session, row, now)))
    audit.record(session, now, viewer, "post.thank", post_id)


def unthank(session: Session, node: Node, viewer: Viewer, post_id: str) -> None:
    """Takes thanks back; where there are none, nothing changes. Raises NotFound, Forbidden, Refused."""
    row, now = _seen(session, viewer, post_id), node.now()
    there = _row(session, post_id, viewer.person_id)
    if there is None or there.undone_at is not None:
        return
    session.execute(sa.update(Thanks).where(_key(post_id, viewer.person_id)).values(undone_at=now))
    like = {"id": there.uri, "type": "Like", "actor": _uri(session, viewer), "object": row.uri, "context": row.context}
    _send(session, node, row, ap.activity("Undo", outbox.new_uri(node), like["actor"], like, **_about(session, row, now)))
    audit.record(session, now, viewer, "post.unthank", post_id)


def _uri(session: Session, viewer: Viewer) -> str:
    return actors.by_id(session, viewer.person_id).uri


def _about(session: Session, row: Any, now: int) -> dict[str, Any]:
    group = actors.by_id(session, row.group_id).uri
    return {"to": [group + "/followers"], "audience": group, "context": row.context, "published": iso(now)}


def _seen(session: Session, viewer: Viewer, post_id: str) -> Any:
    """A post that is there for somebody inside its group. Raises NotFound, Forbidden."""
    row = session.execute(_posts().where(Post.id == post_id, policy.visible(Post, viewer))).one_or_none()
    if row is None:
        raise NotFound()
    service.may_write(session, viewer, row.group_id)
    return row


def _posts() -> sa.Select[Any]:
    columns: tuple[Any, ...] = (Post.id, Post.uri, Post.author_id, Post.audience_id, Post.label, Post.confirmed_at)
    query = sa.select(*columns, Thread.group_id, Thread.uri.label("context"))
    return query.join(Thread, Thread.id == Post.thread_id).where(Post.deleted_at.is_(None))


def _key(post_id: str, person_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(Thanks.post_id == post_id, Thanks.person_id == person_id)


def _row(session: Session, post_id: str, person_id: str) -> Any:
    return session.execute(sa.select(Thanks.uri, Thanks.at, Thanks.undone_at).where(_key(post_id, person_id))).one_or_none()


def _put(session: Session, post_id: str, person_id: str, uri: str, at: int) -> None:
    session.execute(sa.delete(Thanks).where(_key(post_id, person_id)))
    session.execute(sa.insert(Thanks).values(post_id=post_id, person_id=person_id, uri=uri, at=at))


def _send(session: Session, node: Node, row: Any, made: dict[str, Any]) -> None:
    """To the group's host, or announced by our group; nowhere where the group is ours alone."""
    group, audience = actors.by_id(session, row.group_id), groups.audience_of(session, row.group_id)
    if audience.label == STRICT:
        return
    policy.check_leaves(audience.label)
    author = actors.by_uri(session, made["actor"])
    assert author is not None
    to = [] if group.known == OWN else [group.organisation_id]
    proved = outbox.publish(session, node, author.id, made, to=to, order_key=row.context)
    if group.known == OWN:
        service.announce_to_group(session, node, group, audience, author, proved, row.context, about=row.uri, came_at=row.confirmed_at)


def receive_like(session: Session, node: Node, received: Verified) -> None:
    """Somebody's thanks: to a group of ours directly, or passed on by the group's host; the newest word of each person counts."""
    if received.actor.known == OWN:
        return  # the host's echo of what our member has done here
    uri, made_at = ap.ident(received.activity), _made_at(node, received)
    row = _of(session, ap.ident(received.object))
    _check(session, received, row)
    there = _row(session, row.id, received.actor.id)
    if there is not None and (there.undone_at is None or there.uri == uri or made_at < max(there.at, there.undone_at)):
        if there.undone_at is None and made_at > there.at:  # said again: what was taken back before that is old news
            session.execute(sa.update(Thanks).where(_key(row.id, received.actor.id)).values(at=made_at))
        return
    _put(session, row.id, received.actor.id, uri, made_at)
    _pass_on(session, node, received, row)
    audit.record(session, node.now(), partner(received.actor.organisation_id), "post.receive_thanks", row.id)


def receive_undo(session: Session, node: Node, received: Verified) -> None:
    """Takes back its own actor's thanks, named by the post or, without it, by the Like's id, also before they come; whatever else is
    undone is not ours."""
    if received.actor.known == OWN:
        return  # as above
    about = ap.ident(received.object.get("object"))
    named = Post.uri == about if about else Thanks.uri == ap.ident(received.object)
    mine = sa.and_(Thanks.person_id == received.actor.id, named)
    there = session.execute(_posts().add_columns(Thanks.at, Thanks.undone_at).join(Thanks, Thanks.post_id == Post.id).where(mine))
    row = there.one_or_none()
    if row is None and about and "Like" in ap.types(received.object):
        _remember_undo(session, node, received, _of(session, about))
        return
    if row is None or _made_at(node, received) < row.at:
        return  # there is nothing, or it was said later than this
    _check(session, received, row)
    if row.undone_at is not None:  # taken back once more: what was said between is old news
        later = max(row.undone_at, _made_at(node, received))
        session.execute(sa.update(Thanks).where(_key(row.id, received.actor.id)).values(undone_at=later))
        return
    session.execute(sa.update(Thanks).where(_key(row.id, received.actor.id)).values(undone_at=_made_at(node, received)))
    _pass_on(session, node, received, row)
    audit.record(session, node.now(), partner(received.actor.organisation_id), "post.receive_unthank", row.id)


def _of(session: Session, uri: str) -> Any:
    """The post that thanks are about. Raises Refused for a deleted one, and where it may still be on its way."""
    row = session.execute(_posts().where(Post.uri == uri)).one_or_none()
    if row is None:
        there = session.execute(sa.select(Post.id).where(Post.uri == uri)).first()
        raise Refused(reason="deleted here before" if there else "no such post here")
    return row


def _remember_undo(session: Session, node: Node, received: Verified, row: Any) -> None:
    """Thanks that were taken back before they came: when they do, they are old news."""
    _check(session, received, row)
    at = _made_at(node, received)
    _put(session, row.id, received.actor.id, ap.ident(received.object) or ap.ident(received.activity), at)
    session.execute(sa.update(Thanks).where(_key(row.id, received.actor.id)).values(undone_at=at))


def _made_at(node: Node, received: Verified) -> int:
    return min(proofs.created(received.activity) or node.now(), node.now())


def _check(session: Session, received: Verified, row: Any) -> None:
    """People inside the group say thanks, by way of the group that the post stands in. Raises Refused, Forbidden."""
    if received.actor.kind != PERSON:
        raise Refused(reason="people say thanks")
    group = actors.by_id(session, row.group_id)
    if received.through is not None:
        if received.through.id != group.id:
            raise Refused(reason="announced by another group than it stands in")
        return
    if group.known != OWN:
        raise Refused(reason="thanks go to the group's host")
    if received.outside and row.label == CLEAR:
        return
    inside = AudienceMember.audience_id == row.audience_id, AudienceMember.organisation_id == received.actor.organisation_id
    if session.execute(sa.select(AudienceMember.since).where(*inside)).first() is None:
        raise Forbidden(reason="the author's organisation is not inside the group")


def _pass_on(session: Session, node: Node, received: Verified, row: Any) -> None:
    group = actors.by_id(session, row.group_id)
    if not received.outside:  # nothing proves those to others: they count here
        receiving.pass_on(session, node, received, group, groups.audience_of(session, group.id), *receiving.place_of(session, row.id))


HANDLERS = (
    Handler("Like", (), receive_like, announced=True, by=BOTH),
    Handler("Undo", ("Like", UNTYPED), receive_undo, announced=True, by=BOTH),
)
