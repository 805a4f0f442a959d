"""What others on the machine can see of a node at work (files, processes, the log) holds no secret; and the node works with all of them."""

import http.client
import re
import stat
from pathlib import Path

import pytest

from .browserless import Browser
from .processes import Process, nodes

TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
PASSWORD = "correct horse battery"


def children(pid: int) -> list[int]:
    """A process and all that it has started."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split() if (task / "children").exists() else []:
            found += children(int(child))
    return found


def seen_from_outside(node: Process) -> str:
    """Command line, environment and names of threads of the node's processes."""
    assert node.running is not None
    found = ""
    for pid in children(node.running.pid):
        for name in ("cmdline", "environ", "comm"):
            found += Path(f"/proc/{pid}/{name}").read_bytes().decode(errors="replace")
        found += "".join((task / "comm").read_text() for task in Path(f"/proc/{pid}/task").iterdir())
    return found


def metrics(node: Process, token: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=10)
    connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {token}"})
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.slow
@pytest.mark.rule("OPS-01")
@pytest.mark.parametrize("form", ["json", "text"])
def test_files_processes_and_log_show_no_secret_of_a_node_at_work(tmp_path: Path, form: str) -> None:
    with nodes(tmp_path, ["Meridian Outreach"]) as (node,):
        node.stop()
        with (node.place / "node.toml").open("a") as settings:
            settings.write(f'metrics_token = "{TOKEN}"\nlog_level = "debug"\nlog_format = "{form}"\n')
        printed = node.json("backup", "key")["key"]
        node.serve()
        browser = Browser(node)
        link = node.json("login-link", "ilse")["link"]
        browser.sign_in(link, PASSWORD)
        assert browser.ask("GET", "/groups")[0] == 200
        assert metrics(node, TOKEN) == 200
        assert metrics(node, TOKEN + "x") == 404
        assert browser.ask("POST", "/inbox", {"token": browser.token})[0] == 401
        node.json("backup", "create", str(tmp_path / "backups"))
        key = (node.place / "node.key").read_text().strip()
        sealed = re.findall(r"[0-9a-f]{40,}", (node.place / "backup.key").read_text())
        cookies = [value for value in browser.cookies.values() if len(value) > 15]
        secrets = [key, TOKEN, PASSWORD, printed, printed.replace(" ", ""), link.rpartition("/")[2], browser.token, *cookies, *sealed[-1:]]
        assert len(secrets) >= 9
        outside, log = seen_from_outside(node), (node.place / "log").read_text()
        assert "serve" in outside
        assert log
        for secret in secrets:
            assert secret not in outside
            assert secret not in log
        for folder in (node.place, tmp_path / "backups"):
            found = {path: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.name != "log"}
            assert {str(path): oct(mode) for path, mode in found.items() if mode & 0o077} == {}
        assert node.stop() == 0


@pytest.mark.slow
@pytest.mark.rule("OPS-01")
def test_a_secret_of_the_documentation_stops_the_node_before_it_listens(tmp_path: Path) -> None:
    with nodes(tmp_path, ["Meridian Outreach"]) as (node,):
        node.stop()
        settings = node.place / "node.toml"
        written = settings.read_text()
        settings.write_text(written + 'metrics_token = "make-one-with-openssl-rand-hex-20"\n')
        done = node.run("serve", check=False)
        assert done.returncode == 1
        assert "make your own" in done.stderr
        settings.write_text(written + f'metrics_token = "{TOKEN}"\n')
        node.serve()
        assert metrics(node, TOKEN) == 200
