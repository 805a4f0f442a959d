"""Decides where things are installed: .venv in the checkout, made once and again only when what it depends on has changed."""

import fcntl
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .say import CACHE, ROOT, must, say

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed.json"
USE, DEVELOP = "[media,passkeys]", "[postgres,s3,media,passkeys,dev]"
PASTURE = "fediverse-pasture-inputs==0.3.0"  # its own dependencies contradict ours, and the inputs need none of them
NETWORK = "Installing failed (above). It needs to reach the Python package index, or the index named in pip's settings; then run it again."


def ensure(extras: str) -> Path:
    """The interpreter of an environment with the project and `extras` in it; makes or mends it where needed."""
    with _alone():
        if VENV.is_symlink():  # another checkout's: used as it is, for making it anew would empty that one
            return PYTHON
        done = _installed()
        if extras not in done:
            _make(keep=bool(done))
            _install(extras)
            STAMP.write_text(json.dumps({"of": _fingerprint(), "extras": sorted({*done, extras, USE})}))
    return PYTHON


@contextmanager
def _alone() -> Iterator[None]:
    """Two commands started at once install one after the other."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fingerprint() -> str:
    """What an installation depends on: the two files that name packages, the interpreter, the place (scripts carry it)."""
    parts = [(ROOT / "pyproject.toml").read_bytes(), (ROOT / "constraints.txt").read_bytes(), sys.version.encode(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _installed() -> list[str]:
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return []
    return list(stamp["extras"]) if stamp.get("of") == _fingerprint() and PYTHON.exists() else []


def _make(*, keep: bool) -> None:
    if keep:
        return
    say("making .venv")
    if shutil.which("uv"):
        must("venv", ["uv", "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)], "uv could not make .venv (above).")
        return
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    otherwise = f"Python's venv module is missing. Install it (Debian, Ubuntu: apt install python{version}-venv) or uv; then run it again."
    must("venv", [sys.executable, "-m", "venv", "--clear", str(VENV)], otherwise)


def _install(extras: str) -> None:
    say(f"installing fedcollab{extras} and what it needs (a minute or two, once)")
    pip: list[str] = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if shutil.which("uv") and not (VENV / "bin" / "pip").exists():
        pip = ["uv", "pip", "install", "--quiet", "--python", str(PYTHON)]
    must("install", [*pip, "--constraint", "constraints.txt", "--editable", f".{extras}"], NETWORK)
    if extras == DEVELOP:
        must("install-inputs", [*pip, "--no-deps", PASTURE], NETWORK)
