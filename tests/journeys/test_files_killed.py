"""A node that is killed while a file comes in has it whole or not at all, and goes on where it was."""

import hashlib
import http.client
import json
import re
from pathlib import Path
from typing import Any

import pytest

from .browserless import Browser
from .processes import Process, befriend, nodes, until

pytestmark = pytest.mark.slow
TEXT = b"a line of plain text, as people write them\n" * 40_000
HALF = len(TEXT) // 2


def sent(browser: Browser, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """(status, headers, body) of a request as the pages' script makes it; raises OSError or HTTPException where nobody answered."""
    connection = browser.connect()
    try:
        connection.request(method, path, body, {"Cookie": browser.cookie, "X-Form-Token": browser.token} | headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def begun(browser: Browser) -> str:
    form = f"name=guide.txt&size={len(TEXT)}&token={browser.token}".encode()
    status, _, body = sent(browser, "POST", "/uploads", form, **{"Content-Type": "application/x-www-form-urlencoded"})
    assert status == 201, body
    return str(json.loads(body)["id"])


def part(browser: Browser, upload_id: str, at: int, data: bytes) -> tuple[int, Any]:
    headers = {"Upload-Offset": str(at), "Content-Type": "application/partial-upload"}
    status, _, body = sent(browser, "PATCH", f"/uploads/{upload_id}", data, **headers)
    return status, json.loads(body) if body else None


def member(node: Process) -> Browser:
    browser = Browser(node)
    browser.sign_in(node.json("login-link", "ilse")["link"])
    return browser


def kept(node: Process) -> list[Path]:
    """Bytes of files, whole or not, in the node's directory."""
    return [path for name in ("files", "uploads", "cache") for path in (node.place / name).rglob("*") if path.is_file()]


def dies(work: Any) -> None:
    with pytest.raises((OSError, http.client.HTTPException)):
        work()


@pytest.mark.rule("R2")
def test_a_file_is_whole_on_both_nodes_although_each_was_killed_as_it_came(tmp_path: Path) -> None:
    with nodes(tmp_path, ["Meridian Outreach", "Tamarind Circle"]) as (one, other):
        befriend(one, other)
        ilse = member(one)
        upload = begun(ilse)
        assert part(ilse, upload, 0, TEXT[:HALF])[0] == 204
        one.kill()
        one.environment = {"FEDCOLLAB_CRASH_AT": "upload.stored:1"}
        one.serve()
        assert sent(ilse, "HEAD", f"/uploads/{upload}")[1]["upload-offset"] == str(HALF)
        dies(lambda: part(ilse, upload, HALF, TEXT[HALF:]))
        one.reap()
        one.environment = {}
        one.serve()
        at = int(sent(ilse, "HEAD", f"/uploads/{upload}")[1]["upload-offset"])
        status, told = part(ilse, upload, at, TEXT[at:])
        assert status == 201, told
        assert sent(ilse, "GET", f"/files/{told['id']}")[2] == TEXT
        assert len(kept(one)) == 1

        form = {"token": ilse.token, "file": told["id"], "title": "A guide", "kind": "Guide", "label": "TLP:GREEN", "act": "send"}
        status, location, body = ilse.ask("POST", "/library/new", form)
        assert (status, location.startswith("/library/")) == (303, True), body[-2000:]

        lea = member(other)
        found = until("the guide is there", lambda: re.search(r'/library/([0-9a-f-]{36})"[^>]*>A guide', lea.ask("GET", "/library")[2]))
        page = lea.ask("GET", f"/library/{found[1]}")[2]
        file = re.search(r'href="(/files/[0-9a-f-]{36})"', page)
        assert file is not None
        other.kill()
        other.environment = {"FEDCOLLAB_CRASH_AT": "fetch.stored:1"}
        other.serve()
        dies(lambda: sent(lea, "GET", file[1]))
        other.reap()
        other.environment = {}
        other.serve()
        status, headers, data = sent(lea, "GET", file[1])
        assert (status, hashlib.sha256(data).hexdigest()) == (200, hashlib.sha256(TEXT).hexdigest())
        assert headers["content-disposition"].startswith("attachment")
        assert len(kept(other)) == 1
        assert kept(other)[0].stat().st_mode & 0o077 == 0
