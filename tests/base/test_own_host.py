"""Shows that a node may look at itself wherever its name leads, and that nobody else is asked there for that."""

import asyncio
import ssl
from pathlib import Path

import pytest
from aiohttp import web

from fedcollab.base.errors import Unreachable
from fedcollab.base.http import Fetcher
from tests.nodes import free_port

from .test_tls import NOW, issue


async def here(_name: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


async def served(status: int = 200, *, path: Path | None = None, **headers: str) -> tuple[web.AppRunner, int]:
    """A server on loopback that answers everything alike, by TLS where a certificate is given."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, text="here", headers=headers)

    app, port, context = web.Application(), free_port(), None
    app.router.add_get("/{tail:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    if path is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    return runner, port


@pytest.mark.rule("SSRF-01")
async def test_a_node_may_look_at_its_own_name_on_loopback_and_at_no_other() -> None:
    runner, port = await served(421)
    own, fetcher = f"home.example:{port}", Fetcher(lookup=here, own=f"home.example:{port}")
    answer, location = await fetcher.see(f"http://{own}/", permit=lambda host: host == own)
    assert (answer.status, answer.body, location) == (421, b"here", None)
    for url, said in (
        (f"https://other.example:{port}/", "not public"),
        (f"http://other.example:{port}/", "only https"),
        (f"http://127.0.0.1:{port}/", "only https"),
        (f"http://home.example:{free_port()}/", "only https"),
    ):
        with pytest.raises(Unreachable, match=said):
            await fetcher.see(url, permit=lambda _host: True)
    with pytest.raises(Unreachable, match="not one of our partners"):
        await fetcher.see(f"http://{own}/", permit=lambda _host: False)
    await fetcher.close()
    await runner.cleanup()


def test_the_own_name_may_be_asked_by_plain_http_at_its_usual_port_and_no_other_name() -> None:
    assert Fetcher(own="home.example").check("http://home.example/") == "home.example"
    for fetcher, url in (
        (Fetcher(), "http://home.example/"),
        (Fetcher(own="home.example"), "http://other.example/"),
        (Fetcher(own="home.example"), "https://other.example:80/"),
        (Fetcher(own="home.example"), "http://home.example:22/"),
        (Fetcher(own="home.example:22"), "http://home.example:22/"),
    ):
        with pytest.raises(Unreachable, match="refused"):
            fetcher.check(url)


async def test_a_redirect_is_told_and_not_followed() -> None:
    runner, port = await served(301, Location="https://elsewhere.example/")
    own = f"home.example:{port}"
    fetcher = Fetcher(lookup=here, own=own)
    answer, location = await fetcher.see(f"http://{own}/", permit=lambda host: host == own)
    assert (answer.status, location) == (301, "https://elsewhere.example/")
    await fetcher.close()
    await runner.cleanup()


async def test_what_is_wrong_with_a_certificate_is_told_by_its_number(tmp_path: Path) -> None:
    path, _ = issue(tmp_path, None, until=NOW)
    runner, port = await served(path=path)
    own = f"home.example:{port}"
    fetcher = Fetcher(lookup=here, own=own)
    with pytest.raises(Unreachable, match="their certificate is not valid") as refused:
        await fetcher.see(f"https://{own}/", permit=lambda host: host == own)
    assert refused.value.certificate in (10, 18)
    await fetcher.close()
    await runner.cleanup()
    await asyncio.sleep(0)
