"""Hiding, removing, erasing, holding and withdrawing on their pages: who may, what they say that they can't do, what follows."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fedcollab.base.clock import DAY, iso
from fedcollab.features.cases.kinds import ALL as KINDS
from fedcollab.features.cases.mending import Correction, Redaction
from fedcollab.features.cases.people import Health, Identity, SafeContact, Suspicion, Where
from fedcollab.features.cases.record import Opened
from fedcollab.features.cases.sharing import Consent, Share
from fedcollab.features.cases.work import Contact, File, Message, Step
from fedcollab.sealing.chunks import FileSecret
from tests.web import PASSWORD, forget_asking

from .at_desk import Desk, desk_with_people
from .desks import Office, office
from .entries import P, S, filled
from .writing import opened, send, write

SAID = "CANARY-SAID"


@pytest.fixture
async def at(tmp_path: Path, either_url: str) -> AsyncIterator[Office]:
    settings = {"database_url": either_url} if either_url.startswith("postgresql") else {}
    async with office(tmp_path, **settings) as made:
        yield made


@pytest.fixture
async def desk(at: Office) -> Desk:
    return await desk_with_people(at)


async def stored(desk: Desk, uri: str) -> str:
    return str((await desk.office.sql("SELECT state FROM sealed_message WHERE uri = :uri", uri=uri))[0][0])


async def test_what_is_hidden_is_on_nobodys_page_until_it_is_undone(desk: Desk) -> None:
    said = await desk.office.say("noor", desk.id, SAID)
    page = await desk.page(desk.act("mask", said))
    assert "hidden, not gone" in page
    assert SAID in page
    assert (await write(desk.noor, desk.act("mask", said), why="Under review"))[0] == 303
    assert not [path for path, page in (await desk.every_page("noor")).items() if SAID in page]
    assert (await desk.noor.get(desk.act("mask", said)))[0] == 410
    await desk.join("daan")
    assert (await write(desk.office["daan"], desk.act("unmask", said)))[0] == 303
    assert SAID in await desk.page()
    assert await stored(desk, said) == "there"


async def test_removing_for_good_is_a_keepers_who_is_on_the_case_and_asks_for_the_password_once_more(desk: Desk) -> None:
    said = await desk.office.say("noor", desk.id, SAID)
    path = desk.act("redact", said)
    assert "Remove it for good" not in await desk.page(desk.act("entry", said))
    assert (await desk.noor.get(path))[0] == 410
    await desk.join("ruth")
    ruth = desk.office["ruth"]
    sent = await opened(ruth, path)
    assert "What this can’t do." in await desk.page(path, "ruth")
    await forget_asking(desk.office.site)
    status, to, _ = await send(ruth, path, sent, why="A third person")
    assert (status, to) == (307, f"/again?next={path}")
    assert SAID in await desk.page()
    status, _, _ = await send(desk.noor, path, sent | {"token": [await desk.noor.token(desk.new("message"))]})
    assert (status, SAID in await desk.page()) == (410, True), "who may not is not even asked"
    await _give_again(desk, "ruth")
    assert (await write(ruth, path, why="A third person"))[0] == 303
    assert SAID not in await desk.page()
    assert "A third person" in await desk.page()
    assert await stored(desk, said) == "erased"
    assert (await ruth.get(path))[0] == 410


async def _give_again(desk: Desk, name: str) -> None:
    """Somebody's password is given once more."""
    visitor = desk.office[name]
    form = {"again": "page", "next": desk.path, "password": PASSWORD, "token": await visitor.token("/again")}
    assert (await visitor.ask("POST", "/again", form))[0] == 303


async def test_what_is_removed_may_leave_the_same_without_what_had_to_go(desk: Desk) -> None:
    said = await desk.office.say("noor", desk.id, f"{SAID} drove her to the clinic.")
    await desk.join("ruth")
    path = desk.act("redact", said)
    assert (await opened(desk.office["ruth"], path))["instead-text"] == [f"{SAID} drove her to the clinic."]
    status, _, page = await write(desk.office["ruth"], path, instead="yes", instead_text="")
    assert (status, 'id="instead-text-err"' in page) == (422, True)
    assert (await write(desk.office["ruth"], path, instead="yes", instead_text="Somebody drove her to the clinic."))[0] == 303
    page = await desk.page()
    assert (SAID in page, "Somebody drove her to the clinic." in page) == (False, True)


