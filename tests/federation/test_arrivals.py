"""Shows how a partner's post reads to the tool of a member here: as its author's Create, then its Delete, by an address of this node."""

from fedcollab.features.discussions.clients import arrivals
from fedcollab.federation import activitystreams as ap

from .conftest import Scene


async def test_a_partners_post_is_in_the_inbox_of_a_members_tool_and_its_deletion_in_its_place(scene: Scene) -> None:
    here, author = scene.here, scene.author

    async def read() -> list[dict[str, object]]:
        return [one.activity for one in await here.read(arrivals, here.kernel.node, here.viewer, None, 50)]

    before = await read()
    activity = await scene.create(content="<p>Seen in the north</p>")
    assert await scene.p.send(here, activity) == 202
    assert await scene.stored(activity)
    newest, *rest = await read()
    assert rest == before
    uri = activity["object"]["id"]  # type: ignore[index]
    row = (await here.sql("SELECT id FROM post WHERE uri = :uri", uri=uri))[0][0]
    assert (newest["type"], newest["actor"], newest["id"]) == ("Create", author, f"{here.url}/posts/{row}#arrived")
    assert newest["object"]["content"] == "<p>Seen in the north</p>"  # type: ignore[index]
    gone = scene.p.prove(ap.activity("Delete", scene.p.uri("/activities/gone"), author, uri, to=[scene.group.uri]), author)
    assert await scene.p.send(here, gone) == 202
    await here.quiet()
    deleted, *rest = await read()
    assert (deleted["type"], deleted["object"]["type"], rest) == ("Delete", "Tombstone", before)  # type: ignore[index]
