"""Shows what a blocked, a paused, a forbidden and a posing partner can do: nothing; and that everybody else goes on."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.admin import partners as acts
from fedcollab.admin import permissions, trust
from fedcollab.admin.status import status
from fedcollab.base.clock import new_id
from fedcollab.base.errors import Refused
from fedcollab.base.session import Session
from fedcollab.features.discussions import reading, service
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import delivery, partners
from fedcollab.federation.models import ADMITTED, BLOCKED, LEFT, InboxItem
from tests import nodes
from tests.nodes import Here, until
from tests.rows import Hands, memory, node, receive

from .conftest import Scene
from .test_key_rotation import actions, opened, sees


async def words(scene: Scene, thread_id: str) -> list[str]:
    """What a member of ours reads in a thread."""

    def read(session: Session) -> list[str]:
        return [post.html for post in reading.posts(session, scene.here.viewer, thread_id)]

    found: list[str] = await scene.here.read(read)
    return found


async def held(here: Here, state: str = "waiting") -> int:
    return int((await here.sql("SELECT count(*) FROM delivery WHERE state = :state", state=state))[0][0])


@pytest.mark.rule("FED-02")
@pytest.mark.parametrize("state", ["waiting", "early", "parked"])
async def test_a_block_empties_what_came_and_has_had_no_effect_whatever_it_waits_for(scene: Scene, state: str) -> None:
    here, p = scene.here, scene.p
    here.task.cancel()
    await asyncio.gather(here.task, return_exceptions=True)
    came = await scene.create()
    assert await p.send(here, came) == 202
    uri = came["id"]
    await here.read_write(lambda session: session.execute(sa.update(InboxItem).where(InboxItem.uri == uri).values(state=state)) and None)
    await here.write(acts.block, here.viewer, p.url)
    found = await here.sql("SELECT state, body, reason FROM inbox_item WHERE uri = :uri", uri=uri)
    assert found == [("refused", "{}", "the partner was blocked")]


@pytest.mark.rule("FED-02")
async def test_a_block_drops_both_queues_hides_what_is_here_and_refuses_the_partners_key_at_once(scene: Scene) -> None:
    here, p = scene.here, scene.p
    mine = await here.write(service.post_thread, here.viewer, scene.group.id, title="One", text="one")
    context = f"{here.url}/threads/{mine.thread_id}"
    theirs = await scene.create(context=context, inReplyTo=mine.uri)
    assert await p.send(here, theirs) == 202
    assert await scene.stored(theirs)
    assert len(await words(scene, mine.thread_id)) == 2
    await nodes.settled(here)
    await here.write(trust.pause, None, p.url)  # so that something waits to go out
    await here.write(service.post_reply, here.viewer, mine.thread_id, text="queued")
    here.task.cancel()  # so that something waits to be processed
    await asyncio.gather(here.task, return_exceptions=True)
    came = await scene.create(context=context)
    assert await p.send(here, came) == 202
    assert await held(here) == 1
    await here.write(acts.block, here.viewer, p.url)
    assert await p.send(here, await scene.create()) == 403
    assert (await p.get(here, f"/posts/{mine.post_id}"))[0] == 403
    assert await held(here) == 0
    assert await here.sql("SELECT state, reason FROM inbox_item WHERE uri = :uri", uri=came["id"]) == [
        ("refused", "the partner was blocked")
    ]
    assert await here.sql("SELECT body FROM inbox_item WHERE uri = :uri", uri=came["id"]) == [("{}",)]
    assert len(await words(scene, mine.thread_id)) == 2, "ours alone: the one before and the queued one"
    fetched = list(p.fetched)
    assert await p.send(here, await scene.create(), actor=p.uri("/actor")) == 403
    assert p.fetched == fetched, "nothing is asked there either"


@pytest.mark.rule("FED-02")
async def test_what_was_taken_in_at_the_very_moment_of_a_block_has_no_effect(scene: Scene) -> None:
    """The request was authenticated before, and stored after the block."""
    from fedcollab.actors import service as actors

    activity = await scene.create()
    await scene.here.write(acts.block, None, scene.p.url)

    def late(session: Session, at: Any) -> None:
        author = actors.by_uri(session, scene.author)
        assert author is not None
        receive(session, at, author, activity)

    before = await scene.here.tables()
    await scene.here.write(late)
    assert not await scene.stored(activity)
    assert await scene.here.tables() == before | {"inbox_item": before["inbox_item"] + 1}
    await scene.here.write(acts.change, None, scene.p.url, ADMITTED)
    await scene.twin()


async def test_a_paused_partner_is_heard_and_sent_nothing_until_it_is_sent_to_again(scene: Scene) -> None:
    here, p = scene.here, scene.p
    await here.write(trust.pause, here.viewer, p.url)
    seen = len(p.received)
    posted = await here.write(service.post_thread, here.viewer, scene.group.id, title="One", text="paused")
    await scene.twin()
    assert (await here.read(delivery.next_due, here.kernel.node.now())) is None, "nobody wakes for it"
    assert len(p.received) == seen
    assert await here.sql("SELECT state FROM partner") == [(ADMITTED,)]
    await here.write(trust.resume, here.viewer, p.url)
    await until("it has come", lambda: _there(p, posted.uri))
    assert (await actions(here)).count("partner.pause") == (await actions(here)).count("partner.resume") == 1


async def _there(p: nodes.Rogue, uri: str) -> bool:
    return uri in str(p.received)


async def test_leaving_while_paused_still_tells_the_partner(scene: Scene) -> None:
    await scene.here.write(trust.pause, None, scene.p.url)
    await scene.here.write(acts.change, None, scene.p.url, LEFT)
    await until("the Undo", lambda: _there(scene.p, "Undo"))


async def test_a_partner_without_discussions_is_in_no_group_is_sent_nothing_and_not_heard(scene: Scene) -> None:
    here, p = scene.here, scene.p
    posted = await here.write(service.post_thread, here.viewer, scene.group.id, title="One", text="before")
    await until("it has come", lambda: _there(p, posted.uri))
    mine = await scene.create(inReplyTo=posted.uri, context=f"{here.url}/threads/{posted.thread_id}")
    assert await p.send(here, mine) == 202
    assert await scene.stored(mine)
    await here.write(permissions.allow, None, p.url, [])
    seen = len(p.received)
    assert (await p.get(here, f"/groups/{scene.group.id}"))[0] == 404
    await here.write(service.post_reply, here.viewer, posted.thread_id, text="after")
    later = await here.group("later")
    assert await here.sql("SELECT count(*) FROM audience_member WHERE organisation_id <> :me", me=here.viewer.organisation_id) == [(0,)]
    refused = await scene.create()
    assert await p.send(here, refused) == 202
    assert not await scene.stored(refused)
    assert await here.sql("SELECT reason FROM inbox_item WHERE uri = :uri", uri=refused["id"]) == [
        ("the partner may not take part in this",)
    ]
    assert [a for a in p.received[seen:] if "after" in str(a) or later.uri in str(a)] == []
    uri = mine["object"]["id"]  # type: ignore[index]
    taken = ap.activity("Delete", p.uri(f"/a/{new_id()}"), scene.author, {"id": uri, "type": "Tombstone"})
    assert await p.send(here, p.prove(taken, scene.author)) == 202
    await here.quiet()
    assert await here.sql("SELECT deleted_at IS NOT NULL FROM post WHERE uri = :uri", uri=uri) == [(1,)], "deletions are still heard"
    await here.write(permissions.allow, None, p.url, ["discussions"])
    await scene.twin()


async def test_what_waits_of_a_feature_is_dropped_with_its_permission_and_deletions_still_go(scene: Scene) -> None:
    here, p = scene.here, scene.p
    posted = await here.write(service.post_thread, here.viewer, scene.group.id, title="One", text="sent")
    await until("it has come", lambda: _there(p, posted.uri))
    await here.write(trust.pause, None, p.url)
    await here.write(service.post_reply, here.viewer, posted.thread_id, text="never sent")
    await here.write(service.delete, here.viewer, posted.post_id)
    await here.write(permissions.allow, None, p.url, [])
    await here.write(trust.resume, None, p.url)
    await until("the deletion has come", lambda: _there(p, "Tombstone"))
    assert "never sent" not in str(p.received)


async def test_nothing_is_written_in_the_group_of_a_partner_without_discussions(tmp_path: Any) -> None:
    async with nodes.running(tmp_path, "Host", "B") as (host, b):
        _, at_b = await opened(host, b)
        await b.write(permissions.allow, b.viewer, host.url, [])
        before = await b.tables()
        with pytest.raises(Refused, match="are switched off here"):
            await b.write(service.post_reply, b.viewer, at_b, text="no")
        assert await b.tables() == before
        await b.write(permissions.allow, b.viewer, host.url, ["discussions"])
        posted = await b.write(service.post_reply, b.viewer, at_b, text="yes")
        await until("it has come", lambda: sees(host, posted.uri))


@pytest.mark.rule("FED-07")
async def test_a_partners_organisation_cannot_speak_for_its_people(scene: Scene) -> None:
    before = await scene.here.tables()
    for key in ("rsa", "ed25519"):
        assert await scene.p.send(scene.here, await scene.create(), actor=scene.p.uri("/actor"), key=key) == 401
    bare = {n: v for n, v in (await scene.create()).items() if n != "actor"}
    assert await scene.p.send(scene.here, bare, actor=scene.p.uri("/actor")) == 202, "without an actor it is the organisation's own"
    await scene.here.quiet()
    assert await scene.here.tables() == before | {"inbox_item": before["inbox_item"] + 1}
    await scene.twin()


@pytest.mark.rule("HOST-10")
async def test_a_host_below_or_beside_a_partners_is_a_stranger(tmp_path: Any) -> None:
    p = await nodes.rogue()
    here = await nodes.start(tmp_path, peers=(p.port,))
    await nodes.admit(here, p)

    def rename(session: Session, _node: object) -> None:
        import sqlalchemy as sa

        session.execute(sa.text("UPDATE partner SET host = 'p.example'"))

    await here.write(rename)
    before = await here.tables()
    for host in ("https://sub.p.example", "https://p.example.evil.example", "https://xp.example", "https://p.example:8443"):
        signer = p.signers[p.uri("/actor")]["rsa"]
        p.signers[host] = {"rsa": nodes.keys.Signer(f"{host}/actor#main-key", "rsa", signer.key)}
        activity = ap.activity("Follow", f"{host}/a/1", f"{host}/actor", here.url + "/actor")
        assert await p.send(here, activity, actor=host) == 403, host
    assert await here.tables() == before
    assert len(await here.sql("SELECT host FROM application")) == 4
    await here.stop()
    await p.stop()


@pytest.mark.rule("HOST-01")
async def test_a_look_alike_of_a_partner_that_knocks_is_not_the_partner_and_is_shown_with_a_warning(scene: Scene) -> None:
    p, here = scene.p, scene.here

    def rename(session: Session, _node: object) -> None:
        import sqlalchemy as sa

        session.execute(sa.text("UPDATE partner SET host = 'casa.example'"))

    await here.write(rename)
    before = await here.tables()
    for spelt in ("https://xn--s-7sbb9d.example", "https://саsа.example", "https://casa.examp1e"):
        signer = p.signers[p.uri("/actor")]["rsa"]
        p.signers["it"] = {"rsa": nodes.keys.Signer(f"{spelt}/actor#main-key", "rsa", signer.key)}
        activity = ap.activity("Follow", f"{spelt}/a/1", f"{spelt}/actor", here.url + "/actor")
        assert await p.send(here, activity, actor="it") == 403
    assert await here.tables() == before
    found = (await here.read(status))["applications"]
    assert {(line["host"], line["readable"], line["resembles"]) for line in found} == {
        ("xn--s-7sbb9d.example", "саsа.example", "casa.example"),
        ("casa.examp1e", "", "casa.example"),
    }


def test_invented_hosts_push_out_inventions_and_nobody_who_knocks_again() -> None:
    with memory() as session:
        clock = Hands()
        partners.knock(session, node(clock), "twice.example", "u")
        partners.knock(session, node(clock), "once.example", "u")
        partners.knock(session, node(clock), "twice.example", "u")
        for number in range(500):
            clock.at += 1
            partners.knock(session, node(clock), f"x{number}.example", "u")
        found = [str(one["host"]) for one in partners.applications(session)]
        assert len(found) == 100
        assert "twice.example" in found
        assert "once.example" not in found
        assert found[:99] == [f"x{number}.example" for number in range(499, 400, -1)]


async def test_a_blocked_partner_stays_blocked_whoever_asks_twice(scene: Scene) -> None:
    await scene.here.write(acts.change, None, scene.p.url, BLOCKED)
    before = await scene.here.tables()
    for _ in range(3):
        assert await scene.p.send(scene.here, await scene.create()) == 403
    assert await scene.here.tables() == before
    assert await scene.here.sql("SELECT count(*) FROM application") == [(0,)]
