"""Decides how much may be stored: by one file, by all files of the node, by one person before they are put to anything."""

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import OWN, Actor
from fedcollab.actors.node import Node
from fedcollab.base.config import Settings
from fedcollab.base.errors import N_, Refused, StorageFull, TooLarge, TooMany
from fedcollab.base.room import MEGABYTE
from fedcollab.base.session import Session
from fedcollab.sealing.room_models import SealedFile, SealedMessage, SealedUpload

from .models import HERE, File, Upload
from .service import UNHELD

UPLOADS = 50  # of one person, begun and not whole
LARGE = N_("A file may have at most %(most)s MB here. Make it smaller, or share it in another way.")
EMPTY = N_("This file is empty: it has 0 bytes. Choose another one.")
NODE_FULL = N_("The room for files on this node is used up, so the file was not stored. Tell your administrator.")
MINE_FULL = N_("You have uploaded %(most)s MB that are in no post or resource yet. Put them into one, or wait a day until they are gone.")


def limit(settings: Settings) -> int:
    """Bytes that one file may have."""
    return settings.file_limit * MEGABYTE


def too_large(settings: Settings) -> TooLarge:
    return TooLarge(LARGE, most=settings.file_limit)


def check(session: Session, node: Node, viewer: Viewer, size: int, *, but: str = "") -> None:
    """Whether a file of so many bytes may come in; the upload `but` is the file itself, whose bytes are here already. Raises Refused,
    TooLarge, TooMany, StorageFull."""
    if size <= 0:
        raise Refused(EMPTY)
    if size > limit(node.settings):
        raise too_large(node.settings)
    others = sa.and_(Upload.id != but)
    mine = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(Upload.size), 0)).where(others, Upload.person_id == viewer.person_id)
    number, coming = session.execute(mine).one()
    sealed = sa.select(sa.func.count()).where(SealedUpload.person_id == viewer.person_id)
    if number + (session.scalar(sealed) or 0) >= UPLOADS:
        raise TooMany(reason="a person has begun too many uploads", retry_after=600)
    _check_mine(session, node, viewer, size + coming)
    _check_all(session, node, size, but)
    if not but:
        node.room.need_for_file(size)


def _check_mine(session: Session, node: Node, viewer: Viewer, size: int) -> None:
    most = max(node.settings.upload_quota, node.settings.file_limit)
    waiting = sa.and_(File.by_id == viewer.person_id, File.attached_at.is_(None), File.state == HERE, File.created_at > node.now() - UNHELD)
    if size + _sum(session, sa.select(sa.func.sum(File.size)).where(waiting)) > most * MEGABYTE:
        raise Refused(MINE_FULL, most=most)


def _check_all(session: Session, node: Node, size: int, but: str) -> None:
    if not node.settings.files_quota:
        return
    coming = _sum(session, sa.select(sa.func.sum(Upload.size)).where(Upload.id != but))
    coming += _sum(session, sa.select(sa.func.sum(SealedUpload.size)))
    if size + coming + own_bytes(session) > node.settings.files_quota * MEGABYTE:
        raise StorageFull(NODE_FULL, reason="the quota for files is used up")


def own_bytes(session: Session) -> int:
    """Bytes of our members' files, those that are sealed with them."""
    sealed = sa.select(sa.func.sum(SealedFile.size)).join(SealedMessage, SealedMessage.id == SealedFile.message_id)
    mine = sealed.join(Actor, Actor.uri == SealedMessage.organisation).where(Actor.known == OWN, SealedFile.state == HERE)
    return _sum(session, sa.select(sa.func.sum(File.size)).where(File.by_id.is_not(None), File.state == HERE)) + _sum(session, mine)


def cached_bytes(session: Session, organisation_id: str = "") -> int:
    """Bytes of partners' files that are here or on their way, of all or of one organisation."""
    query = sa.select(sa.func.sum(File.size)).where(File.by_id.is_(None), File.key != "")
    return _sum(session, query.where(File.organisation_id == organisation_id) if organisation_id else query)


def _sum(session: Session, query: sa.Select[int | None]) -> int:
    return int(session.scalar(query) or 0)
