"""Decides what is known of a sealed file for those who may read the entry that names it: whether its bytes are here, why not, what it takes
to open it; that it was opened goes on record first."""

from dataclasses import dataclass
from typing import Protocol

from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import Gone, N_, Unavailable
from fedcollab.base.session import Session
from fedcollab.files.kinds import BY_TYPE

from . import carried, file_opening, room_chain, sealed_files
from .chunks import FileSecret
from .room_models import AWAY, GONE
from .sealed_files import CHANGED, FileRow

THERE, SUSPECTED, OTHER, UNNAMED = "there", "suspected", "other", "unnamed"
RETRY = 60  # seconds
MARKED = N_(
    "This file was marked: it may show the abuse of a child. It is not opened, copied or handed out any more. Its sealed bytes stay for the"
    " authority that asks for them."
)
ASKED = N_("This file is not here yet. Its node was asked for it just now; open it again in %(number)s seconds.")
TAKEN = N_("This file was taken back, or erased. Nothing of it is left on this node.")
WORDS = {  # of what can't be opened now
    AWAY: N_("Not here yet. Its organisation’s node was asked for it and is asked again until it comes."),
    sealed_files.ROOM: N_("Not here: the room for other organisations’ files is used up, or the disk is full. Tell your administrator."),
    sealed_files.SIZE: N_("Not here: it is larger than what this node takes of others. Tell your administrator."),
    sealed_files.HASH: N_("Not here: what came was not the file that was shared. It is asked for again."),
    CHANGED: N_("This file changed after it was shared: the bytes on this node are damaged. The other organisations are asked for it."),
    OTHER: file_opening.OTHER,
    UNNAMED: N_("Its message came without the file. Ask whoever shared it to send it once more."),
    GONE: TAKEN,
}


class Says(Protocol):
    """What an entry says of its file: where it lies, its name, its type, what opens it."""

    @property
    def uri(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def media(self) -> str: ...

    @property
    def secret(self) -> FileSecret | None: ...


@dataclass(frozen=True, repr=False)
class Listed:
    """A file as one person may know it: what its entry says (None where they may not know that), what is known of its bytes (None for
    nothing), how it stands, as `state` says it."""

    entry: Says | None
    row: FileRow | None
    state: str

    @property
    def id(self) -> str:
        """As it stands in addresses."""
        return self.row.id if self.row else ""

    @property
    def word(self) -> str:
        """What people call this kind of file, as a message id; empty for one that is not known here."""
        kind = BY_TYPE.get(self.entry.media) if self.entry else None
        return kind.word if kind else ""

    @property
    def size(self) -> int:
        return self.entry.secret.size if self.entry and self.entry.secret else 0


def state(entry: Says | None, row: FileRow | None, of_entry: str) -> str:
    """How a file stands: THERE where it opens, one of WORDS, SUSPECTED, or why its entry (`of_entry`) is not to be read."""
    if of_entry == SUSPECTED or (row is not None and row.marked_at is not None):
        return SUSPECTED
    if of_entry != THERE or entry is None or entry.secret is None:
        return of_entry
    if row is None:
        return UNNAMED
    if row.state == GONE:
        return GONE
    if not file_opening.fits(row, entry.secret):
        return OTHER
    return row.reason or (AWAY if row.state == AWAY else THERE)


def learn(session: Session, node: Node, message: str, entry: Says) -> None:
    """A file that its message names alone, to those who open it, is asked for: one of an earlier time that was granted to us."""
    if entry.secret is not None:
        file = carried.named(entry.uri, entry.secret, message)
        sealed_files.keep(session, node, message, [file] if file else [])


def open_(session: Session, node: Node, viewer: Viewer, room_id: str, message: str, row: FileRow | None, found: str) -> None:
    """Somebody opens the file of a message that stands so (`found`): on record first; one that is not here is asked for."""
    if found in (THERE, CHANGED):
        room_chain.add(session, node, room_id, viewer, "room.file_read", message)
    elif found in (AWAY, sealed_files.ROOM, sealed_files.HASH) and row is not None:
        sealed_files.ask_now(session, node, row.id)


def check_opens(one: Listed) -> tuple[FileRow, FileSecret, str]:
    """What it takes to open a file, and its name. Raises Gone for one that was marked or taken back, Changed for another than its message
    names, Unavailable for one that is not here."""
    row, entry = one.row, one.entry
    if one.state == SUSPECTED:
        raise Gone(MARKED)
    if one.state == GONE:
        raise Gone(TAKEN)
    if one.state == OTHER:
        raise file_opening.Changed(file_opening.OTHER)
    if row is None or entry is None or entry.secret is None or not row.key:
        raise Unavailable(ASKED, reason="a sealed file that is not here", retry_after=RETRY, number=RETRY)
    return row, entry.secret, entry.name
