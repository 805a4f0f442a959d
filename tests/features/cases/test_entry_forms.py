"""The form of each kind of entry: a field for each member, in words; what it shows of an entry, sent back unchanged, is that entry."""

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedcollab.base.i18n import LANGUAGES, words
from fedcollab.base.templates import Templates
from fedcollab.base.web import SECRETS, UNSEEN
from fedcollab.features.cases import forms
from fedcollab.features.cases.asked_sharing import ALL as WORDS
from fedcollab.features.cases.checking import PASSED, TOO_FAR, Wrong, checked
from fedcollab.features.cases.forms import Option
from fedcollab.features.cases.kinds import ALL
from fedcollab.features.cases.mending import Correction, Suspected
from fedcollab.features.cases.people import Identity, Person, Suspicion
from fedcollab.features.cases.reading import members
from fedcollab.features.cases.record import Entry, Opened
from fedcollab.features.cases.sharing import Consent
from fedcollab.features.cases.visiting import GuestIn, GuestOut
from fedcollab.features.cases.work import Contact, File

from .browser import Filled, Sent
from .entries import NOW, P, S, days, entries, filled

APART = (File, Suspected, Correction, GuestIn, GuestOut)  # files and guests have their own forms, a correction what it corrects
TYPED = [kind for kind in ALL if kind not in APART]
KNOWN = {"replaces", "of", "code", "entry", "instead", "label", "renews"}  # what pages know by themselves
EN = words("en", "UTC")


@cache
def templates() -> Templates:
    return Templates()


def drawn(kind: type[Entry], values: Sent, reads: str = "en", errors: Any = None, choices: Any = None) -> str:
    fields = forms.form(kind, values, choices or {})
    environment = templates()._environment
    text = '{% from "cases/fields.html" import entry_fields with context %}{{ entry_fields(fields, errors) }}'
    reader = words(reads, "UTC")
    shown = {"_": reader.text, "gettext": reader.text, "ngettext": reader.texts, "words": reader}
    return environment.from_string(text).render(fields=fields, errors=errors or {}, **shown)


@pytest.mark.parametrize("kind", TYPED, ids=lambda kind: kind.KIND)
def test_each_member_of_an_entry_is_asked_for_or_known(kind: type[Entry]) -> None:
    asked = set(WORDS[kind.KIND].fields)
    names = {member.name for member in members(kind)}
    assert asked <= names
    assert names - asked <= KNOWN | {"person"} | ({"why"} if kind is Opened else set())
    assert not asked & (SECRETS | UNSEEN), "no page would show these again"
    assert Filled(drawn(kind, {})).named == asked - {name for name in asked if not _has_choices(kind, name)}


def _has_choices(kind: type[Entry], name: str) -> bool:
    """Radios and boxes of people, organisations and entries are there only where there are some."""
    field = next(field for field in forms.form(kind, {}, {}) if field.name == name)
    return field.widget not in ("radios", "boxes") or bool(field.options)


@settings(max_examples=150, deadline=None)
@given(entries(TYPED), st.sampled_from(sorted(LANGUAGES)))
def test_a_form_that_shows_an_entry_gives_it_back_by_way_of_the_page(entry: Entry, language: str) -> None:
    kind, wanted = type(entry), WORDS[entry.KIND].fields
    known = {member.name: getattr(entry, member.name) for member in members(kind) if member.name not in wanted}
    once = tried(kind, forms.filled(entry, words(language, "UTC")), known, language)
    if isinstance(once, Wrong):
        assert once.text in (PASSED, TOO_FAR)  # a day to come within a time, of an entry of the past
    else:
        assert tried(kind, forms.filled(once, words(language, "UTC")), known, language) == once


def tried(kind: type[Entry], values: Sent, known: dict[str, Any], language: str) -> Entry | Wrong:
    """What becomes of a form that shows these values, sent as it is."""
    back = Filled(drawn(kind, values, language)).sent
    for name, said in values.items():
        if name in WORDS[kind.KIND].fields:
            assert {one.replace("\r\n", "\n") for one in back.get(name, [])} == set(said), name
    try:
        return checked(kind, forms.coded(kind, back), NOW, **known)
    except Wrong as wrong:
        return wrong


