"""Enters a Debian tree as a machine of its own: its own files over the kept ones, its own processes, a network that has loopback alone."""

import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
STANDIN, VISIT = ROOT / "tests" / "deploy" / "standin.py", ROOT / "tests" / "deploy" / "visit.py"
PUBLIC = "1.2.3.4"  # an address that nodes take for a public one; it lies on the loopback of a network that has nothing else
SHIPPED = ("deploy", "fedcollab", "migrations", "templates", "pyproject.toml", "constraints.txt", "README.md", "LICENSE")
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENTER = r"""
set -eu
mount -t tmpfs -o mode=755 tree "$1"
cd "$1"
mkdir upper work root
mount -t overlay overlay -o "lowerdir=$2/root,upperdir=upper,workdir=work" root
mount -t proc proc root/proc
mount --rbind /dev root/dev
mount -t tmpfs -o mode=755 run root/run
mkdir root/wheels
mount --bind "$2/wheels" root/wheels
ip link set lo up
ip address add "$3/32" dev lo
echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start
echo entered
exec sleep infinity
"""


@dataclass
class Tree:
    """A machine that runs Debian, without an init. `holder` is the process that its namespaces belong to."""

    root: Path
    holder: int

    def words(self, *command: str) -> list[str]:
        """A command inside, as root."""
        inside = ["env", "-i", "--default-signal=HUP", PATH, "HOME=/root", "LANG=C.UTF-8", "TERM=dumb", *command]
        return ["nsenter", "-t", str(self.holder), "--mount", "--net", "--pid", "--", "chroot", str(self.root), *inside]

    def run(self, *command: str, typed: str = "", code: int = 0) -> str:
        """What a command inside prints on both its outputs."""
        done = subprocess.run(
            self.words(*command), input=typed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False
        )
        assert done.returncode == code, (command, done.returncode, done.stdout[-3000:])
        return done.stdout

    def start(self, *command: str) -> "subprocess.Popen[str]":
        """A command inside, whose output is read as it comes."""
        return subprocess.Popen(self.words(*command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """A file inside, by a process inside: the mounts are not seen from here."""
        self.run("sh", "-c", f'mkdir -p "$(dirname {path})" && cat > {path} && chmod {mode:o} {path}', typed=text)

    def read(self, path: str) -> str:
        return self.run("cat", path)

    def visit(self, url: str, *more: str) -> tuple[int, str]:
        """(status, body) of a page, as somebody sees it who comes by the name and trusts Caddy's own certificates."""
        status, _, body = self.run("/usr/bin/python3", "/visit.py", url, *more).partition("\n")
        return int(status), body

    def state(self, *places: str) -> str:
        """All files of some folders: names, rights, owners, times, and what stands in them."""
        listed = self.run("sh", "-c", f"find {' '.join(places)} -xdev -printf '%p %m %u %g %T@ %l\\n' | sort")
        return listed + self.run("sh", "-c", f"find {' '.join(places)} -xdev -type f -print0 | sort -z | xargs -0 sha256sum")


@contextmanager
def entered(kept: Path, place: Path, hosts: Sequence[str]) -> Iterator[Tree]:
    """A fresh machine over a kept tree, with the checkout on it and `hosts` as names of its public address; gone afterwards with all its
    processes."""
    place.mkdir(exist_ok=True)
    words = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh", str(place), str(kept), PUBLIC]
    holder = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "entered\n"
        tree = Tree(place / "root", _child(holder.pid))
        _furnish(tree, hosts)
        yield tree
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        if holder.stdout is not None:
            holder.stdout.close()


def _child(parent: int) -> int:
    return int(Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0])


def _furnish(tree: Tree, hosts: Sequence[str]) -> None:
    """The checkout as somebody would unpack it, the stand-in for systemctl, a package index that is a folder."""
    packed = subprocess.run(["tar", "-c", "--exclude=__pycache__", "-C", ROOT, *SHIPPED], stdout=subprocess.PIPE, check=True).stdout
    tree.run("mkdir", "-p", "/srv/fedcollab")
    subprocess.run(tree.words("tar", "-x", "-C", "/srv/fedcollab"), input=packed, check=True)
    tree.write("/usr/local/bin/systemctl", STANDIN.read_text(), 0o755)
    tree.write("/visit.py", VISIT.read_text())
    tree.write("/etc/pip.conf", "[global]\nno-index = true\nfind-links = /wheels\n")
    tree.write("/etc/hosts", "127.0.0.1 localhost\n" + "".join(f"{PUBLIC} {host}\n" for host in hosts))
