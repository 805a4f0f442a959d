"""Decides how a person is referred to another organisation from a case: to whom, what they see before they answer, what they get with their
yes, with which permission; then all of it once more, and sent. The share is recorded in the case before anything leaves.

Nothing is stored between the steps: what was typed goes along in the form."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from fedcollab.access.models import AMBER
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base import called
from fedcollab.base.clock import EPOCH
from fedcollab.base.errors import BadRequest, N_, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.features.cases import codes, desk, needs, permission
from fedcollab.features.cases.asked_sharing import ALL
from fedcollab.features.cases.checking import Wrong, checked
from fedcollab.features.cases.consented import things_of
from fedcollab.features.cases.desk import Desk, Keys
from fedcollab.features.cases.forms import coded
from fedcollab.features.cases.grounds import ORGANISATIONS, PARTS
from fedcollab.features.cases.handles import handle
from fedcollab.features.cases.kinds import document
from fedcollab.features.cases.mentioning import people_of
from fedcollab.features.cases.record import Entry, Opened
from fedcollab.features.cases.sharing import Share
from fedcollab.features.cases.shown import THERE, PersonShown
from fedcollab.features.guests import service as guests
from fedcollab.features.guests.service import Asked, Bound
from fedcollab.features.referrals import outside, preview, service, wire
from fedcollab.features.referrals.preview import Preview
from fedcollab.sealing import acting, consents, room_content, rooms
from fedcollab.sealing.consents import Given
from fedcollab.sealing.made_ready import Write
from fedcollab.sealing.typed import together

from .guests import CHOOSE_TYPE

TO, FIRST, YES, GROUND, LOOK = STEPS = ("to", "first", "yes", "ground", "look")
SEEN_FIRST = ("reason", "support", "urgency", "age", "languages", "country", "region")
PERMISSION = {name: ask for name, ask in ALL["share"].fields.items() if name not in ("to", "to_name", "parts", "people")}
OUTSIDE = "outside"  # in the place of a partner's row
WHO = ("name", "works_for", "type", "land")  # who it is outside
FIELDS: dict[str, tuple[str, ...]] = {TO: ("to", *WHO), FIRST: (*SEEN_FIRST, "deadline"), YES: ("take",), GROUND: tuple(PERMISSION)}
DAYS = 7  # proposed for the answer
CHOOSE = N_("Choose to whom you refer.")
Form = dict[str, list[str]]


class NotFromHere(Refused):
    text = N_(
        "From this case nobody is referred onward: it is for named people, or for these organisations’ own people only. Open a case of "
        "your own for what the person wants handed on."
    )


@dataclass(frozen=True, repr=False)
class To:
    """To whom a person is referred: a partner, by its row and its id on the wire; or somebody `outside`, by name, in the country `land`."""

    id: str
    uri: str = ""
    outside: Asked | None = None
    land: str = ""
    host: str = ""

    @property
    def to_name(self) -> str:
        """The organisation, as a share or a consent names one that is not here."""
        return self.outside.works_for if self.outside else ""

    @property
    def name(self) -> str:
        """As it is shown, where it is nobody's whom the node knows."""
        return f"{self.outside.name}, {self.outside.works_for}" if self.outside else ""


@dataclass(frozen=True, repr=False)
class Plan:
    """All that a referral says: to whom, by when, the preview, the share, and whose which parts go along."""

    to: To
    deadline: str
    preview: Preview
    share: Share
    taken: tuple[tuple[PersonShown, tuple[str, ...]], ...]


def check_from(open_desk: Desk) -> None:
    """Raises NotFromHere for a case whose label forbids it (P6, P7), and Frozen, Ended, Outside where nothing can be added: the share is
    recorded in it first."""
    if open_desk.opened.label != AMBER:
        raise NotFromHere
    acting.check_open(open_desk.opened.room)


def whom(session: Session, node: Node, form: Form) -> To:
    """To whom it goes. Raises Wrong, NoKey."""
    to = _one(form, "to")
    if to != OUTSIDE:
        try:
            return To(to[:36], service.check_recipient(session, to[:36]))
        except NotFound:
            raise Wrong("to", CHOOSE) from None
    said = Asked(_one(form, "name"), _one(form, "works_for"), _one(form, "type"))
    errors, asked = dict(guests.problems(node, said)), guests.kept(said)
    if asked.type not in ORGANISATIONS:
        errors["type"] = CHOOSE_TYPE
    if not (land := called.country(_one(form, "land"))):
        errors["land"] = preview.WORDS["country"]
    together([Wrong(name, text) for name, text in errors.items()])
    return To("", outside=asked, land=land)


def _one(form: Form, name: str) -> str:
    return next(iter(form.get(name, [])), "")


def first(form: Form, today: str) -> tuple[Preview, str]:
    """The preview's part that is seen first, and the day. Raises Wrong."""
    found, wrong = preview.typed({name: form.get(name, []) for name in SEEN_FIRST})
    errors = {name: wrong[name] for name in SEEN_FIRST if name in wrong}
    try:
        deadline = wire.day(_one(form, "deadline"))
        if deadline < today:
            errors["deadline"] = N_("This day has passed. Choose a later one.")
        elif _one(form, "to") == OUTSIDE and outside.is_too_far(deadline, today):
            errors["deadline"] = outside.TOO_FAR
    except BadRequest:
        deadline = ""
        errors["deadline"] = N_("Choose the day by which you ask for an answer.")
    together([Wrong(name, text) for name, text in errors.items()])
    return found, deadline


