"""Decides what partners are told of our records: each change as an activity of our Organization, in its order, to whom it may go."""

from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.models import CLEAR, LABELS, STRICT
from fedcollab.actors import service as actors
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.markup import first_words
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import outbox, receipts
from fedcollab.files import service as files
from fedcollab.files import wire

from . import activities, shelves
from .activities import ResourceData, UseData, VersionData
from .models import Resource, Translation, Version
from .record import Record

FIELDS = tuple(one.name for one in fields(Record))
LISTS = ("authors", "countries", "topics")


ABSTRACT = 180  # characters


def values_of(record: Record, html: str) -> dict[str, Any]:
    """A record, whose description is `html`, as its row's columns keep it."""
    values = {name: list(getattr(record, name)) if name in LISTS else getattr(record, name) for name in FIELDS}
    return values | dict(html=html, abstract=first_words(html, ABSTRACT))


def record_of(row: Any) -> Record:
    """The record in a resource's row."""
    found: dict[str, Any] = {name: tuple(getattr(row, name)) if name in LISTS else getattr(row, name) for name in FIELDS}
    return Record(**found)


def data(session: Session, resource_id: str) -> ResourceData:
    """A stored record of ours as the mapping takes it."""
    author = sa.select(Actor.uri).where(Actor.id == Resource.author_id).scalar_subquery()
    row = session.execute(sa.select(*Resource.__table__.columns, author.label("author")).where(Resource.id == resource_id)).one()
    listed = sa.select(*Version.__table__.columns).where(Version.resource_id == resource_id).order_by(Version.number)
    versions = session.execute(listed).all()
    held = files.of(session, [one.file_id for one in versions if one.file_id])
    return ResourceData(
        uri=row.uri,
        author=row.author,
        label=row.label,
        record=record_of(row),
        html=row.html,
        revision=row.revision,
        posted_at=row.posted_at,
        changed_at=row.changed_at,
        versions=tuple(_version(one, held.get(one.file_id)) for one in versions),
        state=row.state,
        reason=row.reason,
        translations=tuple(session.scalars(_may_be_named(row))),
        discussion=row.discussion,
        uses=uses_of(row),
    )


def _may_be_named(row: Any) -> sa.Select[str]:
    """The ids of a record's translations that all who get it may hear of: of ours those that are for no fewer, of others' what is public;
    the rest is named on this node's pages alone."""
    ours = sa.and_(Resource.organisation_id == row.organisation_id, Resource.label.in_(LABELS[: LABELS.index(row.label) + 1]))
    known = sa.exists().where(Resource.uri == Translation.uri)
    open_ones = sa.exists().where(Resource.uri == Translation.uri, sa.or_(Resource.label == CLEAR, ours))
    mine = sa.select(Translation.uri).where(Translation.resource_id == row.id, sa.or_(~known, open_ones))
    return mine.order_by(Translation.uri)


def uses_of(row: Any) -> tuple[UseData, ...]:
    """What the story in a resource's row may be used for."""
    return tuple(UseData(**one) for one in row.uses or ())


def _version(row: Any, file: files.FileData | None) -> VersionData:
    """A partner's file whose hash it has not said is no attachment that others could check."""
    said = wire.attachment(file) if file is not None and file.sha256 else None
    return VersionData(row.number, row.published_at, row.note, row.link, row.state, row.reason, said)


def send(session: Session, node: Node, kind: str, resource_id: str, *, about: str = "") -> None:
    """Tells the followers inside our library of a record as it stands; where it is for us alone, nobody. What it is `about` (the record or
    one of its versions) is what each of them is asked to confirm."""
    found = data(session, resource_id)
    if found.label == STRICT:
        return
    policy.check_leaves(found.label)
    to = shelves.followers(session, node)
    made = _publish(session, node, kind, activities.to_object(found), to)
    session.execute(sa.update(Resource).where(Resource.id == resource_id).values(passed_on=True))
    if about:
        ask(session, node, made, about, to)


def send_to(session: Session, node: Node, resource_id: str, organisation_id: str) -> None:
    """Sends a record as it stands to one partner that came later."""
    _publish(session, node, "Create", activities.to_object(data(session, resource_id)), [organisation_id])
    session.execute(sa.update(Resource).where(Resource.id == resource_id).values(passed_on=True))


def take_back(session: Session, node: Node, uri: str, revision: int, posted_at: int) -> None:
    """Asks all that were ever sent a record to delete it, whoever they are to us now; what still waits for somebody is never sent."""
    outbox.forget(session, node, uri)
    to = set(shelves.followers(session, node)) | outbox.served(session, node, uri, posted_at)
    gone = activities.to_tombstone(uri, node.actor_uri, revision, node.now())
    made = _publish(session, node, "Delete", gone, sorted(to))
    old = posted_at < node.now() - outbox.KEPT
    ask(session, node, made, uri, to if old else to & receipts.may_have(session, uri))


def ask(session: Session, node: Node, activity: dict[str, Any], about: str, organisations: Any) -> None:
    """Remembers whom an activity asks to confirm what it is about."""
    rows = session.execute(sa.select(Actor.uri, Actor.name).where(Actor.id.in_(sorted(organisations))).order_by(Actor.uri)).all()
    receipts.ask(session, node, activity["id"], about, [(row.uri, row.name) for row in rows])


def _publish(session: Session, node: Node, kind: str, obj: dict[str, Any], to: list[str]) -> dict[str, Any]:
    me = actors.own(session, node)
    made = ap.activity(kind, outbox.new_uri(node), me.uri, obj, to=obj.get("to", [me.uri + "/followers"]), published=obj.get("published"))
    return outbox.publish(session, node, me.id, made, to=to, order_key=obj["id"])


def document(session: Session, resource_id: str) -> dict[str, Any]:
    """A record as partners fetch it: the object, or the Tombstone of one that was deleted."""
    gone = sa.select(Resource.uri, Resource.revision, Resource.deleted_at, Actor.uri.label("author"))
    row = session.execute(gone.join(Actor, Actor.id == Resource.author_id).where(Resource.id == resource_id)).one()
    if row.deleted_at is not None:
        return {"@context": ap.CONTEXT} | activities.to_tombstone(row.uri, row.author, row.revision, row.deleted_at)
    return {"@context": ap.CONTEXT} | activities.to_object(data(session, resource_id))
