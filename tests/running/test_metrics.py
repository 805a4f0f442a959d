"""Which figures a monitoring system gets, by which door, and that no name and no host is among them."""

import re
from pathlib import Path

import aiohttp
import pytest

from fedcollab.base.errors import Misconfigured
from fedcollab.base.tally import Tally
from fedcollab.running.metrics import lines, of_tally
from tests.features.conftest import House
from tests.ports import free_ports
from tests.rows import partner
from tests.web import site

TOKEN = "a-secret-of-the-watcher"
LINE = re.compile(r'(# (HELP|TYPE) .+|fedcollab_\w+(\{\w+="[^"\n]*"(,\w+="[^"\n]*")*\})? [0-9.e+-]+)')


async def figures(url: str, token: str = "") -> tuple[int, str, dict[str, float]]:
    """(status, body, {figure with its labels: value})."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.request("GET", url, headers=headers) as answer:
        text = await answer.text()
    found = [line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("fedcollab_")]
    return answer.status, text, {name: float(value) for name, value in found} if answer.status == 200 else {}


async def test_nobody_sees_figures_without_the_token_and_the_token_opens_them(tmp_path: Path) -> None:
    async with site(tmp_path, metrics_token=TOKEN) as made:
        for offered in ("", "wrong", TOKEN + "x"):
            status, text, _ = await figures(made.url + "/metrics", offered)
            assert status == 404
            assert "fedcollab_" not in text
        status, text, found = await figures(made.url + "/metrics", TOKEN)
        assert status == 200
        assert [line for line in text.splitlines() if not LINE.fullmatch(line)] == []
        assert found['fedcollab_ready{check="writer"}'] == 1
        assert found['fedcollab_requests_total{route="/metrics",status="4xx"}'] == 3
        assert found["fedcollab_units_total"] >= 1
        assert found["fedcollab_database_bytes"] > 10_000
        assert found["fedcollab_resident_memory_bytes"] > 1 << 20


async def test_a_node_without_a_token_has_no_figures(house: House) -> None:
    assert (await figures(house.site.url + "/metrics"))[0] == 404
    assert (await house.admin.get("/metrics"))[0] == 404


async def test_a_port_of_their_own_shows_them_and_nothing_else(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    async with site(tmp_path, metrics_listen=f"127.0.0.1:{port}") as made:
        own = f"http://127.0.0.1:{port}"
        assert (await figures(own + "/metrics"))[0] == 200
        async with aiohttp.request("GET", own + "/readyz") as answer:
            assert (await answer.json())["checks"]["database"] is True
        for path in ("/", "/login", "/static/app.css", "/admin/audit"):
            assert (await figures(own + path))[0] == 404
        assert (await figures(made.url + "/metrics"))[0] == 404


async def test_the_port_asks_for_the_token_where_there_is_one(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    async with site(tmp_path, metrics_listen=f"127.0.0.1:{port}", metrics_token=TOKEN):
        assert (await figures(f"http://127.0.0.1:{port}/metrics"))[0] == 404
        assert (await figures(f"http://127.0.0.1:{port}/metrics", TOKEN))[0] == 200


async def test_a_port_that_is_taken_stops_the_start_and_says_what_to_write(house: House, tmp_path: Path) -> None:
    taken = house.site.kernel.node.settings.listen
    with pytest.raises(Misconfigured, match=r"metrics_listen = "):
        async with site(tmp_path / "second", metrics_listen=taken):
            pass


async def test_figures_name_no_person_no_partner_and_no_address(tmp_path: Path) -> None:
    async with site(tmp_path, metrics_token=TOKEN) as made:
        ilse = await made.member("ilse.secret", "admin", "member")
        await made.kernel.database.write(partner, made.kernel.node, "partner-host.example")
        group = await made.group(ilse, "hidden-group", "TLP:GREEN")
        posted = await made.thread(ilse, group)
        assert (await ilse.get(f"/threads/{posted.thread_id}"))[0] == 200
        assert (await ilse.get("/no-such-page/ilse.secret"))[0] == 404
        _, text, found = await figures(made.url + "/metrics", TOKEN)
        assert found['fedcollab_requests_total{route="/threads/{id}",status="2xx"}'] == 1
        assert found['fedcollab_requests_total{route="none",status="4xx"}'] == 1
        assert found['fedcollab_partners{state="admitted"}'] == 1
        for name in ("ilse", "partner-host", "hidden-group", posted.thread_id, made.kernel.node.host):
            assert name not in text


def test_values_of_labels_cannot_break_out_of_their_line() -> None:
    text = lines("x", "gauge", "An x.", [({"route": 'a"b\\c\nd'}, 1.5)])
    assert text == '# HELP fedcollab_x An x.\n# TYPE fedcollab_x gauge\nfedcollab_x{route="a\\"b\\\\c\\nd"} 1.5\n'


def test_the_writers_groups_are_counted_from_the_smallest_up() -> None:
    tally = Tally()
    for seconds in (0.0004, 0.003, 0.003, 5.0):
        tally.add(seconds, 2)
    text = of_tally(tally)
    assert 'bucket{le="0.001"} 1\n' in text
    assert 'bucket{le="0.005"} 3\n' in text
    assert 'bucket{le="2"} 3\n' in text
    assert 'bucket{le="+Inf"} 4\n' in text
    assert text.endswith("seconds_sum 5.006400\nfedcollab_commit_seconds_count 4\n")
    assert tally.units == 8
