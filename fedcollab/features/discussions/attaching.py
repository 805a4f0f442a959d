"""Decides which files a post carries: put to it by its author, read by its readers, gone with it; and those of drafts."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import PARTNER
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.errors import N_, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared
from fedcollab.files import service as files
from fedcollab.files import wire
from fedcollab.files.models import HERE, File
from fedcollab.files.service import Attachment, FileData

from . import activities
from .models import Draft, DraftFile, Post, PostFile

MOST = activities.FILES
Chosen = tuple[Sequence[str] | None, Sequence[str]]  # what a form has sent (None: what its draft keeps), and what has come since
TOO_MANY = N_("A post carries at most 10 files. Take some away, or put the rest into an answer.")
NOT_OWN = N_("One of these files is not there, or was not uploaded by you. Upload it, and put its address into “attachment”.")
NONE_LATER = N_("Files are put to a post when it is written. Name none but those that it carries, or write an answer.")
THERE = sa.and_(Post.deleted_at.is_(None), Post.removed.is_(None), Post.hidden.is_(None))


def holds(viewer: Viewer | None) -> sa.Select[str]:
    """The files of the posts that somebody sees (those that moderators took away show theirs to nobody), and of their own drafts; for
    nobody in particular all that are kept, so that a post that is restored has its files."""
    posts = sa.select(PostFile.file_id).join(Post, Post.id == PostFile.post_id)
    drafts = sa.select(DraftFile.file_id)
    if viewer is not None:
        posts = posts.where(THERE, policy.visible(Post, viewer))
        drafts = drafts.where(DraftFile.person_id == viewer.person_id) if viewer.person_id else drafts.where(sa.false())
    return sa.select(posts.union_all(drafts).subquery().c.file_id)


def put(session: Session, node: Node, viewer: Viewer, post_id: str, file_ids: Sequence[str]) -> None:
    """Puts files that the viewer has uploaded to their new post. Raises Refused for too many, NotFound for what is not theirs."""
    wanted = list(dict.fromkeys(file_ids))
    if len(wanted) > MOST:
        raise Refused(TOO_MANY)
    _write(session, post_id, [files.attachable(session, node, viewer, file_id).id for file_id in wanted])


def named(session: Session, viewer: Viewer, written: Mapping[str, Any]) -> list[str]:
    """The files that the viewer's tool puts to a post, each named by its address. Raises Refused for too many, NotFound for what is not
    theirs."""
    uris = list(dict.fromkeys(wire.addresses(written)))
    if len(uris) > MOST:
        raise Refused(TOO_MANY)
    rows = session.execute(sa.select(File.uri, File.id).where(File.uri.in_(uris), File.by_id == viewer.person_id)) if uris else ()
    own = {row.uri: row.id for row in rows}
    if not own.keys() >= set(uris):
        raise NotFound(NOT_OWN)
    return [own[uri] for uri in uris]


def left_out(session: Session, post_id: str, written: Mapping[str, Any]) -> list[str]:
    """The files of a post that its changed document names no more; all stay where it says nothing of files. Raises Refused for others."""
    if "attachment" not in written:
        return []
    uris, carried = set(wire.addresses(written)), {file.uri: file.id for file in of_post(session, post_id)}
    if not uris <= carried.keys():
        raise Refused(NONE_LATER)
    return [file_id for uri, file_id in carried.items() if uri not in uris]


def take_away(session: Session, node: Node, post_id: str, file_ids: Iterable[str]) -> bool:
    """Takes files away from a post; whether any of them was there."""
    named = sa.and_(PostFile.post_id == post_id, PostFile.file_id.in_(list(file_ids)))
    gone = list(session.scalars(sa.delete(PostFile).where(named).returning(PostFile.file_id)))
    files.let_go(session, node, gone)
    return bool(gone)


def drop(session: Session, node: Node, post_id: str) -> None:
    """Takes all its files away from a post that goes."""
    take_away(session, node, post_id, [file.id for file in of_post(session, post_id)])


def receive(
    session: Session,
    node: Node,
    post_id: str,
    author: ActorData,
    through: ActorData | None,
    said: Sequence[Attachment],
    *,
    fresh: bool = False,
) -> bool:
    """Has a post carry the files that its document names, as its author has put them; whether they are others than before. Where another
    organisation's group passes the post on, its host gives the files out."""
    relay = through is not None and through.known == PARTNER and through.organisation_id != author.organisation_id
    group_id = through.id if relay and through is not None else None
    before = [] if fresh else [file.id for file in of_post(session, post_id)]
    wanted = [files.learn(session, node, author.organisation_id, one, through_id=group_id) for one in said]
    if wanted == before:
        return False
    if before:
        session.execute(sa.delete(PostFile).where(PostFile.post_id == post_id))
    _write(session, post_id, wanted)
    files.let_go(session, node, set(before) - set(wanted))
    return True


def _write(session: Session, post_id: str, ids: Sequence[str]) -> None:
    if ids:
        session.execute(sa.insert(PostFile), [dict(post_id=post_id, file_id=one, number=number) for number, one in enumerate(ids)])


