"""Whether a node says truly that it is well and ready, to whom it says more, and that a wrong answer is seen in each check."""

import asyncio
import json
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from fedcollab.base.maintenance import Closed
from fedcollab.base.session import Session
from fedcollab.federation.kernel import Kernel
from fedcollab.running import health
from fedcollab.running.health import HEALTH, SILENCE, ready
from tests.features.conftest import House
from tests.web import Site, site

TOKEN = "a-secret-of-the-watcher"
CHECKS = {"database", "schema", "writer", "workers", "disk", "maintenance"}


async def said(made: Site, path: str, **headers: str) -> tuple[int, dict[str, object]]:
    status, _, text = await made.stranger().ask("GET", path, headers=headers)
    return status, json.loads(text)


def forget(made: Site) -> None:
    """The next question is looked into anew."""
    made.runner.app[HEALTH].at = float("-inf")


async def failing(made: Site) -> set[str]:
    forget(made)
    return {name for name, good in (await ready(made.kernel, made.runner.app[HEALTH])).items() if not good}


async def test_a_stranger_is_told_yes_or_no_and_the_token_tells_more(tmp_path: Path) -> None:
    async with site(tmp_path, metrics_token=TOKEN) as made:
        assert await said(made, "/healthz") == (200, {"ok": True})
        assert await said(made, "/readyz") == (200, {"ok": True})
        status, found = await said(made, "/readyz", Authorization=f"Bearer {TOKEN}")
        assert (status, found) == (200, {"ok": True, "checks": dict.fromkeys(CHECKS, True)})
        for wrong in ("Bearer ", "Bearer wrong", TOKEN, f"bearer {TOKEN}x"):
            assert "checks" not in (await said(made, "/readyz", Authorization=wrong))[1]


async def test_bytes_that_are_no_letters_are_no_token(tmp_path: Path) -> None:
    async with site(tmp_path, metrics_token=TOKEN) as made:
        port = int(made.url.rpartition(":")[2])
        for path, status in (("/readyz", b"200"), ("/metrics", b"404")):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nAuthorization: Bearer ".encode()
            writer.write(head + b"\xff\xfe\r\n\r\n")
            assert (await reader.readline()).split()[1] == status
            writer.close()


async def test_without_a_token_nobody_is_told_more(house: House) -> None:
    for offered in ("Bearer ", "Bearer", "", "Bearer None"):
        assert await said(house.site, "/readyz", Authorization=offered) == (200, {"ok": True})


async def test_the_machine_may_ask_by_its_address_and_for_nothing_else(house: House) -> None:
    assert await said(house.site, "/healthz", Host="127.0.0.1:1") == (200, {"ok": True})
    assert (await house.admin.ask("GET", "/groups", headers={"Host": "127.0.0.1:1"}))[0] == 421


async def test_a_checker_that_names_no_host_is_answered_and_one_that_names_two_is_not(house: House) -> None:
    async def raw(head: str) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(house.site.url.rpartition(":")[2]))
        writer.write(f"{head}\r\n\r\n".encode())
        line = (await reader.readline()).decode()
        writer.close()
        return line.split()[1]

    assert await raw("GET /readyz HTTP/1.0") == "200"
    assert await raw("HEAD /healthz HTTP/1.0") == "200"
    assert await raw("GET /login HTTP/1.0") == "400"
    assert await raw("GET /readyz HTTP/1.1\r\nHost: a\r\nHost: b") == "400"


async def test_a_node_that_is_worked_on_is_well_and_not_ready(house: House) -> None:
    house.site.kernel.node.maintenance.begin(Closed(1))
    assert await failing(house.site) == {"maintenance"}
    assert await said(house.site, "/healthz") == (200, {"ok": True})
    assert await said(house.site, "/readyz") == (503, {"ok": False})
    house.site.kernel.node.maintenance.end()
    assert await failing(house.site) == set()


async def test_workers_that_stopped_or_hang_are_seen(house: House) -> None:
    kernel, found = house.site.kernel, house.site.runner.app[HEALTH]
    kernel.pulse["inbox"] = time.monotonic() - SILENCE - 1
    assert await failing(house.site) == {"workers"}
    kernel.pulse["inbox"] = time.monotonic()
    assert await failing(house.site) == set()
    assert found.workers is not None
    found.workers.cancel()
    await asyncio.wait([found.workers])
    assert await failing(house.site) == {"workers"}


async def test_a_database_of_another_step_is_seen(house: House) -> None:
    def other(session: Session) -> None:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))

    await house.site.kernel.database.write(other)
    assert await failing(house.site) == {"schema"}


async def test_a_writer_that_takes_nothing_is_seen_and_its_recovery_too(house: House) -> None:
    goes_on = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(_session: Session) -> None:
        asyncio.run_coroutine_threadsafe(goes_on.wait(), loop).result(20)

    held = asyncio.create_task(house.site.kernel.database.write(hold))
    await asyncio.sleep(0.05)
    assert "writer" in await failing(house.site)
    goes_on.set()
    await held
    assert await failing(house.site) == set()


async def test_a_disk_that_is_almost_full_is_seen(house: House) -> None:
    room = house.site.kernel.node.room
    room.wanted, room._figures, room._looked = 500, (0, 10_000), float("inf")
    assert await failing(house.site) == {"disk"}
    room._figures = (10_000, 10_000)
    assert await failing(house.site) == set()


async def test_asking_often_costs_one_look_a_second(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = list[int]()

    async def counting(_kernel: Kernel) -> bool:
        looks.append(1)
        return True

    monkeypatch.setattr(health, "_writes", counting)
    monkeypatch.setattr(health, "FRESH", 60.0)  # twenty requests take longer than a second where much else is done
    forget(house.site)
    answers = await asyncio.gather(*(said(house.site, "/readyz") for _ in range(20)))
    assert answers == [(200, {"ok": True})] * 20
    assert len(looks) == 1
