"""Decides how a story ends: the person takes it back with their code, consent runs out, or we withdraw it; its words go everywhere."""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.models import AuditEntry
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.backup.erasures import Part
from fedcollab.base.errors import Forbidden, N_, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.federation import receipts

from . import shelf, telling
from .consent import Consent
from .models import Story, StoryUse

TAKEN_BACK, RAN_OUT, WITHDRAWN = "TakenBack", "RanOut", "Withdrawn"
CODE = "#"  # before the hash of a new code, in what newer backups say to older ones
LEFT = "="  # before the uses that are left, in what newer backups say to older ones
AT_ONCE = 20  # stories that one unit of the chore settles


@dataclass(frozen=True)
class Standing:
    """What somebody reads who shows the code of a story: never what was told. `asked` is what each organisation has said to being asked to
    erase it."""

    story_id: str
    uses: tuple[Consent, ...]
    ended: str
    ended_at: int | None
    published: bool
    asked: tuple[receipts.ReceiptData, ...]


def look(session: Session, node: Node, code_hash: str) -> Standing:
    """The story of a code. Raises NotFound."""
    row = session.execute(sa.select(Story).where(Story.code_hash == code_hash)).one_or_none()
    if row is None:
        raise NotFound(N_("No story here has this code. Was it written by another organisation? Its address stands on your sheet."))
    asked = receipts.of(session, node.now(), [row.resource_uri]).get(row.resource_uri, []) if row.resource_uri else []
    standing = tuple(telling.uses(session, row.id))
    return Standing(row.id, standing, row.ended or "", row.ended_at, bool(row.resource_uri), tuple(asked))


def take_back(session: Session, node: Node, code_hash: str, kept: Collection[tuple[str, str]]) -> Standing:
    """The person takes back all uses but those `kept`; with the last one the story goes. Again changes nothing. Raises NotFound."""
    story = look(session, node, code_hash)
    if not story.ended:
        left = [use for use in story.uses if (use.use, use.channel) in set(kept)]
        _keep_only(session, node, None, story.story_id, left, TAKEN_BACK)
        audit.record(session, node.now(), None, "story.take_back", story.story_id)
    return look(session, node, code_hash)


def withdraw(session: Session, node: Node, viewer: Viewer, story_id: str) -> None:
    """We take a story back ourselves: whoever wrote it, or a moderator. Raises NotFound, Forbidden, Refused."""
    story = telling.one(session, viewer, story_id)
    if not viewer.moderates and viewer.person_id != story.writer_id:
        raise Forbidden(N_("Only who wrote it, or a moderator, can take a story back."))
    if story.ended:
        raise Refused(N_("This story has ended: its text is gone, and nothing can be done with it any more."))
    _keep_only(session, node, viewer, story_id, [], WITHDRAWN)
    audit.record(session, node.now(), viewer, "story.withdraw", story_id)


def let_run_out(session: Session, node: Node) -> None:
    """What a person has agreed to ends with its time, whether anybody looks or not."""
    due = sa.select(StoryUse.story_id).where(StoryUse.until <= node.now()).distinct().order_by(StoryUse.story_id).limit(AT_ONCE)
    for story_id in session.scalars(due).all():
        left = [use for use in telling.uses(session, story_id) if use.until > node.now()]
        _keep_only(session, node, None, story_id, left, RAN_OUT)
        audit.record(session, node.now(), None, "story.run_out", story_id)


def _keep_only(session: Session, node: Node, viewer: Viewer | None, story_id: str, left: list[Consent], why: str) -> None:
    session.execute(sa.delete(StoryUse).where(StoryUse.story_id == story_id))
    if left:
        session.execute(sa.insert(StoryUse), [dict(story_id=story_id, **use._asdict()) for use in left])
    resource_id = session.scalar(sa.select(Story.resource_id).where(Story.id == story_id))
    shelf.follow_consent(session, node, viewer, resource_id, left)
    end = {} if left else dict(ended=why, ended_at=node.now(), draft=None)
    session.execute(sa.update(Story).where(Story.id == story_id).values(lessened_at=node.now(), **end))


def lessened_since(session: Session, since: int) -> list[str]:
    """What people may have taken back since: each such story, what is left of its uses, or why it ended; and the hashes of codes that were
    made anew since, for those before were in the wrong hands, perhaps."""
    made = sa.select(AuditEntry.subject).where(AuditEntry.at >= since, AuditEntry.action == "story.code")
    codes = session.execute(sa.select(Story.id, Story.code_hash).where(Story.id.in_(made)).order_by(Story.id)).all()
    rows = session.execute(sa.select(Story.id, Story.ended).where(Story.lessened_at >= since).order_by(Story.lessened_at, Story.id)).all()
    lessened = [f"{row.id} {row.ended or LEFT}{'' if row.ended else _spelt(telling.uses(session, row.id))}" for row in rows]
    return [f"{row.id} {CODE}{row.code_hash}" for row in codes] + lessened


def _spelt(uses: list[Consent]) -> str:
    return ",".join(f"{use.use}/{use.channel}" for use in uses)


def lessen_again(session: Session, node: Node, name: str) -> None:
    """Takes back what an older backup has brought back. Raises NotFound where the story is not here, Refused where nothing is to do."""
    story_id, _, said = name.partition(" ")
    row = session.execute(sa.select(Story.ended, Story.code_hash).where(Story.id == story_id)).one_or_none()
    if row is None:
        raise NotFound()
    if said.startswith(CODE):
        if row.code_hash == said.removeprefix(CODE):
            raise Refused()
        session.execute(sa.update(Story).where(Story.id == story_id).values(code_hash=said.removeprefix(CODE)))
        return
    uses = telling.uses(session, story_id)
    left = [use for use in uses if f"{use.use}/{use.channel}" in said.removeprefix(LEFT).split(",")] if said.startswith(LEFT) else []
    if row.ended is not None or left == uses:
        raise Refused()
    _keep_only(session, node, None, story_id, left, said if not said.startswith(LEFT) else RAN_OUT)


ERASURES = Part("stories", lessened_since, lessen_again)
