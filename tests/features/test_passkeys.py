"""Shows passkeys as a second factor: made, used after the password and when asked again, removed; and that no other answer counts."""

import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.models import AuditEntry
from fedcollab.base.clock import MINUTE
from fedcollab.base.session import Session
from fedcollab.features.members import ceremony, passkeys, service, taken_away
from fedcollab.features.members.feature import THROTTLE
from fedcollab.features.members.models import HalfLogin, LoginSession, Passkey, RecoveryCode
from tests.authenticator import PRESENT, Authenticator, text
from tests.web import PASSWORD, Site, Visitor, forget_asking, site

ORIGIN = "https://node.example.org"
PAGE, FACTOR = "/settings/factor/passkeys", "/settings/factor"
CANARY = "kanari-3f1b"


@dataclass
class Room:
    """A node in earnest, where admins have to have a second factor."""

    site: Site
    ilse: Visitor
    daan: Visitor

    async def passkeys(self) -> list[Any]:
        query = sa.select(Passkey.person_id, Passkey.name, Passkey.counter, Passkey.used_at).order_by(Passkey.created_at)
        found: list[Any] = await self.site.kernel.database.read(lambda session: [tuple(row) for row in session.execute(query)])
        return found

    async def count(self, model: Any) -> int:
        query = sa.select(sa.func.count()).select_from(model)
        found: int = await self.site.kernel.database.read(lambda session: session.execute(query).scalar_one())
        return found

    async def recorded(self) -> list[str]:
        query = sa.select(AuditEntry.action).order_by(AuditEntry.seq)
        found: list[str] = await self.site.kernel.database.read(lambda session: list(session.scalars(query)))
        return [action for action in found if "passkey" in action]


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with site(tmp_path, trial=False, base_url=ORIGIN) as made:
        yield Room(made, await made.member("ilse", "admin", "member"), await made.member("daan"))


async def options(who: Visitor, path: str, at: str) -> tuple[int, Any]:
    """What script asks the node for."""
    headers = {"X-Form-Token": await who.token(at), "Content-Type": "application/json"}
    status, _, page = await who.ask("POST", path, None, headers)
    return status, json.loads(page) if status == 200 else page


async def add(who: Visitor, device: Authenticator, name: str = "my phone") -> tuple[int, str, str]:
    """Makes a passkey as the page's script does."""
    status, asked = await options(who, f"{PAGE}/new", PAGE)
    assert status == 200
    return await who.post(PAGE, at=PAGE, act="add", name=name, made=device.make(asked))


async def half_way(room: Room, name: str) -> Visitor:
    visitor = room.site.stranger()
    form = {"token": await visitor.token(), "username": name, "password": PASSWORD, "next": "/groups"}
    status, headers, _ = await visitor.ask("POST", "/login", form)
    assert (status, headers["Location"]) == (303, "/login/code?next=%2Fgroups")
    return visitor


async def answer(visitor: Visitor, said: str, **more: str) -> tuple[int, str, str]:
    form = {"token": await visitor.token("/login/code"), "passkey": said, "code": "", "next": "/groups"} | more
    status, headers, page = await visitor.ask("POST", "/login/code", form)
    return status, headers.get("Location", ""), page


async def asked_of(visitor: Visitor) -> Any:
    status, asked = await options(visitor, "/login/passkey", "/login/code")
    assert status == 200
    return asked