@pytest.mark.rule("P30")
async def test_the_page_says_what_erasure_cannot_do_and_ones_own_is_gone_at_once(desk: Desk) -> None:
    said = await desk.office.say("noor", desk.id, SAID)
    page = await desk.page(desk.act("erase", said))
    assert "What this can’t do." in page
    assert "a copy that a partner may have kept outside this program" in page
    assert "written by another organisation" not in page
    assert (await write(desk.noor, desk.act("erase", said), why="She asked for it"))[0] == 303
    assert SAID not in await desk.page()
    assert await stored(desk, said) == "erased"


@pytest.mark.rule("P21")
async def test_a_hold_keeps_from_erasure_names_who_ordered_it_and_why_and_is_shown_to_whoever_asks(desk: Desk) -> None:
    said, other = await desk.office.say("noor", desk.id, SAID), await desk.office.say("noor", desk.id, "Something else")
    hold = desk.new("hold") + "?of=" + desk.act("", said).rpartition("/")[2]
    day, late = (iso(desk.now + days * DAY)[:10] for days in (300, 400))
    for name, wrong in (("by", ""), ("reason", ""), ("review", ""), ("review", late)):
        typed: dict[str, Any] = {"by": "Judge Sok", "reason": "Court of Siem Reap, 12/27", "review": day} | {name: wrong}
        status, _, page = await write(desk.noor, hold, **typed)
        assert (status, f'id="{name}-err"' in page) == (422, True)
    assert (await write(desk.noor, hold, **typed | {"review": day}))[0] == 303
    page = await desk.page(desk.act("erase", said))
    assert [word in page for word in ("This is held back.", "Judge Sok", "Court of Siem Reap, 12/27", day[:4])] == [True] * 4
    assert "This is held back." not in await desk.page(desk.act("erase", other))
    assert (await write(desk.noor, desk.act("erase", said)))[0] == 303
    assert SAID in await desk.page()
    entry = await desk.page(desk.act("entry", said))
    assert "A hold keeps this from being erased." in entry
    assert "Somebody asked for its erasure." in entry
    assert await stored(desk, said) == "there"
    assert "Judge Sok" in await desk.page(desk.path + "/holds")
    lift = desk.act("lift", (await desk.last("hold")).id)
    assert (await write(desk.noor, lift))[0] == 422, "not without a reason"
    assert (await write(desk.noor, lift, why="The court has decided"))[0] == 303
    assert SAID not in await desk.page()
    assert await stored(desk, said) == "erased"
    assert (await desk.noor.get(lift))[0] == 410


@pytest.mark.rule("P21")
async def test_a_hold_lapses_unless_somebody_holds_again(desk: Desk) -> None:
    said = await desk.office.say("noor", desk.id, SAID)
    await write(desk.noor, desk.new("hold"), by="Judge Sok", reason="Court", review=iso(desk.now + 200 * DAY)[:10])
    await write(desk.noor, desk.act("erase", said))
    assert SAID in await desk.page()
    clock = desk.office.site.kernel.node.clock
    object.__setattr__(desk.office.site.kernel.node, "clock", lambda: clock() + 400 * DAY)
    assert not (await desk.case()).holds
    assert await stored(desk, said) == "erased"


@pytest.mark.rule("P3")
async def test_a_consent_is_withdrawn_by_anybody_on_the_case_without_a_reason(desk: Desk) -> None:
    consent = Consent(
        at=desk.now,
        to_name="The clinic",
        what="The letter",
        person=P,
        until="2031-01-01",
        how="Spoken",
        capacity="Adult",
        decided_by="Self",
    )
    said = await desk.office.say("noor", desk.id, consent)
    await desk.join("daan")
    page = await desk.page(desk.act("withdraw", said), "daan")
    assert "Nobody has to say why" in page
    assert 'name="why"' not in page
    assert (await write(desk.office["daan"], desk.act("withdraw", said)))[0] == 303
    assert [one.how for one in (await desk.case()).consents] == ["withdrawn"]
    assert (await desk.noor.get(desk.act("withdraw", said)))[0] == 410


