"""A case that was ended 15 days before stays shut, whichever backup comes back, with whichever key ring that is kept: for its people, the
keepers, whoever finds the sheets. A case beside it that nobody has ended opens with each of them."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from fedcollab.app import FEATURES, make_app, make_kernel
from fedcollab.backup import keeping, nightly, printed, restoring, ring_sets, sets
from fedcollab.backup.store import Store
from fedcollab.base import config
from fedcollab.base.clock import DAY
from fedcollab.base.errors import FedcollabError
from fedcollab.base.paths import NodeFiles
from fedcollab.base.web import cookie_name
from fedcollab.features.members import sessions
from fedcollab.federation.kernel import Kernel
from fedcollab.sealing import boxes, carrying, holding, organisation, papers, sheets, unlocked, working, wraps
from fedcollab.serve import start
from tests.backup.test_making import quiet
from tests.features.cases.desks import Office, office
from tests.features.cases.filed import rows, send, take
from tests.rows import Hands
from tests.web import Site, Visitor

PAIR = printed.pair(bytes(range(32)))
KEPT = keeping.Kept(PAIR.public, b"s" * 32)
PARTS = [feature.erasures for feature in FEATURES if feature.erasures]
UNITS = [unit for feature in FEATURES for unit in feature.restored]
WORDS, BYTES = "She is with the sisters.", b"The house behind the mill.\n" * 900
ENDED, LATER = 2, 17  # days


@dataclass
class Case:
    """One case of the node: its row, its file's, the names of all boxes in the key ring that lead to what it says."""

    id: str
    file: str
    boxes: set[str]


def clocked(kernel: Kernel, clock: Hands) -> Kernel:
    return replace(kernel, node=replace(kernel.node, clock=clock))


class Kept:
    """The backups of a node on several days, and what people have in their hands: keys that were unlocked, printed sheets."""

    def __init__(self, at: Office, backups: Path) -> None:
        self.at, self.backups = at, backups
        self.now = at.site.kernel.node.now()
        self.clock = Hands(self.now)
        self.kernel = at.site.kernel = clocked(at.site.kernel, self.clock)
        self.files, self.sheets = self.kernel.node.files, list[papers.Sheet]()

    async def case(self) -> Case:
        at, daan = self.at, self.at["daan"].viewer.person_id
        case = await at.case("noor")
        await at.unlocked("noor", holding.assign, case, daan)
        await at.say("noor", case, WORDS)
        before = {row[0] for row in await rows(at)}
        assert (await send(at["noor"], case, BYTES))[0] == 303
        [file] = {row[0] for row in await rows(at)} - before
        await at.site.write(working.rekey, case)
        named = await at.sql("SELECT 'ck:' || ck FROM room_key WHERE room_id = :id", id=case)
        named += await at.sql("SELECT 'mk:' || kid FROM member_key WHERE room_id = :id", id=case)
        return Case(case, file, {name for (name,) in named})

    async def print_sheets(self) -> None:
        there = await self.kernel.database.read(sheets.state)
        assert there is not None
        self.sheets = list(await self.at.do("mila", sheets.make, self.at.keys["mila"][0], there.kid))

    async def back_up(self, day: int) -> Path:
        """As each night."""
        self.clock.at = self.now + day * DAY
        return (await nightly.run(self.kernel, self.files, self.backups, PARTS, quiet)).path

    def rings(self) -> list[Path]:
        return [path for path, _ in sets.by_age(self.backups / ring_sets.FOLDER)]

    def restore(self, path: Path, place: Path, ring: Path) -> None:
        """One backup, with the key ring of that one, as if the newer ones had burnt."""
        backups = place.with_name(place.name + ".from")
        shutil.copytree(self.backups, backups)
        for newer in self.rings()[self.rings().index(ring) + 1 :]:
            (backups / ring_sets.FOLDER / newer.name).unlink()
        made = restoring.restore(backups, backups / path.name, PAIR, place, say=quiet, units=UNITS, parts=PARTS, clock=self.clock)
        assert made.ring.made_at == sets.head(ring).made_at

    @contextlib.asynccontextmanager
    async def again(self, place: Path) -> AsyncIterator[Office]:
        """The node that came back, with everybody signed in again and their keys unlocked."""
        kernel = clocked(make_kernel(config.load(place, {}), NodeFiles(place)), self.clock)
        runner = await start(make_app(kernel))
        try:
            made = Office(Site(kernel, place, runner), keys=self.at.keys)
            for name in self.at.people:
                made.people[name] = await self._sign_in(made.site, name)
            yield made
        finally:
            await runner.cleanup()

    async def _sign_in(self, site: Site, name: str) -> Visitor:
        viewer, keys = self.at[name].viewer, self.at.keys[name]
        token = await site.write(sessions.start_session, viewer.person_id, "test")

        def unlock(_session: Any, node: Any) -> None:
            with node.ring.begin() as ring:
                unlocked.unlock(ring, token, keys, node.now())

        await site.write(unlock)
        return Visitor(site, viewer, {cookie_name(site.kernel.node.settings, "session"): token})

    def by_sheets(self, session: Any, node: Any, case: Case) -> list[str]:
        """The boxes of a case that whoever has two sheets opens."""
        state = sheets.state(session)
        assert state is not None
        with node.ring.look() as ring:
            recovery = papers.open_with_sheets(wraps.sheet_boxes(ring, state.kid), state.kid, *self.sheets[:2])
            held = organisation.opened(session, node, recovery).values()
            assert held, "the sheets open the organisation's key in any case"
            found = [(one, name, box) for name in case.boxes for one in held if (box := wraps.wrap(ring, name, one.public.kid))]
            return [name for one, name, box in found if boxes.unbox(one, box, name)]