async def test_a_passkey_is_made_and_signs_its_person_in_after_the_password_and_is_named_and_removed(room: Room) -> None:
    device = Authenticator(ORIGIN)
    assert (await room.ilse.ask("GET", "/groups"))[1]["Location"] == FACTOR, "she has to have one"
    status, _, page = await add(room.ilse, device)
    assert (status, len(re.findall(r'translate="no">([\w-]+)</span>', page))) == (200, 10), "recovery codes, once"
    assert (await room.ilse.get("/groups"))[0] == 200
    visitor = await half_way(room, "ilse")
    _, page = await visitor.get("/login/code")
    assert ('data-passkey="/login/passkey"' in page, "/static/passkeys.js" in page) == (True, True)
    asked = await asked_of(visitor)
    assert (asked["rpId"], asked["userVerification"]) == ("node.example.org", "required")
    assert [one["id"] for one in asked["allowCredentials"]] == [text(device.id)]
    assert (await answer(visitor, device.answer(asked)))[:2] == (303, "/groups")
    assert (await visitor.get("/admin/members"))[0] == 200
    assert (await visitor.post("/admin/members/invite", at="/admin/members", role="member"))[0] == 200, "all was given just now"
    [(_, name, counter, used)] = await room.passkeys()
    assert (name, counter, used is not None) == ("my phone", 2, True)
    _, page = await visitor.get(PAGE)
    [row] = re.findall(r'name="id" value="([^"]+)"', page)[:1]
    assert (await visitor.post(PAGE, at=PAGE, act="rename", id=row, name="the blue key"))[:2] == (303, PAGE)
    assert "the blue key" in (await visitor.get(PAGE))[1]
    assert "does not open what is sealed" in page
    status, _, page = await visitor.post(PAGE, at=PAGE, act="remove", id=row)
    assert (status, "this is your last one" in page, len(await room.passkeys())) == (422, True, 1)
    other = Authenticator(ORIGIN)
    assert (await add(visitor, other, "another"))[:2] == (303, PAGE), "with recovery codes already"
    assert (await visitor.post(PAGE, at=PAGE, act="remove", id=row))[:2] == (303, PAGE)
    assert [name for _, name, _, _ in await room.passkeys()] == ["another"]
    assert await room.recorded() == ["member.passkey_add", "member.passkey_add", "member.passkey_remove"]
    assert "Passkey removed" in (await visitor.get("/admin/audit"))[1]


async def test_a_recovery_code_stands_in_for_a_passkey_and_goes_with_the_last_one(room: Room) -> None:
    device = Authenticator(ORIGIN)
    _, _, page = await add(room.daan, device)
    codes = re.findall(r'translate="no">([\w-]+)</span>', page)
    visitor = await half_way(room, "daan")
    form = {"token": await visitor.token("/login/code"), "code": codes[0], "next": "/groups"}
    assert (await visitor.ask("POST", "/login/code", form))[1]["Location"] == "/groups"
    [row] = re.findall(r'name="id" value="([^"]+)"', (await visitor.get(PAGE))[1])[:1]
    assert (await visitor.post(PAGE, at=PAGE, act="remove", id=row))[0] == 303, "nobody makes him have one"
    assert (await room.count(Passkey), await room.count(RecoveryCode)) == (0, 0)
    form = {"token": await visitor.token("/settings"), "username": "daan", "password": PASSWORD, "next": "/groups"}
    assert (await visitor.ask("POST", "/login", form))[1]["Location"] == "/groups"


async def test_what_was_being_written_goes_on_after_a_passkey_too(room: Room) -> None:
    device = Authenticator(ORIGIN)
    await add(room.daan, device)
    visitor = await half_way(room, "daan")
    said = device.answer(await asked_of(visitor))
    form = {"title": "A long title", "text": CANARY, "next": "/groups/x/new"}
    status, to, page = await answer(visitor, "{}", **form)
    assert (status, f'name="text" value="{CANARY}"' in page, "{}" in page) == (422, True, False)
    assert (await answer(visitor, said, **form))[0] == 422, "what was asked is used up by a wrong answer"
    status, to, page = await answer(visitor, device.answer(await asked_of(visitor)), **form)
    assert (status, to) == (307, "/groups/x/new")


FALSE: dict[str, Callable[[Authenticator, Any], str]] = {
    "an answer to another challenge": lambda device, asked: device.answer(asked, challenge=text(b"0" * 32)),
    "another origin": lambda device, asked: replace(device, origin="https://node.example.org.evil.example").answer(asked),
    "the origin with a port": lambda device, asked: replace(device, origin=ORIGIN + ":8443").answer(asked),
    "another address": lambda device, asked: device.answer(asked, rp="example.org"),
    "nobody confirmed": lambda device, asked: replace(device, flags=PRESENT).answer(asked),
    "nobody was there": lambda device, asked: replace(device, flags=0).answer(asked),
    "the answer of a making": lambda device, asked: device.answer(asked, type="webauthn.create"),
    "another device's key": lambda device, asked: replace(Authenticator(ORIGIN), id=device.id, counter=device.counter).answer(asked),
    "an unknown passkey": lambda device, asked: Authenticator(ORIGIN).answer(asked),
    "a signature cut off": lambda device, asked: cut(device.answer(asked)),
    "no JSON": lambda device, asked: CANARY,
    "a list": lambda device, asked: "[]",
    "deep": lambda device, asked: "[" * 19_000,
    "long": lambda device, asked: device.answer(asked) + " " * 20_000,
    "no parts": lambda device, asked: json.dumps({"id": text(device.id)}),
    "parts of other kinds": lambda device, asked: json.dumps(
        {"id": text(device.id), "rawId": 5, "type": [], "response": {"clientDataJSON": {}, "authenticatorData": None, "signature": "é"}}
    ),
}


