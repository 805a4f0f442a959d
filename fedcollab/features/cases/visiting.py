"""Decides the entries of who is inside as a guest: a person by name of an organisation without a node, on the word of the organisation on
whose node they work; and what guests may say themselves.

Who is inside stands in the case key's list, by organisation. A guest has no seat there: they open the case by the key of the organisation
that asked them, as its own people do. So it says so to all, sealed; that it could stay silent is as true of whom it puts on the case.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from fedcollab.access.viewer import Viewer
from fedcollab.base.errors import Forbidden, N_

from .fields import Code, Day, Line, Several, Uri, said
from .grounds import ORGANISATIONS, PARTS
from .record import Entry

MAY_SAY = frozenset({"message", "contact", "task", "progress", "file", "suspected"})  # whoever sees a picture of abuse marks it at once
NOT_THEIRS = N_("Guests write messages, contacts, tasks and files. The rest is for those whose case it is.")


@dataclass(frozen=True, repr=False, kw_only=True)
class GuestIn(Entry):
    """Somebody reads the case from now on as a guest: by which id they write, their name, for which organisation they work and what that
    is; which parts of people's records they need to know; the last day, where there is one."""

    KIND = "guest"
    person: str = said(Uri(), needed=True)
    name: str = said(Line(), needed=True)
    works_for: str = said(Line(), needed=True)
    type: str = said(Code(ORGANISATIONS), needed=True)
    parts: tuple[str, ...] = said(Several(Code(PARTS)))
    until: str = said(Day())


@dataclass(frozen=True, repr=False, kw_only=True)
class GuestOut(Entry):
    """A guest, named by the entry that told of them, reads nothing any more."""

    KIND = "guest-ended"
    of: str = said(Uri(), needed=True)


@dataclass(frozen=True, repr=False)
class GuestShown:
    """A guest who is inside, and the organisation that said so; `id` is the entry's."""

    id: str
    organisation: str
    entry: GuestIn


def is_theirs(entry: GuestIn, organisation: str) -> bool:
    """Whether a guest writes from the node of the organisation that tells of them: nobody tells of another one's."""
    return urlsplit(entry.person).netloc == urlsplit(organisation).netloc


def check(viewer: Viewer, entry: Entry) -> None:
    """Raises Forbidden for what is not a guest's to say."""
    if viewer.is_guest and entry.KIND not in MAY_SAY:
        raise Forbidden(NOT_THEIRS)
