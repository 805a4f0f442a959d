"""Shows how an Organization's keys change: published, accepted, in use, the old ones refused; and whatever tries to get round it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fedcollab.admin import trust
from fedcollab.base.clock import DAY, iso, new_id, system_clock
from fedcollab.base.errors import Conflict, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.features.discussions import reading, service
from fedcollab.features.members import service as members
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import offers, partners, profiles, proofs, succession
from tests import nodes
from tests.nodes import Here, Rogue, until
from tests.rows import Hands

from .conftest import Scene


async def sees(here: Here, uri: str) -> bool:
    return bool(await here.sql("SELECT 1 FROM post WHERE uri = :uri AND confirmed_at IS NOT NULL", uri=uri))


async def actions(here: Here) -> list[str]:
    return [action for (action,) in await here.sql("SELECT action FROM audit_entry ORDER BY seq")]


async def states(here: Here, uri: str) -> list[tuple[Any, ...]]:
    """(state, how many) of the keys of an organisation."""
    query = "SELECT k.state, count(*) FROM actor_key k JOIN actor a ON a.id = k.actor_id WHERE a.uri = :uri GROUP BY k.state ORDER BY 1"
    return await here.sql(query, uri=uri)


async def offered(here: Here) -> bool:
    return bool(await here.sql("SELECT 1 FROM key_offer"))


async def talk(one: Here, other: Here, thread_id: str, text: str) -> str:
    """An answer that is seen on both nodes."""
    posted = await one.write(service.post_reply, one.viewer, thread_id, text=text)
    for here in (one, other):
        await until(f"the answer {text}", lambda here=here: sees(here, posted.uri))
    return str(posted.uri)


async def opened(host: Here, *others: Here) -> list[str]:
    """A thread in a group of the host; its row ids on the host and on the others."""
    group = await host.group()
    for other in others:
        await nodes.befriend(host, other)
    opener = await host.write(service.post_thread, host.viewer, group.id, title="T", text="Hello")
    rows = []
    for other in others:
        await until("the opener", lambda other=other: sees(other, opener.uri))
        rows.append((await other.read(reading.post_by_uri, other.viewer, opener.uri)).thread_id)
    return [opener.thread_id, *rows]


async def test_new_keys_are_published_accepted_and_take_over_with_nothing_lost(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "A", "B") as (a, b):
        at_a, at_b = await opened(a, b)
        before = await a.read(succession.status, a.kernel.node)
        made = await a.write(succession.rotate, a.viewer)
        assert (made.keys, made.missing, made.accepted) == (before.keys, [b.host], [])
        with pytest.raises(Conflict, match="published already"):
            await a.write(succession.rotate, a.viewer)
        await until("the offer", lambda: offered(b))
        await talk(a, b, at_a, "while it waits")
        await b.write(trust.accept_keys, b.viewer, a.url)
        await until("A signs with the new keys", lambda: _in_use(a, made.successor))
        await until("the old ones are refused at B", lambda: _is(states(b, a.url + "/actor"), [("current", 2), ("old", 2)]))
        await talk(a, b, at_a, "from A")
        await talk(b, a, at_b, "from B")
        fresh = await a.write(members.add_member, None, username="nina", name="Nina", roles=["member"])
        nina = await _viewer(a, fresh.person_id)
        posted = await a.write(service.post_reply, nina, at_a, text="from somebody new")
        await until("the new person's post", lambda: sees(b, posted.uri))
        assert await a.sql("SELECT count(*) FROM delivery WHERE state IN ('refused', 'parked')") == [(0,)]
        assert await a.sql("SELECT count(*) FROM actor_key WHERE state = 'old' AND sealed_private IS NOT NULL") == [(0,)]
        assert [act for act in await actions(b) if "keys" in act] == [
            "partner.keys_offered",
            "partner.keys_accepted",
            "partner.keys_changed",
        ]
        assert [act for act in await actions(a) if act.startswith("key.")] == ["key.rotate", "key.changed"]


async def _in_use(here: Here, fingerprint: str) -> bool:
    return bool((await here.read(succession.status, here.kernel.node)).keys == fingerprint)


async def _is(found: Any, wanted: object) -> bool:
    return bool(await found == wanted)


async def _viewer(here: Here, person_id: str) -> Any:
    from fedcollab.access.viewer import Viewer

    return Viewer(here.viewer.organisation_id, person_id, frozenset({"member"}), "Nina")


@dataclass
class Shifted:
    """A clock that runs, and can be set forward."""

    by: int = 0

    def __call__(self) -> int:
        return system_clock() + self.by


async def test_who_did_not_accept_in_time_takes_nothing_by_the_new_keys_until_the_yes_and_then_everything(tmp_path: Path) -> None:
    clock = Shifted()
    ports = [nodes.free_port(), nodes.free_port()]
    a, b = [await nodes.start(tmp_path, port=port, peers=tuple(ports), clock=clock) for port in ports]
    try:
        at_a, _ = await opened(a, b)
        made = await a.write(succession.rotate, a.viewer, 1)
        await until("the offer", lambda: offered(b))
        clock.by += DAY
        await a.write(succession.turn_when_due)
        assert await _in_use(a, made.successor)
        posted = await a.write(service.post_reply, a.viewer, at_a, text="with the new keys")
        await until("B refuses the new keys", lambda: a.sql("SELECT 1 FROM partner WHERE last_error LIKE 'answered 401%'"))
        assert (await b.read(partners.find, a.url)).state == "admitted", "the old keys had signed the new ones"
        await b.write(trust.accept_keys, b.viewer, a.url)
        clock.by += DAY // 4
        a.kernel.database.wakes.event("delivery").set()
        await until("what waited has come", lambda: sees(b, posted.uri))
        assert await states(b, a.url + "/actor") == [("current", 2), ("old", 2)]
        await until("nothing is left", lambda: _is(a.sql("SELECT count(*) FROM delivery WHERE state <> 'done'"), [(0,)]))
    finally:
        await a.stop()
        await b.stop()


async def test_the_keys_do_not_turn_before_all_have_accepted_or_the_grace_ends(tmp_path: Path) -> None:
    clock = Hands(system_clock())
    p = await nodes.rogue()
    here = await nodes.start(tmp_path, clock=clock, peers=(p.port,))
    try:
        await nodes.admit(here, p)
        made = await here.write(succession.rotate, None, 14)
        for days in (0, 7, 13.9):
            clock.at = made.until - int((14 - days) * DAY)
            await here.write(succession.turn_when_due)
            assert not await _in_use(here, made.successor), days
        clock.at = made.until - DAY // 1000
        await here.write(succession.turn_when_due)
        assert await _in_use(here, made.successor)
        for wrong in (0, 91, -1):
            with pytest.raises(Refused, match="1 to 90"):
                await here.write(succession.rotate, None, wrong)
    finally:
        await here.stop()
        await p.stop()


async def test_who_comes_to_know_an_organisation_while_its_keys_change_accepts_the_new_ones_too(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "A", "B", "Third") as (a, b, third):
        await nodes.befriend(a, third)  # who does not accept, so that the keys do not turn
        made = await a.write(succession.rotate, a.viewer)
        await nodes.befriend(a, b)
        assert await offered(b)
        await b.write(trust.accept_keys, b.viewer, a.url)
        await until("A knows", lambda: _is(_accepted(a), ([b.host], [third.host])))
        await third.write(trust.accept_keys, third.viewer, a.url)
        await until("A signs with the new keys", lambda: _in_use(a, made.successor))


async def _accepted(here: Here) -> tuple[list[str], list[str]]:
    found = await here.read(succession.status, here.kernel.node)
    return found.accepted, found.missing


async def test_who_knows_an_organisation_by_introduction_follows_its_keys(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Host", "A", "C") as (host, a, c):
        rows = await opened(host, a, c)
        await talk(a, c, rows[1], "before")
        made = await a.write(succession.rotate, a.viewer)
        await until("the offer", lambda: offered(host))
        await host.write(trust.accept_keys, host.viewer, a.url)
        await until("A has turned", lambda: _in_use(a, made.successor))
        await until("the host knows", lambda: _is(states(host, a.url + "/actor"), [("current", 2), ("old", 2)]))
        fresh = await a.write(members.add_member, None, username="nina", name="Nina", roles=["member"])
        posted = await a.write(service.post_reply, await _viewer(a, fresh.person_id), rows[1], text="somebody new")
        await until("C believes the new keys", lambda: sees(c, posted.uri))
        assert await c.sql("SELECT known FROM actor WHERE uri = :uri", uri=a.url + "/actor") == [("introduced",)]


def successor(p: Rogue, *, by: str = "", days: float = 14, **more: object) -> dict[str, Any]:
    """P's Organization makes new keys and signs them; its signers are the new ones afterwards, the old ones stand under `old`."""
    uri, old_document = p.uri("/actor"), p.documents["/actor"]
    old = p.signers[uri]
    p.actor("/actor", "Organization", name="Tamarind")
    fresh, listed = p.signers[uri], p.documents["/actor"]
    coming = [dict(listed["publicKey"]), dict(listed["assertionMethod"][0])]
    for key, kind in zip(coming, ("rsa", "ed25519"), strict=True):
        key["id"] = f"{uri}#{kind}-2"
        fresh[kind] = nodes.keys.Signer(key["id"], kind, fresh[kind].key)
    p.signers[uri], p.signers["old"], p.signers["new"] = old, old, fresh
    bare = {name: part for name, part in old_document.items() if name != "proof"}
    made = bare | {ap.SUCCESSOR: coming, ap.UNTIL: iso(system_clock() + int(days * DAY))} | more
    p.documents["/actor"] = proofs.prove({n: v for n, v in made.items() if v is not None}, p.signers[by or uri]["ed25519"], system_clock())
    return p.documents["/actor"]


