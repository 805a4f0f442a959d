"""Decides what the pages of referrals show: one that waits for a keeper, those that Mira has sent, one of them to an organisation without a
node that waits and one that Vic there has accepted, and what a partner asks to erase."""

from typing import TYPE_CHECKING

from fedcollab.access.models import AMBER
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, iso, new_id
from fedcollab.base.session import Session
from fedcollab.base.statements import put
from fedcollab.features.cases import needs
from fedcollab.features.cases.kinds import document
from fedcollab.features.cases.sharing import Share
from fedcollab.features.guests import service as guests
from fedcollab.features.guests.service import Asked
from fedcollab.features.referrals import boxing, outside, service
from fedcollab.features.referrals.models import Referral
from fedcollab.features.referrals.preview import Preview
from fedcollab.flows import referred
from fedcollab.sealing import consents, organisation, rooms
from fedcollab.sealing.consent_models import WITHDRAWN
from fedcollab.sealing.consents import Given
from fedcollab.sealing.facts import Invited
from fedcollab.sealing.room_activities import Header, Said
from fedcollab.sealing.room_models import CASE

from .casework import _keys, _opened
from .visited import come

if TYPE_CHECKING:
    from .scene import Scene

CODE = "12345678"
CLINIC = Asked("Ada Brandt", "Clinic of Emmerich", "HealthServiceOrganisation")
EMBASSY = Asked("Vic Adeyemi", "Embassy of Kenya", "CentralGovernmentOrganisation")
PREVIEW = Preview(
    reason="AdditionalServicesRequired",
    support=("Legal", "Health"),
    urgency="Days",
    age="18-20",
    languages=("km", "en"),
    country="KH",
    region="Kandal",
    basis="VitalInterests",
    without="Danger",
    out_of="KE",
    into="NL",
    transfer="VitalInterests",
)


async def refer(made: "Scene") -> None:
    """After `casework.work`: the partner and Mira's case are there."""
    made.places["came"] = await made.busy.write(_came, made.places["kivuli"])
    made.places["sent"] = await made.busy.write(_sent, made)
    made.places["waits"], made.places["waits_room"], made.places["waits_link"] = await made.busy.write(_outside, made, CLINIC)
    made.places["vic"], made.places["vic_room"], link = await made.busy.write(_outside, made, EMBASSY)
    await made.busy.write(_accepts, made, link)
    await made.busy.write(_to_erase, made.places["kivuli"])


def _came(session: Session, node: Node, partner_id: str) -> str:
    partner, key = actors.by_id(session, partner_id), organisation.current(session, node)
    assert key is not None
    at, referral_id = partner.uri.removesuffix("/actor"), new_id(node.now())
    room = f"{at}/rooms/{new_id(node.now())}"
    rooms.begin(session, node, Header(room, CASE, AMBER), partner.uri)
    rooms.learn(session, node, room, [(Said(room, Invited(f"{room}/1", partner.uri, node.actor_uri, "", "member", 1)), {})])
    header = boxing.Header(f"{at}/referrals/{referral_id}", partner.uri, node.actor_uri, room, "2026-11-20")
    sealed = boxing.seal(PREVIEW, header)
    boxing.put(node, referral_id, key.kid, boxing.boxed(sealed.key, key, header))
    what = dict(uri=header.uri, sent=False, organisation_id=partner_id, case_id=None, room=room, invitation=f"{room}/1", code="")
    what |= dict(state="in_progress", deadline=header.deadline, kid=key.kid, preview=sealed.ct, size=len(sealed.ct), by_id=None)
    times = dict(at=node.now(), box_at=node.now(), next_at=0, tries=0, changed_at=node.now())
    put(session, Referral, id=referral_id, **what, **times)
    return referral_id


def _sent(session: Session, node: Node, made: "Scene") -> str:
    what = service.HandOver(made.places["kivuli"], "2199-01-31", PREVIEW, (), made.places["case"])
    return service.offer(session, node, made.people["mira"], _keys(node, made, "mira"), what)[0]


def _outside(session: Session, node: Node, made: "Scene", asked: Asked) -> tuple[str, str, str]:
    """(Its row, its room's row, the token of its link), with `CODE` for all."""
    mira, keys = made.people["mira"], _keys(node, made, "mira")
    said = dict(what="Who she is", why="She asked for it", without="Danger", without_why="She cannot be asked", basis="VitalInterests")
    share = Share(at=node.now(), to_name=asked.works_for, out_of="NL", into="NL", **said)
    deadline = iso(node.now() + 7 * DAY)[:10]
    what = (deadline, PREVIEW, (document(_opened(node, AMBER)), document(share)), made.places["case"])
    sent = outside.offer(session, node, mira, keys, service.HandOver("", *what, outside=f"{asked.name}, {asked.works_for}"))
    needs.begin(session, node, mira, sent.room_id, [mira.person_id])
    bound = guests.Bound(sent.id, CODE, outside.good_until(deadline), sent.sealed.key)
    return sent.id, sent.room_id, guests.invite(session, node, mira, sent.room_id, asked, bound)[1]


def _accepts(session: Session, node: Node, made: "Scene", token: str) -> None:
    referred.accepted(session, node, guests.invited(session, node, token), come(session, node, made, token, EMBASSY, "vic"))


def _to_erase(session: Session, node: Node, partner_id: str) -> None:
    partner = actors.by_id(session, partner_id)
    at = partner.uri.removesuffix("/actor")
    room = f"{at}/rooms/{new_id(node.now())}"
    room_id = rooms.begin(session, node, Header(room, CASE, AMBER), partner.uri)
    given = Given(f"{at}/messages/{new_id(node.now())}", partner.uri, room_id, "2199-01-31", (room,))
    mark, _, _ = consents.note(session, node, given, partner_id, ours=False)
    consents.stop(session, node, mark, WITHDRAWN)
