"""Shows what partners learn of each other's people, and what blocking and leaving do, between running nodes."""

from pathlib import Path
from typing import Any

import pytest

from fedcollab.actors import service as actors
from fedcollab.admin import partners as acts
from fedcollab.base.errors import Refused
from fedcollab.features.discussions import groups, looking, reading, service
from fedcollab.features.members import service as members
from fedcollab.federation import follows, partners
from fedcollab.federation.models import ADMITTED, LEFT
from tests import nodes
from tests.nodes import Here, until


async def counted(here: Here, uri: str) -> list[tuple[str, int]]:
    """(organisation, people) as the signed list of a group says on this node."""

    def read(session: Any) -> list[tuple[str, int]]:
        found = next((g for g in reading.groups(session, here.viewer) if g.actor.uri == uri), None)
        return [(o.name, o.people) for o in groups.inside(session, found.document)] if found else []

    return sorted(await here.read(read))


async def sees(here: Here, uri: str) -> bool:
    return bool(await here.sql("SELECT 1 FROM post WHERE uri = :uri AND confirmed_at IS NOT NULL", uri=uri))


async def reads(here: Here, thread_uri: str) -> list[str]:
    """The authors that a member finds in a thread."""

    def read(session: Any) -> list[str]:
        found = {t.uri: t.id for t in reading.newest(session, here.viewer)}
        return [post.author for post in reading.posts(session, here.viewer, found[thread_uri])] if thread_uri in found else []

    return await here.read(read)


async def test_everybody_counts_the_same_people_in_a_group(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "A", "B", "C") as (a, b, c):
        group = await a.group()
        await nodes.befriend(a, b)
        await nodes.befriend(a, c)
        once = [("A", 1), ("B", 1), ("C", 1)]
        for one in (a, b, c):
            await until("the list is complete", lambda one=one: _equals(counted(one, group.uri), once))
        for number in range(3):
            await b.write(members.add_member, None, username=f"m{number}", name="M", roles=["member"])
        await a.write(members.add_member, None, username="n", name="N", roles=["member"])
        await until("B has told", lambda: a.sql("SELECT 1 FROM partner WHERE people = 4"))
        await a.write(groups.renew_lists)
        for one in (a, b, c):
            await until("the new numbers", lambda one=one: _equals(counted(one, group.uri), [("A", 2), ("B", 4), ("C", 1)]))
        before = await a.tables()
        await a.write(groups.renew_lists)
        assert await a.tables() == before, "nothing is sent where nothing changed"


async def _equals(found: Any, wanted: object) -> bool:
    return bool(await found == wanted)


async def test_a_partner_cannot_count_itself_negative_or_beyond_a_million(tmp_path: Path) -> None:
    p = await nodes.rogue()
    here = await nodes.start(tmp_path, peers=(p.port,))
    await nodes.admit(here, p)
    for people in (-1, 10**9, "7", None, True):
        update = nodes.ap.activity("Update", p.uri(f"/activities/{nodes.new_id()}"), p.uri("/actor"), p.documents["/actor"])
        assert await p.send(here, update | {nodes.ap.PEOPLE: people}) == 202
        await here.quiet()
        assert await here.sql("SELECT people FROM partner") == [(0,)], people
    good = nodes.ap.activity("Update", p.uri(f"/activities/{nodes.new_id()}"), p.uri("/actor"), p.documents["/actor"])
    assert await p.send(here, good | {nodes.ap.PEOPLE: 12}) == 202
    await here.quiet()
    assert await here.sql("SELECT people FROM partner") == [(12,)]
    await here.stop()
    await p.stop()


