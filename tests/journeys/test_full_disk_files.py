"""Shows a node on a disk of 8 MB that fills up while files come in: nothing half-written stays, all else works, and an upload goes on where
it was once there is room."""

import json
import os
import time
from pathlib import Path

import pytest

from fedcollab.base.clock import new_id

from .browserless import Browser
from .processes import Process, nodes
from .test_files_killed import HALF, TEXT, begun, kept, member, part, sent
from .test_full_disk import restart_with, small_disk, stored

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.rule("R6")]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SETTLED = 1.2  # seconds after which the node has looked at the disk again


def form(browser: Browser) -> tuple[int, str]:
    """(status, page) of the form without script that sends the whole file."""
    head = f'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n{browser.token}\r\n--b\r\n'
    head += 'Content-Disposition: form-data; name="file"; filename="guide.txt"\r\nContent-Type: text/plain\r\n\r\n'
    body, kind = head.encode() + TEXT + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"
    status, _, page = sent(browser, "POST", "/files?next=/settings", body, **{"Content-Type": kind})
    return status, page.decode()


def fill(disk: Path, left: int) -> Path:
    """A file that leaves so many bytes free."""
    filler = disk / "filler"
    filler.write_bytes(b"x" * (os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - left))
    return filler


def answer(browser: Browser, thread: str, mark: str) -> None:
    form = {"token": browser.token, "once": new_id(), "text": f"marker {mark} end", "act": "send"}
    assert browser.send(f"/threads/{thread}", form)[0] == 303


def reads_and_writes_on(node: Process, browser: Browser, thread: str, mark: str) -> None:
    for path in ("/", f"/threads/{thread}", "/library", "/settings", "/admin/settings"):
        assert browser.ask("GET", path)[0] == 200, path
    answer(browser, thread, mark)
    assert stored(node)[-1] == mark


@pytest.mark.parametrize(("reserve", "left"), [(0, 750_000), (500, 1_000_000)], ids=["to its last byte", "to the reserve"])
def test_a_disk_that_fills_up_under_an_upload_keeps_what_was_there_before_and_works_on(reserve: int, left: int, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, nodes(disk, ["Meridian Outreach"]) as (node,):
        restart_with(node, f"disk_reserve = {reserve}")
        node.run("group", "add", "leads", "--name", "Leads", "--label", "TLP:AMBER+STRICT")
        thread = node.json("post", "leads", "--as", "ilse", "--title", "Filling up", "--text", "Go.")["thread"]
        ilse = member(node)
        answer(ilse, thread, "before")
        upload = begun(ilse)
        assert part(ilse, upload, 0, TEXT[:HALF])[0] == 204

        filler = fill(disk, left)
        if reserve:
            time.sleep(SETTLED)  # without, the disk itself says no: the node's figure is from before
        status, told = part(ilse, upload, HALF, TEXT[HALF:])
        assert (status, "is kept for a day" in told["error"]) == (507, True)
        assert [path.stat().st_size for path in kept(node)] == [HALF]
        reads_and_writes_on(node, ilse, thread, "full")
        status, page = form(ilse)
        assert (status, "disk" in page, "was not stored" in page) == (507, True, True)
        time.sleep(SETTLED)
        status, _, body = sent(ilse, "POST", "/uploads", f"name=b.txt&size=3000000&token={ilse.token}".encode(), **FORM)
        assert (status, "was not stored" in json.loads(body)["error"]) == (507, True)
        assert [path.stat().st_size for path in kept(node)] == [HALF]
        reads_and_writes_on(node, ilse, thread, "fuller")

        filler.unlink()
        time.sleep(SETTLED)
        assert sent(ilse, "HEAD", f"/uploads/{upload}")[1]["upload-offset"] == str(HALF)
        status, told = part(ilse, upload, HALF, TEXT[HALF:])
        assert status == 201, told
        assert sent(ilse, "GET", f"/files/{told['id']}")[2] == TEXT
        assert form(ilse)[0] == 303
        assert len(kept(node)) == 2
        assert node.json("audit", "verify")["broken_at"] is None
        assert node.stop() == 0


def test_an_upload_that_found_no_room_goes_on_after_the_node_died_as_well(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, nodes(disk, ["Meridian Outreach"]) as (node,):
        ilse = member(node)
        upload = begun(ilse)
        assert part(ilse, upload, 0, TEXT[:HALF])[0] == 204
        filler = fill(disk, 600_000)
        assert part(ilse, upload, HALF, TEXT[HALF:])[0] == 507
        node.kill()
        filler.unlink()
        node.serve()
        assert sent(ilse, "HEAD", f"/uploads/{upload}")[1]["upload-offset"] == str(HALF)
        status, told = part(ilse, upload, HALF, TEXT[HALF:])
        assert status == 201, told
        assert sent(ilse, "GET", f"/files/{told['id']}")[2] == TEXT
