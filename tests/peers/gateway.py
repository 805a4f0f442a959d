"""Decides how a program that cannot sign sees a node as a partner does, or a member's tool: each GET is signed for it on its way."""

import json
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from fedcollab.base.clock import system_clock
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import signatures
from tests import nodes

KEPT = ("Accept", "Authorization", "Content-Type")


@dataclass
class Gateway:
    """A listener of its own that asks `here` in the name of `partner`; what it answers names the gateway in the node's place.
    With a `token` it also speaks for a member, whose every word answers the post `answered`: it knows no group to write to."""

    here: nodes.Here
    partner: nodes.Rogue
    port: int = 0
    token: str = ""
    answered: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def at(self, uri: str) -> str:
        """The node's address as a program asks for it."""
        return uri.replace(self.here.url, self.url)

    async def start(self) -> web.AppRunner:
        self.port = nodes.free_port()
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self.pass_on)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        return runner

    async def pass_on(self, request: web.Request) -> web.Response:
        url, body = self.here.url + request.path_qs, await request.read()
        headers = {name: request.headers[name] for name in KEPT if name in request.headers}
        body = self.translated(body, back=True)
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if request.method == "POST" and self.answered:
            headers["Content-Type"] = ap.MEDIA_TYPE
            body = self.addressed(json.loads(body))
        if request.method == "GET":
            signer = self.partner.signers[self.partner.uri("/actor")]["rsa"]
            headers |= signatures.sign(signer, "GET", url, b"", system_clock())
        async with aiohttp.request(request.method, url, headers=headers, data=body) as answer:
            found = {name: answer.headers[name] for name in ("Content-Type",) if name in answer.headers}
            if "Location" in answer.headers:
                found["Location"] = answer.headers["Location"].replace(self.here.url, self.url)
            return web.Response(status=answer.status, body=self.translated(await answer.read()), headers=found)

    def addressed(self, document: dict[str, Any]) -> bytes:
        """What a tool writes, as an answer, with a word where it has none."""
        written = document["object"] if document.get("type") == "Create" else document
        if written.get("type") == "Note":
            written.update({"content": "Yes."} | written | {"inReplyTo": self.answered})
        return json.dumps(document).encode()

    def translated(self, body: bytes, *, back: bool = False) -> bytes:
        ours, its = self.here.url.encode(), self.url.encode()
        return body.replace(its, ours) if back else body.replace(ours, its)
