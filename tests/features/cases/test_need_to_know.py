"""Parts of a person's record are read by those alone who need to know them: a canary in every field, searched for in all that pages get."""

from typing import Any

import pytest

from fedcollab.features.cases.arriving import Arrived
from fedcollab.features.cases.folding import fold
from fedcollab.features.cases.kinds import ALL
from fedcollab.features.cases.mending import CORRECTED, Correction, Erased, Hiding, Masking, Redaction
from fedcollab.features.cases.people import Health, Part, Person, SafeContact, Suspicion
from fedcollab.features.cases.record import Closed, Opened, StatusChanged, Terms
from fedcollab.features.cases.sharing import Consent, Share
from fedcollab.features.cases.shown import Case
from fedcollab.features.cases.visiting import GuestIn
from fedcollab.features.cases.work import File, Message
from fedcollab.sealing.chunks import FileSecret

from .entries import ANNA, EVERYTHING, NOW, OPENED, PARTS, A, B, P, S, arrived, filled, look, uri, words

PERSON = arrived("person", Person(at=NOW, person=P, role="PotentialVictim"))
KNOWN: dict[Any, dict[str, Any]] = {
    SafeContact: {"nobody": False},
    Suspicion: {"code": S},
    GuestIn: {"person": ANNA},
    Opened: {"code": "hagufe-sotaba", "replaces": (), "lead": A},
    Consent: {"capacity": "Child", "decided_by": "Court", "to_name": ""},
    Share: {"to_name": "", "without": "", "without_why": "", "out_of": "KH", "into": "TH"},
}


def part(kind: Any, **more: Any) -> Part:
    found: Part = filled(kind, **({"only": (), "replaces": (), "person": P} | KNOWN.get(kind, {}) | more))
    return found


def case(entry: Part, *knows: str, **more: Any) -> Case:
    return fold([arrived("opened", OPENED), PERSON, arrived("part", entry)], look(*knows, **more))


def seen(found: Any) -> set[str]:
    return {text for text in words(found) if "CANARY" in text}


@pytest.mark.parametrize("kind", PARTS)
def test_who_has_no_need_to_know_a_part_sees_none_of_its_values(kind: Any) -> None:
    entry = part(kind)
    fields = seen(entry)
    assert fields
    assert fields <= seen(case(entry, kind.PART))
    others = EVERYTHING - {kind.PART}
    found = case(entry, *others)
    assert seen(found) == set()
    assert "CANARY" not in repr(found)
    shown = next(one for one in found.timeline if one.id == uri("part"))
    assert (shown.state, shown.entry, shown.part, shown.person) == ("withheld", None, kind.PART, P)
    assert [(one.part, one.state, one.entries) for one in found.people[0].parts] == [(kind.PART, "withheld", ())]


@pytest.mark.parametrize("kind", PARTS)
def test_codes_and_days_of_a_part_are_its_values_too(kind: Any) -> None:
    assert any(isinstance(one, Part) for one in objects(case(part(kind), kind.PART)))
    found = case(part(kind), *(EVERYTHING - {kind.PART}))
    assert not any(isinstance(one, Part) for one in objects(found))


def objects(found: Case) -> list[Any]:
    people = [entry for person in found.people for one in person.parts for entry in one.entries]
    return [*people, *(one.entry for one in found.timeline), *(old for one in found.timeline for old in one.before)]


def test_the_need_may_be_for_one_person_alone() -> None:
    entry = part(Health)
    assert seen(case(entry, f"{P}/health"))
    assert not seen(case(entry, f"{S}/health"))


def test_a_part_may_be_for_named_people_and_organisations_alone() -> None:
    entry = part(Health, only=(ANNA, B))
    assert seen(case(entry, "health", person=ANNA, organisation=A))
    assert seen(case(entry, "health", person="https://b.example/people/bora", organisation=B))
    assert not seen(case(entry, "health", person="https://a.example/people/chan", organisation=A))
    assert not seen(case(entry, person=ANNA, organisation=A))


def test_a_file_of_a_part_is_seen_by_those_who_need_to_know_it() -> None:
    secret = FileSecret(bytes(32), 10, bytes(32))
    file = filled(File, person=P, part="identity", secret=secret)
    assert seen(case(file, "identity"))
    found = case(file, "health")
    assert not seen(found)
    assert [(one.state, one.entry) for one in found.files] == [("withheld", None)]
    open_to_all = case(filled(File, part="", person="", secret=secret))
    assert seen(open_to_all)


@pytest.mark.parametrize("hiding", [Masking, Redaction, Erased])
@pytest.mark.parametrize("kind", [kind for kind in ALL if not issubclass(kind, Opened | Terms | StatusChanged | Closed | Hiding)])
def test_nobody_reads_what_was_hidden_of_any_kind(kind: Any, hiding: type[Hiding]) -> None:
    more: dict[str, Any] = {"entry": Message(at=NOW, text="CANARY inside"), "of": uri("m")} if kind is Correction else {}
    known: dict[str, Any] = {"person": P, "replaces": (), "only": (), "secret": FileSecret(bytes(32), 1, bytes(32))}
    known |= KNOWN.get(kind, {}) | more
    entry = filled(kind, **{name: value for name, value in known.items() if name in kind.__dataclass_fields__})
    came: list[Arrived] = [arrived("opened", OPENED), arrived("m", Message(at=NOW, text="x")), arrived("e", entry)]
    assert any("CANARY" in text for text in words(fold(came, look(*EVERYTHING))))
    found = fold([*came, arrived("h", hiding(at=NOW + 1, of=(uri("e"),)))], look(*EVERYTHING))
    assert seen(found) == set()


def test_words_that_correct_are_never_those_of_a_part() -> None:
    assert not any(issubclass(kind, Part) for kind in CORRECTED)
