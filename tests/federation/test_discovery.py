"""Shows what anybody may ask a node before they are partners, and that it says nothing else."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fedcollab import __version__
from fedcollab.actors import service as actors
from fedcollab.base.clock import system_clock
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import profiles, signatures
from tests import nodes


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[nodes.Here]:
    made = await nodes.start(tmp_path)
    await made.group()
    yield made
    await made.stop()


async def ask(here: nodes.Here, path: str, **headers: str) -> tuple[int, str, Any]:
    async with aiohttp.request("GET", here.url + path, headers=headers, allow_redirects=False) as answer:
        return (
            answer.status,
            answer.content_type,
            await answer.json(content_type=None) if "json" in answer.content_type else await answer.text(),
        )


async def finger(here: nodes.Here, resource: str, **headers: str) -> tuple[int, str, Any]:
    return await ask(here, f"/.well-known/webfinger?resource={resource}", **headers)


async def test_the_organisation_is_found_by_each_of_its_addresses_and_is_the_document_that_is_then_read(here: nodes.Here) -> None:
    for resource in (here.url, here.url + "/", here.url + "/actor", f"acct:organisation@{here.host}"):
        status, kind, found = await finger(here, resource)
        assert (status, kind) == (200, "application/jrd+json")
        assert found["subject"] == f"acct:organisation@{here.host}"
        [link] = found["links"]
        assert (link["rel"], link["type"], link["href"]) == ("self", ap.MEDIA_TYPE, here.url + "/actor")
    status, kind, document = await ask(here, "/actor", Accept=ap.MEDIA_TYPE)
    assert (status, kind, document["id"]) == (200, ap.MEDIA_TYPE, here.url + "/actor")
    assert document == await here.read(profiles.stored_document, here.viewer.organisation_id)
    assert (await ask(here, "/actor", Accept="text/html"))[0] == 303


@pytest.mark.parametrize(
    "resource", ["", "acct:", "https://elsewhere.example/", "acct:organisation@elsewhere.example", "mailto:organisation", "/actor"]
)
async def test_what_is_not_ours_is_not_found(here: nodes.Here, resource: str) -> None:
    assert (await finger(here, resource))[0] == 404


async def test_people_and_groups_are_not_told_to_strangers_nor_whether_they_exist(here: nodes.Here) -> None:
    answers = [await finger(here, f"acct:{name}@{here.host}") for name in ("ilse", "leads", "nobody")]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 401


async def test_a_partner_finds_people_and_groups_by_name(tmp_path: Path) -> None:
    p = await nodes.rogue()
    here = await nodes.start(tmp_path, peers=(p.port,))
    await here.group()
    await nodes.admit(here, p)
    for name, status in (("ilse", 200), ("leads", 200), ("nobody", 404)):
        path = f"/.well-known/webfinger?resource=acct:{name}@{here.host}"
        signed = signatures.sign(p.signers[p.uri("/actor")]["rsa"], "GET", here.url + path, b"", system_clock())
        found = await ask(here, path, **signed)
        assert found[0] == status
        if status == 200:
            person = await here.read(lambda session, name=name: actors.by_username(session, here.kernel.node, name))
            assert found[2]["aliases"] == [person.uri]
    await here.stop()
    await p.stop()


async def test_nodeinfo_says_what_runs_here_and_counts_nobody(here: nodes.Here) -> None:
    _, _, links = await ask(here, "/.well-known/nodeinfo")
    [link] = links["links"]
    assert link == {"rel": "http://nodeinfo.diaspora.software/ns/schema/2.1", "href": here.url + "/nodeinfo/2.1"}
    status, _, found = await ask(here, "/nodeinfo/2.1")
    assert (status, found["version"], found["software"]) == (200, "2.1", {"name": "fedcollab", "version": __version__})
    assert (found["usage"], found["openRegistrations"], found["protocols"]) == ({"users": {}}, False, ["activitypub"])
