"""Shows a node on a disk of 8 MB that fills up, and one that leaves a reserve on it: no answer promises what isn't stored, reads go on, and
room alone makes it well."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from fedcollab.app import make_kernel
from fedcollab.base import config
from fedcollab.base.clock import new_id
from fedcollab.base.database import run_sync
from fedcollab.base.errors import StorageFull
from fedcollab.base.paths import NodeFiles
from fedcollab.sealing import finishing, working
from fedcollab.sealing.ring import Ring
from tests.needs import lacking

from .browserless import Browser
from .cased import prepared
from .databases import query
from .processes import Process, nodes

SIZE = 8 << 20
POST = 45_000
MOST = 600


@contextlib.contextmanager
def small_disk(place: Path, size: int = SIZE) -> Iterator[Path]:
    """A file system of 8 MB, or so many bytes; mounting one needs root and the right to mount."""
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], capture_output=True, text=True, check=False)
    if done.returncode:
        lacking(f"no file system of 8 MB can be mounted here: run as root, with the right to mount ({done.stderr.strip()})")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True, capture_output=True)


def post(browser: Browser, thread: str, mark: str) -> int:
    """Sends an answer; 303 is the only promise that it is stored."""
    form = {"token": browser.token, "once": new_id(), "text": f"marker {mark} end " + "x" * POST, "act": "send"}
    status, location, page = browser.send(f"/threads/{thread}", form)
    assert status in (303, 503, 507), (status, page[:200])
    assert (status == 303) == location.startswith("/posts/")
    assert status == 303 or f"marker {mark} end" in page, "the text stays in the form"
    return status


def stored(node: Process) -> list[str]:
    return [html.split(" ")[1] for (html,) in query(node, "SELECT html FROM post WHERE html LIKE '%marker %' ORDER BY place")]


def restart_with(node: Process, line: str) -> None:
    """Starts it again with one more setting."""
    node.stop()
    with (node.place / "node.toml").open("a") as settings:
        settings.write(line + "\n")
    node.serve()


@pytest.mark.slow
@pytest.mark.rule("R6")
@pytest.mark.timeout(600)
def test_a_full_disk_promises_nothing_reads_on_and_recovers_by_itself(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, nodes(disk, ["Meridian Outreach"]) as (node,):
        restart_with(node, "disk_reserve = 0")
        node.run("group", "add", "leads", "--name", "Leads", "--label", "TLP:AMBER+STRICT")
        thread = node.json("post", "leads", "--as", "ilse", "--title", "Filling up", "--text", "Go.")["thread"]
        browser = Browser(node)
        browser.sign_in(node.json("login-link", "ilse")["link"])
        filler = disk / "filler"
        filler.write_bytes(b"x" * (7 << 19))  # once it goes the log has to fit into the database
        promised, refusals = [], 0
        for number in range(MOST):
            if post(browser, thread, f"n{number}") == 303:
                promised.append(f"n{number}")
            else:
                refusals += 1
            if refusals == 5:
                break
        assert refusals == 5, "the disk never was full"
        assert promised
        assert stored(node) == promised
        for path in ("/", f"/threads/{thread}", "/groups", "/settings"):
            assert browser.ask("GET", path)[0] == 200, path
        filler.unlink()
        later = [f"later{number}" for number in range(5)]
        assert [post(browser, thread, mark) for mark in later] == [303] * 5
        assert stored(node) == promised + later
        assert query(node, "PRAGMA integrity_check") == [("ok",)]
        assert node.json("audit", "verify")["broken_at"] is None
        node.kill()
        node.serve()
        assert stored(node) == promised + later
        assert node.stop() == 0


@pytest.mark.slow
@pytest.mark.rule("R6")
@pytest.mark.timeout(600)
def test_a_reserve_is_left_so_that_deleting_and_administering_go_on_and_room_alone_opens_it_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, nodes(disk, ["Meridian Outreach"]) as (node,):
        restart_with(node, "disk_reserve = 500")  # a twentieth of the disk: 419 kB
        node.run("group", "add", "leads", "--name", "Leads", "--label", "TLP:AMBER+STRICT")
        opened = node.json("post", "leads", "--as", "ilse", "--title", "Filling up", "--text", "Go.")
        thread = opened["thread"]
        browser = Browser(node)
        browser.sign_in(node.json("login-link", "ilse")["link"])
        assert post(browser, thread, "first") == 303
        assert ready(browser) == (200, '{"ok": true}')
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        filler = disk / "filler"
        filler.write_bytes(b"x" * (free - 300_000))
        time.sleep(1.2)  # the figure is a second old at most
        assert ready(browser) == (503, '{"ok": false}')
        for number in range(3):
            assert post(browser, thread, f"refused{number}") == 507
        assert stored(node) == ["first"]
        for path in ("/", f"/threads/{thread}", "/admin/audit", "/admin/members", "/admin/settings"):
            assert browser.ask("GET", path)[0] == 200, path
        [(mine,)] = query(node, "SELECT id FROM post WHERE html LIKE '%first%'")
        assert browser.send(f"/posts/{mine}/delete", {"token": browser.token})[0] == 303
        assert browser.send("/admin/members/invite", {"token": browser.token, "role": "member"})[0] == 200
        browser.sign_in(node.json("login-link", "ilse")["link"])
        assert post(browser, thread, "stillrefused") == 507
        filler.unlink()
        time.sleep(1.2)
        assert ready(browser) == (200, '{"ok": true}')
        assert post(browser, thread, "later") == 303
        assert stored(node) == ["later"]
        assert query(node, "PRAGMA integrity_check") == [("ok",)]
        assert node.stop() == 0


@pytest.mark.slow
@pytest.mark.rule("R6", "P13")
def test_a_case_that_was_being_ended_when_the_disk_was_full_ends_by_itself_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 4 * SIZE) as disk:
        made = prepared(disk)
        for part in made.node.place.glob("ring.db*"):  # onto a disk of its own, with room: else nothing is destroyed, and nothing lost
            shutil.move(part, tmp_path / part.name)
        with (made.node.place / "node.toml").open("a") as settings:
            settings.write("disk_reserve = 0\n")
        kernel = make_kernel(config.load(made.node.place, {}), NodeFiles(made.node.place))
        kernel = replace(kernel, node=replace(kernel.node, ring=Ring(f"sqlite:///{tmp_path / 'ring.db'}")))

        def state() -> str:
            return str(run_sync(kernel.database, lambda session: session.execute(sa.text("SELECT state FROM room")).scalar_one()))

        run_sync(kernel.database, lambda session: finishing.finish(session, kernel.node))
        assert state() == "open"
        filler = disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        with pytest.raises(StorageFull):
            run_sync(kernel.database, lambda session: working.purge(session, kernel.node, None, made.case))
        assert state() == "open"
        for _ in range(2):
            with contextlib.suppress(StorageFull):
                run_sync(kernel.database, lambda session: finishing.finish(session, kernel.node))
        assert state() == "open"
        filler.unlink()
        run_sync(kernel.database, lambda session: finishing.finish(session, kernel.node))
        assert state() == "purged"
        kernel.database.close()


def ready(browser: Browser) -> tuple[int, str]:
    status, _, text = browser.ask("GET", "/readyz")
    return status, text
