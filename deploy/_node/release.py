"""Decides how a release comes onto the machine: a virtual environment of its own, whole or not there, and a link that says which runs."""

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from .layout import CHECKOUT, Machine
from .say import Stop, run

# Python looks for a module named by -m where somebody stands, which may be a node's own directory: -I has it look nowhere but at home.
REACH = "Nothing was changed. The machine has to reach the Python package index, or the one in pip's settings. Then run this again."
MEDIA = "[media,passkeys]"
VENV = "Python's venv module does not work here. Install it: apt install python3-venv"


def version(checkout: Path = CHECKOUT) -> str:
    """The version of the program in a checkout, or of the installed release whose deploy/ this is."""
    if (checkout / "bin" / "fedcollab").exists():
        return checkout.name
    found = re.search(r'^__version__ = "([^"]+)"', (checkout / "fedcollab" / "__init__.py").read_text("utf-8"), re.MULTILINE)
    if not found:
        raise Stop(f"{checkout} holds no fedcollab. Run this from a checkout or an unpacked release.")
    return found[1]


def installed(machine: Machine) -> list[str]:
    """The versions that lie complete on the machine."""
    found = (path for path in machine.releases.glob("*") if (path / "bin" / "fedcollab").exists())
    return sorted(path.name for path in found if path.suffix != ".half")


def current(machine: Machine) -> str:
    """The version that `current` points to; empty where there is none."""
    return machine.current.readlink().name if machine.current.is_symlink() else ""


def extras(machine: Machine, version: str) -> str:
    """What a release is given besides, as pip writes it: what reads pictures and knows passkeys, and what the one before was given."""
    given = {"postgres": "psycopg", "s3": "obstore"}
    found = [name for name, library in given.items() if any(machine.release(version).glob(f"lib/python*/site-packages/{library}"))]
    return f"[{','.join(('media', 'passkeys', *found))}]" if found else MEDIA


def build(machine: Machine, *, wheel: Path | None = None, extras: str = MEDIA, checkout: Path = CHECKOUT) -> Path:
    """Makes the release of this checkout and answers where it lies; one that is there stays as it is. It is made under another name and
    renamed when nothing is lacking, so that a kill leaves nothing that looks whole. `wheel` is taken in the place of the checkout's
    program, `extras` such as "[media,postgres]" with it. Nothing is compiled: what has no wheel for this machine is an error."""
    made = machine.release(version(checkout))
    if (made / "bin" / "fedcollab").exists():
        return made
    half = made.with_name(made.name + ".half")
    for left in (half, made):
        shutil.rmtree(left, ignore_errors=True)
    half.parent.mkdir(parents=True, exist_ok=True)
    run([sys.executable, "-I", "-m", "venv", half], VENV)
    _install(half, wheel, extras, checkout)
    shutil.copytree(checkout / "deploy", half / "deploy", ignore=shutil.ignore_patterns("_dev", "dev", "__pycache__"))
    _move_in(half, made)
    return made


def _install(half: Path, wheel: Path | None, extras: str, checkout: Path) -> None:
    python = half / "bin" / "python"
    pip: list[str | Path] = [python, "-I", "-m", "pip", "--disable-pip-version-check", "--no-input"]
    with tempfile.TemporaryDirectory() as folder:
        if wheel is None:
            run([*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, checkout], REACH)
            wheel = next(Path(folder).glob("fedcollab-*.whl"))
        what = f"{wheel.resolve()}{extras}"
        limits: list[str | Path] = ["--only-binary=:all:", "--no-compile", "--constraint", checkout / "constraints.txt"]
        run([*pip, "install", "--quiet", *limits, what], REACH)


def _move_in(half: Path, made: Path) -> None:
    """Scripts and compiled files carry the place where they lie: they are told the one where they will."""
    for script in (half / "pyvenv.cfg", *(half / "bin").iterdir()):
        if script.is_file() and not script.is_symlink():
            text = script.read_bytes()
            script.write_bytes(text.replace(bytes(half), bytes(made)))
    compiled: list[str | Path] = [
        half / "bin" / "python",
        "-I",
        "-m",
        "compileall",
        "-q",
        "-j",
        "0",
        "-s",
        str(half),
        "-p",
        str(made),
        half / "lib",
    ]
    run(compiled, "Python could not compile the program: is the disk full?")
    os.sync()
    half.rename(made)


def switch(machine: Machine, version: str) -> None:
    """Makes `current` that release; there is no moment in which it is none. Raises Stop where that release does not lie here."""
    if version not in installed(machine):
        there = ", ".join(installed(machine)) or "none"
        raise Stop(f"The release {version} does not lie in {machine.releases}. There are: {there}.")
    link = machine.current.with_name("current.half")
    link.unlink(missing_ok=True)
    link.symlink_to(Path("releases") / version)
    link.replace(machine.current)


def remove(machine: Machine, version: str) -> None:
    """Takes a release off the machine; never the one that runs. Renamed first, so that a kill leaves nothing that looks whole."""
    if version == current(machine):
        raise Stop(f"{version} is the release that runs.")
    gone = machine.release(version).with_name(version + ".half")
    shutil.rmtree(gone, ignore_errors=True)
    if machine.release(version).exists():
        machine.release(version).rename(gone)
        shutil.rmtree(gone)
