"""Decides what deletion means where an older backup comes back: what was deleted after it is deleted again."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fedcollab.actors.node import Node
from fedcollab.backup.erasures import Part
from fedcollab.base.errors import NotFound

from .models import Post
from .service import bury


def deleted_since(session: Session, since: int) -> list[str]:
    """The posts that were deleted since, by their uris."""
    return list(session.scalars(sa.select(Post.uri).where(Post.deleted_at >= since).order_by(Post.deleted_at)))


def delete_again(session: Session, node: Node, uri: str) -> None:
    """Buries a post that has come back. Raises NotFound where it is not there, or buried."""
    post_id = session.scalar(sa.select(Post.id).where(Post.uri == uri, Post.deleted_at.is_(None)))
    if post_id is None:
        raise NotFound()
    bury(session, node, post_id)


ERASURES = Part("posts", deleted_since, delete_again)