@given(st.sampled_from(TYPED), st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_wrong_stands_beside_its_field_with_all_that_was_typed(kind: type[Entry], data: st.DataObject) -> None:
    texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)
    asked = WORDS[kind.KIND].fields
    values = {field.name: [data.draw(texts)] for field in forms.form(kind, {}, {}) if field.widget in ("line", "text", "day", "time")}
    name = data.draw(st.sampled_from(sorted(asked)))
    page = drawn(kind, values, errors={name: "Look at this once more"})
    assert f'id="{name}-err"' in page
    assert 'aria-invalid="true"' in page
    assert {name: said for name, said in Filled(page).sent.items() if name in values} == values


def test_what_people_have_typed_is_never_markup() -> None:
    bad = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    for kind in TYPED:
        values = {field.name: [bad] for field in forms.form(kind, {}, {})}
        listed = {name: [Option(bad, bad, own=True)] for name in WORDS[kind.KIND].fields}
        page = drawn(kind, values, errors=dict.fromkeys(values, bad), choices=listed)
        assert not [part for part in ("<script", "<img") if part in page]


def test_a_choice_that_is_none_any_more_is_not_lost() -> None:
    entry = filled(Identity, person=P)
    page = drawn(Identity, forms.filled(entry, EN), choices={"only": [Option("https://b.example/actor", "B", own=True)]})
    assert Filled(page).sent["only"] == list(entry.only)
    assert 'value="https://b.example/actor"' in page


def test_countries_and_languages_are_called_by_their_names_and_read_back_from_any_of_our_languages() -> None:
    shown = forms.filled(Identity(at=NOW, person=P, citizen=("KH", "KR"), birth="TH", languages=("km", "pt-BR")), words("fr", "UTC"))
    assert (shown["citizen"], shown["birth"], shown["languages"]) == (["Cambodge, Corée du Sud"], ["Thaïlande"], ["khmer, pt-BR"])
    typed = {"citizen": ["Cambodge; South Korea"], "birth": ["Tailandia"], "languages": ["khmer, ไทย, th"]}
    coded = forms.coded(Identity, typed)
    assert (coded["citizen"], coded["birth"]) == (["KH", "KR"], ["TH"])
    assert coded["languages"] == ["km", " ไทย", "th"]  # which nobody of ours knows, and is said so
    with pytest.raises(Wrong) as raised:
        checked(Identity, forms.coded(Identity, typed | {"person": [P]}), NOW)
    assert raised.value.field == "languages"


def test_nobody_is_chosen_who_is_none_of_this_case() -> None:
    people = {"person": [Option(P, P, own=True)], "people": [Option(P, P, own=True)]}
    for kind, name in ((Consent, "person"), (Contact, "people")):
        forms.of_this_case(kind, {name: [P]}, people)
        with pytest.raises(Wrong) as raised:
            forms.of_this_case(kind, {name: [S]}, people)
        assert raised.value.field == name


@pytest.mark.rule("P24")
def test_of_a_suspect_the_ground_and_the_law_are_asked_first_and_fact_source_and_opinion_apart() -> None:
    names = [field.name for field in forms.form(Suspicion, {}, {})]
    assert names[:2] == ["ground", "law"]
    fields = WORDS["suspicion"].fields
    assert [name for name in names if fields[name].group or fields[name].fold] == ["ground", "fact", "source", "opinion", "only"]
    assert {"ground", "law"} <= set(WORDS[Person.KIND].fields)


@pytest.mark.rule("P3")
def test_permission_and_lawful_basis_are_two_fields_and_who_decided_is_asked() -> None:
    share, consent = WORDS["share"].fields, WORDS["consent"].fields
    assert {"consent", "without", "without_why", "basis"} <= set(share)
    assert {"to", "until", "capacity", "decided_by", "decider", "own_view"} <= set(consent)
    assert "basis" not in consent


@given(days)
@settings(max_examples=20, deadline=None)
def test_days_stand_in_fields_for_days(day: str) -> None:
    page = drawn(Consent, {"until": [day]})
    assert f'type="date" id="until" name="until" value="{day}"' in page