def cut(said: str) -> str:
    found = json.loads(said)
    found["response"]["signature"] = found["response"]["signature"][:-8]
    return json.dumps(found)


@pytest.mark.rule("AUTH-01")
@pytest.mark.parametrize("kind", FALSE)
async def test_a_false_answer_is_refused_changes_nothing_and_the_true_one_still_works(room: Room, kind: str) -> None:
    device = Authenticator(ORIGIN, counts=0, counter=0)
    await add(room.daan, device)
    visitor = await half_way(room, "daan")
    before = await room.passkeys(), await room.count(LoginSession), await room.recorded()
    status, to, page = await answer(visitor, FALSE[kind](device, await asked_of(visitor)))
    assert (status, to, 'id="code-err"' in page, CANARY in page) == (422, "", True, False)
    assert (await room.passkeys(), await room.count(LoginSession), await room.recorded()) == before
    assert (await visitor.ask("GET", "/settings"))[0] == 303
    assert (await answer(visitor, device.answer(await asked_of(visitor))))[:2] == (303, "/groups")


@pytest.mark.rule("AUTH-01")
async def test_a_challenge_counts_once_and_for_its_browser_and_for_five_minutes(room: Room) -> None:
    device = Authenticator(ORIGIN)
    await add(room.daan, device)
    first, other = await half_way(room, "daan"), await half_way(room, "daan")
    assert "longer than five minutes" in (await answer(other, device.answer(await asked_of(first))))[2], "asked in another browser"
    asked = await asked_of(first)
    newer = await asked_of(first)
    assert (await answer(first, device.answer(asked)))[0] == 422, "one asked before counts no more"
    said = device.answer(await asked_of(first))
    kept = Visitor(room.site, first.viewer, dict(first.cookies))
    assert (await answer(first, said))[:2] == (303, "/groups")
    assert newer["challenge"] != asked["challenge"]
    form = {"token": await kept.token("/login"), "passkey": said, "next": "/groups"}
    status, headers, page = await kept.ask("POST", "/login/code", form)
    assert (status, "longer than ten minutes" in page, headers.get("Location")) == (422, True, None), "replayed"
    said = device.answer(await asked_of(other))
    await age(room, HalfLogin)
    assert "longer than five minutes" in (await answer(other, said))[2]
    assert (await answer(other, device.answer(await asked_of(other))))[:2] == (303, "/groups")


async def age(room: Room, model: Any) -> None:
    """Five minutes pass for what was asked."""

    def work(session: Session) -> None:
        session.execute(sa.update(model).values(challenge_ends_at=model.challenge_ends_at - 5 * MINUTE))

    await room.site.kernel.database.write(work)


@pytest.mark.rule("AUTH-01")
async def test_another_accounts_passkey_and_a_removed_one_open_nothing(room: Room) -> None:
    mine, theirs = Authenticator(ORIGIN), Authenticator(ORIGIN)
    await add(room.ilse, mine)
    await add(room.daan, theirs)
    visitor = await half_way(room, "ilse")
    before = await room.passkeys()
    assert (await answer(visitor, theirs.answer(await asked_of(visitor))))[0] == 422
    assert await room.passkeys() == before
    assert (await answer(visitor, mine.answer(await asked_of(visitor))))[0] == 303
    assert (await add(room.daan, replace(Authenticator(ORIGIN), id=mine.id)))[0] == 409, "nor is it taken over"
    gone = await half_way(room, "daan")
    said = theirs.answer(await asked_of(gone))
    [row] = re.findall(r'name="id" value="([^"]+)"', (await room.daan.get(PAGE))[1])[:1]
    assert (await visitor.post(PAGE, at=PAGE, act="remove", id=row))[0] == 404, "nobody else's to remove"
    await room.site.kernel.database.write(lambda session: session.execute(sa.delete(Passkey).where(Passkey.id == row)))
    assert (await answer(gone, said))[0] == 422
    assert (await options(gone, "/login/passkey", "/login"))[0] == 404


