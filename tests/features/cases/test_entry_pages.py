"""Each kind of entry typed into its own form on a running node and read back on the pages of the case."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import ANY

import pytest

from fedcollab.features.cases.asked_sharing import ALL
from fedcollab.features.cases.handles import handle
from fedcollab.features.cases.people import Identity, SafeContact, Suspicion
from fedcollab.features.cases.sharing import Consent
from fedcollab.features.cases.work import Message, Task

from .at_desk import Desk, desk_with_people
from .desks import Office, office
from .entries import P, S
from .writing import IN_SPRING, opened, send, write


@pytest.fixture
async def at(tmp_path: Path, either_url: str) -> AsyncIterator[Office]:
    settings = {"database_url": either_url} if either_url.startswith("postgresql") else {}
    async with office(tmp_path, **settings) as made:
        yield made


@pytest.fixture
async def desk(at: Office) -> Desk:
    return await desk_with_people(at)


FORMS: dict[str, tuple[str, dict[str, str | list[str]], str]] = {  # whom it is about, what is typed, where it is read back
    "message": ("", {"text": "Canary1 <b>bold</b>\r\nCanary2"}, "case"),
    "decision": ("", {"what": "Canary1", "why": "Canary2", "who": "Noor, Daan"}, "case"),
    "contact": ("", {"who": "Canary1", "how": "Phone", "on": "2026-11-02", "reached": "Reached", "outcome": "Canary2"}, "case"),
    "task": ("", {"what": "Canary1 Canary2", "due": "2031-01-01"}, "case"),
    "step": (P, {"support": "Legal", "what": "Canary1", "by": "Canary2", "due": "2031-01-01"}, "person"),
    "person": ("", {"role": "Other"}, "people"),
    "identity": (P, {"name": "Canary1", "citizen": "Cambodia, Thailand", "languages": "Khmer", "notes": "Canary2"}, "person"),
    "safe-contact": (P, {"methods": ["Phone", "Text"], "times": "Canary1", "never": "Canary2", "language": "Khmer"}, "person"),
    "where": (P, {"address": "Canary1", "country": "Cambodia", "danger": "Canary2"}, "person"),
    "exploitation": (
        P,
        {"types": ["ForcedLabour", "Other"], "means": ["DebtBondage"], "began": "2025-01-01", "account": "Canary1 Canary2"},
        "person",
    ),
    "health": (P, {"urgent": "Canary1", "needs": "Canary2"}, "person"),
    "suspicion": (
        S,
        {"ground": "AuthorisedByLaw", "law": "Code, 4", "fact": "Canary1", "source": "Seen by us", "reliability": "1", "content": "A"}
        | {"handling": "C", "opinion": "Canary2"},
        "person",
    ),
    "consent": (
        P,
        {"to_name": "Canary1", "what": "Canary2", "until": "2031-01-01", "how": "Spoken", "capacity": "Adult", "decided_by": "Self"},
        "consents",
    ),
    "share": (
        "",
        {"to_name": "Canary1", "what": "Canary2", "why": "A bed", "basis": "VitalInterests", "without": "Danger", "without_why": "Followed"}
        | {"out_of": "Cambodia", "into": "KH"},
        "consents",
    ),
    "hold": ("", {"by": "Canary1", "reason": "Canary2", "review": IN_SPRING}, "holds"),
    "status": ("", {"status": "FollowUp", "why": "Canary1 Canary2"}, "case"),
    "terms": ("", {"purpose": "Canary1", "why": "Canary2"}, "case"),
    "closed": ("", {"status": "Closed", "outcome": "Canary1 Canary2", "retention": "2032-01-01"}, "case"),
}


@pytest.mark.parametrize("kind", FORMS)
async def test_each_kind_of_entry_is_typed_into_its_form_and_read_back_on_its_page(desk: Desk, kind: str) -> None:
    about, typed, where = FORMS[kind]
    path = desk.new(kind, about)
    status, to, page = await write(desk.noor, path, **typed)
    assert (status, to.startswith(desk.path)) == (303, True), page
    place = {"case": desk.path, "people": desk.path + "/people", "person": desk.person(about or P)}.get(where, f"{desk.path}/{where}")
    shown = await desk.page(place)
    canaries = [word for word in ("Canary1", "Canary2") if any(word in str(said) for said in typed.values())]
    assert [word for word in canaries if word not in shown] == []
    assert "<b>bold</b>" not in shown
    entry = next(shown for shown in (await desk.case()).timeline[::-1] if shown.kind == kind)
    assert (await desk.page(f"{desk.path}/entry/{handle(desk.id, entry.id)}")).count("Canary") >= len(canaries)


async def test_a_form_that_is_sent_twice_says_it_once(desk: Desk) -> None:
    path = desk.new("message")
    sent = await opened(desk.noor, path)
    for _ in range(2):
        assert (await send(desk.noor, path, sent, text="Once"))[0] == 303
    assert sum(shown.kind == "message" for shown in (await desk.case()).timeline) == 1


@pytest.mark.parametrize(
    "kind", [kind for kind in FORMS if kind not in ("message", "person", "identity", "where", "health", "exploitation")]
)
async def test_what_is_wrong_comes_back_beside_its_field_with_all_that_was_typed(desk: Desk, kind: str) -> None:
    about, typed, _ = FORMS[kind]
    path = desk.new(kind, about)
    before = len((await desk.case()).timeline)
    needed = {"safe-contact": "methods", "terms": "why", "contact": "who", "suspicion": "law", "share": "why", "hold": "by"}.get(kind)
    needed = needed or next(name for name in typed if name in ("what", "status"))
    status, _, page = await write(desk.noor, path, **typed | {needed: []})
    assert (status, f'id="{needed}-err"' in page) == (422, True), page
    kept = [said for name, said in typed.items() if name != needed and isinstance(said, str) and "Canary" in said]
    assert [said for said in kept if said not in page] == []
    assert len((await desk.case()).timeline) == before


async def test_two_who_write_a_part_at_once_are_both_shown_until_somebody_makes_one_of_it(desk: Desk) -> None:
    await desk.join("daan", "identity")
    daan, path = desk.office["daan"], desk.new("identity", P)
    await write(desk.noor, path, name="First")
    pages = [await opened(desk.noor, path), await opened(daan, path)]
    assert [page["name"] for page in pages] == [["First"], ["First"]]
    await send(desk.noor, path, pages[0], name="From Noor")
    await send(daan, path, pages[1], name="From Daan")
    page = await desk.page(desk.person())
    assert [name in page for name in ("First", "From Noor", "From Daan", "at the same time")] == [False, True, True, True]
    both = await desk.page(path)
    assert "From Noor" in both
    assert "From Daan" in both
    assert both.count('name="seen"') == 2
    await write(daan, path, name="Both")
    page = await desk.page(desk.person())
    assert [name in page for name in ("Both", "From Noor", "From Daan", "at the same time")] == [True, False, False, False]


async def test_a_correction_stands_in_the_place_of_what_was_said_which_stays_to_be_read(desk: Desk) -> None:
    said = await desk.office.say("noor", desk.id, "She called on Monday.")
    path = f"{desk.path}/change/{handle(desk.id, said)}"
    assert (await opened(desk.noor, path))["text"] == ["She called on Monday."]
    assert (await write(desk.noor, path, text="She called on Tuesday.", because="A slip"))[0] == 303
    page = await desk.page(f"{desk.path}/entry/{handle(desk.id, said)}")
    assert page.index("She called on Tuesday.") < page.index("As it was before") < page.index("She called on Monday.")
    await desk.join("daan")
    task = await desk.office.say("noor", desk.id, Task(at=desk.now, what="Buy a ticket"))
    for changes, status in ((said, 200), (task, 200)):  # a colleague of the same organisation corrects both
        assert (await desk.office["daan"].get(f"{desk.path}/change/{handle(desk.id, changes)}"))[0] == status


@pytest.mark.rule("P24")
async def test_a_suspect_is_not_written_down_without_ground_and_law(desk: Desk) -> None:
    status, _, page = await write(desk.noor, desk.new("person"), role="Suspect")
    assert (status, 'id="ground-err"' in page) == (422, True)
    about, typed, _ = FORMS["suspicion"]
    for name in ("ground", "law", "source"):
        status, _, page = await write(desk.noor, desk.new("suspicion", about), **typed | {name: ""})
        assert (status, f'id="{name}-err"' in page) == (422, True)
    assert (await write(desk.noor, desk.new("suspicion", about), **typed))[0] == 303
    assert (await write(desk.noor, desk.new("suspicion", about), **typed | {"fact": "Another thing"}))[0] == 303
    page = await desk.page(desk.person(S))
    assert "Canary1" in page
    assert "Another thing" in page
    assert "An opinion, and not a fact" in page


@pytest.mark.rule("P2")
@pytest.mark.rule("P3")
async def test_a_share_keeps_to_consents_for_its_recipient_that_are_in_force(desk: Desk) -> None:
    now = desk.now
    said: dict[str, Any] = dict(at=now, person=P, until="2031-01-01", how="Spoken", capacity="Adult", decided_by="Self", parts=("health",))
    consent = await desk.office.say("noor", desk.id, Consent(to_name="The clinic", what="The letter", **said))
    form: dict[str, Any] = dict(FORMS["share"][1]) | {"consent": [consent], "without": "", "without_why": "", "people": [P]}
    for over, field in (
        ({"to_name": "The embassy"}, "consent"),
        ({"to_name": "the clinic", "parts": ["health", "where"]}, "parts"),
        ({"to_name": "the clinic", "people": [P, S]}, "consent"),
        ({"to_name": "the clinic", "consent": []}, "consent"),
    ):
        status, _, page = await write(desk.noor, desk.new("share"), **form | over)
        assert (status, f'id="{field}-err"' in page) == (422, True), over
    assert (await write(desk.noor, desk.new("share"), **form | {"to_name": "the clinic", "parts": ["health"]}))[0] == 303
    assert (await write(desk.noor, f"{desk.path}/withdraw/{handle(desk.id, consent)}", how="Spoken"))[0] == 303
    page = await desk.page(desk.path + "/consents")
    assert "Withdrawn" in page
    assert "nothing more may be shared on it" in page
    status, _, page = await write(desk.noor, desk.new("share"), **form | {"to_name": "the clinic"})
    assert (status, 'id="consent-err"' in page) == (422, True)


@pytest.mark.rule("P3")
async def test_for_a_child_the_form_asks_who_decided(desk: Desk) -> None:
    form = FORMS["consent"][1] | {"capacity": "Child", "decided_by": "Parent"}
    status, _, page = await write(desk.noor, desk.new("consent", P), **form)
    assert (status, 'id="decider-err"' in page) == (422, True)
    assert (await write(desk.noor, desk.new("consent", P), **form | {"decider": "Her mother, by the court's order"}))[0] == 303
    assert "Her mother" in await desk.page(desk.path + "/consents")


@pytest.mark.rule("P25")
async def test_a_share_into_another_country_names_its_ground(desk: Desk) -> None:
    form = FORMS["share"][1] | {"into": "Thailand"}
    status, _, page = await write(desk.noor, desk.new("share"), **form)
    assert (status, 'id="transfer-err"' in page, 'value="Thailand"' in page) == (422, True, True)
    assert (await write(desk.noor, desk.new("share"), **form | {"transfer": "VitalInterests"}))[0] == 303
    assert "Vital interests of a person who cannot consent (Art. 49(1)(f))" in await desk.page(desk.path + "/consents")


async def test_rules_for_contact_come_first_and_a_contact_against_them_is_asked_about_once_more(desk: Desk) -> None:
    now = desk.now
    await desk.office.say("noor", desk.id, SafeContact(at=now, person=P, nobody=True, never="No letter home"))
    page = await desk.page(desk.new("contact", P))
    assert page.index("Nobody contacts this person") < page.index("No letter home") < page.index('name="who"')
    form: dict[str, Any] = dict(FORMS["contact"][1]) | {"people": [P]}
    status, _, page = await write(desk.noor, desk.new("contact", P), **form)
    assert (status, "is to be contacted by nobody" in page, 'name="sure"' in page, "Canary2" in page) == (422, True, True, True)
    assert not [one for one in (await desk.case()).timeline if one.kind == "contact"]
    assert (await write(desk.noor, desk.new("contact", P), **form, sure="yes"))[0] == 303
    assert (await write(desk.noor, desk.new("contact"), **FORMS["contact"][1]))[0] == 303  # with somebody else
    assert (await write(desk.noor, desk.new("contact"), **FORMS["contact"][1] | {"who": f"{P.title()}, by phone"}))[0] == 422
    await write(desk.noor, desk.new("safe-contact", P), nobody=[], methods=["Text"], never="No letter home")
    status, _, page = await write(desk.noor, desk.new("contact", P), **form)
    assert (status, "don’t name this way of contact" in page) == (422, True)
    assert (await write(desk.noor, desk.new("contact", P), **form | {"how": "Text"}))[0] == 303


async def test_who_may_not_read_the_rules_for_contact_is_told_that_there_are_some(desk: Desk) -> None:
    now = desk.now
    await desk.office.say("noor", desk.id, SafeContact(at=now, person=P, methods=("Text",), address="CANARY-NUMBER"))
    await desk.join("daan")
    page = await desk.page(desk.new("contact", P), "daan")
    assert "rules that are not for you to read" in page
    assert "CANARY-NUMBER" not in page
    form: dict[str, Any] = dict(FORMS["contact"][1]) | {"people": [P]}
    assert (await write(desk.office["daan"], desk.new("contact", P), **form))[0] == 422
    assert (await write(desk.office["daan"], desk.new("contact", P), **form, sure="yes"))[0] == 303


async def test_who_leads_alone_sets_terms_and_status_and_the_label_stays(desk: Desk) -> None:
    await write(desk.noor, desk.new("terms"), why="A new reviewer", label="TLP:CLEAR")
    assert (await desk.case()).terms.label == "TLP:AMBER"
    assert (await desk.noor.get(desk.new("opened")))[0] == 404
    assert (await desk.noor.get(desk.new("nothing")))[0] == 404
    assert (await desk.noor.get(desk.new("health")))[0] == 404  # of nobody
    assert (await desk.noor.get(desk.path + "/new/progress?of=" + handle(desk.id, P)))[0] == 404


async def test_a_persons_role_is_changed_on_their_page_and_a_new_person_gets_a_code(desk: Desk) -> None:
    person = next(one for one in (await desk.case()).people if one.code == S)
    path = f"{desk.path}/change/{handle(desk.id, person.ids[0])}"
    assert (await opened(desk.noor, path))["law"] == ["Code, 4"]
    assert (await write(desk.noor, path, role="Other", ground="", law=""))[1] == desk.person(S)
    assert next(one for one in (await desk.case()).people if one.code == S).role == "Other"
    await write(desk.noor, desk.new("person"), role="Other")
    assert len((await desk.case()).people) == 3


async def test_a_newcomers_words_on_a_part_they_may_not_read_stand_beside_it(desk: Desk) -> None:
    await desk.office.say("noor", desk.id, Identity(at=desk.now, person=P, name="CANARY-NAME"))
    await desk.join("daan")
    path = desk.new("identity", P)
    assert (await opened(desk.office["daan"], path)).get("seen") is None
    assert (await write(desk.office["daan"], path, name="As she told me"))[0] == 303
    page = await desk.page(desk.person())
    assert "CANARY-NAME" in page
    assert "As she told me" in page
    assert Suspicion.PART not in (await desk.page(desk.person(), "daan")).split("</h2>")[0]


EVIL = ["", "\0", "x" * 30_000, "<b>", "https://a.example/actor", "javascript:1", "\u202e", "0000-00-00", "KH", "-1", "yes", "🦜"]


async def test_whatever_is_sent_to_a_form_is_kept_or_refused_in_words(desk: Desk) -> None:
    token = await desk.noor.token(desk.new("message"))
    other = await desk.office.case("noor")
    once = (await desk.office.say("noor", other, "In another case")).rpartition("/")[2]
    random = Random(6)
    for kind in FORMS:
        names = [*ALL[kind].fields, "seen", "once", "sure", "of", "code", "replaces", "person", "entry", "secret", "at"]
        for _ in range(8):
            sent: Any = [("token", token)] + [(random.choice(names), random.choice([*EVIL, once, P, desk.office.me])) for _ in range(12)]
            status, headers, page = await desk.noor.ask("POST", desk.new(kind, random.choice(["", P, S])), sent)
            assert status in (303, 404, 422), (kind, sent)
            assert "Something went wrong" not in page
            assert status != 303 or headers["Location"].startswith(desk.path)
    for path in await desk.every_page("noor"):
        assert path.startswith(desk.path)
    assert (await desk.office.desk("noor", other)).case.timeline[-1].entry == Message(at=ANY, text="In another case")


async def test_a_part_is_not_narrowed_so_that_its_author_could_not_read_it_again(desk: Desk) -> None:
    await desk.join("daan", "health")
    page = await desk.page(desk.new("health", P))
    assert "Daan</bdi>" in page, "a colleague who has said nothing yet is called by their name"
    daan = re.findall(r'name="only" value="([^"]+)"><span><bdi>Daan', page)[0]
    status, _, page = await write(desk.noor, desk.new("health", P), urgent="CANARY-A", only=[daan])
    assert (status, 'id="only-err"' in page, "CANARY-A" in page) == (422, True, True)
    assert (await write(desk.noor, desk.new("health", P), urgent="CANARY-A", only=[daan, desk.office.me]))[0] == 303
    assert "CANARY-A" in await desk.page(desk.person())
    assert "CANARY-A" in await desk.page(desk.person(), "daan")
    await desk.join("ruth", "identity")
    assert "CANARY-A" not in await desk.page(desk.person(), "ruth")


async def test_forms_begin_with_what_is_likely(desk: Desk) -> None:
    today = (await desk.office.desk("noor", desk.id)).look.today
    contact = await opened(desk.noor, desk.new("contact", P))
    assert (contact["on"], contact["who"], contact["people"]) == ([today], [P], [P])
    assert (await opened(desk.noor, desk.new("decision")))["who"] == ["Noor"]
    assert (await opened(desk.noor, desk.new("step", P)))["person"] == [P]
    task = await desk.office.say("noor", desk.id, Task(at=desk.now, what="Buy a ticket"))
    progress = f"{desk.path}/new/progress?of={handle(desk.id, task)}"
    assert (await opened(desk.noor, progress))["state"] == ["Open"]
    assert (await write(desk.noor, progress, state="Done", note="On Monday"))[1] == f"{desk.path}/tasks"
    assert (await desk.case()).tasks[0].progress == "Done"
    empty = await desk.office.case("noor")
    assert "Nobody has been added to this case yet." in (await desk.noor.get(f"/cases/{empty}/new/step"))[1]


async def test_a_suspects_ground_and_law_stand_on_their_page(desk: Desk) -> None:
    page = await desk.page(desk.person(S))
    assert "Code, 4" in page
    assert "Authorised by law with safeguards" in page
    assert "Code, 4" not in await desk.page(desk.person(P))
