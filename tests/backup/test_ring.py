"""Shows that the key ring comes back with a node as it was, that nothing destroyed does, whichever backup is restored, and that no backup
of it is there for longer than two weeks."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fedcollab.backup import keeping, making, printed, restoring, ring_back, ring_sets, sets
from fedcollab.backup.store import Store
from fedcollab.base import config
from fedcollab.base.clock import DAY
from fedcollab.base.crash import RING as CRASHES
from fedcollab.base.errors import Gone, Misconfigured
from fedcollab.base.migrate import RING, check, migrate
from fedcollab.base.paths import NodeFiles
from fedcollab.sealing import carrying, wraps
from fedcollab.sealing.ring import Ring, open_ring
from fedcollab.sealing.ring_models import RingModel
from fedcollab.setup import init
from tests.backup.test_making import quiet
from tests.rows import START, Hands

KEY = bytes(range(32))
PAIR = printed.pair(KEY)
KEPT = keeping.Kept(PAIR.public, b"s" * 32)
WRITTEN: dict[str, object] = {"name": "Kanari", "base_url": "https://kanari.example.org", "backup_keep": 3650}
CREATE = """
import sys
from pathlib import Path
from fedcollab.backup import keeping, printed, ring_sets
from fedcollab.base import config
from fedcollab.base.paths import NodeFiles
from fedcollab.sealing.ring import open_ring

