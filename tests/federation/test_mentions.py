"""Shows that naming somebody inside the group tells them, on whichever node they are, that nobody outside is told, and nobody flooded."""

from pathlib import Path
from typing import Any

import pytest

from fedcollab.access.viewer import MEMBER, Viewer
from fedcollab.actors import service as actors
from fedcollab.base.clock import HOUR, system_clock
from fedcollab.features.discussions import looking, mentions, reading, service
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import profiles
from tests import nodes
from tests.nodes import Here, until
from tests.timing import spending

from .conftest import Scene


async def person(here: Here, username: str) -> Viewer:
    """One more member of a node."""

    def make(session: Any) -> Viewer:
        made = actors.create_own(session, here.kernel.node, actors.PERSON, username=username, name=username.title())
        profiles.document(session, here.kernel.node, made)
        return Viewer(made.organisation_id, made.id, frozenset({MEMBER}), made.name)

    viewer: Viewer = await here.kernel.database.write(make)
    return viewer


async def told(here: Here, viewer: Viewer) -> list[str]:
    """The posts that somebody's home says mention them."""
    return [one.post_id for one in await here.read(mentions.news, viewer)]


async def test_a_name_becomes_a_link_and_is_told_to_whom_it_means_until_they_look(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Host", "B") as (host, b):
        daan, noor = await person(host, "daan"), await person(b, "noor")
        group = await host.group()
        await nodes.befriend(host, b)
        opener = await host.write(
            service.post_thread, host.viewer, group.id, title="T", text="Hello @daan, `@daan` and me@daan.example, @ilse"
        )
        assert await told(host, daan) == [opener.post_id]
        assert await told(host, host.viewer) == [], "one's own name in one's own words is no news"
        await until("the opener", lambda: b.sql("SELECT 1 FROM post WHERE uri = :uri", uri=opener.uri))
        row = await b.read(reading.post_by_uri, b.viewer, opener.uri)
        [shown] = await b.read(reading.posts, b.viewer, row.thread_id)
        uri = (await host.read(actors.by_id, daan.person_id)).uri
        assert shown.html.count("<a ") == 2
        assert f'<a href="{uri}" rel="noopener noreferrer nofollow ugc">@daan</a>, <code>@daan</code> and me@daan.example' in shown.html
        await b.write(service.post_reply, noor, row.thread_id, text="Here I am")
        await until("the answer", lambda: host.sql("SELECT 1 FROM post WHERE reply_to <> ''"))
        answer = await host.write(service.post_reply, daan, opener.thread_id, text=f"Thank you @noor@{b.host}")
        sent = await host.read(service.document, answer.post_id)
        [tag] = sent["tag"]
        assert (tag["type"], tag["name"], sent["cc"]) == ("Mention", f"@noor@{b.host}", [tag["href"]])
        await until("noor is told", lambda: told(b, noor))
        [post_id] = await told(b, noor)
        await b.write(mentions.see, noor, [post_id])
        assert await told(b, noor) == []
        await host.write(service.edit, daan, answer.post_id, text=f"Thank you so much @noor@{b.host}")
        await until("the edit", lambda: b.sql("SELECT 1 FROM post WHERE html LIKE '%so much%'"))
        assert await told(b, noor) == [], "told once"
        again = await host.write(service.post_reply, daan, opener.thread_id, text=f"And @noor@{b.host}, one more thing")
        await until("noor is told again", lambda: told(b, noor))
        await host.write(service.delete, daan, again.post_id)
        await until("gone with the post", lambda: b.sql("SELECT 1 FROM post WHERE deleted_at IS NOT NULL"))
        assert await told(b, noor) == []


async def test_a_name_leads_to_our_own_page_of_the_person_and_other_links_stay_as_they_are(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Host", "B") as (host, b):
        daan = await person(host, "daan")
        group = await host.group()
        await nodes.befriend(host, b)
        theirs = f"{host.url}/people/01a21689-0000-7000-8000-000000000000"
        opener = await host.write(service.post_thread, host.viewer, group.id, title="T", text=f"Ask @daan or @ilse, [or]({theirs})")
        await until("the opener", lambda: b.sql("SELECT 1 FROM post WHERE uri = :uri", uri=opener.uri))
        row = await b.read(reading.post_by_uri, b.viewer, opener.uri)
        [(known,)] = await b.sql("SELECT id FROM actor WHERE username = 'ilse' AND host = :host", host=host.host)
        uri = (await host.read(actors.by_id, daan.person_id)).uri
        [shown] = (await b.read(looking.conversation, b.viewer, row.thread_id, 1, system_clock())).posts
        assert f'<a href="/people/{known}" rel="noopener noreferrer nofollow ugc">@ilse</a>' in shown.html, "who wrote it is known here"
        assert "Ask @daan or" in shown.html, "his own node would ask for a password"
        assert uri not in shown.html
        assert f'<a href="{theirs}" rel="noopener noreferrer nofollow ugc">or</a>' in shown.html, "what somebody links to stays"
        [ours] = (await host.read(looking.conversation, daan, opener.thread_id, 1, system_clock())).posts
        assert f'<a href="/people/{daan.person_id}" ' in ours.html


async def test_nobody_outside_the_group_is_mentioned(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Host", "B") as (host, b):
        await person(b, "noor")
        shared, ours = await host.group(), await host.group("ours", "TLP:AMBER+STRICT")
        await nodes.befriend(host, b)
        opener = await b.write(service.post_thread, b.viewer, (await b.group("theirs")).id, title="T", text="x")
        await until("known", lambda: host.sql("SELECT 1 FROM post WHERE uri = :uri", uri=opener.uri))
        handle = f"@ilse@{b.host}"
        secret = await host.write(service.post_thread, host.viewer, ours.id, title="Ours", text=f"What does {handle} think?")
        assert "cc" not in await host.read(service.document, secret.post_id)
        assert await host.sql("SELECT * FROM mention") == []
        open_one = await host.write(service.post_thread, host.viewer, shared.id, title="T", text=f"What does {handle} think?")
        assert "cc" in await host.read(service.document, open_one.post_id)


async def mention(scene: Scene, uris: list[str], number: int = 1) -> str:
    """Posts by the partner that mention these; answers what became of the last."""
    for _ in range(number):
        made: Any = await scene.create(tag=[{"type": "Mention", "href": uri, "name": "@x"} for uri in uris], cc=uris)
        assert await scene.p.send(scene.here, made) == 202
    await scene.here.quiet()
    [(state,)] = await scene.here.sql("SELECT state FROM inbox_item WHERE uri = :uri", uri=made["id"])
    return str(state)


@pytest.mark.rule("DOS-10")
async def test_a_mention_bomb_tells_few_and_a_burst_of_them_ends(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mentions, "MOST", 3)
    monkeypatch.setattr(mentions, "PER_HOUR", 7)
    here = scene.here
    people = [await person(here, f"member{number}") for number in range(6)]
    uris = [(await here.read(actors.by_id, one.person_id)).uri for one in people]
    elsewhere = [scene.p.uri(f"/people/{number}") for number in range(600)]
    assert await mention(scene, [*elsewhere, *(f"{here.url}/people/none-{n}" for n in range(600)), *uris]) == "done"
    assert await here.sql("SELECT count(*) FROM mention") == [(0,)], "the first of ours that it names do not exist"
    assert await mention(scene, [*elsewhere, *uris, *uris]) == "done"
    assert await here.sql("SELECT count(*) FROM mention") == [(3,)]
    assert await mention(scene, uris[::-1], 4) == "done"
    assert await here.sql("SELECT count(*) FROM mention") == [(7,)], "the posts are there, the telling has an end"
    assert await here.sql("SELECT count(*) FROM post") == [(7,)]
    old = f"UPDATE mention SET at = {system_clock() - 2 * HOUR}"
    await here.kernel.database.write(lambda session: session.connection().exec_driver_sql(old) and None)
    assert await mention(scene, uris[:1]) == "done"
    assert await here.sql("SELECT count(*) FROM mention") == [(8,)]
    await scene.twin()


async def test_other_shapes_of_tags_mention_nobody_and_break_nothing(scene: Scene) -> None:
    me = (await scene.here.read(actors.by_id, scene.here.viewer.person_id)).uri
    for wrong in ("Mention", {"type": "Mention"}, [None, 5, {"type": "Mention", "href": {"id": me}}], [{"type": "Hashtag", "href": me}]):
        created: Any = await scene.create(tag=wrong)
        assert await scene.p.send(scene.here, created) == 202
        assert await scene.stored(created)
    assert await scene.here.sql("SELECT * FROM mention") == []
    created = await scene.create(tag={"type": "Mention", "href": me})
    assert await scene.p.send(scene.here, created) == 202
    assert await scene.stored(created)
    [found] = await scene.here.read(mentions.news, scene.here.viewer)
    assert (found.author, found.host) == ("Sokha P.", f"127.0.0.1:{scene.p.port}")
    assert ap.ident(created["object"])


@pytest.mark.rule("DOS-12")
@pytest.mark.parametrize(
    "piece", ["@", "a@", "@a", "@a.", "@a@", "@a@b.", "@a@a:1", "<@", '<"', '<"a"', '"@a', "@-", "&@a;", '<a href="', '<a href="">@']
)
def test_no_text_makes_the_search_for_names_slow(piece: str) -> None:
    text = piece * (50_000 // len(piece))
    with spending() as spent:
        list(mentions.NAME.finditer(text))
        mentions.NAME.sub("", text + "!")
        mentions.PIECES.split(text)
        mentions.LINK.sub("", text)
    assert spent.seconds < 1
