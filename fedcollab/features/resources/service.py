"""Decides how records come to be, change and go: each with its activity, its deliveries and its audit in one commit."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit, policy
from fedcollab.access.models import STRICT
from fedcollab.access.viewer import ANYBODY, Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base import markup
from fedcollab.base.clock import new_id
from fedcollab.base.errors import Conflict, Forbidden, N_, NotFound, Refused
from fedcollab.base.once import row_id
from fedcollab.base.session import Session
from fedcollab.federation import outbox
from fedcollab.files import service as files

from . import found as index
from . import notes_out, sending, shelves
from .activities import NOTE, REASON, VERSIONS, UseData
from .checking import Wrong, address, checked
from .models import CURRENT, REPLACED, WITHDRAWN, CollectionItem, CountryNote, LabelChange, RecordDraft, Resource, Translation, Version
from .record import Record

STORY = "Story"


@dataclass(frozen=True)
class Added:
    """What a record is called: its row id and its uri; `again` says that this very form had made it before."""

    id: str
    uri: str
    again: bool = False


class Changed(Conflict):
    """Somebody has changed the record since the form was opened: `theirs` stands now, at `revision`; what was typed is the form's."""

    text = N_("Somebody has changed this record since you opened it. Both texts are here: yours in the form, theirs beside it.")

    def __init__(self, theirs: Record, revision: int) -> None:
        super().__init__()
        self.theirs, self.revision = theirs, revision


def add(
    session: Session,
    node: Node,
    viewer: Viewer,
    record: Record,
    *,
    label: str,
    file_id: str = "",
    note: str = "",
    once: str = "",
    discussion: str = "",
    uses: Sequence[UseData] = (),
) -> Added:
    """Puts a record into the library under a label: with a file that the viewer has uploaded, or the address that it names as its source,
    or neither. A form sent twice (`once` is its id) adds once. `discussion` is the conversation that it grew from, `uses` what a story may
    be used for. Answers what it is called.

    Raises Forbidden, Refused (Wrong names the field), NotFound for a file, StorageFull."""
    if not viewer.signed_in:
        raise Forbidden(N_("Only members add to the library."))
    found = checked(record)
    if (found.kind == STORY) != bool(uses):
        raise Wrong("kind", N_("A story is written down on a page of its own, with what the person has agreed to: Library, Stories."))
    again = session.execute(sa.select(Resource.uri).where(Resource.id == once, Resource.added_by_id == viewer.person_id)).one_or_none()
    if again is not None:
        return Added(once, again.uri, again=True)
    node.room.need()
    now, audience_id = node.now(), shelves.ours(session, node, label)
    resource_id, me = row_id(session, Resource, once, now), actors.own(session, node)
    uri = node.settings.uri(f"/library/{resource_id}")
    row = dict(id=resource_id, uri=uri, audience_id=audience_id, label=label, author_id=me.id, organisation_id=me.id, posted_at=now)
    state = dict(added_by_id=viewer.person_id, number=1, revision=next_revision(node, 0), changed_at=now, discussion=discussion)
    state |= dict(uses=[asdict(one) for one in uses] or None)
    session.execute(sa.insert(Resource).values(**row, **state, **sending.values_of(found, markup.render(found.summary))))
    _put_version(session, node, viewer, resource_id, 1, file_id=file_id, link="" if file_id else found.source, note=note)
    forget_draft(session, viewer, "")
    index.put(session, resource_id)
    sending.send(session, node, "Create", resource_id)
    audit.record(session, now, viewer, "resource.add", resource_id)
    return Added(resource_id, uri)


