"""Decides how referrals read as activities, both ways; pure, without a database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fedcollab.base.addresses import host_of
from fedcollab.base.errors import BadRequest
from fedcollab.base.sector import REFERRAL_OUTCOME
from fedcollab.federation import activitystreams as ap
from fedcollab.sealing import texts
from fedcollab.sealing.reading import members, number, uri

from . import boxing
from .states import ACCEPTED, DONE, RECIPIENT, REJECTED, REVOKED, SENDER, Word
from .words import REFUSALS

OFFER = "Offer"
WIRE = {ACCEPTED: "Accept", REJECTED: "Reject", REVOKED: "Undo", DONE: "Update"}
CODES: Mapping[str, Mapping[str, str]] = {REJECTED: REFUSALS, DONE: REFERRAL_OUTCOME}  # what a word says beside; the others nothing


@dataclass(frozen=True)
class Offered:
    """What an offer says: its header, the invitation into its room, to which of our keys the preview's is boxed, and its ciphertext."""

    header: boxing.Header
    invitation: str
    kid: str
    ct: bytes


def offer(activity_id: str, said: Offered) -> ap.Document:
    """The activity that offers a referral."""
    more = {"deadline": said.header.deadline, "invitation": said.invitation, "kid": said.kid, "ct": texts.written(said.ct)}
    return ap.activity(OFFER, activity_id, said.header.sender, _object(said.header.uri, said.header.room, more))


def word(activity_id: str, me: str, referral: str, room: str, said: Word) -> ap.Document:
    """The activity that says yes, no, taken back or done."""
    more: dict[str, object] = {"at": said.at} | ({"code": said.code} if said.code else {})
    return ap.activity(WIRE[said.kind], activity_id, me, _object(referral, room, more))


def _object(referral: str, room: str, said: Mapping[str, object]) -> dict[str, Any]:
    return {"id": referral, "type": ap.REFERRAL, "context": room, ap.SAID: dict(said)}


def parse_offer(activity: Mapping[str, Any], sender: str, recipient: str) -> Offered:
    """An offer as the organisation `sender` has made it. Raises BadRequest where it is not its own, or not written as `offer` writes."""
    obj = _of(activity)
    said = members(obj.get(ap.SAID), {"deadline", "invitation", "kid", "ct"})
    referral, room, invitation = uri(obj.get("id")), uri(obj.get("context")), uri(said["invitation"])
    if {host_of(referral), host_of(room), host_of(invitation)} != {host_of(sender)}:
        raise BadRequest(reason="referral: an offer of what is another's")
    header = boxing.Header(referral, sender, recipient, room, day(said["deadline"]))
    return Offered(header, invitation, texts.named(said["kid"]), texts.read(said["ct"], *boxing.sizes()))


def parse_word(activity: Mapping[str, Any], *, sent: bool) -> Word:
    """What the other side says of a referral that we have `sent`, or it has. Raises BadRequest."""
    kind = next((kind for kind, name in WIRE.items() if ap.types(activity) == [name]), "")
    said = members(_of(activity).get(ap.SAID), {"at"} | ({"code"} if kind in CODES else set()))
    code = said.get("code", "")
    if not kind or (kind in CODES and (not isinstance(code, str) or code not in CODES[kind])):
        raise BadRequest(reason="referral: no such word")
    return Word(number(said["at"]), kind, RECIPIENT if sent else SENDER, code)


def day(value: object) -> str:
    """A day as `2027-11-30`. Raises BadRequest."""
    try:
        found = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        found = None
    if found is None:
        raise BadRequest(reason="referral: no day")
    return found.isoformat()


def _of(activity: Mapping[str, Any]) -> Mapping[str, Any]:
    obj = activity.get("object")
    if not isinstance(obj, dict):
        raise BadRequest(reason="referral: nothing is said of one")
    return obj
