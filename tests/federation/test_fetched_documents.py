"""Shows that a fetched document counts only under its own address, in ActivityPub's media type, without a redirect in between."""

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from fedcollab.admin import partners as acts
from fedcollab.base.errors import FedcollabError
from fedcollab.federation import activitystreams as ap
from tests import nodes

from .conftest import Scene

Serve = Callable[[web.Request], web.Response]
PATH = "/people/new"


async def speaks(scene: Scene, serve: Serve | None = None) -> int:
    """Somebody of the partner's whom we don't know yet sends a post; their document is answered by `serve`. Answers the status."""
    document = scene.p.documents[PATH]
    scene.p.documents[PATH] = serve or document
    scene.here.kernel.sought._misses.clear()  # as if it were a minute later: a key that could not be had is not asked for again before
    status = await scene.p.send(scene.here, scene.p.create(scene.p.uri(PATH), scene.group.uri))
    scene.p.documents[PATH] = document
    return status


async def refused(scene: Scene, serve: Serve) -> None:
    """Nothing is stored of whom is answered so; served well, the same person is heard."""
    scene.p.actor(PATH, "Person", name="New")
    before = await scene.here.tables()
    assert await speaks(scene, serve) == 401
    await scene.here.quiet()
    assert await scene.here.tables() == before
    assert await speaks(scene) == 202
    await scene.twin()


@pytest.mark.rule("ORG-10")
@pytest.mark.parametrize(
    "media_type",
    ["application/octet-stream", "text/plain", "image/png", "application/json", "application/ld+json", "text/html", ""],
)
async def test_a_document_served_as_somebodys_upload_is_not_believed(scene: Scene, media_type: str) -> None:
    def serve(request: web.Request) -> web.Response:
        import json

        body = json.dumps(scene_document).encode()
        made = web.Response(body=body)
        if media_type:
            made.headers["Content-Type"] = media_type
        return made

    scene_document: Any = scene.p.actor(PATH, "Person", name="New")
    await refused(scene, serve)


@pytest.mark.rule("ORG-14")
@pytest.mark.parametrize("wrong", [{"id": None}, {"id": ""}, {"id": "/people/sokha"}, {"id": ["x"]}])
async def test_a_document_without_its_own_id_is_not_believed(scene: Scene, wrong: dict[str, Any]) -> None:
    document = scene.p.actor(PATH, "Person", name="New")
    changed = {name: value for name, value in (document | wrong).items() if value is not None}
    if wrong["id"] == "/people/sokha":
        changed["id"] = scene.author
    await refused(scene, lambda request: web.json_response(changed, content_type=ap.MEDIA_TYPE))


@pytest.mark.rule("ORG-12")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_document_behind_a_redirect_is_not_believed_and_the_other_place_not_asked(scene: Scene, status: int) -> None:
    other = await nodes.rogue("Elsewhere")
    for target in (other.uri(PATH), scene.p.uri("/media/x.json")):
        scene.p.actor(PATH, "Person", name="New")
        scene.p.documents["/media/x.json"] = scene.p.documents[PATH]
        asked = list(scene.p.fetched)
        before = await scene.here.tables()
        assert await speaks(scene, lambda request, to=target: web.Response(status=status, headers={"Location": to})) == 401  # type: ignore[misc]
        assert await scene.here.tables() == before
        assert (other.fetched, scene.p.fetched[len(asked) :]) == ([], [PATH])
    assert await speaks(scene) == 202
    await other.stop()
    await scene.twin()


@pytest.mark.rule("ORG-12")
async def test_the_address_of_an_organisation_that_leads_elsewhere_is_not_taken(scene: Scene) -> None:
    x, other = await nodes.rogue("X"), await nodes.rogue("Elsewhere")
    peers = frozenset({*scene.here.kernel.fetcher.peers, f"127.0.0.1:{x.port}", f"127.0.0.1:{other.port}"})
    object.__setattr__(scene.here.kernel.fetcher, "peers", peers)
    good, before = x.documents["/actor"], await scene.here.tables()
    x.documents["/media/x.json"] = good
    for target in (other.uri("/actor"), x.uri("/media/x.json")):
        x.documents["/actor"] = lambda request, to=target: web.Response(status=302, headers={"Location": to})
        with pytest.raises(FedcollabError):
            await acts.add(scene.here.kernel, scene.here.viewer, x.uri("/actor"))
    assert (await scene.here.tables(), other.fetched) == (before, [])
    x.documents["/actor"] = good
    await acts.add(scene.here.kernel, scene.here.viewer, x.uri("/actor"))
    await x.stop()
    await other.stop()