def next_revision(node: Node, before: int) -> int:
    """Grows with every change, and in a node that came out of an older backup too: milliseconds, or one more than before."""
    return max(before + 1, node.now() // 1000)


def _put_version(
    session: Session, node: Node, viewer: Viewer, resource_id: str, number: int, *, file_id: str, link: str, note: str
) -> None:
    if file_id:
        files.attachable(session, node, viewer, file_id)
    row = dict(resource_id=resource_id, number=number, note=markup.plain(note, NOTE), file_id=file_id or None, link=link)
    session.execute(sa.insert(Version).values(**row, published_at=node.now(), state=CURRENT))


def edit(session: Session, node: Node, viewer: Viewer, resource_id: str, record: Record, *, revision: int) -> None:
    """Changes a record of our organisation; any member may. `revision` is what the form began with.

    Raises NotFound, Forbidden, Changed where it is another by now, Refused, StorageFull."""
    row, found = own(session, viewer, resource_id), checked(record)
    _no_story(row)
    if found.kind == STORY:
        raise Wrong("kind", N_("A story is written down on a page of its own, with what the person has agreed to: Library, Stories."))
    before = sending.record_of(row)
    if row.revision != revision and before != found:
        raise Changed(before, row.revision)
    forget_draft(session, viewer, resource_id)
    if before == found:
        return  # saved as it was: nobody needs to hear of it
    node.room.need()
    link = {} if row.source == found.source else {"link": found.source}
    newest = sa.and_(Version.resource_id == resource_id, Version.number == row.number, Version.file_id.is_(None))
    if link:
        session.execute(sa.update(Version).where(newest, Version.link == row.source).values(link))
    change(session, node, row, **sending.values_of(found, markup.render(found.summary)))
    sending.send(session, node, "Update", resource_id)
    audit.record(session, node.now(), viewer, "resource.edit", resource_id)


def _no_story(row: Any) -> None:
    """Raises Refused for a story: what it says and who may read it is checked on its own page."""
    if row.kind == STORY:
        raise Refused(N_("This is a story. Change it on its own page, where somebody else checks it against what was agreed."))


def visible_row(session: Session, viewer: Viewer, resource_id: str) -> Any:
    """The row of a record that the viewer sees. Raises NotFound."""
    there = sa.and_(Resource.id == resource_id, Resource.deleted_at.is_(None), policy.visible(Resource, viewer))
    row = session.execute(sa.select(*Resource.__table__.columns).where(there)).one_or_none()
    if row is None:
        raise NotFound()
    return row


def own(session: Session, viewer: Viewer, resource_id: str) -> Any:
    """The row of a record that the viewer's organisation keeps. Raises NotFound, and Forbidden for a partner's."""
    row = visible_row(session, viewer, resource_id)
    if not viewer.signed_in or row.organisation_id != viewer.organisation_id:
        raise Forbidden(N_("Only the organisation that published this can change it."))
    return row


def may_take_away(viewer: Viewer, added_by_id: str | None) -> bool:
    """Whether somebody of its organisation may withdraw or delete a record: who added it, or a moderator."""
    return viewer.moderates or (viewer.signed_in and viewer.person_id == added_by_id)


def _own_to_take_away(session: Session, viewer: Viewer, resource_id: str) -> Any:
    row = own(session, viewer, resource_id)
    if not may_take_away(viewer, row.added_by_id):
        raise Forbidden(N_("Only whoever added this, or a moderator, can withdraw or delete it."))
    return row


def change(session: Session, node: Node, row: Any, **values: Any) -> int:
    """Gives a record of ours these values and its next revision, which it answers."""
    revision = next_revision(node, row.revision)
    now = dict(revision=revision, changed_at=max(node.now(), row.changed_at + 1000))
    session.execute(sa.update(Resource).where(Resource.id == row.id).values(**now, **values))
    index.put(session, row.id)
    return revision


def new_version(
    session: Session, node: Node, viewer: Viewer, resource_id: str, *, file_id: str = "", link: str = "", note: str = "", number: int = 0
) -> int:
    """A file or a link that takes the place of the one before, which stays reachable; a withdrawn record is current again. `number` is what
    the version was to be when the form was opened: sent twice, it is there once. Answers its number.

    Raises NotFound, Forbidden, Refused, Conflict, StorageFull."""
    row = own(session, viewer, resource_id)
    _no_story(row)
    if number and number <= row.number:
        return int(row.number)
    if not file_id and not address(link):
        raise Wrong("link", N_("Choose a file, or write the whole address, beginning with https://."))
    _check_room(session, resource_id)
    node.room.need()
    before = sa.and_(Version.resource_id == resource_id, Version.state == CURRENT)
    session.execute(sa.update(Version).where(before).values(state=REPLACED))
    _put_version(session, node, viewer, resource_id, row.number + 1, file_id=file_id, link="" if file_id else address(link), note=note)
    change(session, node, row, number=row.number + 1, state=CURRENT, reason="")
    sending.send(session, node, "Update", resource_id)
    audit.record(session, node.now(), viewer, "resource.version", resource_id)
    return int(row.number + 1)


def _check_room(session: Session, resource_id: str) -> None:
    kept = sa.select(sa.func.count()).select_from(Version).where(Version.resource_id == resource_id)
    if (session.scalar(kept) or 0) >= VERSIONS:
        raise Refused(N_("A resource has at most 100 versions. Add it anew, and withdraw this one."))


def withdraw(session: Session, node: Node, viewer: Viewer, resource_id: str, *, reason: str, number: int = 0) -> None:
    """Withdraws a record, or an older version of it alone, here and at every partner, who confirm it; it stays readable with the reason.
    A new version makes the record current again. Raises NotFound, Forbidden, Refused, Conflict."""
    row, why = _own_to_take_away(session, viewer, resource_id), markup.plain(reason, REASON)
    _no_story(row)
    if not why:
        raise Wrong("reason", N_("Say why: the reason stands beside it, here and at every partner."))
    one = sa.and_(Version.resource_id == resource_id, Version.number == (number or row.number))
    version = session.execute(sa.select(Version.number, Version.state).where(one)).one_or_none()
    if version is None:
        raise NotFound()
    if version.state == WITHDRAWN:
        raise Conflict(N_("This is withdrawn already."))
    session.execute(sa.update(Version).where(one).values(state=WITHDRAWN, reason=why))
    whole = version.number == row.number
    change(session, node, row, **(dict(state=WITHDRAWN, reason=why) if whole else {}))
    sending.send(session, node, "Update", resource_id, about=row.uri if whole else about_version(row.uri, version.number))
    audit.record(session, node.now(), viewer, "resource.withdraw", resource_id)


def about_version(uri: str, number: int) -> str:
    """What receipts for the withdrawal of one version are kept under."""
    return f"{uri}#version-{number}"


def relabel(session: Session, node: Node, viewer: Viewer, resource_id: str, label: str, *, reason: str = "") -> None:
    """Gives a record another label. Narrower: any member of the organisation; partners are asked to follow, and to delete what is for us
    alone now. Wider: who added it or a moderator, with a reason, which is kept. The same is no change.

    Raises NotFound, Forbidden, Refused."""
    row, why = own(session, viewer, resource_id), markup.plain(reason, REASON)
    if policy.check_label(label) == row.label:
        return
    _no_story(row)
    wider = policy.is_wider(label, row.label)
    _relabelled(session, node, viewer, row, label, why, author_id=row.added_by_id)
    revision = _move(session, node, row, label)
    if row.label != STRICT and label == STRICT and row.passed_on:
        sending.take_back(session, node, row.uri, revision, row.posted_at)
    elif label != STRICT:
        narrowed = row.label != STRICT and not wider
        sending.send(session, node, "Create" if row.label == STRICT else "Update", resource_id, about=row.uri if narrowed else "")
    if row.label == STRICT:
        notes_out.send_again(session, node, resource_id)
    if wider:
        audit.record(session, node.now(), viewer, "resource.widen", resource_id)
    else:
        audit.record(session, node.now(), viewer, "resource.narrow", resource_id)


def _relabelled(session: Session, node: Node, viewer: Viewer, row: Any, label: str, why: str, *, author_id: str | None) -> None:
    """Puts on record who gives a record another label, and why. Raises Forbidden and Refused for a wider one that they may not give, or for
    which they say no reason."""
    wider = policy.is_wider(label, row.label)
    if wider and not policy.may_widen(viewer, row.organisation_id, author_id):
        raise Forbidden(N_("Only its author, or a moderator, can let more people see this."))
    if wider and not why:
        raise Wrong("reason", N_("Say why more people may see this: the reason is kept."))
    was = dict(before=row.label, after=label, reason=why, by_id=viewer.person_id, at=node.now())
    session.execute(sa.insert(LabelChange).values(id=new_id(node.now()), resource_id=row.id, **was))


def tie(session: Session, node: Node, viewer: Viewer, resource_id: str, discussion: str) -> None:
    """Names the conversation that a record of ours belongs to, where it has none and is ours; partners learn of it. Raises NotFound."""
    row = visible_row(session, viewer, resource_id)
    if row.organisation_id == viewer.organisation_id and not row.discussion:
        change(session, node, row, discussion=discussion)
        sending.send(session, node, "Update", resource_id)
        audit.record(session, node.now(), viewer, "resource.tie", resource_id)


def restate(
    session: Session,
    node: Node,
    viewer: Viewer | None,
    resource_id: str,
    label: str,
    uses: Sequence[UseData],
    record: Record | None = None,
    *,
    author_id: str | None = None,
    reason: str = "",
) -> None:
    """A story's consent, or its checked words, are others now: it stands under `label` from now on, or goes where that is empty; partners
    are asked to follow and to confirm it. A wider one takes the story's author or a moderator, and a reason, as with every record.

    Raises Forbidden, Refused (Wrong names the field)."""
    row = session.execute(sa.select(*Resource.__table__.columns).where(Resource.id == resource_id, Resource.deleted_at.is_(None))).one()
    if not label:
        erase(session, node, row)
        audit.record(session, node.now(), viewer, "resource.delete", resource_id)
        return
    wider = policy.is_wider(label, row.label)
    if wider or (record is not None and label != row.label):  # narrowed with the consent, that is on record with it
        _relabelled(session, node, viewer or ANYBODY, row, label, markup.plain(reason, REASON), author_id=author_id)
    values: dict[str, Any] = dict(uses=[asdict(one) for one in uses], label=label, audience_id=shelves.ours(session, node, label))
    if record is not None:
        found = checked(record)
        values |= sending.values_of(found, markup.render(found.summary))
    _move_notes(session, node, row, label, values["audience_id"])
    revision = change(session, node, row, **values)
    if label == STRICT and row.passed_on:
        sending.take_back(session, node, row.uri, revision, row.posted_at)
    sending.send(session, node, "Create" if row.label == STRICT else "Update", resource_id, about=row.uri)
    if row.label == STRICT:
        notes_out.send_again(session, node, resource_id)
    if wider:
        audit.record(session, node.now(), viewer, "resource.widen", resource_id)
    else:
        audit.record(session, node.now(), viewer, "resource.edit", resource_id)


def _move(session: Session, node: Node, row: Any, label: str) -> int:
    """The record and what was said of it, under the new label. Answers its revision."""
    audience_id = shelves.ours(session, node, label)
    _move_notes(session, node, row, label, audience_id)
    return change(session, node, row, label=label, audience_id=audience_id)


def _move_notes(session: Session, node: Node, row: Any, label: str, audience_id: str) -> None:
    """What was said of a record follows it where fewer read it; where more do, what we have said ourselves alone: partners have said it to
    those who read it then."""
    about = CountryNote.resource_id == row.id
    if policy.is_wider(label, row.label):
        about = sa.and_(about, CountryNote.organisation_id == row.organisation_id)
    if label == STRICT != row.label:
        _forget_notes(session, node, row.id)
    session.execute(sa.update(CountryNote).where(about).values(label=label, audience_id=audience_id))


def delete(session: Session, node: Node, viewer: Viewer, resource_id: str) -> None:
    """Takes a record away with all its versions, here and at every partner that has it; each confirms it. Raises NotFound, Forbidden."""
    row = _own_to_take_away(session, viewer, resource_id)
    _no_story(row)
    erase(session, node, row)
    audit.record(session, node.now(), viewer, "resource.delete", resource_id)


def erase(session: Session, node: Node, row: Any) -> None:
    """Empties a record of ours, and asks every partner that has it to do the same."""
    revision = next_revision(node, row.revision)
    bury(session, node, row.id, revision=revision)
    if row.passed_on:
        sending.take_back(session, node, row.uri, revision, row.posted_at)


def _forget_notes(session: Session, node: Node, resource_id: str) -> None:
    """What was said of a record is in no activity any more, and not in what still waits for somebody."""
    for uri in session.scalars(sa.select(CountryNote.uri).where(CountryNote.resource_id == resource_id)).all():
        outbox.forget(session, node, uri)


EMPTY = Record(title="")


def bury(session: Session, node: Node, resource_id: str, *, revision: int) -> None:
    """Empties a record, with its versions, its notes and its places in lists; its ids stay, and the revision that nothing older undoes."""
    held = session.scalars(sa.select(Version.file_id).where(Version.resource_id == resource_id, Version.file_id.is_not(None))).all()
    files.let_go(session, node, [file_id for file_id in held if file_id])
    for model in (Version, Translation, CollectionItem, LabelChange):
        session.execute(sa.delete(model).where(model.resource_id == resource_id))
    _forget_notes(session, node, resource_id)
    session.execute(sa.delete(CountryNote).where(CountryNote.resource_id == resource_id))
    index.remove(session, resource_id)
    times = dict(deleted_at=node.now(), changed_at=node.now())
    empty = dict(discussion="", uses=None, reason="", state=WITHDRAWN, revision=revision, number=0, **times)
    session.execute(sa.update(Resource).where(Resource.id == resource_id).values(**sending.values_of(EMPTY, ""), **empty))


def forget_draft(session: Session, viewer: Viewer, place: str) -> None:
    """What was kept of a form is not needed any more."""
    session.execute(sa.delete(RecordDraft).where(RecordDraft.person_id == viewer.person_id, RecordDraft.place == place))


def again(session: Session, node: Node, resource_id: str, *, state: str, reason: str, label: str, revision: int) -> None:
    """A record of an older backup as it had been since, with what was said of it: partners know of it already. Never under a wider
    label."""
    columns = (Resource.id, Resource.organisation_id, Resource.label, Resource.audience_id)
    row = session.execute(sa.select(*columns).where(Resource.id == resource_id)).one()
    values = dict(state=state, reason=reason, revision=revision)
    if policy.is_wider(row.label, label):
        audience_id = shelves.ours(session, node, label) if label == STRICT else row.audience_id
        values |= dict(label=label, audience_id=audience_id)
        _move_notes(session, node, row, label, audience_id)
    session.execute(sa.update(Resource).where(Resource.id == resource_id).values(**values))
    index.put(session, resource_id)