def update(p: Rogue, document: dict[str, Any]) -> dict[str, Any]:
    return ap.activity("Update", p.uri(f"/activities/{new_id()}"), p.uri("/actor"), document)


async def changed(scene: Scene) -> dict[str, Any]:
    """P's keys have changed, with the admin's yes; the old document, which the old key can sign again."""
    p, here = scene.p, scene.here
    old = p.documents["/actor"]
    assert await p.send(here, update(p, successor(p)), actor="old") == 202
    await until("the offer", lambda: offered(here))
    await here.write(trust.accept_keys, here.viewer, p.url)
    await until("P is told", lambda: _told(p))
    p.signers[p.uri("/actor")] = p.signers["new"]
    assert await p.send(here, update(p, old), actor="old") == 202, "both are believed until the new one is used"
    assert await p.send(here, ap.activity("Undo", p.uri(f"/a/{new_id()}"), p.uri("/actor"), {"type": "Like"}), actor="new") == 202
    return old


async def _told(p: Rogue) -> bool:
    return any(a["type"] == "Accept" and a["object"].get(ap.KEYS) for a in p.received)


@pytest.mark.rule("SIG-16")
async def test_an_old_key_is_refused_from_the_first_request_of_the_new_one_and_restores_nothing(scene: Scene) -> None:
    p, here = scene.p, scene.here
    old = await changed(scene)
    await here.quiet()
    before = await here.tables()
    restored = proofs.prove({n: v for n, v in old.items() if n != "proof"}, p.signers["old"]["ed25519"], system_clock())
    for kind in ("rsa", "ed25519"):
        assert await p.send(here, update(p, restored), actor="old", key=kind) == 401
        assert await p.send(here, p.create(scene.author, scene.group.uri), actor="old", key=kind) == 401
    assert await here.tables() == before | {"audit_entry": before["audit_entry"] + 2}, "on record once for each key, not for each try"
    assert (await actions(here))[-2:] == ["partner.old_key"] * 2
    assert await p.send(here, update(p, restored), actor="new") == 202, "signed by the new key, but proved by the old one"
    await here.quiet()
    assert await here.sql("SELECT state FROM inbox_item ORDER BY id DESC LIMIT 1") == [("refused",)]
    assert await states(here, p.uri("/actor")) == [("current", 2), ("old", 2)]
    assert (await here.read(partners.find, p.url)).state == "admitted"
    await scene.twin()


