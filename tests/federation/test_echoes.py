"""Shows what a group's host can do to our own members' posts by bringing back what they said, or what they never said: nothing, unless this
node has come out of a backup."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from fedcollab.base.clock import HOUR, new_id
from fedcollab.features.discussions import reading, service
from fedcollab.federation import activitystreams as ap
from tests import nodes

from .conftest import Scene


@dataclass
class Away:
    """Our member's post in a group that the rogue partner hosts, changed once while our clock was an hour ahead, and then once more."""

    scene: Scene
    group: str = ""
    post_id: str = ""
    uri: str = ""
    told: list[dict[str, Any]] = field(default_factory=list)

    async def echo(self, activity: dict[str, Any]) -> None:
        p = self.scene.p
        made = ap.activity("Announce", p.uri(f"/activities/{new_id()}"), self.group, json.loads(json.dumps(activity)))
        assert await p.send(self.scene.here, made, actor=self.group) == 202
        await self.scene.here.quiet()

    async def stands(self) -> tuple[Any, ...]:
        [row] = await self.scene.here.sql("SELECT html, source FROM post WHERE uri = :uri", uri=self.uri)
        return row


@pytest.fixture
async def away(scene: Scene) -> Away:
    here, p = scene.here, scene.p
    members = [{"id": uri, "name": "n"} for uri in (p.uri("/actor"), here.url + "/actor")]
    document = p.actor("/groups/g", "Group", **{ap.LABEL: "TLP:GREEN", ap.MEMBERS: members})
    update = p.prove(ap.activity("Update", p.uri(f"/activities/{new_id()}"), p.uri("/actor"), document), p.uri("/actor"))
    assert await p.send(here, update) == 202
    await here.quiet()
    [group] = [g.actor for g in await here.read(reading.groups, here.viewer) if g.actor.uri == document["id"]]
    posted = await here.write(service.post_thread, here.viewer, group.id, title="Ours", text="one")
    found = Away(scene, str(document["id"]), posted.post_id, posted.uri)
    await here.write(service.edit, here.viewer, posted.post_id, text="two")
    ahead = "UPDATE post SET edited_at = edited_at + :more WHERE uri = :uri"
    await here.read_write(lambda session: session.execute(nodes.sa.text(ahead), {"more": HOUR, "uri": posted.uri}) and None)
    await here.write(service.edit, here.viewer, posted.post_id, text="three")

    async def sent() -> list[dict[str, Any]]:
        told = [a for a in p.received if a["type"] in ("Create", "Update") and ap.ident(a["object"]) == posted.uri]
        return told if len(told) == 3 else []

    found.told = await nodes.until("the host has all three", sent)
    return found


@pytest.mark.rule("R8", "ORG-25")
async def test_a_change_after_the_clock_was_set_back_is_still_the_newer_one(away: Away) -> None:
    times = [activity["object"]["updated"] for activity in away.told[1:]]
    assert times[0] < times[1], "else partners would keep the older text"
    [(edited_at,)] = await away.scene.here.sql("SELECT edited_at FROM post WHERE uri = :uri", uri=away.uri)
    assert edited_at > away.scene.here.kernel.node.now() + HOUR // 2
    for activity in away.told:
        await away.echo(activity)
        assert await away.stands() == ("<p>three</p>", "three")


@pytest.mark.rule("ORG-25")
@pytest.mark.parametrize("kind", ["Update", "Delete"])
@pytest.mark.parametrize("proof", ["none", "the host's", "an older one's"])
async def test_what_our_member_never_said_changes_and_deletes_nothing(away: Away, kind: str, proof: str) -> None:
    p, true = away.scene.p, away.told[-1]
    said = true["object"] | {"content": "<p>forged</p>", "updated": "2030-01-01T00:00:00Z"}
    thing: Any = said if kind == "Update" else {"id": away.uri, "type": "Tombstone", "formerType": "Note"}
    forged = {k: v for k, v in true.items() if k != "proof"} | {"id": away.uri + "/x", "type": kind, "object": thing}
    if proof == "the host's":
        forged = p.prove(forged, p.uri("/actor"))
    elif proof != "none":
        forged["proof"] = true["proof"]
    before = await away.scene.here.sql("SELECT html, deleted_at, edited_at FROM post")
    await away.echo(forged)
    assert await away.scene.here.sql("SELECT html, deleted_at, edited_at FROM post") == before
    await away.echo(true)
    await away.scene.twin()


@pytest.mark.rule("R15", "P11")
async def test_a_node_out_of_a_backup_takes_back_what_its_member_said_and_took_away(away: Away) -> None:
    here, p = away.scene.here, away.scene.p
    await here.write(service.delete, here.viewer, away.post_id)

    async def gone() -> list[dict[str, Any]]:
        return [a for a in p.received if a["type"] == "Delete" and ap.ident(a["object"]) == away.uri]

    [delete] = await nodes.until("the host has heard of it", gone)
    for activity in away.told:
        await away.echo(activity)
        assert await away.stands() == ("", ""), "what is deleted here does not return"
    old = "UPDATE post SET html = '<p>one</p>', source = 'one', edited_at = NULL, deleted_at = NULL WHERE uri = :uri"
    await here.read_write(lambda session: session.execute(nodes.sa.text(old), {"uri": away.uri}) and None)
    await away.echo(away.told[-1])
    assert (await away.stands())[0] == "<p>three</p>"
    await away.echo(delete)
    assert await away.stands() == ("", "")
    acts = await here.sql("SELECT action FROM audit_entry WHERE subject = :id ORDER BY seq", id=away.post_id)
    assert [act for (act,) in acts][-2:] == ["post.receive_edit", "post.receive_delete"]
