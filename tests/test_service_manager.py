"""Shows that a node tells the service manager when it answers, and takes the key that the manager hands over."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fedcollab import serve
from fedcollab.base.crypto import read_master_key
from fedcollab.base.errors import Misconfigured
from fedcollab.base.paths import NodeFiles
from fedcollab.setup import init
from tests.ports import free_ports

KEY = "0123456789abcdef" * 4


@pytest.mark.parametrize("where", ["{}/notify", "@fedcollab-test-{}"])
def test_the_manager_is_told_at_the_address_that_it_gave(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = where.format(tmp_path if where[0] == "{" else os.getpid())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address.replace("@", "\0", 1))
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        serve.tell_manager("READY=1")
        assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "/nowhere/notify"])
def test_where_no_manager_listens_nothing_is_told_and_nothing_fails(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    serve.tell_manager("READY=1")


def handed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int) -> NodeFiles:
    """A node without a key of its own, and one in the manager's directory."""
    (tmp_path / "node").mkdir()
    (tmp_path / "node.key").write_text(KEY + "\n")
    (tmp_path / "node.key").chmod(mode)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    return NodeFiles(tmp_path / "node")


@pytest.mark.parametrize("mode", [0o400, 0o440])  # systemd before 254 gives the file to the user, later ones write an access list
def test_the_managers_key_is_taken_as_systemd_leaves_it(mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_master_key(handed(tmp_path, monkeypatch, mode)).hex() == KEY


@pytest.mark.parametrize("mode", [0o444, 0o460])
def test_a_handed_key_that_anybody_can_read_or_change_is_refused(mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Misconfigured, match="can be read by other users"):
        read_master_key(handed(tmp_path, monkeypatch, mode))


def test_a_key_of_the_nodes_own_is_for_its_user_alone_also_beside_a_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = handed(tmp_path, monkeypatch, 0o400)
    (files.root / "node.key").write_text(KEY[::-1] + "\n")
    (files.root / "node.key").chmod(0o440)
    with pytest.raises(Misconfigured, match="can be read by other users"):
        read_master_key(files)
    (files.root / "node.key").chmod(0o600)
    assert read_master_key(files).hex() == KEY[::-1]


@pytest.mark.slow
def test_a_node_is_ready_when_it_takes_connections_and_says_so_when_it_stops(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    base = f"127.0.0.1:{port}"
    init(tmp_path / "node", {"name": "M", "base_url": f"http://{base}", "listen": base, "trial": True})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        env = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        node = subprocess.Popen([sys.executable, "-m", "fedcollab", "-C", tmp_path / "node", "serve"], env=env, stdout=subprocess.DEVNULL)
        try:
            assert manager.recv(100) == b"READY=1"
            with contextlib.closing(socket.create_connection(("127.0.0.1", port), timeout=1)):
                node.send_signal(signal.SIGTERM)
            assert manager.recv(100) == b"STOPPING=1"
            assert node.wait(20) == 0
        finally:
            node.kill()
            node.wait()