async def test_all_that_is_kept_of_a_person_alone_is_erased_by_one_act(desk: Desk) -> None:
    say, now = desk.office.say, desk.now
    await say("noor", desk.id, Identity(at=now, person=P, name=SAID))
    await say("noor", desk.id, Step(at=now, person=P, support="Legal", what=SAID))
    await say("noor", desk.id, Contact(at=now, who="A", people=(P,), how="Phone", on="2026-11-01", reached="Reached", outcome=SAID))
    both = Contact(at=now, who="Both", people=(P, S), how="Phone", on="2026-11-01", reached="Reached", outcome="About both")
    await say("noor", desk.id, both)
    page = await desk.page(desk.person() + "/erase")
    assert "4 entries that are about this person alone" in page
    assert (await write(desk.noor, desk.person() + "/erase", why="She asked for it"))[0] == 303
    pages = await desk.every_page("noor")
    assert not [path for path, page in pages.items() if SAID in page]
    assert "About both" in pages[desk.path]
    assert (await desk.noor.get(desk.person() + "/erase"))[0] in (404, 410)
    assert S in pages[desk.path + "/people"]


async def test_parts_that_somebody_need_not_know_are_in_no_byte_of_any_page_and_said_to_be_there(desk: Desk) -> None:
    parts = (
        Identity(at=desk.now, person=P, name="CANARY-1", also=("CANARY-2",), documents="CANARY-3", notes="CANARY-4"),
        SafeContact(at=desk.now, person=P, methods=("Phone",), address="CANARY-5", never="CANARY-6", word="CANARY-7"),
        Where(at=desk.now, person=P, address="CANARY-8", danger="CANARY-9"),
        Health(at=desk.now, person=P, urgent="CANARY-10"),
        Suspicion(at=desk.now, person=S, code=P, ground="AuthorisedByLaw", law="CANARY-11", opinion="CANARY-12"),
    )
    for part in parts:
        await desk.office.say("noor", desk.id, part)
    await desk.join("daan", "health")
    await desk.office.say("noor", desk.id, Health(at=desk.now, person=S, urgent="CANARY-13", only=(desk.office.me + "/nobody",)))
    seen = await desk.every_page("daan")
    assert len(seen) > 30
    found = {f"CANARY-{number}" for number in range(1, 14) if any(f"CANARY-{number}<" in page for page in seen.values())}
    assert found == {"CANARY-10"}
    assert not [path for path, page in seen.items() for word in ("CANARY-9", "CANARY-8", "CANARY-13", "CANARY-5") if word in page]
    person = seen[desk.person()]
    assert "There is something here, but not for you." in person
    assert "<bdi>Noor</bdi>" in person, "whom to ask"
    every = await desk.every_page("noor")
    assert [n for n in range(1, 13) if not any(f"CANARY-{n}<" in page for page in every.values())] == []


@pytest.mark.rule("P4")
async def test_nothing_of_a_case_stands_in_titles_and_addresses(desk: Desk) -> None:
    await desk.office.say("noor", desk.id, Identity(at=desk.now, person=P, name=SAID))
    await desk.office.say("noor", desk.id, Message(at=desk.now, text=SAID))
    pages, case = await desk.every_page("noor"), await desk.case()
    assert {page.split("<title>")[1].split("</title>")[0] for page in pages.values()} == {"Case · Meridian Outreach"}
    for path in pages:
        assert not [word for word in (SAID, P, S, case.code, "noor") if word in path]
    assert {len(path.rpartition("/")[2].partition("?")[0]) for path in pages if "/entry/" in path} == {24}


async def test_what_people_type_is_markup_on_no_page(desk: Desk) -> None:
    bad = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'"
    await desk.office.say("noor", desk.id, bad)
    await desk.office.say("noor", desk.id, Identity(at=desk.now, person=P, name=bad, notes=bad))
    await desk.office.say("noor", desk.id, SafeContact(at=desk.now, person=P, methods=("Phone",), never=bad, times=bad, word=bad))
    await desk.office.say("noor", desk.id, Step(at=desk.now, person=P, support="Legal", what=bad, by=bad))
    await write(desk.noor, desk.new("hold"), by=bad, reason=bad, review=iso(desk.now + 300 * DAY)[:10])
    pages = await desk.every_page("noor")
    assert sum("&lt;script&gt;" in page for page in pages.values()) > 5
    assert not [path for path, page in pages.items() if "<script>alert" in page or "<img src=x" in page]