@pytest.mark.rule("AUTH-01")
async def test_a_passkey_that_counts_backwards_is_refused_and_its_person_and_the_admins_are_told(room: Room) -> None:
    device = Authenticator(ORIGIN)
    await add(room.daan, device)
    await add(room.ilse, Authenticator(ORIGIN))
    visitor = await half_way(room, "daan")
    copy = replace(device)
    assert (await answer(visitor, device.answer(await asked_of(visitor))))[0] == 303
    other = await half_way(room, "daan")
    before = await room.passkeys()
    status, _, page = await answer(other, copy.answer(await asked_of(other)))
    assert (status, "counts backwards" in page, await room.passkeys() == before) == (422, True, True)
    assert await room.recorded() == ["member.passkey_add"] * 2 + ["member.passkey_backwards"]
    for person in (room.ilse, visitor):
        _, page = await person.get("/settings")
        assert ("may have been copied" in page, "<bdi>Daan</bdi>" in page) == (True, True)
    assert (await answer(other, device.answer(await asked_of(other))))[0] == 303, "the true one goes on"


async def test_making_one_takes_a_true_answer_a_name_and_room(room: Room) -> None:
    false: list[tuple[Authenticator, dict[str, str]]] = [
        (Authenticator("https://evil.example"), {}),
        (Authenticator(ORIGIN, flags=PRESENT), {}),
        (Authenticator(ORIGIN), {"challenge": text(b"0" * 32)}),
        (Authenticator(ORIGIN), {"rp": "example.org"}),
        (Authenticator(ORIGIN), {"type": "webauthn.get"}),
    ]
    for device, lie in false:
        status, asked = await options(room.daan, f"{PAGE}/new", PAGE)
        assert (status, asked["authenticatorSelection"]["userVerification"]) == (200, "required")
        status, _, page = await room.daan.post(PAGE, at=PAGE, act="add", name="phone", made=device.make(asked, **lie))
        assert (status, "was not accepted" in page, 'value="phone"' in page) == (422, True, True), lie
    for made, words in (("", "No passkey was made yet"), (CANARY, "longer than five minutes")):
        status, _, page = await room.daan.post(PAGE, at=PAGE, act="add", name="phone", made=made)
        assert (status, words in page, CANARY in page) == (422, True, False)
    assert (await add(room.daan, Authenticator(ORIGIN), " "))[0] == 422
    assert await room.count(Passkey) == 0
    assert "made" not in (await options(room.daan, f"{PAGE}/new", PAGE))[1]
    await add(room.daan, Authenticator(ORIGIN))
    for number in range(passkeys.MOST - 1):
        assert (await add(room.daan, Authenticator(ORIGIN), f"n {number}"))[0] == 303
    status, _, page = await add(room.daan, Authenticator(ORIGIN))
    assert (status, "There are 10 passkeys" in page) == (422, True)
    assert (await room.daan.post(PAGE, at=PAGE, act="explode"))[0] == 400


async def test_passkeys_are_asked_for_only_by_pages_of_ours_and_only_lately(room: Room) -> None:
    await add(room.daan, Authenticator(ORIGIN))
    visitor = await half_way(room, "daan")
    wrong = {"X-Form-Token": "0" * 64, "Content-Type": "application/json"}
    cross = {"X-Form-Token": await visitor.token("/login/code"), "Sec-Fetch-Site": "cross-site", "Content-Type": "application/json"}
    for headers in (wrong, cross):
        assert (await visitor.ask("POST", "/login/passkey", None, headers))[0] == 403
    assert (await room.daan.ask("POST", f"{PAGE}/new", None, wrong))[0] == 403
    assert (await options(room.site.stranger(), "/login/passkey", "/login"))[0] == 404
    assert (await options(room.daan, f"{PAGE}/new", PAGE))[0] == 200
    await forget_asking(room.site)
    assert (await options(room.daan, f"{PAGE}/new", PAGE))[0] == 403
    status, to, _ = await room.daan.post(PAGE, at=PAGE, act="add", name="phone", made="")
    assert (status, to) == (307, f"/again?next={PAGE}"), "what the script does then"


