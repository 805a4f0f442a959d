"""Shows that each node confirms a deletion or a narrowed label, that its author sees who has, and that nobody confirms for others."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.base.clock import DAY, HOUR, new_id
from fedcollab.base.errors import Conflict, NotFound
from fedcollab.features.discussions import groups, reading, service
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import queue, receipts
from fedcollab.federation.models import Partner
from tests import nodes

from .conftest import Scene


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[list[nodes.Here]]:
    """A group's host and two partners of it that do not know each other."""
    async with nodes.running(tmp_path, "Meridian Outreach", "Casa Ladera", "Kivuli Support") as made:
        for one in made[1:]:
            await nodes.befriend(made[0], one)
        yield made


async def shared(line: list[nodes.Here], label: str = "TLP:GREEN") -> tuple[service.Posted, str]:
    """A post by the second node's member in the first one's group, which all have; and the group's id."""
    host, author, reader = line
    group = await host.group(label=label)
    wanted = "SELECT id FROM actor WHERE kind = 'Group'"
    for one in (author, reader):
        await nodes.until("the group", lambda one=one: one.sql(wanted))
    posted = await author.write(service.post_thread, author.viewer, (await author.sql(wanted))[0][0], title="One", text="one")
    for one in (host, reader):
        await nodes.until("the post", lambda one=one: one.sql("SELECT 1 FROM post WHERE html = '<p>one</p>'"))
    await nodes.until("the echo", lambda: author.sql("SELECT 1 FROM post WHERE confirmed_at IS NOT NULL"))
    return posted, group.id


async def said(here: nodes.Here, uri: str, after: int = 0) -> dict[str, str]:
    """{name: confirmed, late or sent} as the author's page reads it so long after."""
    found = await here.read(receipts.of, here.kernel.node.now() + after, [uri])
    return {one.name: "confirmed" if one.confirmed_at else "late" if one.late else "sent" for one in found.get(uri, [])}


async def test_an_author_sees_that_each_node_has_deleted_and_which_has_not(line: list[nodes.Here]) -> None:
    host, author, reader = line
    posted, _ = await shared(line)
    away = sa.update(Partner).where(Partner.host == reader.host)
    await host.read_write(lambda session: session.execute(away.values(paused_at=1)))
    await author.write(service.delete, author.viewer, posted.post_id)
    await nodes.until("the host's", lambda: author.sql("SELECT 1 FROM receipt WHERE state = 'confirmed'"))
    await nodes.until("whom it asks", lambda: author.sql("SELECT 1 WHERE (SELECT count(*) FROM receipt) = 2"))
    assert await said(author, posted.uri) == {"Meridian Outreach": "confirmed", "Kivuli Support": "sent"}
    assert await said(author, posted.uri, after=DAY + HOUR) == {"Meridian Outreach": "confirmed", "Kivuli Support": "late"}
    assert await said(host, posted.uri) == {"Kivuli Support": "sent"}
    await host.write(queue.pause, on=False)
    for here, names in ((host, ["Kivuli Support"]), (author, ["Kivuli Support", "Meridian Outreach"])):
        everybody = dict.fromkeys(names, "confirmed")

        async def all_have(here: nodes.Here = here, everybody: dict[str, str] = everybody) -> bool:
            return await said(here, posted.uri) == everybody

        await nodes.until("all confirmed", all_have)
    assert await reader.sql("SELECT html FROM post") == [("",)]
    assert await reader.sql("SELECT count(*) FROM inbox_item WHERE state = 'refused'") == [(0,)]


async def test_who_never_had_a_post_is_not_asked_to_confirm_its_deletion(line: list[nodes.Here]) -> None:
    host, author, reader = line
    group = await host.group()
    for one in (author, reader):
        await nodes.until("the group", lambda one=one: one.sql("SELECT 1 FROM actor WHERE kind = 'Group'"))
    away = sa.update(Partner).where(Partner.host == reader.host)
    await host.read_write(lambda session: session.execute(away.values(paused_at=1)))
    posted = await host.write(service.post_thread, host.viewer, group.id, title="One", text="one")
    await nodes.until("the post", lambda: author.sql("SELECT 1 FROM post"))
    await host.write(service.delete, host.viewer, posted.post_id)
    await nodes.until("confirmed", lambda: host.sql("SELECT 1 FROM receipt WHERE state = 'confirmed'"))
    assert await said(host, posted.uri) == {"Casa Ladera": "confirmed"}


@pytest.mark.rule("ORG-01")
async def test_nobody_confirms_for_somebody_else_or_what_was_not_asked(scene: Scene) -> None:
    posted = await scene.here.write(service.post_thread, scene.here.viewer, scene.group.id, title="One", text="one")

    async def has() -> bool:
        return "<p>one</p>" in str(scene.p.received)

    await nodes.until("the partner has it", has)
    await nodes.until("marked", lambda: scene.here.sql("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM delivery WHERE state = 'waiting')"))
    await scene.here.write(service.delete, scene.here.viewer, posted.post_id)
    [(deletion,)] = await scene.here.sql("SELECT activity_uri FROM receipt")
    organisation = scene.p.uri("/actor")

    async def confirm(actor: str, uri: str) -> None:
        inner = {"id": uri, "type": "Delete", "actor": "x", "object": posted.uri}
        made = scene.p.prove(ap.activity("Accept", scene.p.uri(f"/activities/{new_id()}"), actor, inner), actor)
        assert await scene.p.send(scene.here, made) == 202
        await scene.here.quiet()

    await confirm(scene.author, deletion)
    await confirm(organisation, deletion + "x")
    assert list((await said(scene.here, posted.uri)).values()) == ["sent"]
    await confirm(organisation, deletion)
    assert list((await said(scene.here, posted.uri)).values()) == ["confirmed"]
    await scene.twin()


async def test_a_group_that_is_no_longer_public_is_so_on_every_node_and_each_confirms_it(line: list[nodes.Here]) -> None:
    host, author, reader = line
    posted, group_id = await shared(line, "TLP:CLEAR")
    for one in line:
        assert await one.sql("SELECT label FROM post") == [("TLP:CLEAR",)]
    member = Viewer(host.viewer.organisation_id, host.viewer.person_id, frozenset({"member"}))
    with pytest.raises(NotFound):
        await host.write(groups.narrow, member, group_id)
    await host.write(groups.narrow, host.viewer, group_id)
    [(uri,)] = await host.sql("SELECT uri FROM actor WHERE kind = 'Group'")

    async def all_have() -> bool:
        return await said(host, uri) == {"Casa Ladera": "confirmed", "Kivuli Support": "confirmed"}

    await nodes.until("all confirmed", all_have)
    for one in line:
        for table in ("post", "thread", "audience JOIN actor ON actor.id = audience.group_id AND actor.kind = 'Group'"):
            assert await one.sql(f"SELECT label FROM {table}") == [("TLP:GREEN",)], table
        assert await one.read(lambda session: reading.groups(session, Viewer())) == []
    with pytest.raises(Conflict):
        await host.write(groups.narrow, host.viewer, group_id)
    thread: Any = (await reader.sql("SELECT id FROM thread"))[0][0]
    await reader.write(service.post_reply, reader.viewer, thread, text="and on")
    await nodes.until("it goes on", lambda: author.sql("SELECT 1 FROM post WHERE html = '<p>and on</p>'"))
    assert posted.uri
