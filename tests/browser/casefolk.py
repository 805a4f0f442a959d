"""Decides what the pages of a case's people show: on Mira's case a potential victim, a suspect, and somebody whom nobody contacts; what
two have written at once, consents, a share, a hold; beside her Tomas, who need not know most of it, and a keeper."""

from typing import TYPE_CHECKING, Any

from fedcollab.access.viewer import KEEPER, MEMBER, Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, iso
from fedcollab.base.session import Session
from fedcollab.features.cases import acting, desk, membership
from fedcollab.features.cases.handles import handle
from fedcollab.features.cases.hiding import MASKED
from fedcollab.features.cases.people import Exploitation, Health, Identity, Person, SafeContact, Suspicion, Where
from fedcollab.features.cases.record import Entry, Hold
from fedcollab.features.cases.sharing import Consent, Share, Withdrawn
from fedcollab.features.cases.work import Message, Progress, Step

from .casework import _keys

if TYPE_CHECKING:
    from .scene import Scene

POTENTIAL, SUSPECT, SILENT = "bafuko-tezara", "zewaro-gasuka", "sotaba-hagufe"
ACCOUNT = """She was told of work in a kitchen, and that travel would be paid back within two months.

The papers were taken away on arrival. She slept in a room behind the shop with four others."""


async def fill(made: "Scene") -> None:
    """People and what is said of them, on the case that Mira works on."""
    said = await made.busy.write(_people, made)
    case = made.places["case"]
    people = {"potential": POTENTIAL, "suspect": SUSPECT, "silent": SILENT}
    made.places |= {name: handle(case, found) for name, found in (people | said).items()}


def _people(session: Session, node: Node, made: "Scene") -> dict[str, str]:
    mira, keys, case_id, now = made.people["mira"], _keys(node, made, "mira"), made.places["case"], node.now()
    membership.assign(session, node, mira, keys, case_id, made.people["tomas"].person_id, ["contact"])
    noor = made.people["noor"] = Viewer(*_as(made.people["noor"]))
    membership.assign(session, node, mira, keys, case_id, noor.person_id, ["identity"])

    def say(entry: Entry) -> str:
        return str(acting.at_once(session, node, mira, keys, case_id, acting.says, lambda _desk: entry))

    _who(say, now)
    _parts(say, now)
    hidden = next(shown.id for shown in desk.look_at(session, node, mira, keys, case_id).case.timeline if shown.state == MASKED)
    partner = actors.by_id(session, made.places["kivuli"]).uri
    return _agreed(say, now, partner) | {"masked": hidden, "said": say(Message(at=now, text="The landlord’s name stands in this message."))}


def _as(viewer: Viewer) -> tuple[Any, ...]:
    return viewer.organisation_id, viewer.person_id, frozenset({MEMBER, KEEPER}), viewer.name


def _who(say: Any, now: int) -> None:
    say(Person(at=now, person=POTENTIAL, role="PotentialVictim"))
    say(Person(at=now, person=SUSPECT, role="Suspect", ground="AuthorisedByLaw", law="Code of criminal procedure, section 4"))
    say(Person(at=now, person=SILENT, role="Other"))


def _parts(say: Any, now: int) -> None:
    rules = dict(methods=("Text", "Through"), times="Mondays and Thursdays, 09:00 to 10:00", address="+31 6 0000 0000", language="km")
    say(SafeContact(at=now, person=POTENTIAL, never="Never by post, never through relatives", word="mangosteen", **rules))
    say(SafeContact(at=now, person=SILENT, nobody=True, never="No call, no letter: the phone is watched."))
    for name, notes in (("Sok Srey", "She writes her name this way."), ("Srey Sok", "As it stands in her papers.")):
        say(Identity(at=now, person=POTENTIAL, name=name, age="21-23", citizen=("KH",), languages=("km", "en"), notes=notes))
    say(Where(at=now, person=POTENTIAL, country="NL", arrangements="A house of the city’s.", danger="Her cousin looks for her."))
    codes: dict[str, Any] = dict(types=("ForcedLabour",), means=("DebtBondage", "WithholdsDocuments"), labour=("Hospitality",))
    say(Exploitation(at=now, person=POTENTIAL, status="Possible", account=ACCOUNT, countries=("NL", "KH"), **codes))
    say(Health(at=now, person=SILENT, urgent="Asthma"))
    graded: dict[str, Any] = dict(reliability="2", content="C", handling="C", ground="AuthorisedByLaw", law="Section 4")
    fact = "Paid for three tickets on 3 March."
    say(
        Suspicion(
            at=now, person=SUSPECT, code=SILENT, fact=fact, source="A receipt that we saw", opinion="May be the one who hires.", **graded
        )
    )


def _agreed(say: Any, now: int, partner: str) -> dict[str, str]:
    found = dict[str, str]()
    step = say(Step(at=now, person=POTENTIAL, support="Legal", what="Advice on wages that were not paid", by="The legal aid office"))
    say(Progress(at=now, of=step, state="UnderWay", note="First talk on Tuesday."))
    given: dict[str, Any] = dict(person=POTENTIAL, until="2030-03-31", how="Interpreter", capacity="Adult", decided_by="Self")
    consent = say(Consent(at=now, to_name="The legal aid office", what="What the lawyer needs to know", parts=("exploitation",), **given))
    old = say(Consent(at=now, to_name="The city", what="Her name", **given))
    say(Withdrawn(at=now, of=old))
    soon = given | {"until": iso(now + 9 * DAY)[:10]}
    found["ends"] = say(Consent(at=now, to_name="The clinic on the quay", what="Her asthma, for the nurse", parts=("health",), **soon))
    shared: dict[str, Any] = dict(why="Legal advice", basis="Consent", out_of="NL", into="NL", people=(POTENTIAL,), parts=("exploitation",))
    say(Share(at=now, to_name="The legal aid office", what="The account", consent=(consent,), **shared))
    for name, parts in (("gone", ("identity",)), ("lasts", ("contact",))):  # on which a partner got something
        found[name] = say(Consent(at=now, to=partner, what="How to reach her, so that she need not ask twice", parts=parts, **given))
        say(Share(at=now, to=partner, what="How to reach her", consent=(found[name],), **shared | {"parts": parts}))
    say(Withdrawn(at=now, of=found["gone"]))
    hold = say(Hold(at=now, of=(step,), by="Judge De Vries", reason="Labour court, case 12/27", review="2030-01-31"))
    return found | {"step": step, "consent": consent, "hold": hold}