@pytest.mark.rule("SIG-16")
async def test_an_old_key_is_refused_at_its_stated_end_though_the_new_one_was_never_used(scene: Scene) -> None:
    p, here = scene.p, scene.here
    assert await p.send(here, update(p, successor(p)), actor="old") == 202
    await until("the offer", lambda: offered(here))
    await here.write(trust.accept_keys, here.viewer, p.url)
    assert await p.send(here, update(p, p.documents["/actor"]), actor="old") == 202

    def end(session: Session, _node: object) -> None:
        import sqlalchemy as sa

        session.execute(sa.text("UPDATE actor_key SET until = 1 WHERE until IS NOT NULL"))

    await here.write(end)
    assert await p.send(here, update(p, p.documents["/actor"]), actor="old") == 401
    await here.write(offers.end_old)
    assert await states(here, p.uri("/actor")) == [("current", 2), ("old", 2)]
    await scene.twin()


@pytest.mark.parametrize(
    ("by", "more"),
    [
        ("new", {}),
        ("person", {}),
        ("", {ap.UNTIL: None}),
        ("", {ap.UNTIL: "2020-01-01T00:00:00Z"}),
        ("", {ap.UNTIL: "2099-01-01T00:00:00Z"}),
        ("", {ap.SUCCESSOR: [{"id": "https://e.example/k", "owner": "x", "publicKeyPem": "y"}]}),
        ("", {ap.SUCCESSOR: "x"}),
    ],
)
async def test_a_successor_that_no_pinned_key_has_signed_or_that_has_no_end_is_not_offered(
    scene: Scene, by: str, more: dict[str, object]
) -> None:
    p, here = scene.p, scene.here
    p.signers["person"] = p.signers[scene.author]
    before = await here.sql("SELECT uri, public, state FROM actor_key ORDER BY uri")
    assert await p.send(here, update(p, successor(p, by=by, **more)), actor="old") == 202
    await here.quiet()
    assert not await offered(here)
    with pytest.raises(NotFound):
        await here.write(trust.accept_keys, here.viewer, p.url)
    assert await here.sql("SELECT uri, public, state FROM actor_key ORDER BY uri") == before
    await scene.twin()