async def test_an_organisation_met_through_a_host_can_be_blocked_and_shown_again(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Host", "B", "C") as (host, b, c):
        group = await host.group()
        await nodes.befriend(host, b)
        await nodes.befriend(host, c)
        opener = await host.write(service.post_thread, host.viewer, group.id, title="T", text="Hello")
        thread = f"{host.url}/threads/{opener.thread_id}"
        await until("the opener at C", lambda: sees(c, opener.uri))
        row = await c.read(reading.post_by_uri, c.viewer, opener.uri)
        answer = await c.write(service.post_reply, c.viewer, row.thread_id, text="From C")
        await until("the answer at B", lambda: sees(b, answer.uri))
        await until("the receipt at C", lambda: sees(c, answer.uri))
        assert (await c.read(reading.around, c.viewer, row.thread_id)).read_place == 0, "the opener is new there"
        met = await b.read(partners.introduced)
        assert [(o.name, o.through, o.blocked) for o in met] == [("C", "Host", False)]
        await b.write(acts.block, b.viewer, c.url)
        assert len(await reads(b, thread)) == 1
        assert len(await reads(host, thread)) == 2
        assert [o.blocked for o in await b.read(partners.introduced)] == [True]
        await b.write(acts.unblock, b.viewer, c.url + "/actor")
        assert len(await reads(b, thread)) == 2
        actions = [action for (action,) in await b.sql("SELECT action FROM audit_entry")]
        assert actions[-2:] == ["organisation.block", "organisation.unblock"]


async def test_whom_a_host_introduced_is_known_first_hand_once_their_organisation_is_admitted(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Host", "B", "C") as (host, b, c):
        group = await host.group()
        await nodes.befriend(host, b)
        await nodes.befriend(host, c)
        opener = await host.write(service.post_thread, host.viewer, group.id, title="T", text="Hello")
        await until("the opener at C", lambda: sees(c, opener.uri))
        row = await c.read(reading.post_by_uri, c.viewer, opener.uri)
        answer = await c.write(service.post_reply, c.viewer, row.thread_id, text="From C")
        await until("the answer at B", lambda: sees(b, answer.uri))
        known = "SELECT known, through_id FROM actor WHERE kind = 'Person' AND host = :host"
        assert [known for known, _ in await b.sql(known, host=c.host)] == ["introduced"]
        await acts.add(b.kernel, b.viewer, c.url, approve=True)
        assert await b.sql(known, host=c.host) == [("partner", None)]


async def test_a_blocked_partners_groups_are_not_shown(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Host", "B") as (host, b):
        group = await host.group("open", "TLP:CLEAR")
        await nodes.befriend(host, b)
        await until("the group at B", lambda: counted(b, group.uri))
        await b.write(acts.block, b.viewer, host.url)
        assert await b.read(reading.groups, b.viewer) == []
        await b.write(acts.unblock, b.viewer, host.url)
        assert [p.state for p in await b.read(partners.listed)] == [LEFT]


async def test_a_partnership_that_ends_is_told_and_what_waited_is_never_sent(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Host", "B") as (host, b):
        group = await host.group()
        await nodes.befriend(host, b)
        opener = await host.write(service.post_thread, host.viewer, group.id, title="T", text="Hello")
        await until("the opener at B", lambda: sees(b, opener.uri))
        row = await b.read(reading.post_by_uri, b.viewer, opener.uri)
        await b.write(acts.change, b.viewer, host.url, LEFT)
        await until("the Undo has come", lambda: _nobody_follows(host))
        assert "no longer partners" in (await b.read(looking.conversation, b.viewer, row.thread_id, 1, 1)).closed
        with pytest.raises(Refused, match="no longer partners"):
            await b.write(service.post_reply, b.viewer, row.thread_id, text="Too late")
        await host.write(acts.change, host.viewer, b.url, LEFT)
        later = await host.write(service.post_thread, host.viewer, group.id, title="Later", text="For us")
        assert await host.sql("SELECT count(*) FROM delivery WHERE state = 'waiting' AND order_key <> 'follows'") == [(0,)]
        await host.write(acts.change, host.viewer, b.url, ADMITTED)
        await b.write(acts.change, b.viewer, host.url, ADMITTED)
        await until("B follows again", lambda: _followed(host))
        again = await host.write(service.post_thread, host.viewer, group.id, title="Again", text="Welcome back")
        await until("partners again", lambda: sees(b, again.uri))
        assert not await sees(b, later.uri)
        assert (await b.read(looking.conversation, b.viewer, row.thread_id, 1, 1)).closed == ""


async def _nobody_follows(host: Here) -> bool:
    return not await _followed(host)


async def _followed(host: Here) -> bool:
    return bool(await host.sql("SELECT 1 FROM follow WHERE target_id = :me AND state = 'accepted'", me=host.viewer.organisation_id))


async def test_who_begins_to_follow_is_sent_our_groups_and_nobody_else_is_told(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Meridian Outreach", "Casa Ladera", "Kivuli Support") as (host, first, second):
        for slug in ("leads", "advice"):
            await host.group(slug)
        await nodes.befriend(host, first)
        await nodes.until("both groups", lambda: first.sql("SELECT 1 WHERE (SELECT count(*) FROM actor WHERE kind = 'Group') = 2"))
        sent = "SELECT count(*) FROM delivery d JOIN partner p ON p.id = d.partner_id WHERE p.host = :host"
        await nodes.befriend(host, second)
        await nodes.until("both groups", lambda: second.sql("SELECT 1 WHERE (SELECT count(*) FROM actor WHERE kind = 'Group') = 2"))
        before = (await host.sql(sent, host=first.host))[0][0]
        row = await second.read(actors.by_uri, host.url + "/actor")
        await second.write(follows.unfollow, row)
        await second.write(follows.follow, row)
        again = "SELECT 1 FROM follow WHERE state = 'accepted' AND follower_id = :me"
        await nodes.until("followed again", lambda: second.sql(again, me=second.viewer.organisation_id))
        assert (await host.sql(sent, host=first.host))[0][0] == before
