"""Shows that of a box which was destroyed no byte is left in the key ring's files: whatever page it lay on, whoever reads meanwhile, and
also where the process dies between the two."""

import os
import random
import re
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fedcollab.base.migrate import RING, migrate
from fedcollab.sealing import ring as rings
from fedcollab.sealing import wraps
from fedcollab.sealing.ring import Ring, finish
from tests import rows

KILLED = """
import sys
from fedcollab.sealing import wraps
from fedcollab.sealing.ring import Ring

with Ring(sys.argv[1]).begin() as ring:
    wraps.destroy(ring, "mk:canary", 2)
"""


def made(place: Path) -> Ring:
    ring = Ring(f"sqlite:///{place / 'ring.db'}")
    migrate(ring.engine, steps=RING)
    return ring


def raw(place: Path) -> bytes:
    """Every byte of the ring's files, as a thief would read them while the node runs."""
    return b"".join(path.read_bytes() for path in place.glob("ring.db*"))


def seen(place: Path) -> set[int]:
    """The canaries of which something is in the ring's files."""
    return {int(found) for found in re.findall(rb"CANARY(\d{6})", raw(place))}


def canary(number: int, size: int = 1250) -> bytes:
    return b"CANARY%06d" % number + random.Random(number).randbytes(size)


def put(ring: Ring, number: int, size: int = 1250) -> None:
    with ring.begin() as one:
        wraps.put_wrap(one, f"mk:{number}", "k", canary(number, size), 1)


@pytest.mark.rule("P13")
@pytest.mark.parametrize("seed", [10, 19, 34])  # with these, deleting alone leaves some
def test_no_byte_of_any_destroyed_box_is_in_the_files_however_pages_were_split_and_joined(tmp_path: Path, seed: int) -> None:
    ring, chance, live, dead = made(tmp_path), random.Random(seed), list[int](), list[int]()
    for turn in range(250):
        with ring.begin() as one:
            for at in range(chance.randint(1, 6)):
                number = turn * 10 + at
                size = chance.choice([100, 300, 1250, 1250, 3000, 6000])  # of which some take pages of their own
                wraps.put_wrap(one, f"mk:{chance.random()}:{number}", "k", canary(number, size), 1)
                live.append(number)
        if chance.random() < 0.4:
            with ring.begin() as one:
                names = {int(of.rpartition(":")[2]): of for of in wraps.wraps_to(one, "k")}
                for number in chance.sample(live, min(4, len(live))):
                    wraps.destroy(one, names[number], 2)
                    live.remove(number)
                    dead.append(number)
            assert seen(tmp_path) & set(dead) == set()
    assert len(dead) > 200
    assert seen(tmp_path) == set(live), "those that were not destroyed are found this way"
    ring.close()


@pytest.mark.rule("P13")
def test_a_box_that_another_one_replaced_is_in_no_file_either(tmp_path: Path) -> None:
    ring = made(tmp_path)
    with ring.begin() as one:
        wraps.put_secret(one, "k", "ilse", canary(1), canary(2), 1)
    assert seen(tmp_path) == {1, 2}
    with ring.begin() as one:
        wraps.put_secret(one, "k", "ilse", canary(3), canary(2), 1)
    assert seen(tmp_path) == {2, 3}
    ring.close()


@pytest.mark.rule("P13")
def test_what_a_session_had_unlocked_is_in_no_file_after_the_next_chore_and_costs_a_sign_out_nothing(tmp_path: Path) -> None:
    ring = made(tmp_path)
    node = replace(rows.node(), ring=ring)
    with ring.begin() as one:
        wraps.put_unlocked(one, "session", "k", canary(1), 1)
    with ring.begin() as one:
        assert wraps.lock(one, session_hash="session") == 1
    assert seen(tmp_path) == {1}
    finish(None, node)
    assert seen(tmp_path) == set()
    ring.close()


@pytest.mark.rule("P13")
def test_who_still_reads_keeps_it_in_the_log_and_takes_it_along_on_leaving(tmp_path: Path) -> None:
    ring = made(tmp_path)
    put(ring, 1)
    with ring.look() as look:
        assert wraps.wrap(look, "mk:1", "k") == canary(1)
        other = Ring(str(ring.engine.url))
        with other.begin() as one:
            wraps.destroy(one, "mk:1", 2)
        assert seen(tmp_path) == {1}, "it is not said to be gone while it is not"
        assert not other.finish()
    assert other.finish()
    assert seen(tmp_path) == set()
    with ring.look() as look:
        assert wraps.wrap(look, "mk:1", "k") is None
    for one in (ring, other):
        one.close()


@pytest.mark.slow
@pytest.mark.rule("P13")
def test_a_process_that_died_between_destroying_and_scrubbing_is_made_good_by_the_next_start(tmp_path: Path) -> None:
    ring = made(tmp_path)
    with ring.begin() as one:
        wraps.put_wrap(one, "mk:canary", "k", canary(1), 1)
        wraps.put_wrap(one, "mk:other", "k", canary(2), 1)
    environment = os.environ | {"FEDCOLLAB_CRASH_AT": "ring.committed"}
    done = subprocess.run([sys.executable, "-c", KILLED, str(ring.engine.url)], env=environment, check=False, timeout=60)
    assert done.returncode == -9
    assert seen(tmp_path) == {1, 2}, "the log has it still"
    ring.close()
    ring = Ring(str(ring.engine.url))
    assert ring.scrub()
    assert seen(tmp_path) == {2}
    ring.close()


def test_the_rings_files_are_their_owners_alone(tmp_path: Path) -> None:
    ring = made(tmp_path)
    put(ring, 1)
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("ring.db*")} == {
        "ring.db": 0o600,
        "ring.db-wal": 0o600,
        "ring.db-shm": 0o600,
    }
    ring.close()


@pytest.mark.postgres
@pytest.mark.rule("P13")
def test_on_postgresql_no_table_holds_a_byte_of_it_once_the_server_has_written_its_files(
    postgres: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ring = Ring(postgres("scrub"))  # type: ignore[operator]
    migrate(ring.engine, steps=RING)
    for number in range(60):
        put(ring, number, 700)
    with ring.begin() as one:
        for number in range(0, 60, 2):
            wraps.destroy(one, f"mk:{number}", 2)
    with ring.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CHECKPOINT")
        place = Path(str(connection.exec_driver_sql("SHOW data_directory").scalar()))
        oid = connection.exec_driver_sql("SELECT oid FROM pg_database WHERE datname = current_database()").scalar()
    written = b"".join(path.read_bytes() for path in (place / "base" / str(oid)).iterdir())
    assert [number for number in range(60) if canary(number)[:12] in written] == list(range(1, 60, 2))
    ring.close()


@pytest.mark.rule("P13")
def test_a_disk_too_full_to_write_the_file_anew_stops_no_unit_and_the_next_one_does_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = made(tmp_path)
    put(ring, 1)

    def full(_engine: object) -> bool:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(rings, "_emptied", full)
        with ring.begin() as one:
            assert wraps.destroy(one, "mk:1", 2) == 1
        assert not ring.finish()
    assert seen(tmp_path) == {1}
    put(ring, 2)
    assert seen(tmp_path) == {2}
    assert ring.finish()
    ring.close()