async def test_the_yes_is_to_the_keys_that_the_admin_saw(scene: Scene) -> None:
    p, here = scene.p, scene.here
    assert await p.send(here, update(p, successor(p)), actor="old") == 202
    await until("the offer", lambda: offered(here))
    offer = await here.read(lambda session: offers.waiting(session, partners.find(session, p.url).id))
    with pytest.raises(Conflict, match="Other keys wait now"):
        await here.write(trust.accept_keys, here.viewer, p.url, "0" * 64)
    assert await states(here, p.uri("/actor")) == [("current", 2)]
    await here.write(trust.accept_keys, here.viewer, p.url, offer.keys)
    assert await states(here, p.uri("/actor")) == [("current", 2), ("next", 2)]


def test_a_change_of_keys_is_followed_only_with_the_signature_of_those_before() -> None:
    one, other = _organisation(), _organisation()
    leaving = _proved(one["document"] | {ap.SUCCESSOR: profiles.key_objects(URI, other["keys"])}, one)
    good = profiles.parse(_proved(other["document"] | {ap.SUCCEEDS: leaving}, other))
    assert profiles.succeeds(good, one["keys"])
    assert not profiles.succeeds(good, other["keys"]), "pinned is another"
    forged = _proved(one["document"] | {ap.SUCCESSOR: profiles.key_objects(URI, other["keys"])}, other)
    for wrong in (forged, leaving | {"name": "Changed"}, {}, "x", one["document"]):
        assert not profiles.succeeds(profiles.parse(_proved(other["document"] | {ap.SUCCEEDS: wrong}, other)), one["keys"]), wrong
    third = _organisation()
    assert not profiles.succeeds(profiles.parse(_proved(third["document"] | {ap.SUCCEEDS: leaving}, third)), one["keys"])
    assert not profiles.succeeds(profiles.parse(_proved(other["document"] | {ap.SUCCEEDS: leaving}, third)), one["keys"])


URI = "https://p.example/actor"


def _organisation() -> dict[str, Any]:
    from tests.rows import ed_public, ed_signer

    signer = ed_signer(URI + f"#{new_id()}")
    signer = nodes.keys.Signer(signer.uri.removesuffix("#ed25519-key"), signer.kind, signer.key)
    found = {signer.uri: ("ed25519", ed_public(signer))}
    document = {"@context": ap.CONTEXT, "id": URI, "type": "Organization", "inbox": URI + "/inbox"}
    return {"signer": signer, "keys": found, "document": document | {"assertionMethod": profiles.key_objects(URI, found)}}


def _proved(document: dict[str, Any], by: dict[str, Any]) -> dict[str, Any]:
    return proofs.prove(document, by["signer"], system_clock())
