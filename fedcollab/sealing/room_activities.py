"""Decides how what is said of a room, and what is sealed in it, reads as activities, both ways; pure, without a database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fedcollab.access.models import AMBER, RED, STRICT
from fedcollab.base.errors import BadRequest
from fedcollab.federation import activitystreams as ap

from . import boxes, carried, fact_texts, messages, vouched
from .boxes import Public
from .carried import Carried
from .casekeys import CaseKey
from .facts import Answer, Closed, Fact, Invited, Rekeyed
from .messages import Sealed
from .reading import one_of, uri
from .vouched import Vouch

CASE, GROUP = KINDS = ("case", "group")
LABELS = (AMBER, STRICT, RED)
WIRE = {  # of each kind of fact the activity's type, and its object's
    "key": ("Create", ap.CASE_KEY),
    "invited": ("Invite", ap.ROOM),
    "answer": ("Accept", ap.ROOM),
    "withdrawn": ("Undo", ap.ROOM),
    "rekeyed": ("Update", ap.ROOM_KEY),
    "left": ("Leave", ap.ROOM),
    "removed": ("Remove", ap.ROOM),
    "seen": ("View", ap.CASE_KEY),
    "agreed": ("Accept", ap.CASE_KEY),
    "backed": ("Offer", ap.ROOM),
    "closed": ("Delete", ap.ROOM),
}
NO, NOT_GONE = "Reject", "Update"  # an answer without a key; a room that is closed, and not purged
HANDLED = sorted({*WIRE.values(), (NO, ap.ROOM), (NOT_GONE, ap.ROOM)})


@dataclass(frozen=True)
class Header:
    """A room's clear header, as an invitation carries it."""

    uri: str
    kind: str
    label: str


@dataclass(frozen=True)
class Said:
    """What an activity says of a room; with an invitation the room's header, with a key of a member its public
    half, and where it is one person's, their word for it."""

    room: str
    fact: Fact
    header: Header | None = None
    public: Public | None = None
    vouch: Vouch | None = None


def document(activity_id: str, me: str, said: Said) -> ap.Document:
    """The activity of our Organization that tells a fact; an invitation is known by its activity's id."""
    fact = said.fact
    kind = "key" if isinstance(fact, CaseKey) else fact_texts.kind_of(fact)
    name, about = WIRE[kind]
    if isinstance(fact, Answer) and not fact.mk:
        name = NO
    if isinstance(fact, Closed) and not fact.purged:
        name = NOT_GONE
    obj = {"id": said.room, "type": about, "context": said.room, ap.FACT: kind, ap.SAID: fact_texts.written(fact)}
    if said.header:
        obj |= {ap.KIND: said.header.kind, ap.LABEL: said.header.label}
    if said.public:
        obj[ap.PUBLIC_KEY] = said.public.document()
    if said.vouch:
        obj[ap.KEY_VOUCH] = said.vouch.document()
    return ap.activity(name, activity_id, me, obj)


def parse(activity: Mapping[str, Any], author: str) -> Said:
    """What an activity of the organisation `author` says of a room. Raises BadRequest where it is not its own word, or not written as
    `document` writes it."""
    obj = activity.get("object")
    if not isinstance(obj, dict):
        raise BadRequest(reason="sealing: nothing is said of a room")
    kind, room = one_of(obj.get(ap.FACT), tuple(WIRE)), uri(obj.get("context"))
    fact = fact_texts.read(kind, obj.get(ap.SAID))
    said = Said(
        room, fact, _header(obj, room) if isinstance(fact, Invited) else None, _public(obj, fact), vouched.parse(obj.get(ap.KEY_VOUCH))
    )
    fits = dict(document(ap.ident(activity), author, said))
    if [fits["type"]] != ap.types(activity) or [fits["object"]["type"]] != ap.types(obj):
        raise BadRequest(reason="sealing: a fact in an activity of another type")
    if (fact.issuer if isinstance(fact, CaseKey) else fact.by) != author:
        raise BadRequest(reason="sealing: said for somebody else")
    if isinstance(fact, CaseKey) and fact.room != room:
        raise BadRequest(reason="sealing: a case key of another room")
    if isinstance(fact, Invited) and fact.id != ap.ident(activity):
        raise BadRequest(reason="sealing: an invitation is known by its activity")
    return said


def _header(obj: Mapping[str, Any], room: str) -> Header:
    return Header(room, one_of(obj.get(ap.KIND), KINDS), one_of(obj.get(ap.LABEL), LABELS))


def _public(obj: Mapping[str, Any], fact: Fact) -> Public | None:
    """The public half that a key is named by; with a case key that of its issuer may stand, which others have of nowhere else. Raises
    BadRequest where it is another's: nothing would be sealed to the right one."""
    if isinstance(fact, CaseKey):
        may = {member.mk for member in fact.members if member.organisation == fact.issuer}
        needed = ap.PUBLIC_KEY in obj
    else:
        may = {fact.mk if isinstance(fact, Answer) else fact.new if isinstance(fact, Rekeyed) else ""}
        needed = may != {""}
    if not needed:
        return None
    public = boxes.published(obj.get(ap.PUBLIC_KEY))
    if public.kid not in may:
        raise BadRequest(reason="sealing: a member's key under another name")
    return public


def sealed(activity_id: str, me: str, message: Sealed, files: Sequence[Carried] = ()) -> ap.Document:
    """The activity that brings a sealed message: nothing of it is to be read but its header, and of its files how large they are."""
    obj: dict[str, Any] = {"id": message.id, "type": ap.SEALED_MESSAGE, "context": message.room, ap.SAID: message.document()}
    if files:
        obj["attachment"] = carried.documents(files)
    return ap.activity("Create", activity_id, me, obj)


def erased(activity_id: str, me: str, message: str, room: str) -> ap.Document:
    """The activity that takes a message back."""
    return ap.activity("Delete", activity_id, me, {"id": message, "type": ap.SEALED_MESSAGE, "context": room})


def parse_sealed(activity: Mapping[str, Any]) -> Sealed:
    """A sealed message as it was brought. Raises BadRequest."""
    obj = activity.get("object")
    found = messages.parse(obj.get(ap.SAID) if isinstance(obj, dict) else None)
    if found.id != ap.ident(obj) or found.room != ap.ident(obj.get("context") if isinstance(obj, dict) else None):
        raise BadRequest(reason="sealing: a message under another name, or in another room")
    return found


def parse_files(activity: Mapping[str, Any]) -> tuple[Carried, ...]:
    """The files of a message that `parse_sealed` reads. Raises BadRequest."""
    obj = activity.get("object")
    return carried.parse(obj.get("attachment"), ap.ident(obj)) if isinstance(obj, dict) else ()