files, kept = NodeFiles(Path(sys.argv[1])), keeping.Kept(printed.pair(bytes(range(32))).public, b"s" * 32)
settings = config.load(files.root, {})
ring_sets.create(files, settings, kept, Path(sys.argv[2]), open_ring(settings, files))
"""


class Kanari:
    """A node with a key ring that is backed up on some days."""

    def __init__(self, place: Path) -> None:
        self.files, self.backups = NodeFiles(place / "node"), place / "backups"
        self.settings = init(self.files.root, WRITTEN)
        self.ring = open_ring(self.settings, self.files)

    def put(self, name: str) -> None:
        with self.ring.begin() as ring:
            wraps.put_wrap(ring, name, "k", b"\0\xffbox of " + name.encode(), START)

    def destroy(self, name: str, day: int, to_kid: str = "") -> None:
        with self.ring.begin() as ring:
            wraps.destroy(ring, name, START + day * DAY, to_kid=to_kid)

    def back_up_ring(self, day: int) -> Path:
        return ring_sets.create(self.files, self.settings, KEPT, self.backups, self.ring, clock=Hands(START + day * DAY))

    async def back_up(self, day: int) -> Path:
        """The whole node, as each night."""
        clock = Hands(START + day * DAY)

        def destroyed() -> list[str]:
            with self.ring.look() as ring:
                return carrying.destroyed(ring, 0)

        async def erased() -> dict[str, list[str]]:
            return {ring_sets.FOLDER: await asyncio.to_thread(destroyed)}

        made = await making.create(self.files, self.settings, KEPT, self.backups, say=quiet, erased=erased, clock=clock)
        await asyncio.to_thread(self.back_up_ring, day)
        return made.path

    def restored(self, day: int, path: Path | None = None, target: str = "again") -> tuple[restoring.Restored, dict[str, bytes]]:
        """What a restore on that day says, and the boxes that are there then."""
        place = self.files.root.with_name(target)
        path = path or restoring.newest(self.backups, PAIR)
        made = restoring.restore(self.backups, path, PAIR, place, say=quiet, units=(), clock=Hands(START + day * DAY))
        ring = open_ring(config.load(place, {}), NodeFiles(place))
        check(ring.engine, RING)
        with ring.look() as look:
            found = wraps.wraps_to(look, "k")
        ring.close()
        return made, found


@pytest.fixture
def kanari(tmp_path: Path) -> Iterator[Kanari]:
    made = Kanari(tmp_path)
    yield made
    made.ring.close()


def listed(kanari: Kanari) -> list[int]:
    """The days of the ring's backups that are there."""
    return [(head.made_at - START) // DAY for _, head in sets.by_age(kanari.backups / ring_sets.FOLDER)]


@pytest.mark.slow
@pytest.mark.rule("P13")
@pytest.mark.rule("P11")
async def test_a_box_destroyed_15_days_ago_is_in_no_backup_and_comes_back_with_none_and_what_was_kept_comes_back_with_each(
    kanari: Kanari,
) -> None:
    for name in ("mk:gone", "mk:late", "mk:kept"):
        await asyncio.to_thread(kanari.put, name)
    nodes = [await kanari.back_up(day) for day in (0, 4)]
    await asyncio.to_thread(kanari.destroy, "mk:gone", 5)
    nodes += [await kanari.back_up(day) for day in (6, 12, 19)]
    await asyncio.to_thread(kanari.destroy, "mk:late", 20)
    nodes.append(await kanari.back_up(20))
    assert len(sets.listed(kanari.backups)) == len(nodes), "the node's own are kept for ten years"
    assert listed(kanari) == [12, 19, 20]
    for number, path in enumerate(nodes):
        made, found = await asyncio.to_thread(kanari.restored, 20, path, f"again{number}")
        assert made.ring.made_at == START + 20 * DAY
        assert found == {"mk:kept": b"\0\xffbox of mk:kept"}
    for path, _ in sets.by_age(kanari.backups / ring_sets.FOLDER):
        _, manifest = ring_sets.read(path, PAIR)
        store = Store(kanari.backups / ring_sets.FOLDER / "pieces", KEPT.secret)
        rows = [carrying.read(line)[1] for line in ring_sets.rows(store, manifest.files[0])]
        assert "mk:gone" not in [row["of"] for row in rows if "box" in row]
        assert "mk:kept" in [row["of"] for row in rows if "box" in row]


@pytest.mark.slow
@pytest.mark.rule("P13")
async def test_of_an_older_ring_that_alone_can_be_read_only_what_was_not_destroyed_since_comes_back(kanari: Kanari) -> None:
    for name in ("mk:gone", "mk:kept", "mk:again"):
        await asyncio.to_thread(kanari.put, name)
    await kanari.back_up(0)
    await asyncio.to_thread(kanari.destroy, "mk:gone", 1)
    await asyncio.to_thread(kanari.destroy, "mk:again", 1, "k")
    await kanari.back_up(1)
    newest, _ = sets.by_age(kanari.backups / ring_sets.FOLDER)[-1]
    newest.write_bytes(b"damaged")
    made, found = await asyncio.to_thread(kanari.restored, 1)
    assert made.ring == ring_back.Brought(START, 1, 0)
    assert set(found) == {"mk:kept"}, "the node's own newer backup names what was destroyed"
    with pytest.raises(Gone):
        await asyncio.to_thread(_put_again, kanari.files.root.with_name("again"))


def _put_again(place: Path) -> None:
    ring = Ring(f"sqlite:///{place / 'ring.db'}")
    try:
        with ring.begin() as put:
            wraps.put_wrap(put, "mk:gone", "k", b"late", START)
    finally:
        ring.close()


@pytest.mark.slow
@pytest.mark.rule("P13")
async def test_a_ring_that_was_left_lying_for_too_long_is_not_brought_back_and_an_empty_one_is_said_to_be_empty(kanari: Kanari) -> None:
    await asyncio.to_thread(kanari.put, "mk:gone")
    await kanari.back_up(0)
    await asyncio.to_thread(kanari.destroy, "mk:gone", 1)  # and then the timer stood still
    made, found = await asyncio.to_thread(kanari.restored, 16)
    assert (made.ring, found) == (ring_back.Brought(0, 0, 1), {})
    made, found = await asyncio.to_thread(kanari.restored, 13, None, "sooner")
    assert (made.ring, set(found)) == (ring_back.Brought(START, 0, 0), {"mk:gone"}), "nobody could know of it yet"


@pytest.mark.rule("P13")
def test_no_backup_of_the_ring_is_kept_for_two_weeks_whatever_the_settings_say_nor_one_from_days_to_come(kanari: Kanari) -> None:
    for day in (0, 1, 13):
        kanari.back_up_ring(day)
    assert listed(kanari) == [0, 1, 13]
    assert ring_sets.prune(kanari.backups, kanari.settings, START + 14 * DAY - 1) == 0
    assert ring_sets.prune(kanari.backups, kanari.settings, START + 14 * DAY) == 1
    assert listed(kanari) == [1, 13]
    strict = config.parse(WRITTEN | {"backup_keep": 3}, {})
    assert ring_sets.prune(kanari.backups, strict, START + 15 * DAY) == 1
    assert ring_sets.prune(kanari.backups, kanari.settings, START + 5 * DAY) == 1, "a clock that was a week ahead"
    assert listed(kanari) == []
    assert list(Store(kanari.backups / "ring" / "pieces", b"").names()) == [], "nor is there a piece of one"
    kanari.back_up_ring(20)
    assert listed(kanari) == [20]


@pytest.mark.rule("P13")
def test_a_head_that_nobody_can_read_keeps_no_backup_of_the_ring_for_longer(kanari: Kanari) -> None:
    damaged = kanari.back_up_ring(0)
    damaged.write_bytes(b"\0" * 100)
    kanari.back_up_ring(13)
    assert damaged.exists()
    kanari.back_up_ring(15)
    assert not damaged.exists()
    assert listed(kanari) == [13, 15]


def test_a_night_on_which_none_can_be_made_takes_the_old_ones_away_all_the_same(kanari: Kanari, monkeypatch: pytest.MonkeyPatch) -> None:
    kanari.back_up_ring(0)

    def full(_store: Store, _plain: bytes) -> tuple[bytes, bool]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Store, "put", full)
    kanari.put("mk:one")
    with pytest.raises(OSError, match="No space"):
        kanari.back_up_ring(14)
    assert listed(kanari) == []


