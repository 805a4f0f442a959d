"""What somebody typed: an entry, or a word on the field that is wrong; never less than was typed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.canonical import canonical
from fedcollab.base.strictjson import loads
from fedcollab.features.cases.checking import NEEDED, PASSED, TOO_FAR, Wrong, checked, typed
from fedcollab.features.cases.kinds import ALL, document, parse
from fedcollab.features.cases.mending import Correction, Redaction
from fedcollab.features.cases.people import Identity, Person, SafeContact
from fedcollab.features.cases.reading import members
from fedcollab.features.cases.record import Entry, Hold, Opened
from fedcollab.features.cases.sharing import Consent, Share
from fedcollab.features.cases.work import Contact, File, Message, Task

from .entries import NOW, OPENED, B, P, entries

TYPED = [kind for kind in ALL if kind not in (File, Correction, Redaction)]  # those bring what nobody types
FORM = typed(OPENED)


@given(
    st.sampled_from(TYPED),
    st.dictionaries(st.sampled_from(sorted({m.name for k in ALL for m in members(k)})), st.lists(st.text(), max_size=3)),
)
def test_whatever_was_typed_is_an_entry_or_a_word_on_a_field(kind: type[Entry], form: dict[str, list[str]]) -> None:
    found = tried(kind, form)
    if isinstance(found, Wrong):
        assert found.field in {member.name for member in members(kind)}
        assert found.in_words()
    else:
        assert parse(loads(canonical(document(found)))) == found


@given(entries(TYPED))
def test_a_form_filled_with_an_entry_gives_it_back(entry: Entry) -> None:
    once = tried(type(entry), typed(entry))
    if isinstance(once, Wrong):
        assert once.text in (PASSED, TOO_FAR)  # a day to come, of an entry of the past; a hold for years
    else:
        assert tried(type(entry), typed(once)) == once
        assert {*typed(once)} == {*typed(entry)}  # no field is lost


def tried(kind: type[Entry], form: dict[str, list[str]]) -> Entry | Wrong:
    try:
        return checked(kind, form, NOW)
    except Wrong as wrong:
        return wrong


def wrong(kind: Any, form: dict[str, list[str]], **known: Any) -> str:
    with pytest.raises(Wrong) as raised:
        checked(kind, form, NOW, **known)
    assert raised.value.in_words()
    return raised.value.field


def test_a_case_is_opened_by_a_form_with_the_code_that_the_page_knows() -> None:
    form = {name: value for name, value in FORM.items() if name != "code"}
    assert checked(Opened, form, NOW, code=OPENED.code) == OPENED
    assert checked(Opened, form | {"code": ["bafuko-bafuko"]}, NOW, code=OPENED.code).code == OPENED.code


@pytest.mark.rule("P1")
@pytest.mark.parametrize("name", ["purpose", "basis", "condition", "label", "lead", "review", "retention"])
def test_the_form_names_what_a_case_lacks(name: str) -> None:
    assert wrong(Opened, FORM | {name: [""]}, code=OPENED.code) == name
    assert NEEDED[name]


def test_days_that_have_passed_are_no_days_to_come() -> None:
    assert wrong(Opened, FORM | {"review": ["2020-01-01"]}) == "review"
    assert wrong(Hold, {"by": ["S"], "reason": ["Court"], "review": ["2020-01-01"]}) == "review"


@pytest.mark.rule("P24")
def test_a_suspects_ground_is_asked_for_and_nobody_elses() -> None:
    assert wrong(Person, {"person": [P], "role": ["Suspect"]}) == "ground"
    assert wrong(Person, {"person": [P], "role": ["Suspect"], "ground": ["AuthorisedByLaw"]}) == "law"
    assert checked(Person, {"person": [P.upper()], "role": ["Other"]}, NOW).person == P


@pytest.mark.rule("P2")
@pytest.mark.rule("P25")
def test_a_share_says_field_by_field_what_it_lacks() -> None:
    form = {"to": [B], "what": ["Note"], "why": ["Bed"], "basis": ["VitalInterests"], "without": ["Danger"], "without_why": ["Followed"]}
    form |= {"out_of": ["kh"], "into": ["TH"], "transfer": ["VitalInterests"]}
    assert checked(Share, form, NOW).out_of == "KH"
    for name, field in (("to", "to"), ("without", "consent"), ("without_why", "without_why"), ("transfer", "transfer"), ("into", "into")):
        assert wrong(Share, {key: value for key, value in form.items() if key != name}) == field


@pytest.mark.rule("P3")
def test_a_childs_consent_asks_who_decided() -> None:
    form = {"to": [B], "what": ["Note"], "person": [P], "until": ["2027-01-01"], "how": ["Spoken"], "capacity": ["Child"]}
    assert wrong(Consent, form) == "decided_by"
    assert wrong(Consent, form | {"decided_by": ["Parent"]}) == "decider"
    assert checked(Consent, form | {"decided_by": ["Parent"], "decider": ["Her mother"]}, NOW).decider == "Her mother"


def test_texts_are_tidied_and_too_long_ones_refused_not_cut() -> None:
    assert checked(Message, {"text": [" One\r\nTwo\x00\u202e\tx "]}, NOW).text == "One\nTwo x"
    assert wrong(Message, {"text": ["x" * 20_001]}) == "text"
    assert wrong(Task, {"what": ["x"], "due": ["31.12.2026"]}) == "due"
    assert wrong(Contact, {"who": ["A"], "how": ["Pigeon"]}) == "how"


def test_lists_may_be_typed_with_commas() -> None:
    found = checked(Identity, {"person": [P], "languages": ["km, TH;fr"], "also": ["Sok، Srey"]}, NOW)
    assert (found.languages, found.also) == (("km", "th", "fr"), ("Sok", "Srey"))
    assert wrong(Identity, {"person": [P], "languages": ["Khmer!"]}) == "languages"


def test_safe_contact_says_how_or_never() -> None:
    assert wrong(SafeContact, {"person": [P]}) == "methods"
    assert checked(SafeContact, {"person": [P], "nobody": ["on"]}, NOW).nobody
    assert wrong(SafeContact, {"person": [P], "nobody": ["on"], "methods": ["Phone"]}) == "methods"
