"""Shows what is believed of a partner whose software vouches for none of its people: what its own host says of them, at first sight."""

import copy
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fedcollab.base.clock import new_id
from fedcollab.federation import activitystreams as ap
from tests import nodes


def plain(other: nodes.Rogue, path: str) -> dict[str, Any]:
    """A document as software writes it that knows nothing of ours."""
    ours = ("proof", ap.PROTOCOL_TERM, ap.ORGANISATION)
    other.documents[path] = {name: value for name, value in other.documents[path].items() if name not in ours}
    return other.documents[path]


@dataclass
class Stage:
    """Our node, the host P of a group that we are in, and X, a partner of both on other software."""

    here: nodes.Here
    p: nodes.Rogue
    x: nodes.Rogue

    @property
    def group(self) -> str:
        return self.p.uri("/groups/g")

    async def announce(self, activity: dict[str, Any], *documents: dict[str, Any]) -> str:
        """P's group passes an activity on; answers what became of it here."""
        made = ap.activity("Announce", self.p.uri(f"/activities/{new_id()}"), self.group, activity, **{ap.INTRODUCES: list(documents)})
        assert await self.p.send(self.here, made, actor=self.group) == 202
        return await self.fate(made["id"])

    async def fate(self, uri: str) -> str:
        await self.here.quiet()
        [(state, reason)] = await self.here.sql("SELECT state, reason FROM inbox_item WHERE uri = :uri", uri=uri)
        return f"{state}: {reason}" if reason else state


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    p, x = await nodes.rogue("Host"), await nodes.rogue("Harbour")
    here = await nodes.start(tmp_path, peers=(p.port, x.port))
    for path in ("/actor", "/people/sokha"):
        plain(x, path)
    await nodes.admit(here, p)
    await nodes.admit(here, x)
    members = [{"id": uri, "name": "n", ap.PEOPLE: 2} for uri in (p.uri("/actor"), here.url + "/actor", x.uri("/actor"))]
    document = p.actor("/groups/g", "Group", attributedTo=p.uri("/actor"), **{ap.LABEL: "TLP:GREEN", ap.MEMBERS: members})
    update = p.prove(ap.activity("Update", p.uri(f"/activities/{new_id()}"), p.uri("/actor"), document), p.uri("/actor"))
    assert await p.send(here, update) == 202
    await here.quiet()
    yield Stage(here, p, x)
    await here.stop()
    await p.stop()
    await x.stop()


async def test_a_host_passes_on_what_a_partners_person_on_other_software_wrote(stage: Stage) -> None:
    author = stage.x.uri("/people/sokha")
    activity = stage.x.create(author, stage.group)
    assert await stage.announce(activity) == "done"
    assert stage.x.fetched.count("/people/sokha") == 1
    assert await stage.here.sql("SELECT known, through_id FROM actor WHERE uri = :uri", uri=author) == [("foreign", None)]
    assert await stage.here.sql("SELECT count(*) FROM post") == [(1,)]
    assert await stage.announce(stage.x.create(author, stage.group)) == "done"
    assert stage.x.fetched.count("/people/sokha") == 1


@pytest.mark.rule("ORG-02")
async def test_a_host_brings_no_keys_for_a_partners_person_on_other_software(stage: Stage) -> None:
    """It could have made the document that it brings along; the author's own host is asked."""
    author = stage.x.uri("/people/sokha")
    real = copy.deepcopy((stage.x.signers, stage.x.documents))
    stage.x.actor("/people/sokha", "Person")
    forged, brought = stage.x.create(author, stage.group), plain(stage.x, "/people/sokha")
    stage.x.signers, stage.x.documents = real
    assert await stage.announce(forged, brought) == "refused: the announced activity is not proved by its author's key"
    assert await stage.here.sql("SELECT count(*) FROM post") == [(0,)]
    assert await stage.announce(stage.x.create(author, stage.group), brought) == "done"
    assert await stage.here.sql("SELECT count(*) FROM post") == [(1,)]


async def test_a_group_without_a_list_of_who_is_inside_is_refused_at_once(stage: Stage) -> None:
    stage.x.actor("/groups/circle", "Group")
    plain(stage.x, "/groups/circle")
    group, author = stage.x.uri("/groups/circle"), stage.x.uri("/people/sokha")
    told = stage.x.create(author, group)
    stage.x.documents[told["object"]["id"].removeprefix(stage.x.url)] = told["object"]
    made = ap.activity("Announce", stage.x.uri(f"/activities/{new_id()}"), group, told)
    assert await stage.x.send(stage.here, made, actor=group) == 202
    assert await stage.fate(made["id"]) == "refused: a group without a list of who is inside"
    assert await stage.here.sql("SELECT count(*) FROM post") == [(0,)]
