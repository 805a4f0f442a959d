"""Decides how a story stands among the resources: published as one, narrowed or erased as consent says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.clock import EPOCH
from fedcollab.base.session import Session
from fedcollab.features.resources import service
from fedcollab.features.resources.activities import UseData
from fedcollab.features.resources.models import Resource
from fedcollab.features.resources.record import Record

from . import consent
from .consent import Consent


@dataclass(frozen=True)
class Draft:
    """What a story says: `text` in Markdown, the rest as in `Record`."""

    title: str
    text: str
    language: str = ""
    countries: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()


def record_of(node: Node, draft: Draft, uses: Sequence[Consent]) -> Record:
    """A story as a record: it has no author, and is looked at again before its first use runs out. Checked as every record is."""
    now, until = (EPOCH + timedelta(microseconds=at) for at in (node.now(), min(one.until for one in uses)))
    return Record(
        title=draft.title,
        summary=draft.text,
        language=draft.language,
        countries=draft.countries,
        topics=draft.topics,
        kind=service.STORY,
        publisher=node.settings.name,
        year=now.year,
        review_on=until.date().isoformat(),
    )


def publish(
    session: Session,
    node: Node,
    viewer: Viewer,
    resource_id: str | None,
    draft: Draft,
    label: str,
    uses: Sequence[Consent],
    *,
    writer_id: str,
    reason: str = "",
) -> tuple[str, str]:
    """Puts a checked story into the library, or the changed words of `writer_id` into the resource that it is; `reason` is why more people
    may read it than before. Answers the resource's id and uri.

    Raises Forbidden, Refused."""
    record = record_of(node, draft, uses)
    if resource_id is None:
        made = service.add(session, node, viewer, record, label=label, uses=_data(uses))
        return made.id, made.uri
    service.restate(session, node, viewer, resource_id, label, _data(uses), record, author_id=writer_id, reason=reason)
    return resource_id, session.scalars(sa.select(Resource.uri).where(Resource.id == resource_id)).one()


def follow_consent(session: Session, node: Node, viewer: Viewer | None, resource_id: str | None, uses: Sequence[Consent]) -> None:
    """A published story keeps to what is agreed now: it is narrowed, or goes."""
    there = sa.and_(Resource.id == resource_id, Resource.deleted_at.is_(None))
    label = session.scalar(sa.select(Resource.label).where(there))
    if resource_id is not None and label is not None:
        kept = consent.narrowed(label, uses, node.now())
        service.restate(session, node, viewer, resource_id, kept, _data(uses))


def label_of(session: Session, resource_id: str) -> str:
    """The label that a published story stands under."""
    return session.execute(sa.select(Resource.label).where(Resource.id == resource_id)).scalar_one()


def text_of(session: Session, resource_id: str) -> Draft:
    """What a published story says now."""
    columns = (Resource.title, Resource.summary, Resource.language, Resource.countries, Resource.topics)
    title, text, language, countries, topics = session.execute(sa.select(*columns).where(Resource.id == resource_id)).one()
    return Draft(title, text, language, tuple(countries), tuple(topics))


def _data(uses: Sequence[Consent]) -> list[UseData]:
    return [UseData(*one) for one in uses]
