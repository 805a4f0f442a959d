"""Shows what a server outside is refused that partners may do, and that becoming a partner is no way around a block."""

from pathlib import Path

from fedcollab.admin import partners as acts
from fedcollab.features.discussions import reading, service
from fedcollab.federation.models import BLOCKED
from tests import nodes, outside
from tests.nodes import until

from .test_outside import Street, let_in, street

__all__ = ["street"]


async def test_a_reader_from_outside_is_refused_a_partners_stream(street: Street) -> None:
    url = street.here.url + "/actor/stream?since=0:0"
    assert (await outside.get(street.far, url))[0] == 403
    assert await street.take(street.follow(street.public.uri)) == "done"
    assert (await outside.get(street.far, url))[0] == 403, "nor one that is heard"
    assert (await outside.get(street.far, street.public.uri))[0] == 200


async def test_a_block_of_a_server_outside_stays_when_its_organisation_is_added(street: Street) -> None:
    posted = await street.open(street.public)
    assert await street.take(outside.answer(street.far, street.ana, posted.uri)) == "done"
    host = f"127.0.0.1:{street.far.port}"
    await street.here.write(acts.block, street.here.viewer, host)
    found = await acts.add(street.here.kernel, street.here.viewer, street.far.uri("/actor"))
    assert (found.state, found.uri) == (BLOCKED, street.far.uri("/actor"))
    shown = await street.here.read(reading.posts, street.here.viewer, posted.thread_id)
    assert [p.uri for p in shown] == [posted.uri], "its people's words are hidden as before"
    await street.here.write(acts.change, street.here.viewer, host, "admitted")
    assert len(await street.here.read(reading.posts, street.here.viewer, posted.thread_id)) == 2


async def test_a_server_outside_that_became_a_partner_is_hidden_by_a_later_block_with_all_that_it_wrote(street: Street) -> None:
    posted = await street.open(street.public)
    assert await street.take(outside.answer(street.far, street.ana, posted.uri)) == "done"
    found = await acts.add(street.here.kernel, street.here.viewer, street.far.uri("/actor"), approve=True)
    assert await street.take(outside.answer(street.far, street.ana, posted.uri, audience=street.public.uri)) == "done"
    assert len(await street.here.read(reading.posts, street.here.viewer, posted.thread_id)) == 3
    await street.here.write(acts.block, street.here.viewer, found.host)
    shown = await street.here.read(reading.posts, street.here.viewer, posted.thread_id)
    assert [p.uri for p in shown] == [posted.uri]


async def test_whom_a_host_told_of_speaks_for_themselves_once_their_organisation_is_a_partner(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Host", "B") as (host, b):
        far = await outside.server(host, b)
        let_in(host)
        group = await host.group("public", "TLP:CLEAR")
        await nodes.befriend(host, b)
        opener = await host.write(service.post_thread, host.viewer, group.id, title="T", text="Hello")
        told = outside.answer(far, far.uri("/users/ana"), opener.uri)
        assert await outside.take(host, far, told) == "done"
        await until("the answer", lambda: b.sql("SELECT 1 FROM post WHERE uri = :uri", uri=told["object"]["id"]))
        outside.person(far, "/actor", "Organization")
        found = await acts.add(b.kernel, b.viewer, far.uri("/actor"), approve=True)
        inner = await b.group("own", "TLP:CLEAR")
        mine = await b.write(service.post_thread, b.viewer, inner.id, title="T", text="Hello")
        said = outside.answer(far, far.uri("/users/ana"), mine.uri, audience=inner.uri)
        assert await outside.take(b, far, said) == "done"
        assert await b.sql("SELECT count(*) FROM post WHERE uri = :uri", uri=said["object"]["id"]) == [(1,)]
        await b.write(acts.block, b.viewer, found.host)
        row = await b.read(reading.post_by_uri, b.viewer, opener.uri)
        assert [p.uri for p in await b.read(reading.posts, b.viewer, row.thread_id)] == [opener.uri], "what was told of them is hidden too"
        await far.stop()
