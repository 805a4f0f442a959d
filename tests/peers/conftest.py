"""Gives the tests the other software, running, and a node of ours that is its partner."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fedcollab.actors.service import ActorData
from fedcollab.admin import partners as acts
from tests import nodes

HERE = Path(__file__).parent
Say = Callable[[str], None]


@dataclass
class Harbour:
    """The other organisation: its node's address, and where it takes orders."""

    url: str
    control: str

    def uri(self, name: str) -> str:
        return f"{self.url}/users/{name}"

    async def order(self, name: str, **asked: object) -> Any:
        """Has it do something, as orders.js lists it; answers what came of that."""
        async with aiohttp.request("POST", f"{self.control}/{name}", json=asked) as answer:
            found = await answer.json()
            assert answer.status == 200, found
            return found

    async def received(self, kind: str, **wanted: str) -> list[dict[str, Any]]:
        """The activities of a kind that it has taken, with the ids that are `wanted` under these names."""
        seen = await self.order("seen")
        found = [a for a in seen["received"] if a["type"] == kind]
        return [a for a in found if all(_ident(a.get(name)) == uri for name, uri in wanted.items())]

    async def holds(self, uri: str) -> str | None:
        """The text of a post as it has it, or None."""
        return (await self.order("seen"))["objects"].get(uri)


def _ident(value: Any) -> str:
    return value["id"] if isinstance(value, dict) else value


@dataclass
class Meeting:
    """Our node and the other organisation, partners that follow each other, and a group of ours."""

    here: nodes.Here
    harbour: Harbour
    group: ActorData

    @property
    def inbox(self) -> str:
        return self.here.url + "/inbox"

    async def text(self, uri: str) -> str | None:
        """What a post says here, None where there is none."""
        await self.here.quiet()
        found = await self.here.sql("SELECT html FROM post WHERE uri = :uri AND deleted_at IS NULL", uri=uri)
        return found[0][0] if found else None


@pytest.fixture
def packages() -> Path:
    """The folder that `deploy/dev test` installs package.json into."""
    return Path(os.environ["FEDCOLLAB_TEST_PEERS"]) / "node_modules"


@pytest.fixture
def program(packages: Path) -> str:
    """Node 22 or newer: the machine's, or the one among the packages."""
    installed = packages / ".bin" / "node"
    return str(installed if installed.exists() else shutil.which("node"))


@pytest.fixture
def say(record_property: Callable[[str, object], None]) -> Say:
    """A line that `deploy/dev test` prints under its group."""

    def line(words: str) -> None:
        print(words)
        record_property("said", words)

    return line


@pytest.fixture
async def harbour(tmp_path: Path, packages: Path, program: str) -> AsyncIterator[Harbour]:
    place = tmp_path / "harbour"
    place.mkdir()
    for file in (*HERE.glob("*.js"), HERE / "package.json"):
        shutil.copy(file, place)
    (place / "node_modules").symlink_to(packages.resolve())
    with (place / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program, "control.js", cwd=place, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log
        )
    assert process.stdin
    assert process.stdout
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        assert line, (place / "log").read_text()
        yield Harbour(**json.loads(line))
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 10)


@pytest.fixture
async def here(tmp_path: Path, harbour: Harbour) -> AsyncIterator[nodes.Here]:
    made = await nodes.start(tmp_path, peers=(int(harbour.url.rpartition(":")[2]),))
    try:
        yield made
    finally:
        await made.stop()


@pytest.fixture
async def meeting(here: nodes.Here, harbour: Harbour) -> Meeting:
    await acts.add(here.kernel, here.viewer, harbour.uri("harbour"), approve=True)
    group = await here.group()
    await harbour.order("follow", target=here.url + "/actor", inbox=here.url + "/actor/inbox")
    await nodes.until("our Accept is there", lambda: harbour.received("Accept"))
    await nodes.until(
        "its Accept is here", lambda: here.sql("SELECT 1 FROM follow WHERE state = 'accepted' AND uri LIKE :mine", mine=here.url + "%")
    )
    return Meeting(here, harbour, group)
