"""Shows what strangers get of a running node: yes or no, and neither an error nor what an admin tells the members."""

import asyncio
from pathlib import Path

import pytest

from fedcollab.base.maintenance import Closed
from tests.features.conftest import House
from tests.web import site

from .test_metrics import TOKEN, figures


async def raw(url: str, path: str, said: bytes) -> bytes:
    """What is answered to a visitor who shows these bytes: a client that minds its manners can't send them."""
    address = url.partition("//")[2]
    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: ".encode() + said + b"\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


@pytest.mark.parametrize(
    "said", [b"Bearer \xff\xfe", b"\xed\xb3\xbf", b"Bearer " + b"x" * 4000, TOKEN.encode(), b"bearer " + TOKEN.encode()]
)
async def test_a_token_of_any_bytes_is_a_wrong_one(tmp_path: Path, said: bytes) -> None:
    async with site(tmp_path, metrics_token=TOKEN) as made:
        for path, status in (("/metrics", b"404"), ("/readyz", b"200"), ("/healthz", b"200")):
            answer = await raw(made.url, path, said)
            assert (answer.split(b" ", 2)[1], b"checks" in answer, b"fedcollab_" in answer) == (status, False, False), path
        for path in ("/people/x/outbox", "/activities/x"):
            assert (await raw(made.url, path, said)).split(b" ", 2)[1] in (b"401", b"404"), path
        assert (await figures(made.url + "/metrics", TOKEN))[0] == 200


async def test_what_an_admin_tells_the_members_of_a_closed_node_is_for_members(house: House) -> None:
    daan = await house.site.member("daan")
    house.site.kernel.node.maintenance.begin(Closed(1, words="The server moves to the cellar of 5 Elm Street."))
    for who, told in ((daan, True), (house.site.stranger(), False)):
        status, headers, text = await who.ask("GET", "/groups", headers={"Accept-Language": "en"})
        assert (status, headers["Retry-After"], "being worked on" in text, "Elm Street" in text) == (503, "300", True, told)
        _, _, text = await who.ask("GET", "/actor", headers={"Accept": "application/activity+json"})
        assert "Elm Street" not in text
