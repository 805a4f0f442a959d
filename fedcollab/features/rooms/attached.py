"""Decides what is known of the files that a group's posts carry: each beside its post, and whether its bytes are here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.sealing import filed, sealed_files
from fedcollab.sealing.filed import UNNAMED
from fedcollab.sealing.sealed_files import FileRow

from . import places
from .entries import File
from .folding import THERE, Attached, Shown
from .opening import Here


@dataclass(frozen=True, repr=False)
class Listed(filed.Listed):
    """A file beside its post."""

    entry: File
    attached: Attached


Files = Mapping[str, list[Listed]]  # by the row of their post


def beside(session: Session, here: Here, posts: Iterable[Shown]) -> Files:
    """The files of posts that are there."""
    return _all(session, here, {post.row: post.files for post in posts if post.state == THERE and post.files})


def learned(session: Session, node: Node, here: Here, files: Files) -> Files:
    """The same files once those that their messages name alone are asked for, in a unit that writes; the others are known as they are."""
    unknown = [one for listed in files.values() for one in listed if one.state == UNNAMED]
    if not unknown:
        return files
    for one in unknown:
        filed.learn(session, node, one.attached.uri, one.entry)
    places.mark(session, node, here.id, [one.attached.uri for one in unknown])
    return _all(session, here, {row: [one.attached for one in listed] for row, listed in files.items()})


def _all(session: Session, here: Here, found: Mapping[str, Iterable[Attached]]) -> Files:
    messages = [one.uri for listed in found.values() for one in listed]
    rows = sealed_files.of(session, here.id, messages) if messages else {}
    return {row: [_listed(one, rows) for one in listed] for row, listed in found.items()}


def _listed(one: Attached, rows: Mapping[tuple[str, str], FileRow]) -> Listed:
    row = rows.get((one.uri, one.entry.uri))
    return Listed(one.entry, row, filed.state(one.entry, row, THERE), one)