def of_post(session: Session, post_id: str) -> list[FileData]:
    """A post's files, in its author's order."""
    return [FileData(*row) for row in prepared(session, _post_query(), {"post": post_id}).rows]


@cache
def _post_query() -> sa.Select[Any]:
    query = sa.select(*files.COLUMNS).join(PostFile, PostFile.file_id == File.id).where(PostFile.post_id == sa.bindparam("post"))
    return query.order_by(PostFile.number)


def of_page(session: Session, thread_id: str, first: int, last: int) -> dict[str, list[FileData]]:
    """By post, the files of those posts of a thread that stand between two places and are there for everybody inside."""
    found: dict[str, list[FileData]] = {}
    for row in prepared(session, _page_query(), {"thread": thread_id, "first": first, "last": last}).all():
        found.setdefault(row[0], []).append(FileData(*row[1:]))
    return found


@cache
def _page_query() -> sa.Select[Any]:
    """Begins with the files, of which there are few, or with the thread's posts: as the database likes."""
    query = sa.select(PostFile.post_id, *files.COLUMNS).join(Post, Post.id == PostFile.post_id).join(File, File.id == PostFile.file_id)
    between = Post.place.between(sa.bindparam("first"), sa.bindparam("last"))
    return query.where(Post.thread_id == sa.bindparam("thread"), between, THERE).order_by(PostFile.post_id, PostFile.number)


def of_posts(session: Session, post_ids: Sequence[str]) -> dict[str, tuple[dict[str, Any], ...]]:
    """By post, the files of these as their documents name them; one whose hash nobody has said could not be checked, and is left out."""
    query = sa.select(PostFile.post_id, *files.COLUMNS).join(File, File.id == PostFile.file_id).where(PostFile.post_id.in_(post_ids))
    found: dict[str, tuple[dict[str, Any], ...]] = {}
    for row in session.execute(query.order_by(PostFile.post_id, PostFile.number)) if post_ids else ():
        file = FileData(*row[1:])
        found[row[0]] = found.get(row[0], ()) + ((wire.attachment(file),) if file.sha256 else ())
    return found


def documents(session: Session, post_id: str) -> tuple[dict[str, Any], ...]:
    """The files of a post of ours as others read them."""
    return tuple(wire.attachment(file) for file in of_post(session, post_id) if file.state == HERE)


def chosen(session: Session, viewer: Viewer, place: str, sent: Sequence[str] | None, come: Sequence[str]) -> list[FileData]:
    """The files that go with what somebody is writing: those `sent` with the form, else those kept with its draft; and those that have
    `come` since. What is not theirs, or gone since, is left out."""
    before = sent
    if before is None:
        before = [row[0] for row in prepared(session, _kept_query(), {"person": viewer.person_id, "place": place}).all()]
    listed = list(dict.fromkeys([*before, *come]))
    found = of_own(session, viewer, listed)
    return [found[one] for one in listed if one in found][:MOST]


@cache
def _kept_query() -> sa.Select[Any]:
    query = sa.select(DraftFile.file_id).where(DraftFile.person_id == sa.bindparam("person"), DraftFile.place == sa.bindparam("place"))
    return query.order_by(DraftFile.number)


def of_own(session: Session, viewer: Viewer, ids: Sequence[str]) -> dict[str, FileData]:
    """Those of these files that the viewer has uploaded and that are here."""
    if not ids or not viewer.person_id:
        return {}
    mine = sa.select(*files.COLUMNS).where(File.id.in_(ids), File.by_id == viewer.person_id, File.state == HERE)
    return {row.id: FileData(*row) for row in session.execute(mine)}


def keep(session: Session, node: Node, viewer: Viewer, place: str, file_ids: Sequence[str]) -> None:
    """Has a draft keep these files and no others."""
    before = set(prepared(session, _taken_out(), {"person": viewer.person_id, "place": place}).scalars())
    own = of_own(session, viewer, list(file_ids))
    wanted = [one for one in dict.fromkeys(file_ids) if one in own][:MOST]
    rows = [dict(person_id=viewer.person_id, place=place, file_id=one, number=number) for number, one in enumerate(wanted)]
    if rows:
        session.execute(sa.insert(DraftFile), rows)
    files.let_go(session, node, before - set(wanted))


@cache
def _taken_out() -> sa.UpdateBase:
    table: Any = DraftFile.__table__
    there = sa.and_(table.c.person_id == sa.bindparam("person"), table.c.place == sa.bindparam("place"))
    return sa.delete(table).where(there).returning(table.c.file_id)


def forget_draft_files(session: Session, node: Node) -> None:
    """What belongs to no draft any more goes."""
    draft = sa.exists().where(Draft.person_id == DraftFile.person_id, Draft.place == DraftFile.place)
    files.let_go(session, node, set(session.scalars(sa.delete(DraftFile).where(~draft).returning(DraftFile.file_id))))
