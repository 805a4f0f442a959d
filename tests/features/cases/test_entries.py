"""Entries as they are sealed: read back as they were, refused without a word of them where they are none."""

import copy
import traceback
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.canonical import canonical
from fedcollab.base.errors import BadRequest
from fedcollab.base.strictjson import loads
from fedcollab.features.cases.fields import Code, Flag, Line, Named, Pattern, Several, Text, Uri
from fedcollab.features.cases.kinds import ALL, document, parse
from fedcollab.features.cases.mending import CORRECTED, Correction, Inner, Redaction
from fedcollab.features.cases.people import Person, Suspicion
from fedcollab.features.cases.reading import members
from fedcollab.features.cases.record import Closed, Entry, Hold, Terms
from fedcollab.features.cases.work import Message
from fedcollab.sealing.messages import LARGEST, open_sealed, seal
from tests.sealing.envelopes import PERSON, PLACE, SECRET

from .entries import CONSENT, NOW, OPENED, SHARE, P, entries, filled, json, uri


@given(entries())
def test_an_entry_is_read_as_it_was_written(entry: Entry) -> None:
    assert parse(loads(canonical(document(entry)))) == entry


def test_each_kind_has_a_name_of_its_own() -> None:
    assert len({kind.KIND for kind in ALL}) == len(ALL)


@given(json)
def test_no_json_brings_the_reader_down(content: Any) -> None:
    with pytest.raises(BadRequest):
        parse(content)


@given(entries(), st.data())
def test_an_entry_with_any_member_changed_is_an_entry_or_refused(entry: Entry, data: st.DataObject) -> None:
    said = document(entry)
    name = data.draw(st.sampled_from(sorted(said)))
    said[name] = data.draw(json)
    try:
        again = parse(said)
    except BadRequest:
        return
    assert canonical(document(again)) == canonical(said)


@given(entries(), st.text(min_size=1, max_size=8), json)
def test_an_entry_with_a_member_more_is_refused(entry: Entry, name: str, value: Any) -> None:
    if name not in {"v", "kind", "at", *(member.name for member in members(type(entry)))}:
        with pytest.raises(BadRequest):
            parse(document(entry) | {name: value})


@given(entries())
def test_an_entry_comes_out_of_a_sealed_message_as_it_went_in(entry: Entry) -> None:
    sealed = seal(SECRET, PERSON, document(entry), PLACE)
    assert parse(open_sealed(sealed, SECRET, [PERSON.public]).content) == entry


@pytest.mark.parametrize("version", [0, 2, True, 1.0, "1", None])
def test_an_entry_of_another_version_is_not_guessed_at(version: Any) -> None:
    parse(document(OPENED))
    with pytest.raises(BadRequest):
        parse(document(OPENED) | {"v": version})


@pytest.mark.rule("P4")
@pytest.mark.parametrize("kind", ALL)
def test_no_entry_shows_what_it_says(kind: type[Entry]) -> None:
    entry = filled(kind)
    shown = f"{entry!r} {entry} {[entry]!r} {entry:}"
    assert "CANARY" not in shown
    assert "CANARY" in str(document(entry))


def test_a_refused_entry_leaves_nothing_of_itself_in_the_error() -> None:
    for kind in ALL:
        for name in document(filled(kind)):
            said = document(filled(kind)) | {name: ["CANARY-inside"], "CANARY-name": 1}
            with pytest.raises(BadRequest) as raised:
                parse(said)
            assert "CANARY" not in "".join(traceback.format_exception_only(raised.value)) + raised.value.text + str(raised.value.values)


def without(entry: Entry, *names: str) -> dict[str, Any]:
    return {name: value for name, value in document(entry).items() if name not in names}


