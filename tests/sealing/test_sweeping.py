"""Shows that a start takes out of the key ring what no row names, what ended sessions had unlocked, and nothing else."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from fedcollab.actors.node import Node
from fedcollab.app import NAMINGS
from fedcollab.base import config
from fedcollab.base.crypto import stored
from fedcollab.base.errors import Misconfigured
from fedcollab.base.paths import NodeFiles
from fedcollab.base.session import Session
from fedcollab.features.members import service, sessions
from fedcollab.sealing import wraps
from fedcollab.sealing.ring import Ring, open_ring
from fedcollab.sealing.ring_models import RingModel
from fedcollab.sealing.sweeping import Naming, sweep
from tests.nodes import free_port
from tests.rows import home, memory, node, quick_keys


def filled(ring: Ring) -> Node:
    with ring.begin() as put:
        for number in range(3):
            wraps.put_wrap(put, f"mk:{number}", "k", b"box", 1)
            wraps.put_wrap(put, f"ck:{number}", "k", b"box", 1)
            wraps.put_wrap(put, f"rk:{number}", "k", b"box", 1)
            wraps.put_sheet(put, str(number), "ab", b"box", 1)
            wraps.put_secret(put, str(number), "ilse", b"box", b"box", 1)
    return replace(node(), ring=ring)


def left(ring: Ring) -> dict[str, list[str]]:
    """The names in each table, with those that have any."""
    with ring.look() as look:
        found = {name: sorted(look.scalars(sa.select(table.columns[0]))) for name, table in RingModel.metadata.tables.items()}
    return {name: names for name, names in found.items() if names}


def naming(prefix: str, *names: str) -> Naming:
    return Naming(prefix, lambda _session: [prefix + name for name in names])


def test_what_no_row_names_goes_and_what_nobody_speaks_of_stays(ring: Ring) -> None:
    at = filled(ring)
    with memory() as session:
        assert sweep(session, at, [naming("mk:", "1"), naming("rk:", "0", "2"), naming("uk:", "2", "9")]) == 2 + 1 + 1 + 2
        once = left(ring)
        assert sweep(session, at, [naming("mk:", "1"), naming("rk:", "0", "2"), naming("uk:", "2", "9")]) == 0
    assert (
        left(ring)
        == once
        == {
            "wrap": ["ck:0", "ck:1", "ck:2", "mk:1", "rk:0", "rk:2"],
            "sheet_box": ["0", "2"],
            "person_secret": ["2"],
        }
    ), "nothing is said to be destroyed: a box of that name may come yet"


def test_many_names_at_once_are_swept_as_few_are(ring: Ring) -> None:
    with ring.begin() as put:
        for number in range(1100):
            wraps.put_wrap(put, f"mk:{number}", "k", b"box", 1)
    with memory() as session:
        assert sweep(session, replace(node(), ring=ring), [naming("mk:", "7")]) == 1099
    assert left(ring) == {"wrap": ["mk:7"]}


@pytest.mark.rule("P13")
def test_what_a_session_has_unlocked_goes_with_it_and_a_living_ones_stays(ring: Ring) -> None:
    at = replace(node(), ring=ring)
    with memory() as session:
        home(session, at)
        with quick_keys():
            ilse = service.add_member(session, at, None, username="ilse", name="Ilse", roles=["member"])
        tokens = [stored(sessions.start_session(session, at, ilse.person_id, "")) for _ in range(2)]
        with ring.begin() as put:
            for token in tokens:
                wraps.put_unlocked(put, token, "k", b"box", 1)
        session.execute(sa.text("DELETE FROM login_session WHERE token_hash = :token"), {"token": tokens[0]})
        assert sweep(session, at, NAMINGS) == 1
    assert left(ring) == {"unlocked": [tokens[1]]}


def test_a_unit_that_fails_after_it_has_written_leaves_a_box_that_the_next_start_takes(ring: Ring) -> None:
    at = replace(node(), ring=ring)

    def unit(_session: Session) -> None:
        with at.ring.begin() as put:
            wraps.put_wrap(put, "mk:orphan", "k", b"box", 1)
        raise ZeroDivisionError

    with memory() as session:
        with pytest.raises(ZeroDivisionError):
            unit(session)
        assert left(ring) == {"wrap": ["mk:orphan"]}
        assert sweep(session, at, [naming("mk:")]) == 1
    assert left(ring) == {}


def test_a_process_without_a_key_ring_says_so_instead_of_making_one() -> None:
    with pytest.raises(Misconfigured, match="no key ring"):
        node().ring.begin()
    with pytest.raises(Misconfigured, match="no key ring"):
        node().ring.look()


@contextmanager
def served(root: Path) -> Iterator["subprocess.Popen[str]"]:
    words = [sys.executable, "-m", "fedcollab", "-C", str(root), "serve"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"})
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@pytest.mark.slow
def test_serve_asks_for_a_key_ring_and_sweeps_it_before_it_answers(tmp_path: Path) -> None:
    from fedcollab.setup import init

    port = free_port()
    url = f"127.0.0.1:{port}"
    settings = init(tmp_path, {"name": "Kanari", "base_url": f"http://{url}", "listen": url, "trial": True})
    ring = open_ring(settings, NodeFiles(tmp_path))
    with ring.begin() as put:
        wraps.put_unlocked(put, "ended", "k", b"CANARY of a session", 1)
        wraps.put_wrap(put, "zz:kept", "k", b"box", 1)
    with served(tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready")
        assert left(ring) == {"wrap": ["zz:kept"]}
    ring.close()
    (tmp_path / "ring.db").unlink()
    with served(tmp_path) as process:
        assert process.stderr is not None
        assert "The key ring is at step - and this program needs" in process.stderr.read()
    assert config.load(tmp_path, {}) == settings
    words = [sys.executable, "-m", "fedcollab", "-C", str(tmp_path), "migrate"]
    assert "The key ring is at step" in subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout
    with served(tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready")
