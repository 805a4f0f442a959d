"""Decides the commands about backups: the printed key, making, listing and opening them, and a node's way back."""

import errno
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from .console import CHOSEN, AsJson, command, progress, say, with_kernel

backup_app = typer.Typer(no_args_is_help=True, help="Copies of this node that only the printed key opens.")
Directory = Annotated[Path | None, typer.Argument(help="Where the backups lie; else what the setting backup_to names.", show_default=False)]
From = Annotated[Path, typer.Argument(help="Where the backups lie: a mounted disk, best of another machine.")]
KeyFile = Annotated[
    Path | None, typer.Option("--key-file", help="A file with the printed key, - for standard input; else it is asked for.")
]
Set = Annotated[str, typer.Option("--set", help="Which backup, by its name; else the newest.")]


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
def backup_create(
    directory: Directory = None,
    daily: Annotated[str, typer.Option("--daily", help="Stay, and make one each day at HH:MM.")] = "",
    as_json: AsJson = False,
) -> None:
    """Makes a backup beside the running node, and opens it before it counts."""
    from fedcollab.base.errors import FedcollabError

    if not daily:
        _create(directory, as_json)
        return
    from fedcollab.backup import nightly

    while True:
        _wait(nightly, daily)
        try:
            _create(directory, as_json)
        except FedcollabError as error:  # on record; the next night may have the disk again
            print(f"fedcollab: {error.in_words()}", file=sys.stderr, flush=True)


def _wait(nightly: Any, daily: str) -> None:
    import asyncio

    asyncio.run(nightly.pause(daily))


def _create(directory: Path | None, as_json: bool) -> None:
    from fedcollab.app import FEATURES
    from fedcollab.backup import nightly, sets
    from fedcollab.base.paths import NodeFiles

    parts = [feature.erasures for feature in FEATURES if feature.erasures]
    files = NodeFiles(CHOSEN["directory"])

    async def work(kernel: Any) -> Any:
        return await nightly.run(kernel, files, directory or _set(kernel.node.settings), parts, progress(as_json))

    made = with_kernel(work)
    damaged = [path.name for path in sets.damaged(made.path.parent)]
    data = {"path": str(made.path), "size": made.size, "written": made.written, "damaged": damaged}
    words = f"{made.path.name}: {_size(made.size)}, of it {_size(made.written)} new. It was opened and is whole."
    if damaged:
        words += f"\nNothing old was removed, for {', '.join(damaged)} can't be read: nobody knows what it needs. Move it away."
    say(as_json, data, words)


def _set(settings: Any) -> Path:
    from fedcollab.base.errors import Misconfigured

    if not settings.backup_to:
        raise Misconfigured('Say where backups go: fedcollab backup create DIRECTORY, or in node.toml: backup_to = "/mnt/backups"')
    return Path(settings.backup_to)


def _place(directory: Path | None) -> Path:
    from fedcollab.base import config

    return directory or _set(config.load(CHOSEN["directory"]))


@backup_app.command("list")
def backup_list(directory: Directory = None, as_json: AsJson = False) -> None:
    """The backups in a directory, the oldest first: when, of which node and version, and which printed key opens them."""
    from fedcollab.backup import ring_sets, sets

    place = _place(directory)
    damaged, found = sets.damaged(place), sets.by_age(place)
    data: list[dict[str, object]] = [
        {"name": p.name, "made_at": h.made_at, "node": h.node, "program": h.program, "step": h.step, "key": h.key} for p, h in found
    ]
    lines = [f"{p.name}  {_day(h.made_at)}  {h.node}  fedcollab {h.program}  key {h.key}" for p, h in found]
    rings = sets.by_age(place / ring_sets.FOLDER)
    data += [{"name": p.name, "made_at": h.made_at, "node": h.node, "key": h.key, "ring": True} for p, h in rings]
    lines += [f"{ring_sets.FOLDER}/{p.name}  {_day(h.made_at)}  {h.node}  key ring  key {h.key}" for p, h in rings]
    data += [{"name": path.name, "damaged": True} for path in damaged]
    lines += [f"{path.name}  can't be read: damaged, or made by a newer program" for path in damaged]
    say(as_json, data, "\n".join(lines) or f"No backup in {place} yet. Make one: {command(f'backup create {place}')}")


@backup_app.command("verify")
def backup_verify(directory: Directory = None, name: Set = "", key_file: KeyFile = None, as_json: AsJson = False) -> None:
    """Says whether every piece of a backup is there and as it was written; with the printed key also makes the node again in a temporary
    place, opens it and reads its record."""
    from fedcollab.backup import printed, restoring, sets
    from fedcollab.backup.store import Store

    place = _place(directory)
    pair = printed.pair(printed.read(_typed(key_file))) if key_file else None
    path = place / name if name else restoring.newest(place, pair)
    head, store = sets.head(path), Store(place / "pieces", b"")
    bad = [piece for piece in head.pieces if not store.sound(piece)]
    data: dict[str, Any] = {"name": path.name, "pieces": len(head.pieces), "damaged": bad}
    words = f"{path.name}: {len(head.pieces)} pieces, all there and sound."
    if bad:
        words = f"{path.name}: {len(bad)} of {len(head.pieces)} pieces are missing or damaged. Make a new one: {command('backup create')}"
    elif pair:
        with _room(tempfile.gettempdir(), "Name a directory with more of it: TMPDIR=/var/tmp before the command."):
            data["entries"] = entries = restoring.rehearse(place, path, pair, say=progress(as_json))
        words += f" Opened with the printed key: the database is whole, its record of {entries} entries unbroken."
    if not name:
        data["ring"], said = _ring_verified(place, head.node, pair)
        bad += data["ring"]["damaged"] if data["ring"] else []
        words += f"\n{said}"
    say(as_json, data, words)
    raise typer.Exit(1 if bad else 0)


