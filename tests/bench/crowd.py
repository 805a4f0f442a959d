"""Runs many whole nodes in one process for a measure, and does what is asked for on standard input, one line of JSON each."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvloop

from fedcollab.access.viewer import ADMIN, MEMBER, Viewer
from fedcollab.actors import service as actors
from fedcollab.admin import partners as acts
from fedcollab.app import make_app, make_kernel
from fedcollab.base import config, crypto
from fedcollab.base.database import open_database
from fedcollab.base.model import Model
from fedcollab.base.paths import NodeFiles
from fedcollab.base.session import Session
from fedcollab.features.discussions import groups, service
from fedcollab.federation import profiles
from fedcollab.federation.kernel import Kernel
from fedcollab.serve import collect_from_now_on, start

AT_ONCE = 4


class Crowd:
    """The nodes of this process, by their ports."""

    def __init__(self) -> None:
        self.kernels: dict[int, Kernel] = {}
        self.viewers: dict[int, Viewer] = {}

    async def begin(self, place: Path, port: int, peers: list[int]) -> None:
        files = NodeFiles(place / str(port))
        files.root.mkdir()
        settings = config.parse(
            {
                "name": f"Organisation {port}",
                "base_url": f"http://127.0.0.1:{port}",
                "listen": f"127.0.0.1:{port}",
                "trial": True,
                "loopback_peers": [f"127.0.0.1:{peer}" for peer in peers],
            },
            {},
        )
        crypto.make_master_key(files)
        database = open_database(f"sqlite:///{files.database}")
        Model.metadata.create_all(database.engine)
        kernel = self.kernels[port] = make_kernel(settings, files, database=database)
        self.viewers[port] = await database.write(self._people, kernel)
        await start(make_app(kernel))

    @staticmethod
    def _people(session: Session, kernel: Kernel) -> Viewer:
        me = actors.create_own(session, kernel.node, actors.ORGANIZATION, username="organisation", name=kernel.node.settings.name)
        profiles.document(session, kernel.node, me)
        person = actors.create_own(session, kernel.node, actors.PERSON, username="ilse", name="Ilse V.")
        profiles.document(session, kernel.node, person)
        return Viewer(me.id, person.id, frozenset({ADMIN, MEMBER}), person.name)

    async def approve(self, pairs: Sequence[tuple[int, int]]) -> int:
        turn = asyncio.Semaphore(AT_ONCE)

        async def one(mine: int, theirs: int) -> None:
            async with turn:
                await acts.add(self.kernels[mine], self.viewers[mine], f"http://127.0.0.1:{theirs}", approve=True)

        await asyncio.gather(*(one(mine, theirs) for mine, theirs in pairs))
        return len(pairs)

    async def group(self, port: int) -> str:
        kernel = self.kernels[port]
        made = await kernel.database.write(groups.create, kernel.node, self.viewers[port], slug="leads", name="Leads", label="TLP:GREEN")
        return made.uri

    async def post(self, port: int, text: str) -> int:
        """Opens the conversation, or answers in it; tells when, in microseconds."""
        kernel, viewer = self.kernels[port], self.viewers[port]
        at = kernel.node.now()
        if text == "opener":
            group = (await self._sql(port, "SELECT id FROM actor WHERE kind = 'Group' AND known = 'own'"))[0][0]
            await kernel.database.write(service.post_thread, kernel.node, viewer, group, title="Leads", text=text)
        else:
            thread = (await self._sql(port, "SELECT id FROM thread"))[0][0]
            await kernel.database.write(service.post_reply, kernel.node, viewer, thread, text=text)
        return at

    async def strangers(self) -> int:
        """Follows that are not accepted yet, in either direction."""
        return await self._count("SELECT 2 * (SELECT count(*) FROM partner) - (SELECT count(*) FROM follow WHERE state = 'accepted')")

    async def unaware(self, group: int) -> int:
        return await self._count("SELECT count(*) = 0 FROM actor WHERE kind = 'Group'")

    async def without(self, text: str, count: int) -> int:
        return await self._count(f"SELECT count(*) < {count} FROM post WHERE html LIKE '%{text}%' AND confirmed_at IS NOT NULL")

    async def arrived(self, text: str) -> int:
        """When the last node of this process had it, in microseconds."""
        query = f"SELECT max(confirmed_at) FROM post WHERE html LIKE '%{text}%'"
        return max([(await self._sql(port, query))[0][0] for port in self.kernels])

    async def waiting(self) -> int:
        return await self._count(
            "SELECT (SELECT count(*) FROM delivery WHERE state = 'waiting') + (SELECT count(*) FROM inbox_item WHERE state = 'waiting')"
        )

    async def deliveries(self) -> int:
        return await self._count("SELECT count(*) FROM delivery WHERE state = 'done'")

    async def memory(self) -> float:
        """MiB of this process."""
        lines = Path(f"/proc/{os.getpid()}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    async def bytes(self) -> int:
        """What has gone over loopback so far."""
        line = next(line for line in Path("/proc/net/dev").read_text().splitlines() if line.strip().startswith("lo:"))
        return int(line.split(":")[1].split()[0])

    async def _count(self, query: str) -> int:
        return sum([(await self._sql(port, query))[0][0] for port in self.kernels])

    async def _sql(self, port: int, query: str) -> list[Any]:
        return await self.kernels[port].database.read(lambda session: [tuple(row) for row in session.execute(sa.text(query))])


async def main(place: Path, ports: list[int]) -> None:
    plan, crowd = json.loads((place / "plan.json").read_text()), Crowd()
    for port in ports:
        await crowd.begin(place, port, plan[str(port)])
    collect_from_now_on()
    print('"ready"', flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        command = json.loads(line)
        answer = await getattr(crowd, command.pop("do"))(**command)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(Path(sys.argv[1]), [int(port) for port in sys.argv[2:]]))