def taken(open_desk: Desk, form: Form) -> tuple[tuple[PersonShown, tuple[str, ...]], ...]:
    """Of whom which parts go along: of those that the viewer may read. Raises Wrong."""
    wanted = set(form.get("take", []))
    found = []
    for person in open_desk.case.people:
        if person.role == "Suspect":
            continue
        parts = tuple(part for part in readable(person) if f"{person.code}/{part}" in wanted)
        if parts or f"{person.code}/" in wanted:
            found.append((person, parts))
    if not found:
        raise Wrong("take", N_("Choose at least one person. Without one there is nobody to help."))
    return tuple(found)


def readable(person: PersonShown) -> list[str]:
    """The parts of a person's record that say something, to whoever looks; what is said of a suspect stays here."""
    there = {part.part for part in person.parts if part.state == THERE and part.entries}
    return [part for part in PARTS if part in there and part != "suspicion"]


def plan(session: Session, node: Node, open_desk: Desk, form: Form) -> Plan:
    """The whole of it. Raises Wrong for the field that is not as it has to be, NoKey, NotFromHere."""
    check_from(open_desk)
    to = whom(session, node, form)
    seen, deadline = first(form, open_desk.look.today)
    people = taken(open_desk, form)
    share = _share(open_desk, to, people, form)
    shown = replace(seen, basis=share.basis, without=share.without, out_of=share.out_of, into=share.into, transfer=share.transfer)
    return Plan(to, deadline, shown, share, people)


def _share(open_desk: Desk, to: To, people: Sequence[tuple[PersonShown, tuple[str, ...]]], form: Form) -> Share:
    parts = tuple(part for part in PARTS if any(part in theirs for _, theirs in people))
    known: dict[str, Any] = dict(to=to.uri, to_name=to.to_name, people=tuple(person.code for person, _ in people), parts=parts)
    known |= dict(into=to.land) if to.outside else {}
    said = coded(Share, {name: form.get(name, []) for name in PERMISSION if name not in known})
    share = checked(Share, said, open_desk.look.now, **known)
    permission.check(share, open_desk.case)
    return share


def contents(open_desk: Desk, made: Plan) -> tuple[Entry, ...]:
    """What is sealed into the room that they get: opened under a fresh code, led by them, or by us where they have no node; the people
    chosen with their parts, the share."""
    terms, now, today = open_desk.case.terms, open_desk.look.now, open_desk.look.today
    if terms is None:
        raise NotFound
    review = max(terms.review, today)
    days: dict[str, Any] = dict(review=review, retention=max(terms.retention, review))
    ground: dict[str, Any] = dict(purpose=made.share.why, basis=(made.share.basis,), condition=terms.condition, law=terms.law)
    entries: list[Entry] = [
        Opened(at=now, code=codes.fresh(), label=AMBER, lead=made.to.uri or open_desk.look.organisation, **ground, **days)
    ]
    for person, parts in made.taken:
        found = [part.entries[0] for part in person.parts if part.part in parts and part.entries]
        if person.entry is not None:
            entries += [replace(person.entry, at=now, replaces=()), *(replace(one, at=now, replaces=(), only=()) for one in found)]
    return (*entries, made.share)


@dataclass(frozen=True, repr=False)
class SentOut:
    """A referral that is on its way: its row; to somebody outside, the row of its room, and what is shown this once."""

    id: str
    room_id: str = ""
    token: str = ""
    code: str = ""


def send(session: Session, node: Node, open_desk: Desk, keys: Keys, form: Form, once: str) -> Write:
    """Records the share in the case, sends the referral, and names what ends with which consent, in one unit; answers with SentOut. Raises
    what `plan` raises: then nothing was recorded or sent."""
    if service.is_there(session, once):
        return lambda _session: SentOut(once)
    made, viewer = plan(session, node, open_desk, form), open_desk.viewer
    said, entries = desk.saying(session, node, open_desk, made.share), contents(open_desk, made)
    ids, handed = tuple(room_content.new_uri(node) for _ in entries), tuple(map(document, entries))
    what = service.HandOver(made.to.id, made.deadline, made.preview, handed, open_desk.id, once=once, outside=made.to.name, ids=ids)
    given = {one.item.id: one.entry for one in open_desk.case.in_force}
    people = [(of, people_of(entry)) for of, entry in zip(ids, entries, strict=True)]

    def write(session: Session) -> SentOut:
        desk.add(session, node, said)
        if made.to.outside:
            sent = _ask(session, node, viewer, keys, what, made.to.outside)
        else:
            sent = SentOut(*service.offer(session, node, viewer, keys, what))
        needs.begin(session, node, viewer, sent.room_id, [viewer.person_id])
        room, to = rooms.by_id(session, sent.room_id).uri, made.to.uri or node.actor_uri
        for of in made.share.consent:
            consent = given[of]
            if consent is not None:
                things, whose = things_of(room, people, consent.person), handle(sent.room_id, consent.person)
                consents.given(session, node, viewer, Given(of, to, sent.room_id, consent.until, things, whose))
        return sent

    return write


def _ask(session: Session, node: Node, viewer: Viewer, keys: Keys, what: service.HandOver, asked: Asked) -> SentOut:
    """Somebody outside is asked as a guest of the room: by a link, and by a code that they get by another way."""
    made, code = outside.offer(session, node, viewer, keys, what), guests.new_code()
    bound = Bound(made.id, code, outside.good_until(what.deadline), made.sealed.key)
    _, token = guests.invite(session, node, viewer, made.room_id, asked, bound)
    return SentOut(made.id, made.room_id, token, code)


def proposed_deadline(open_desk: Desk) -> str:
    """The day that the form begins with."""
    return (EPOCH + timedelta(microseconds=open_desk.look.now, days=DAYS)).date().isoformat()