def _ring_verified(place: Path, node: str, pair: Any) -> tuple[dict[str, Any] | None, str]:
    """The newest backup of the node's key ring: what `verify` says of it."""
    from fedcollab.backup import ring_sets, sets
    from fedcollab.backup.store import Store

    place = place / ring_sets.FOLDER
    found = [(path, head) for path, head in sets.by_age(place) if head.node == node]
    if not found:
        return None, f"Of the key ring there is no backup. Make one: {command('backup create')}"
    path, head = found[-1]
    bad = [piece for piece in head.pieces if not Store(place / "pieces", b"").sound(piece)]
    data: dict[str, Any] = {"name": path.name, "made_at": head.made_at, "pieces": len(head.pieces), "damaged": bad}
    if bad:
        return data, f"The key ring, {path.name}: {len(bad)} of {len(head.pieces)} pieces are missing or damaged."
    if pair:
        _, manifest = ring_sets.read(path, pair)
        data["rows"] = sum(1 for _ in ring_sets.rows(Store(place / "pieces", manifest.secret), manifest.files[0]))
    opened = f" Opened with the printed key: {data['rows']} boxes and marks." if pair else ""
    return data, f"The key ring, {path.name}: {len(head.pieces)} pieces, all there and sound.{opened}"


def restore(
    directory: From,
    target: Annotated[Path, typer.Argument(help="Where the node will live; new or empty.")],
    name: Set = "",
    key_file: KeyFile = None,
    database_url: Annotated[str, typer.Option(help="The empty PostgreSQL database to fill, where it is not the one of before.")] = "",
    ring_url: Annotated[str, typer.Option(help="The same for the key ring, where it lies in a PostgreSQL database.")] = "",
    as_json: AsJson = False,
) -> None:
    """Makes a node again from a backup and its printed key: the same name, the same keys, partners notice nothing."""
    from fedcollab.app import FEATURES
    from fedcollab.backup import printed, restoring

    restoring.newest(directory)  # nobody types a key for nothing
    pair = printed.pair(printed.read(_typed(key_file)))
    path = directory / name if name else restoring.newest(directory, pair)
    units = [unit for feature in FEATURES for unit in feature.restored]
    parts = [feature.erasures for feature in FEATURES if feature.erasures]
    more = {"say": progress(as_json), "units": units, "parts": parts, "database_url": database_url, "ring_url": ring_url}
    with _room(target.absolute().parent, "Make room, or choose another place, and run this again."):
        made = restoring.restore(directory, path, pair, target, **more)
    words = f"{made.node} stands in {target} as it was on {_day(made.made_at)}. Everybody has to sign in again; the printed key stays.\n"
    if made.dark:
        words += f"{made.dark} other backups there could not be opened. What they say was deleted may be here again: look it through.\n"
    words += _ring_words(made.ring)
    words += f"Make sure that the node before it is off for good, then: fedcollab -C {target} serve"
    ring = {"made_at": made.ring.made_at or None, "dark": made.ring.dark, "over": made.ring.over}
    say(as_json, {"directory": str(target), "node": made.node, "made_at": made.made_at, "dark": made.dark, "ring": ring}, words)


def _ring_words(ring: Any) -> str:
    """What came back of the keys, and what it means where nothing did."""
    if ring.made_at:
        skipped = f" {ring.dark} newer ones could not be opened." if ring.dark else ""
        return f"Its key ring is the one of {_day(ring.made_at)}, without what was destroyed since.{skipped}\n"
    why = f"{ring.over} are older than two weeks, {ring.dark} could not be opened" if ring.over or ring.dark else "there is none"
    return (
        f"No key ring came back ({why}): it is empty. What is sealed stays shut here: people make new keys when they sign in, the\n"
        "organisation its key and sheets anew, and partners have to let it into their cases again.\n"
    )


@contextmanager
def _room(place: object, mend: str) -> Iterator[None]:
    """Raises Misconfigured, with what to do, where the disk that is written is full."""
    from fedcollab.base.errors import Misconfigured

    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Misconfigured("There is not enough room in %(place)s. %(mend)s", place=place, mend=mend) from None


def _typed(key_file: Path | None) -> str:
    """The printed key: from a file, from what is piped in, or typed, which ends with its line."""
    from fedcollab.base.errors import Misconfigured

    if key_file is None or str(key_file) == "-":
        return str(typer.prompt("The printed key (small letters will do)", err=True)) if sys.stdin.isatty() else sys.stdin.read()
    try:
        return key_file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(
            "%(path)s can't be read (%(error)s). Give it so: --key-file - < %(path)s", path=key_file, error=type(error).__name__
        ) from None


def _size(number: int) -> str:
    return f"{number / 1e6:.1f} MB" if number < 1e9 else f"{number / 1e9:.1f} GB"


def _day(micros: int) -> str:
    return datetime.fromtimestamp(micros // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