@contextlib.asynccontextmanager
async def kept(root: Path) -> AsyncIterator[Kept]:
    async with office(root, backup_keep=3650) as at:
        made = Kept(at, root / "backups")
        keeping.keep(made.files, made.kernel.node.master_key, KEPT)
        await made.print_sheets()
        yield made


async def opens(at: Office, case: Case, name: str) -> tuple[bool, bool]:
    """Whether somebody reads what was written in a case, and its file."""
    status, page = await at[name].get(f"/cases/{case.id}")
    file = await take(at[name], f"/cases/{case.id}/files/{case.file}")
    assert (status in (200, 404, 410), file[0] in (200, 404, 410)) == (True, True), (status, file[0])
    return WORDS in page, file[2] == BYTES


async def by_keeper(at: Office, case: Case, name: str) -> bool:
    try:
        return bool((await at.unlocked(name, holding.open_as_keeper, case.id)).secrets)
    except FedcollabError:
        return False


def in_ring(backups: Path, path: Path) -> set[str]:
    """The names of all boxes in one backup of the key ring."""
    _, manifest = ring_sets.read(path, PAIR)
    lines = ring_sets.rows(Store(backups / ring_sets.FOLDER / "pieces", manifest.secret), manifest.files[0])
    return {row["of"] for table, row in map(carrying.read, lines) if table == "wrap"}


@pytest.mark.slow
@pytest.mark.rule("P13", "P11")
async def test_a_case_that_was_ended_15_days_before_opens_for_nobody_whichever_backup_comes_back(tmp_path: Path) -> None:
    async with kept(tmp_path) as made:
        gone, stays = await made.case(), await made.case()
        nodes = [await made.back_up(day) for day in (0, 1)]
        assert in_ring(made.backups, made.rings()[-1]) >= gone.boxes | stays.boxes
        made.clock.at = made.now + ENDED * DAY
        await made.at.do("noor", working.purge, gone.id)
        nodes += [await made.back_up(day) for day in (3, 10, 16, LATER)]
    assert len(sets.listed(made.backups)) == len(nodes), "the node's own are kept for years"
    rings = made.rings()
    assert [(sets.head(ring).made_at - made.now) // DAY for ring in rings] == [10, 16, LATER]
    for ring in rings:
        assert in_ring(made.backups, ring) & gone.boxes == set()
        assert in_ring(made.backups, ring) >= stays.boxes
    tries = [(path, rings[-1]) for path in (nodes[0], nodes[1], nodes[-1])] + [(nodes[0], ring) for ring in rings[:-1]]
    for number, (path, ring) in enumerate(tries):
        place = tmp_path / f"again{number}"
        await asyncio.to_thread(made.restore, path, place, ring)
        async with made.again(place) as at:
            assert [await at.site.write(made.by_sheets, case) != [] for case in (gone, stays)] == [False, True]
            for name in ("noor", "daan"):
                assert await opens(at, gone, name) == (False, False)
                assert await opens(at, stays, name) == (True, True)
            for name in ("mila", "ruth"):
                assert [await by_keeper(at, case, name) for case in (gone, stays)] == [False, True]
            assert await at.sql("SELECT state FROM room WHERE id = :id", id=gone.id) == [("purged",)]
            assert await at.sql("SELECT state FROM sealed_file WHERE id = :id", id=gone.file) == [("gone",)]
            assert gone.id in "".join(str(row) for row in await at.sql("SELECT room_id FROM room_ending WHERE done_at IS NOT NULL"))