def test_what_a_browser_has_unlocked_is_in_no_backup_and_every_other_row_comes_out_of_it(kanari: Kanari) -> None:
    with kanari.ring.begin() as ring:
        wraps.put_unlocked(ring, "session", "k1", b"cookie", 1)
        wraps.put_secret(ring, "k1", "ilse", b"\0\xff", b"", 2)
        wraps.put_sheet(ring, "r1", "ab", b"sheet", 3)
        wraps.destroy(ring, "mk:gone", 4)
    kanari.put("mk:one")
    _, manifest = ring_sets.read(kanari.back_up_ring(0), PAIR)
    again = Ring(f"sqlite:///{kanari.backups / 'again.db'}")
    migrate(again.engine, steps=RING)
    with again.begin() as ring:
        carrying.fill(ring, ring_sets.rows(Store(kanari.backups / "ring" / "pieces", KEPT.secret), manifest.files[0]))
    assert contents(again) == contents(kanari.ring) | {"unlocked": []}
    again.close()


def contents(ring: Ring) -> dict[str, list[tuple[object, ...]]]:
    with ring.look() as look:
        return {name: sorted(map(tuple, look.execute(sa.select(table)))) for name, table in RingModel.metadata.tables.items()}


@pytest.mark.postgres
def test_a_ring_goes_from_one_kind_of_database_to_the_other(kanari: Kanari, postgres: object) -> None:
    kanari.put("mk:one")
    kanari.destroy("mk:two", 0)
    kanari.back_up_ring(0)
    other = Ring(postgres("ring"))  # type: ignore[operator]
    brought = ring_back.bring_back(kanari.backups, PAIR, kanari.settings.host, other, [], START)
    assert brought.made_at == START
    assert contents(other) == contents(kanari.ring)
    other.close()


@pytest.mark.slow
@pytest.mark.parametrize("point", [point for point in CRASHES if point in ("ring.stored", "ring.written")])
def test_a_backup_of_the_ring_that_is_killed_leaves_nothing_half_and_the_next_one_is_whole(kanari: Kanari, point: str) -> None:
    kanari.put("mk:one")
    words = [sys.executable, "-c", CREATE, str(kanari.files.root), str(kanari.backups)]
    done = subprocess.run(words, env=os.environ | {"FEDCOLLAB_CRASH_AT": point}, check=False, timeout=60)
    assert done.returncode == -9
    place = kanari.backups / ring_sets.FOLDER
    assert len(sets.listed(place)) == (point == "ring.written")
    assert list(place.glob("*.half")) == []
    assert [path.name for path in kanari.files.root.iterdir() if "tmp" in path.name] == [], "nor does a row of it lie in the open"
    assert subprocess.run(words, check=False, timeout=60).returncode == 0
    needed = {piece for path in sets.listed(place) for piece in sets.head(path).pieces}
    assert set(Store(place / "pieces", b"").names()) == needed
    assert ring_back.bring_back(kanari.backups, PAIR, kanari.settings.host, _fresh(kanari), [], _now(place)).made_at


def _fresh(kanari: Kanari) -> Ring:
    return Ring(f"sqlite:///{kanari.files.root / 'fresh.db'}")


def _now(place: Path) -> int:
    return sets.by_age(place)[-1][1].made_at


def test_another_nodes_ring_and_one_for_another_paper_are_not_brought_back(kanari: Kanari) -> None:
    kanari.put("mk:one")
    kanari.back_up_ring(0)
    assert ring_back.bring_back(kanari.backups, PAIR, "other.example.org", _fresh(kanari), [], START) == (0, 0, 0)
    other = printed.pair(bytes(32))
    assert ring_back.bring_back(kanari.backups, other, kanari.settings.host, _fresh(kanari), [], START) == (0, 1, 0)


def test_a_line_that_is_none_of_ours_is_refused_without_what_it_holds(kanari: Kanari) -> None:
    for line in (b"kanari", b'["wrap"]', b'["unlocked",{"kid":"kanari"}]', b'["member",{"kanari":1}]', b'["wrap",{"box":{"b":"%"}}]'):
        with pytest.raises(Misconfigured) as caught:
            carrying.read(line)
        assert "kanari" not in caught.value.in_words()
    assert carrying.read(b'["wrap",{"box":{"b":"AP8="}}]') == ("wrap", {"box": b"\0\xff"})
