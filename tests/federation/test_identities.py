"""Shows that who somebody is comes from their id alone: not from a short name, a name, or a link that leads elsewhere."""

import re
from typing import Any

import pytest

from fedcollab.features.discussions import reading
from fedcollab.features.members import service as members
from fedcollab.federation import activitystreams as ap
from tests import nodes

from .conftest import Scene


async def write(scene: Scene, author: str, **note: Any) -> str:
    """A post by one of the partner's people; answers its thread's row id."""
    created = scene.p.create(author, scene.group.uri, **note)
    assert await scene.p.send(scene.here, created) == 202
    assert await scene.stored(created)
    return str((await scene.here.read(reading.post_by_uri, scene.here.viewer, created["object"]["id"])).thread_id)


@pytest.mark.rule("HOST-11")
async def test_people_with_the_same_names_are_told_apart_by_their_host(scene: Scene) -> None:
    """Two of one short name on one host, and one who is called as our admin is."""
    uris = [scene.p.uri(f"/people/{n}") for n in "ab"]
    for uri, username in zip(uris, ("ilse", "ilse"), strict=True):
        scene.p.actor(uri.removeprefix(scene.p.url), "Person", name="Ilse V.", preferredUsername=username)
    threads = [await write(scene, uri) for uri in uris]
    posts = [(await scene.here.read(reading.posts, scene.here.viewer, thread))[0] for thread in threads]
    assert len({post.author_id for post in posts} | {scene.here.viewer.person_id}) == 3
    assert {(post.author, post.known, post.host) for post in posts} == {("Ilse V.", "partner", f"127.0.0.1:{scene.p.port}")}
    for post in posts:
        person = await scene.here.read(members.person, post.author_id)
        assert (person.username, person.host) == ("ilse", f"127.0.0.1:{scene.p.port}")
    me = await scene.here.read(members.person, scene.here.viewer.person_id)
    assert (me.username, me.host) == ("ilse", scene.here.host)
    await scene.twin()


@pytest.mark.rule("HOST-11")
@pytest.mark.parametrize("odd", ["ilse@home.example", "il se", "x" * 500, "@", "\u202eesli", "<b>ilse</b>"])
async def test_an_odd_short_name_stands_beside_its_real_host(scene: Scene, odd: str) -> None:
    uri = scene.p.uri("/people/odd")
    scene.p.actor("/people/odd", "Person", name="Ilse V.", preferredUsername=odd)
    thread = await write(scene, uri)
    [post] = await scene.here.read(reading.posts, scene.here.viewer, thread)
    person = await scene.here.read(members.person, post.author_id)
    assert (person.host, len(person.username) <= 100, person.username.isprintable()) == (post.host, True, True)
    assert post.host == f"127.0.0.1:{scene.p.port}"


@pytest.mark.rule("ORG-17")
async def test_a_link_that_leads_elsewhere_is_never_the_source(scene: Scene) -> None:
    canary = await nodes.rogue("Elsewhere")
    login = canary.uri("/login")
    group = await scene.here.group("public", "TLP:CLEAR")
    links: list[Any] = [login, [login], {"type": "Link", "href": login}, [{"type": "Link", "href": login, "mediaType": "text/html"}]]
    for url in links:
        created = scene.p.create(scene.author, group.uri, url=url, to=[ap.PUBLIC, group.uri])
        assert await scene.p.send(scene.here, created) == 202
        assert await scene.stored(created)
        row = await scene.here.read(reading.post_by_uri, scene.here.viewer, created["object"]["id"])
        [post] = await scene.here.read(reading.posts, scene.here.viewer, row.thread_id)
        assert (post.uri, post.host, canary.url in post.html) == (created["object"]["id"], f"127.0.0.1:{scene.p.port}", False)
    scene.p.actor("/people/phish", "Person", name="Phish", url=login)
    thread = await write(scene, scene.p.uri("/people/phish"))
    [post] = await scene.here.read(reading.posts, scene.here.viewer, thread)
    assert post.host == f"127.0.0.1:{scene.p.port}"
    assert not re.search(re.escape(canary.url), repr(await scene.here.read(members.person, post.author_id)))
    assert canary.fetched == []
    await canary.stop()
    await scene.twin()