def refused(said: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        parse(said)


@pytest.mark.rule("XSS-10")
@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\t", "\r", "\x85", "\u2028", "\u202e", "\u2066", "\ud800", "\ufeff"])
def test_signs_that_no_page_shows_or_that_turn_a_text_around_are_refused(sign: str) -> None:
    assert parse(document(Message(at=NOW, text="exe.\n\u200fjpg")))
    refused(document(Message(at=NOW, text=f"exe.{sign}jpg")))


def test_a_line_is_one_line() -> None:
    hold = Hold(at=NOW, by="Sokha Prak", reason="The court\nasked.", review="2026-12-01")
    assert parse(document(hold)) == hold
    for name in ("Sokha\nPrak", " Sokha", "Sokha ", "S" * 201):
        refused(document(replace(hold, by=name)))


@pytest.mark.parametrize("day", ["2027-02-30", "1899-12-31", "2200-01-01", "20270101", "2027-1-1", "2027-W01-1", "٢٠٢٧-٠١-٠١"])
def test_a_day_is_one_of_the_calendar(day: str) -> None:
    refused(document(OPENED) | {"retention": day})


def test_nothing_stands_twice_in_a_list() -> None:
    refused(document(OPENED) | {"basis": ["Consent", "Consent"]})
    refused(document(OPENED) | {"basis": "Consent"})


@pytest.mark.rule("P1")
@pytest.mark.parametrize("name", ["purpose", "basis", "condition", "label", "lead", "review", "retention", "code"])
def test_a_case_opens_only_with_its_purpose_its_bases_and_its_days(name: str) -> None:
    assert parse(document(OPENED)) == OPENED
    refused(without(OPENED, name))
    for empty in ("", " \n", [], None):
        refused(document(OPENED) | {name: empty})


@pytest.mark.rule("P1")
def test_a_condition_of_national_law_says_which_law() -> None:
    national = replace(OPENED, condition=("NationalLaw",))
    refused(document(national))
    assert parse(document(replace(national, law="Law on Suppression of Human Trafficking, art. 3")))


def test_no_case_is_public_and_none_is_kept_shorter_than_until_its_review() -> None:
    refused(document(OPENED) | {"label": "TLP:GREEN"})
    refused(document(OPENED) | {"retention": "2026-11-30"})


@pytest.mark.rule("P2")
def test_a_share_records_who_what_why_and_the_consent_or_the_reason_without_it() -> None:
    assert parse(document(SHARE)) == SHARE
    for name in ("to", "what", "why", "basis", "consent"):
        refused(without(SHARE, name))
    reason = replace(SHARE, consent=(), without="Danger", without_why="She was followed to the shelter.")
    assert parse(document(reason)) == reason
    refused(without(reason, "without_why"))
    refused(document(replace(reason, consent=SHARE.consent)))
    refused(document(replace(SHARE, to_name="Another")))  # one recipient each


@pytest.mark.rule("P3")
def test_consent_is_for_one_recipient_until_a_day_and_apart_from_the_lawful_basis() -> None:
    assert parse(document(CONSENT)) == CONSENT
    for name in ("to", "what", "person", "until", "capacity", "decided_by"):
        refused(without(CONSENT, name))
    assert "basis" not in {member.name for member in members(type(CONSENT))}
    assert {"basis", "consent"} <= {member.name for member in members(type(SHARE))}


@pytest.mark.rule("P3")
@pytest.mark.parametrize("capacity", ["Child", "WithoutCapacity"])
def test_for_a_child_or_somebody_who_cannot_decide_it_says_who_did(capacity: str) -> None:
    decided = replace(CONSENT, capacity=capacity, decided_by="Guardian", decider="Appointed by the court of Phnom Penh.")
    assert parse(document(decided)) == decided
    refused(without(decided, "decider"))
    refused(document(replace(CONSENT, decided_by="Guardian", decider="Her brother.")))  # an adult decides


@pytest.mark.rule("P21")
def test_a_hold_has_a_person_a_reason_and_a_review_date() -> None:
    hold = Hold(at=NOW, by="Sokha Prak", reason="The court asked for it.", review="2026-12-01")
    assert parse(document(hold)) == hold
    for name in ("by", "reason", "review"):
        refused(without(hold, name))


@pytest.mark.rule("P24")
def test_data_on_a_suspect_need_a_ground_of_their_own_and_keep_fact_source_and_opinion_apart() -> None:
    suspect = Person(at=NOW, person=P, role="Suspect", ground="AuthorisedByLaw", law="Act 12, section 4")
    assert parse(document(suspect)) == suspect
    refused(without(suspect, "ground"))
    refused(without(suspect, "law"))
    grade = {"reliability": "2", "content": "B", "handling": "P"}
    said = Suspicion(
        at=NOW, person=P, code=P, ground="AuthorisedByLaw", law="Act 12", fact="Drove the van.", source="A neighbour.", **grade
    )
    assert parse(document(said)) == said
    for name in ("ground", "law", "source", "reliability", "content", "handling"):
        refused(without(said, name))
    opinion = Suspicion(at=NOW, person=P, code=P, ground="AuthorisedByLaw", law="Act 12", opinion="He may be the owner.")
    assert parse(document(opinion)) == opinion


@pytest.mark.rule("P25")
def test_a_share_across_a_border_records_its_transfer_ground() -> None:
    across = replace(SHARE, into="TH", transfer="PublicInterest")
    assert parse(document(across)) == across
    refused(without(across, "transfer"))
    refused(document(replace(SHARE, transfer="PublicInterest")))  # no border, no ground
    refused(document(replace(across, transfer="NationalLaw")))
    for name in ("out_of", "into"):
        refused(without(across, name))


def test_an_end_by_referral_says_why_and_no_other_does() -> None:
    closed = Closed(at=NOW, status="Closed", outcome="She is home.", retention="2027-01-01")
    assert parse(document(closed)) == closed
    refused(document(replace(closed, status="ClosedReferred")))
    assert parse(document(replace(closed, status="ClosedReferred", reason="Other")))
    refused(document(replace(closed, reason="Other")))


def test_terms_change_with_a_reason_and_name_those_they_change() -> None:
    same = {name: getattr(OPENED, name) for name in ("purpose", "basis", "condition", "label", "lead", "review", "retention")}
    terms = Terms(at=NOW, replaces=(uri("1"),), why="The trial takes longer.", **same)
    assert parse(document(terms)) == terms
    refused(without(terms, "why"))
    refused(without(terms, "replaces"))
    refused(document(replace(OPENED, replaces=(uri("1"),))))


def test_words_in_the_place_of_several_entries_are_refused() -> None:
    message = filled(CORRECTED[0])
    assert parse(document(Redaction(at=NOW, of=(uri("1"),), instead=message)))
    refused(document(Redaction(at=NOW, of=(uri("1"), uri("2")), instead=message)))


def test_an_entry_inside_an_entry_is_one_that_can_be_corrected() -> None:
    correction = Correction(at=NOW, of=uri("1"), entry=filled(CORRECTED[0]))
    assert parse(document(correction)) == correction
    inside = copy.deepcopy(document(correction))
    for other in (document(OPENED), inside, {}, None, "message"):
        refused(document(correction) | {"entry": other})


def longest(spec: Any) -> Any:
    match spec:
        case Several():
            return [longest(spec.one)] * spec.most
        case Code():
            return max(spec.of, key=len)
        case Uri():
            return "https://a.example/".ljust(2000, "x")
        case Line() | Text():
            return "\U0001f642" * spec.most
        case Flag():
            return True
        case Named() | Pattern():
            return "x" * 16
        case Inner():
            return {member.name: longest(member.spec) for member in members(CORRECTED[1])}
        case _:
            return {"key": "u" * 44, "size": 2**53 - 1, "digest": "u" * 44}


@pytest.mark.parametrize("kind", ALL)
def test_the_longest_entry_of_each_kind_fits_into_a_sealed_message(kind: type[Entry]) -> None:
    assert len(canonical({member.name: longest(member.spec) for member in members(kind)})) < LARGEST - 100