async def test_pages_for_whoever_is_not_on_the_case_are_not_there(desk: Desk) -> None:
    said = await desk.office.say("noor", desk.id, SAID)
    pages = [desk.person(), desk.new("message"), desk.path + "/people", desk.path + "/consents", desk.path + "/holds"]
    pages += [desk.act(name, said) for name in ("entry", "change", "mask", "erase")]
    for path in pages:
        assert (await desk.noor.get(path))[0] == 200, path
        for name in ("daan", "mila", "ruth"):
            assert (await desk.office[name].get(path))[0] == 404, path
            status, _, _ = await desk.office[name].post(path, at="/settings", text=SAID, why=SAID)
            assert status in (404, 405), path
    assert len((await desk.case()).timeline) == 4


async def test_a_colleague_is_given_parts_of_one_person_alone_by_somebody_who_knows_them(desk: Desk) -> None:
    for code in (P, S):
        await desk.office.say("noor", desk.id, Health(at=desk.now, person=code, urgent=f"CANARY-{code}"))
        await desk.office.say("noor", desk.id, Identity(at=desk.now, person=code, name=f"NAME-{code}"))
    await desk.join("daan", "where")
    daan, needs = desk.office["daan"], desk.person() + "/needs"
    form = {"colleague": daan.viewer.person_id, "part": "health"}
    assert (await desk.noor.post(needs, at=desk.person(), **form))[0] == 303
    seen = await desk.page(desk.person(), "daan")
    assert [word in seen for word in (f"CANARY-{P}", f"NAME-{P}")] == [True, False]
    assert f"CANARY-{S}" not in await desk.page(desk.person(S), "daan")
    await desk.join("ruth")
    wants = form | {"colleague": desk.office["ruth"].viewer.person_id}
    assert (await daan.post(needs, at=desk.person(), **wants))[0] == 303
    assert (await daan.post(needs, at=desk.person(), **wants | {"part": "identity"}))[0] == 403
    assert (await daan.post(needs, at=desk.person(), **wants | {"part": "everything"}))[0] == 400
    assert f"NAME-{P}" not in await desk.page(desk.person(), "ruth")
    assert (await desk.noor.post(needs, at=desk.person(), colleague=form["colleague"]))[0] == 303
    assert f"CANARY-{P}" not in await desk.page(desk.person(), "daan")
    assert "where" in (await desk.office.desk("daan", desk.id)).look.knows
    assert (await desk.noor.post(needs, at=desk.person(), colleague="nobody", part="health"))[0] == 400


async def test_every_kind_of_entry_has_its_page(desk: Desk) -> None:
    words = Message(at=desk.now, text="CANARY-correction")
    over: dict[Any, dict[str, Any]] = {
        Share: dict(to_name="", without="", without_why="", out_of="KH", into="TH"),
        Consent: dict(to_name="", capacity="Adult", decided_by="Self"),
        File: dict(secret=FileSecret(b"k" * 32, 1, b"d" * 32), part=""),
        Correction: dict(entry=words),
        Redaction: dict(instead=words),
    }
    for kind in (kind for kind in KINDS if kind is not Opened):
        await desk.office.say("noor", desk.id, filled(kind, **over.get(kind, {})))
    said = {shown.kind: shown for shown in (await desk.case()).timeline}
    assert set(said) == {kind.KIND for kind in KINDS}
    await desk.join("ruth")
    for shown in said.values():  # somebody who need know no part finds them too
        assert (await desk.office["ruth"].get(desk.act("entry", shown.id)))[0] == 200, shown.kind
    pages = {kind: await desk.page(desk.act("entry", shown.id)) for kind, shown in said.items()}
    assert len([kind for kind, page in pages.items() if f"CANARY-{kind}" in page]) >= 20
