"""Decides how a program that cannot sign sees a node as a partner does: each GET is signed for it on its way."""

from dataclasses import dataclass

import aiohttp
from aiohttp import web

from fedcollab.base.clock import system_clock
from fedcollab.federation import signatures
from tests import nodes

KEPT = ("Accept", "Authorization", "Content-Type")


@dataclass
class Gateway:
    """A listener of its own that asks `here` in the name of `partner`; what it answers names the gateway in the node's place."""

    here: nodes.Here
    partner: nodes.Rogue
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

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
        if request.method == "GET":
            signer = self.partner.signers[self.partner.uri("/actor")]["rsa"]
            headers |= signatures.sign(signer, "GET", url, b"", system_clock())
        async with aiohttp.request(request.method, url, headers=headers, data=self.translated(body, back=True)) as answer:
            found = {name: answer.headers[name] for name in ("Content-Type",) if name in answer.headers}
            if "Location" in answer.headers:
                found["Location"] = answer.headers["Location"].replace(self.here.url, self.url)
            return web.Response(status=answer.status, body=self.translated(await answer.read()), headers=found)

    def translated(self, body: bytes, *, back: bool = False) -> bytes:
        ours, its = self.here.url.encode(), self.url.encode()
        return body.replace(its, ours) if back else body.replace(ours, its)
