"""Decides what a node keeps of its backups' key: the public half, with which anybody can write and nobody read, and the secret that names
pieces, sealed under the master key."""

import json
import os
from typing import NamedTuple

from fedcollab.base import crypto
from fedcollab.base.errors import Misconfigured
from fedcollab.base.paths import NodeFiles

from . import printed

PURPOSE = "backup repository"


class Kept(NamedTuple):
    """The printed key's public half, and the repository's secret."""

    public: bytes
    secret: bytes


def make(files: NodeFiles, master: bytes, *, secret: bytes = b"") -> bytes:
    """Makes a printed key, which is answered and kept nowhere; the one before opens the backups made until now, and none after. Pieces are
    named as before where the repository's `secret` stays."""
    key = printed.make()
    keep(files, master, Kept(printed.pair(key).public, secret or os.urandom(32)))
    return key


def keep(files: NodeFiles, master: bytes, kept: Kept) -> None:
    """Writes what the node keeps, whole or not at all."""
    sealed = crypto.seal(crypto.derive(master, PURPOSE), kept.secret, PURPOSE)
    text = json.dumps({"public": kept.public.hex(), "secret": sealed.hex()})
    half = files.backup_key.with_suffix(".half")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    half.replace(files.backup_key)


def read(files: NodeFiles, master: bytes) -> Kept:
    """Raises Misconfigured where no key was made yet, or it was made with another master key."""
    try:
        said = json.loads(files.backup_key.read_text("utf-8"))
        public, sealed = bytes.fromhex(said["public"]), bytes.fromhex(said["secret"])
    except FileNotFoundError:
        raise Misconfigured(
            "This node has no key for backups yet. Make one and print it: fedcollab -C %(root)s backup key", root=files.root
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Misconfigured(
            "%(path)s can't be read (%(error)s). Make a new one: fedcollab backup key", path=files.backup_key, error=type(error).__name__
        ) from None
    return Kept(public, crypto.unseal(crypto.derive(master, PURPOSE), sealed, PURPOSE))
