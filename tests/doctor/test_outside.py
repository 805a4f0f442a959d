"""Plants a fault before a node that runs, or in its process, and looks through its public name: the fault's own code names it."""

import ast
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from fedcollab.base.http import Answer
from fedcollab.base.paths import PACKAGE
from fedcollab.doctor import naming, outside, report
from fedcollab.doctor.checks import CHECKS, CODES
from fedcollab.doctor.findings import FAIL, OK, SKIP, WARN
from fedcollab.doctor.patient import Patient

from .fronts import Front, certificate, running
from .outside import NOBODY, OUTER, Outer, Stand
from .patients import CANARIES, nowhere, unwell, ward

ASKED = [check.code for check in CHECKS if check.asks]


@pytest.fixture
def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stand:
    well = ward(tmp_path)
    well.set(trusted_proxy=True)
    authority = certificate(tmp_path, "authority")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    port, door = (int(address.rpartition(":")[2]) for address in (well.settings.base_url, well.settings.listen))
    return Stand(well, Front(port, door, certificate(tmp_path, by=authority)), authority, monkeypatch)


@contextlib.asynccontextmanager
async def standing(stand: Stand) -> AsyncIterator[None]:
    """What of the two is to be there."""
    async with contextlib.AsyncExitStack() as stack:
        if stand.runs:
            await stack.enter_async_context(running(stand.ward))
        if stand.serves:
            await stack.enter_async_context(stand.front.serving())
        yield


@pytest.mark.parametrize("fault", OUTER, ids=lambda fault: fault.name)
async def test_the_doctor_finds_each_planted_fault_by_its_code(fault: Outer, stand: Stand) -> None:
    async with standing(stand):
        assert await stand.ward.levels(fault.code) == {fault.code: OK}
    fault.plant(stand)
    async with standing(stand):
        after = await stand.ward.examine()
    assert unwell({check.code: finding.level for check, finding in after}) == {fault.code: fault.level}
    assert [check.code for check, finding in after if "report it" in finding.words()] == []
    [finding] = [finding for check, finding in after if check.code == fault.code]
    assert len(finding.remedy(stand.ward.patient().place)) > 10
    shown = report.redacted(after)
    assert [word for word in (*CANARIES, str(stand.ward.root.parent), "192.168.1.7") if word in shown] == []


async def test_a_node_that_is_well_has_nothing_to_mend(stand: Stand) -> None:
    async with standing(stand):
        levels = await stand.ward.levels()
    assert list(levels) == list(CODES)
    assert {code for code, level in levels.items() if level != OK} == {"redirect", "clock"}, (
        "no port 80 is served, no partner is on loopback"
    )


async def test_something_else_at_the_nodes_port_is_no_node(stand: Stand) -> None:
    app = web.Application()
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", stand.front.to).start()
    async with stand.front.serving():
        levels = await stand.ward.levels()
    await runner.cleanup()
    assert unwell(levels) == {"running": FAIL}


async def test_a_name_that_leads_nowhere_is_one_fault_not_many(stand: Stand) -> None:
    stand.ward.resolved, stand.ward.lookup = NOBODY, nowhere
    async with standing(stand):
        levels = await stand.ward.levels()
    assert unwell(levels) == {"name": FAIL}
    assert {code for code, level in levels.items() if level == SKIP} == set(ASKED) - {"name"}


async def test_offline_nobody_is_asked(stand: Stand) -> None:
    stand.ward.resolved = NOBODY
    async with running(stand.ward):
        levels = await stand.ward.levels(offline=True)
    assert {code for code, level in levels.items() if level == SKIP} == set(ASKED)
    assert unwell(levels) == {}


@pytest.mark.parametrize("routes", ["", "Iface Destination Gateway\n", "Iface Destination Gateway\neth0 0002A8C0 00000000 0001\n"])
async def test_a_machine_without_a_network_is_not_blamed_for_what_nobody_could_ask(stand: Stand, routes: str) -> None:
    (stand.ward.root.parent / "proc/net/route").write_text(routes)
    stand.ward.resolved, stand.serves = NOBODY, False
    async with standing(stand):
        found = {check.code: finding for check, finding in await stand.ward.examine(*ASKED)}
    assert {finding.level for finding in found.values()} == {SKIP}
    assert found["name"].text == found["reached"].text == naming.NO_NETWORK


async def test_a_name_server_that_does_not_answer_is_no_missing_name(stand: Stand) -> None:
    stand.ward.resolved = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    assert await stand.ward.levels("name", "public-address") == {"name": SKIP, "public-address": SKIP}


class Canned:
    """Stands in for the fetcher where the port would be 80."""

    def __init__(self, status: int, location: str | None) -> None:
        self.said = Answer(status, "http://node.example/", "", b""), location

    async def see(self, url: str, **_: object) -> tuple[Answer, str | None]:
        assert url == "http://node.example/"
        return self.said

    async def close(self) -> None:
        return


@pytest.mark.parametrize(
    ("status", "location", "level"),
    [(308, "https://node.example/", OK), (200, None, WARN), (302, "http://node.example/login", WARN)],
)
async def test_plain_http_has_to_lead_to_https(stand: Stand, status: int, location: str | None, level: str) -> None:
    stand.ward.set(base_url="https://node.example")
    patient: Patient = stand.ward.patient()
    assert patient.fetcher.check("http://node.example/") == "node.example"
    patient.__dict__["fetcher"] = Canned(status, location)
    assert (await outside.redirect(patient)).level == level


def test_the_doctor_alone_may_ask_its_own_name_wherever_that_leads() -> None:
    given = []
    for path in PACKAGE.rglob("*.py"):
        found = [
            node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Fetcher"
        ]
        given += [path.name for call in found if "own" in {keyword.arg for keyword in call.keywords} or len(call.args) > 0]
    assert given == ["patient.py"]
