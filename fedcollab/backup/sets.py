"""Decides what one backup is: a head that anybody may read, and a manifest for the holder of the printed key, in one file."""

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey

from fedcollab.base.clock import MICROSECONDS
from fedcollab.base.errors import Misconfigured

from . import printed, store

FORMAT = 1
PURPOSE = "manifest of a backup "
MASTER = "master key of a node"
PLAIN = re.compile(r"[!-~]{1,300}")
PIECE_NAME = re.compile(r"[0-9a-f]{64}")
LAST = 253_402_300_800 * MICROSECONDS  # the end of the year 9999
NAMED = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}\.backup")


@dataclass(frozen=True)
class Head:
    """What anybody may know of a backup: when it was made (microseconds), by which version, at which step of the database, for which
    printed key (its name), for which node, and which pieces it needs."""

    made_at: int
    program: str
    step: str
    key: str
    node: str
    pieces: tuple[str, ...]
    format: int = FORMAT


class File(NamedTuple):
    """One file of the node: its path in the node's directory, its size in bytes, the digests of its pieces."""

    path: str
    size: int
    digests: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """What it takes to make the node again: the repository's secret, the master key in a box of its own, the text of the settings, the
    kind of database ("sqlite" or "postgresql"), all files, and what had been taken away lately (see erasures)."""

    secret: bytes
    master: bytes
    settings: str
    database: str
    files: tuple[File, ...]
    erased: dict[str, list[str]] = field(default_factory=dict)


def write(directory: Path, head: Head, manifest: Manifest, public: bytes) -> Path:
    """Puts a backup into its directory, whole or not at all; its file."""
    line = json.dumps(asdict(head), separators=(",", ":")).encode()
    plain = asdict(manifest) | {"secret": _text(manifest.secret), "master": _text(manifest.master)}
    sealed = printed.seal(public, json.dumps(plain, separators=(",", ":")).encode(), _purpose(line))
    stamp = datetime.fromtimestamp(head.made_at // MICROSECONDS, UTC).strftime("%Y%m%dT%H%M%SZ")
    place = directory / f"{stamp}-{os.urandom(3).hex()}.backup"
    half = place.with_suffix(".half")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(line + b"\n" + sealed)
        file.flush()
        os.fsync(file.fileno())
    half.replace(place)
    flush(directory)
    return place


def flush(directory: Path) -> None:
    """Has the disk keep a directory's names."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def listed(directory: Path) -> list[Path]:
    """The backups in a directory, the oldest first by their names; `by_age` goes by what they say themselves."""
    return sorted(path for path in directory.glob("*.backup") if NAMED.fullmatch(path.name))


def by_age(directory: Path) -> list[tuple[Path, Head]]:
    """The backups in a directory whose heads can be read, the oldest first. Their names say nothing: whoever has the disk can give an old
    one a new name, but not another time, which is sealed with what it holds."""
    found = []
    for path in listed(directory):
        with suppress(Misconfigured):
            found.append((path, head(path)))
    return sorted(found, key=lambda one: (one[1].made_at, one[0].name))


def head(path: Path) -> Head:
    """Raises Misconfigured where the file is no backup, or a newer program's."""
    try:
        with store.opened(path) as file:
            line = file.readline(os.fstat(file.fileno()).st_size)
    except OSError as error:
        raise _cannot(path, error) from None
    if not line.endswith(b"\n"):
        raise _unreadable(path)
    return _head(path, line.rstrip(b"\n"))


def damaged(directory: Path) -> list[Path]:
    """The backups in a directory whose heads can't be read, or which a newer program has made."""
    found = []
    for path in listed(directory):
        try:
            head(path)
        except Misconfigured:
            found.append(path)
    return found


def read(path: Path, private: MLKEM768X25519PrivateKey) -> tuple[Head, Manifest]:
    """Raises Misconfigured as `head` does, and where the printed key is another one or either part was changed."""
    line, sealed = _split(path)
    found = _head(path, line)
    try:
        plain = json.loads(printed.unseal(private, sealed, _purpose(line)))
        files = tuple(File(one[0], one[1], tuple(one[2])) for one in plain["files"])
        made = Manifest(_bytes(plain["secret"]), _bytes(plain["master"]), plain["settings"], plain["database"], files, plain["erased"])
    except (ValueError, KeyError, TypeError, IndexError):
        raise _unreadable(path) from None
    return found, made


def _split(path: Path) -> tuple[bytes, bytes]:
    try:
        line, found, sealed = store.read(path).partition(b"\n")
    except OSError as error:
        raise _cannot(path, error) from None
    if not found:
        raise _unreadable(path)
    return line, sealed


def _head(path: Path, line: bytes) -> Head:
    try:
        said: dict[str, Any] = json.loads(line)
        if said.get("format", 0) > FORMAT:
            raise Misconfigured(
                "%(path)s was made by a newer program (%(program)s). Install that one to restore it.",
                path=path,
                program=program if PLAIN.fullmatch(program := str(said.get("program"))) else "?",
            )
        made = Head(**said | {"pieces": tuple(said["pieces"])})
        if not _is_plain(made):
            raise ValueError
        return made
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _unreadable(path) from None


def _is_plain(head: Head) -> bool:
    """Whether a head says what heads say. It is read by anybody, from a disk to which others may write: what it says is shown on terminals
    and names files, so that letters which do more than that have no place in it."""
    words: list[Any] = [head.program, head.step, head.key, head.node]
    made_at: Any = head.made_at
    times = isinstance(made_at, int) and 0 <= made_at < LAST
    return times and all(isinstance(word, str) and PLAIN.fullmatch(word) for word in words) and all(map(_is_name, head.pieces))


def _is_name(piece: object) -> bool:
    return isinstance(piece, str) and PIECE_NAME.fullmatch(piece) is not None


def names_of(files: Iterable[File], name: Any) -> tuple[str, ...]:
    """The names of all pieces of these files, each once; `name` gives a digest's."""
    return tuple(dict.fromkeys(name(bytes.fromhex(digest)) for file in files for digest in file.digests))


def _purpose(line: bytes) -> str:
    """Binds the manifest to its head, so that neither is changed without the other."""
    return PURPOSE + hashlib.sha256(line).hexdigest()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _cannot(path: Path, error: OSError) -> Misconfigured:
    return Misconfigured("%(path)s can't be read (%(error)s).", path=path, error=error.strerror)


def _unreadable(path: Path) -> Misconfigured:
    return Misconfigured("%(path)s is no backup, or was damaged. Try another one: fedcollab backup list DIR", path=path)
