"""Decides how a story comes into the library: written by one of us, checked by another against what gives somebody away, asked for again
within a year."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit, policy
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY
from fedcollab.base.errors import Forbidden, N_, NotFound, Refused
from fedcollab.base.markup import plain
from fedcollab.base.model import aliased
from fedcollab.base.once import row_id
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.features.resources.checking import Wrong, checked
from fedcollab.features.resources.models import Resource
from fedcollab.features.resources.record import Record
from fedcollab.features.resources.service import STORY

from . import code, consent, shelf
from .consent import Consent
from .models import Story, StoryUse
from .shelf import Draft
from .words import AGREED_BY, AGREED_HOW, CHECKS, TOLD

TITLE, TEXT = 300, 20_000  # characters
WAITING = 20  # stories that are told of at once


@dataclass(frozen=True)
class Agreed:
    """What a person has agreed to: codes of `words`, pairs of use and channel, and the day (microseconds since the epoch)."""

    told: str
    by: str
    how: str
    on: int
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class StoryData:
    """A story as our own people see it; `draft` is None where nothing waits to be checked."""

    id: str
    title: str
    resource_id: str | None
    resource_uri: str
    draft: Draft | None
    told: str
    agreed_by: str
    agreed_how: str
    agreed_on: int
    writer_id: str
    writer: str
    written_at: int
    checker: str
    checked_at: int | None
    ended: str
    ended_at: int | None
    uses: tuple[Consent, ...]

    @property
    def until(self) -> int | None:
        """When the first of its uses runs out."""
        return min((one.until for one in self.uses), default=None)


def write(session: Session, node: Node, viewer: Viewer, draft: Draft, agreed: Agreed, *, once: str = "") -> tuple[str, str]:
    """A new story, for now read by our own people alone. Answers its id and the person's code, which nothing here knows afterwards.

    A form sent twice (`once` is its id) keeps one story, and the second time the code is "": of two the person could take back only one.
    Raises Refused, Forbidden, StorageFull."""
    _member(viewer)
    if session.scalar(sa.select(Story.id).where(Story.id == once, Story.writer_id == viewer.person_id)):
        return once, ""
    _check_draft(draft)
    _check_agreed(agreed, node.now())
    node.room.need()
    story_id, made, now = row_id(session, Story, once, node.now()), code.make(), node.now()
    row = dict(told=agreed.told, agreed_by=agreed.by, agreed_how=agreed.how, agreed_on=agreed.on, code_hash=code.read(made))
    session.execute(sa.insert(Story).values(id=story_id, draft=_kept(draft), writer_id=viewer.person_id, written_at=now, **row))
    _agree(session, story_id, consent.given(agreed.pairs, agreed.on))
    audit.record(session, now, viewer, "story.write", story_id)
    return story_id, made


def change(session: Session, node: Node, viewer: Viewer, story_id: str, draft: Draft) -> None:
    """Other words for a story; what is published stays as it is until somebody has checked them. Raises Refused, NotFound."""
    story = one(session, viewer, story_id)
    _open(story)
    _check_draft(draft)
    node.room.need()
    values = dict(draft=_kept(draft), writer_id=viewer.person_id, written_at=node.now())
    session.execute(sa.update(Story).where(Story.id == story.id).values(**values))
    audit.record(session, node.now(), viewer, "story.write", story_id)


def check(session: Session, node: Node, viewer: Viewer, story_id: str, ticked: Collection[str], label: str, *, reason: str = "") -> str:
    """Somebody who has not written it has looked at each point of the list, and puts the story into the library under a label that the
    consent allows. Where it stood under a narrower one, that takes a moderator and a reason, which is kept. Answers the resource's id.

    Raises Refused (Wrong names the field), Forbidden, NotFound."""
    story = one(session, viewer, story_id)
    _open(story)
    if story.draft is None:
        raise Refused(N_("Nothing of this story waits to be checked."))
    if story.writer_id == viewer.person_id:
        raise Forbidden(N_("You have written this yourself. Somebody else of your organisation has to check it: four eyes see more."))
    if missing := [name for name in CHECKS if name not in ticked]:
        raise Refused(N_("Tick each point, or change the text first: %(num)s are open."), num=len(missing))
    allowed = consent.widest(story.uses, node.now())
    if not allowed or policy.is_wider(policy.check_label(label), allowed):
        raise Refused(N_("The person has not agreed to so many readers. Choose fewer, or ask them first."))
    put = (session, node, viewer, story.resource_id, story.draft, label, story.uses)
    resource_id, uri = shelf.publish(*put, writer_id=story.writer_id, reason=reason)
    values = dict(draft=None, checked_by_id=viewer.person_id, checked_at=node.now(), resource_id=resource_id, resource_uri=uri)
    session.execute(sa.update(Story).where(Story.id == story_id).values(**values))
    audit.record(session, node.now(), viewer, "story.check", story_id)
    return resource_id


def ask_again(session: Session, node: Node, viewer: Viewer, story_id: str, agreed: Agreed) -> None:
    """The person was asked again: what they agree to now, for a year from that day; what they agree to no more ends at once. Raises
    Refused, NotFound."""
    story = one(session, viewer, story_id)
    _open(story)
    _check_agreed(agreed, node.now())
    given = consent.given(agreed.pairs, agreed.on)
    fewer = {(one.use, one.channel) for one in story.uses} - {(one.use, one.channel) for one in given}
    values = dict(told=agreed.told, agreed_by=agreed.by, agreed_how=agreed.how, agreed_on=agreed.on)
    values |= dict(lessened_at=node.now()) if fewer else {}  # else an older backup would bring them back
    session.execute(sa.update(Story).where(Story.id == story_id).values(**values))
    session.execute(sa.delete(StoryUse).where(StoryUse.story_id == story_id))
    _agree(session, story_id, given)
    shelf.follow_consent(session, node, viewer, story.resource_id, given)
    audit.record(session, node.now(), viewer, "story.renew", story_id)


def new_code(session: Session, node: Node, viewer: Viewer, story_id: str) -> str:
    """Another code for a person whose sheet is lost; the one before opens nothing any more. Raises NotFound, Forbidden."""
    if not viewer.moderates:
        raise Forbidden(N_("Only moderators can do this."))
    one(session, viewer, story_id)
    made = code.make()
    session.execute(sa.update(Story).where(Story.id == story_id).values(code_hash=code.read(made)))
    audit.record(session, node.now(), viewer, "story.code", story_id)
    return made


def one(session: Session, viewer: Viewer, story_id: str) -> StoryData:
    """One of our stories. Raises NotFound for whoever is not one of our people."""
    found = _read(session, viewer, Story.id == story_id)
    if not found:
        raise NotFound()
    return found[0]


def published(session: Session, viewer: Viewer, story: StoryData) -> Draft:
    """What of a story stands in the library. Raises NotFound where nothing does."""
    if not story.resource_id or not viewer.signed_in:
        raise NotFound()
    return shelf.text_of(session, story.resource_id)


def stands_under(session: Session, story: StoryData) -> str:
    """The label that the story stands under in the library; empty where nothing of it is there."""
    return shelf.label_of(session, story.resource_id) if story.resource_id and not story.ended else ""


def listed(session: Session, viewer: Viewer) -> list[StoryData]:
    """Our stories that have not ended: what waits for a check first, then by when consent runs out."""
    found = _read(session, viewer, Story.ended.is_(None))
    return sorted(found, key=lambda story: (story.draft is None, story.until or 0, story.id))


def waiting(session: Session, viewer: Viewer) -> list[tuple[str, str]]:
    """(id, title) of what the viewer has written and nobody else has checked yet, newest first."""
    return [(row.id, row.title) for row in prepared(session, _waiting(), {"me": viewer.person_id})]


@cache
def _waiting() -> sa.Select[Any]:
    mine = sa.and_(Story.writer_id == sa.bindparam("me"), Story.draft.is_not(None), Story.ended.is_(None))
    title = Story.draft["title"].as_string().label("title")
    return sa.select(Story.id, title).where(mine).order_by(Story.written_at.desc(), Story.id).limit(WAITING)


def uses(session: Session, story_id: str) -> list[Consent]:
    """What the person has agreed to, and what has run out and is not settled yet."""
    return _uses(session, [story_id]).get(story_id, [])


def _uses(session: Session, story_ids: Sequence[str]) -> dict[str, list[Consent]]:
    query = sa.select(StoryUse.story_id, StoryUse.use, StoryUse.channel, StoryUse.until).where(StoryUse.story_id.in_(story_ids))
    found: dict[str, list[Consent]] = {}
    for row in session.execute(query.order_by(StoryUse.use, StoryUse.channel)) if story_ids else ():
        found.setdefault(row.story_id, []).append(Consent(row.use, row.channel, row.until))
    return found


def _read(session: Session, viewer: Viewer, *which: sa.ColumnElement[bool]) -> list[StoryData]:
    if not viewer.signed_in:
        raise NotFound()
    writer, checker = aliased(Actor), aliased(Actor)
    query = sa.select(Story, writer.name.label("writer"), checker.name.label("checker"), Resource.title)
    query = query.join(writer, writer.id == Story.writer_id).outerjoin(checker, checker.id == Story.checked_by_id)
    rows = session.execute(query.outerjoin(Resource, Resource.id == Story.resource_id).where(*which)).all()
    agreed = _uses(session, [row.id for row in rows])
    return [_data(row, tuple(agreed.get(row.id, ()))) for row in rows]


def _data(row: Any, agreed: tuple[Consent, ...]) -> StoryData:
    said = row.draft
    draft = Draft(said["title"], said["text"], said["language"], tuple(said["countries"]), tuple(said["topics"])) if said else None
    return StoryData(
        id=row.id,
        title=draft.title if draft else row.title or "",
        resource_id=row.resource_id,
        resource_uri=row.resource_uri,
        draft=draft,
        told=row.told,
        agreed_by=row.agreed_by,
        agreed_how=row.agreed_how,
        agreed_on=row.agreed_on,
        writer_id=row.writer_id,
        writer=row.writer,
        written_at=row.written_at,
        checker=row.checker or "",
        checked_at=row.checked_at,
        ended=row.ended or "",
        ended_at=row.ended_at,
        uses=agreed,
    )


def _kept(draft: Draft) -> dict[str, object]:
    words = dict[str, object](title=plain(draft.title, TITLE), text=draft.text, language=draft.language)
    return words | {"countries": list(draft.countries), "topics": list(draft.topics)}


def _agree(session: Session, story_id: str, agreed: Iterable[Consent]) -> None:
    rows = [dict(story_id=story_id, **given._asdict()) for given in agreed]
    session.execute(sa.insert(StoryUse), rows)


def _member(viewer: Viewer) -> None:
    if not viewer.signed_in:
        raise Forbidden(N_("Only our own people keep stories."))


def _open(story: StoryData) -> None:
    if story.ended:
        raise Refused(N_("This story has ended: its text is gone, and nothing can be done with it any more."))


def _check_draft(draft: Draft) -> None:
    if not plain(draft.title, TITLE) or not draft.text.strip():
        raise Refused(N_("A story needs a title and a text."))
    if len(draft.text) > TEXT:
        raise Refused(N_("A story has at most %(num)s characters. Shorten it, or put the long form into a file of your own."), num=TEXT)
    checked(Record(draft.title, kind=STORY, language=draft.language, countries=draft.countries, topics=draft.topics))


def _check_agreed(agreed: Agreed, now: int) -> None:
    if agreed.told not in TOLD or agreed.by not in AGREED_BY or agreed.how not in AGREED_HOW:
        raise Refused(N_("Say how the story is told, who has agreed and how."))
    if not now - consent.YEAR < agreed.on < now + DAY:
        raise Wrong("on", N_("Give the day on which the person was asked: within the last year, and not later than today."))
    if not consent.given(agreed.pairs, agreed.on):
        raise Wrong("use", N_("Without a single use that the person has agreed to, there is no story to keep."))
