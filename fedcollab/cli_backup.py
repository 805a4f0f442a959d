"""Decides the commands about backups: the printed key, making, listing and opening them, and a node's way back."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from .console import CHOSEN, AsJson, say

backup_app = typer.Typer(no_args_is_help=True, help="Copies of this node that only the printed key opens.")
Directory = Annotated[Path, typer.Argument(help="Where the backups lie: a mounted disk, best of another machine.")]
KeyFile = Annotated[Path | None, typer.Option("--key-file", help="A file with the printed key; else it is asked for.")]


@backup_app.command("key")
def backup_key(as_json: AsJson = False) -> None:
    """Makes the key that opens backups and prints it, once. It is stored nowhere."""
    from fedcollab.backup import keeping, printed
    from fedcollab.base.crypto import read_master_key
    from fedcollab.base.errors import Misconfigured
    from fedcollab.base.paths import NodeFiles

    files = NodeFiles(CHOSEN["directory"])
    master = read_master_key(files)
    try:
        before: Any = keeping.read(files, master)
    except Misconfigured:
        before = None
    key = keeping.make(files, master, secret=before.secret if before else b"")
    groups, name = printed.groups(key), printed.name(printed.pair(key).public)
    words = (
        f"The key {name} opens the backups that are made from now on. Write it down or print it, and keep it away from this machine:\n\n"
    )
    words += "\n".join("    " + "  ".join(groups[at : at + 5]) for at in range(0, len(groups), 5))
    words += "\n\nWithout it no backup can be restored; it is not shown again. Letters and digits only: there is no O, I, L or U in it."
    if before:
        words += f"\nKeep the key before it ({printed.name(before.public)}) as long as you keep the backups that were made with it."
    say(as_json, {"name": name, "key": " ".join(groups)}, words)


@backup_app.command("create")
def backup_create(directory: Directory, as_json: AsJson = False) -> None:
    """Makes a backup beside the running node, and opens it before it counts."""
    import asyncio

    from fedcollab.backup import keeping, making
    from fedcollab.base import config
    from fedcollab.base.crypto import read_master_key
    from fedcollab.base.paths import NodeFiles

    files = NodeFiles(CHOSEN["directory"])
    settings, kept = config.load(files.root), keeping.read(files, read_master_key(files))
    made = asyncio.run(making.create(files, kept, directory, node=settings.host, say=_progress(as_json)))
    data = {"path": str(made.path), "size": made.size, "written": made.written}
    say(as_json, data, f"{made.path.name}: {_size(made.size)}, of it {_size(made.written)} new. It was opened and is whole.")


@backup_app.command("list")
def backup_list(directory: Directory, as_json: AsJson = False) -> None:
    """The backups in a directory, the oldest first: when, of which node and version, and which printed key opens them."""
    from fedcollab.backup import sets

    found = [(path, sets.head(path)) for path in sets.listed(directory)]
    data = [{"name": p.name, "made_at": h.made_at, "node": h.node, "program": h.program, "step": h.step, "key": h.key} for p, h in found]
    lines = [f"{p.name}  {_day(h.made_at)}  {h.node}  fedcollab {h.program}  key {h.key}" for p, h in found]
    say(as_json, data, "\n".join(lines) or f"No backup in {directory} yet. Make one: fedcollab -C DIR backup create {directory}")


@backup_app.command("verify")
def backup_verify(
    directory: Directory, name: Annotated[str, typer.Option("--set", help="Which; else the newest.")] = "", as_json: AsJson = False
) -> None:
    """Says whether every piece of a backup is there and as it was written. For this no key is needed."""
    from fedcollab.backup import restoring, sets
    from fedcollab.backup.store import Store

    path = directory / name if name else restoring.newest(directory)
    head, store = sets.head(path), Store(directory / "pieces", b"")
    bad = [piece for piece in head.pieces if not store.sound(piece)]
    words = (
        f"{path.name}: {len(head.pieces)} pieces, all there and sound."
        if not bad
        else f"{path.name}: {len(bad)} of {len(head.pieces)} pieces are missing or damaged."
    )
    say(as_json, {"name": path.name, "pieces": len(head.pieces), "damaged": bad}, words)
    raise typer.Exit(1 if bad else 0)


def restore(
    directory: Directory,
    target: Annotated[Path, typer.Argument(help="Where the node will live; new or empty.")],
    name: Annotated[str, typer.Option("--set", help="Which backup; else the newest.")] = "",
    key_file: KeyFile = None,
    as_json: AsJson = False,
) -> None:
    """Makes a node again from a backup and its printed key: the same name, the same keys, partners notice nothing."""
    from fedcollab.app import FEATURES
    from fedcollab.backup import printed, restoring

    path = directory / name if name else restoring.newest(directory)
    text = key_file.read_text("utf-8") if key_file else _asked()
    pair = printed.pair(printed.read(text))
    units = [unit for feature in FEATURES for unit in feature.restored]
    made = restoring.restore(directory, path, pair, target, say=_progress(as_json), units=units)
    words = f"{made.node} stands in {target} as it was on {_day(made.made_at)}. Everybody has to sign in again; the printed key stays.\n"
    words += f"Make sure that the node before it is off for good, then: fedcollab -C {target} serve"
    say(as_json, {"directory": str(target), "node": made.node, "made_at": made.made_at}, words)


def _asked() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("The printed key (small letters will do)"))
    return sys.stdin.read()


def _progress(as_json: bool) -> Any:
    """Says on a terminal how far it is, on one line."""
    shown = sys.stderr.isatty() and not as_json

    def tell(what: str, done: int, of: int) -> None:
        if shown:
            print(f"\r{what}: {done * 100 // max(of, 1)} %   ", end="\n" if done == of else "", file=sys.stderr, flush=True)

    return tell


def _size(number: int) -> str:
    return f"{number / 1e6:.1f} MB" if number < 1e9 else f"{number / 1e9:.1f} GB"


def _day(micros: int) -> str:
    return datetime.fromtimestamp(micros // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
