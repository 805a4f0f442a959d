"""Makes a server as other software is: people and groups without our terms and proofs, one shared inbox, signed requests."""

import json
from typing import Any

import aiohttp

from fedcollab.base.clock import new_id, system_clock
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import signatures
from tests import nodes

OURS = (ap.PROTOCOL_TERM, ap.ORGANISATION, "assertionMethod", "proof")


def person(server: nodes.Rogue, path: str, kind: str = "Person", **more: Any) -> str:
    """An actor as other software has them; answers its id."""
    document = server.actor(path, kind, endpoints={"sharedInbox": server.uri("/inbox")}, **more)
    server.documents[path] = {name: value for name, value in document.items() if name not in OURS} | {"@context": ap.AS2}
    return server.uri(path)


async def server(*peers: nodes.Here) -> nodes.Rogue:
    """A server with one person, /users/ana, which these nodes can reach and which is nobody's partner."""
    made = await nodes.rogue("Elsewhere")
    person(made, "/users/ana", name="Ana")
    for one in peers:
        fetcher = one.kernel.fetcher
        object.__setattr__(fetcher, "peers", frozenset({*fetcher.peers, f"127.0.0.1:{made.port}"}))
    made.fetched.clear()
    return made


def activity(by: nodes.Rogue, kind: str, actor: str, obj: Any, **more: Any) -> dict[str, Any]:
    return {"@context": ap.AS2, "id": by.uri(f"/activities/{new_id()}"), "type": kind, "actor": actor, "object": obj, **more}


def answer(by: nodes.Rogue, actor: str, to: str, /, **more: Any) -> dict[str, Any]:
    """A public answer to a post, as other software sends it."""
    note = {
        "id": by.uri(f"/notes/{new_id()}"),
        "type": "Note",
        "attributedTo": actor,
        "inReplyTo": to,
        "content": "<p>from outside</p>",
        "to": [ap.PUBLIC],
        "cc": [actor + "/followers"],
    } | more
    return activity(by, "Create", actor, note, to=note["to"], cc=note["cc"])


async def get(by: nodes.Rogue, url: str, actor: str = "/users/ana") -> tuple[int, Any]:
    """(status, document) of a GET signed by one of the server's actors."""
    headers = signatures.sign(by.signers[by.uri(actor)]["rsa"], "GET", url, b"", system_clock())
    async with aiohttp.request("GET", url, headers=headers | {"Accept": ap.MEDIA_TYPE}, allow_redirects=False) as answered:
        body = await answered.read()
        return answered.status, json.loads(body) if answered.status in (200, 410) else None


async def take(here: nodes.Here, by: nodes.Rogue, made: dict[str, Any]) -> str:
    """Sends an activity; answers the status where it isn't 202, else what became of it."""
    status = await by.send(here, made)
    if status != 202:
        return str(status)
    await here.quiet()
    [(state, reason)] = await here.sql("SELECT state, reason FROM inbox_item WHERE uri = :uri", uri=made["id"])
    return f"{state}: {reason}" if reason else str(state)