async def test_a_passkey_does_when_one_is_asked_again_and_only_with_the_password(room: Room) -> None:
    device = Authenticator(ORIGIN)
    await add(room.ilse, device)
    await forget_asking(room.site)
    form = {"again": "page", "next": "/admin/members", "code": ""}
    assert 'data-passkey="/again/passkey"' in (await room.ilse.get("/again"))[1]

    async def give(password: str, said: str) -> int:
        sent = form | {"token": await room.ilse.token("/again"), "password": password, "passkey": said}
        return (await room.ilse.ask("POST", "/again", sent))[0]

    async def ask() -> Any:
        return (await options(room.ilse, "/again/passkey", "/again"))[1]

    assert await give("not my password", device.answer(await ask())) == 422
    said = device.answer(await ask())
    assert await give(PASSWORD, device.answer(await ask(), challenge=text(b"0" * 32))) == 422
    assert await give(PASSWORD, said) == 422
    assert (await room.ilse.post("/admin/members/invite", at="/admin/members", role="member"))[0] == 307
    assert await give(PASSWORD, device.answer(await ask())) == 303
    assert (await room.ilse.post("/admin/members/invite", at="/admin/members", role="member"))[0] == 200


async def test_guessing_with_passkeys_is_slowed_and_a_wrong_one_is_no_way_around_it(room: Room) -> None:
    device = Authenticator(ORIGIN)
    await add(room.daan, device)
    visitor = await half_way(room, "daan")
    room.site.hold_time_for_guesses()
    found = [(await answer(visitor, "{}"))[0] for _ in range(7)]
    assert (found[:5], 429 in found[5:]) == ([422] * 5, True)
    room.site.runner.app[THROTTLE]._failures.clear()
    assert (await answer(visitor, device.answer(await asked_of(visitor))))[0] == 303


async def test_without_the_library_pages_offer_codes_alone_and_the_passkeys_can_still_be_removed(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = Authenticator(ORIGIN)
    await add(room.daan, device)
    visitor = await half_way(room, "daan")
    said = device.answer(await asked_of(visitor))
    monkeypatch.setattr(ceremony, "LIBRARY", "no_such_library_here")
    _, page = await visitor.get("/login/code")
    assert ("data-passkey" in page, 'name="code"' in page) == (False, True)
    assert (await answer(visitor, said))[0] == 422
    assert (await options(visitor, "/login/passkey", "/login/code"))[0] == 404
    assert (await options(room.daan, f"{PAGE}/new", PAGE))[0] == 404
    _, page = await room.daan.get(PAGE)
    assert ("not installed on this node" in page, "data-passkey" in page) == (True, False)
    [row] = re.findall(r'name="id" value="([^"]+)"', page)[:1]
    assert (await room.daan.post(PAGE, at=PAGE, act="remove", id=row))[0] == 303


async def test_resetting_and_disabling_take_passkeys_away_and_an_older_backup_does_not_bring_them_back(room: Room) -> None:
    await add(room.ilse, Authenticator(ORIGIN))
    person = room.daan.viewer.person_id
    await add(room.daan, Authenticator(ORIGIN))
    assert f"ways-in {person}" in await room.site.kernel.database.read(taken_away.listed, 0)
    path = f"/admin/members/{person}/factor"
    assert path in (await room.ilse.get("/admin/members"))[1]
    assert (await room.ilse.post(path, at=path))[0] == 303
    assert [one for one, *_ in await room.passkeys()] == [room.ilse.viewer.person_id]
    noor = await room.site.member("noor")
    await add(noor, Authenticator(ORIGIN))
    await room.site.write(service.disable, None, noor.viewer.person_id)
    assert [one for one, *_ in await room.passkeys()] == [room.ilse.viewer.person_id]


async def test_a_number_for_an_address_keeps_no_passkeys(tmp_path: Path) -> None:
    async with site(tmp_path) as made:
        daan = await made.member("daan")
        _, page = await daan.get(PAGE)
        assert ("address is a number" in page, "data-passkey" in page) == (True, False)
        headers = {"X-Form-Token": await daan.token("/settings"), "Content-Type": "application/json"}
        assert (await daan.ask("POST", f"{PAGE}/new", None, headers))[0] == 404
