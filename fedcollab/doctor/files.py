"""Decides whether the files of a node's directory are there, readable, and its owner's alone."""

import os
from collections.abc import Iterator
from pathlib import Path

from fedcollab.base import config
from fedcollab.base.crypto import read_master_key
from fedcollab.base.errors import Misconfigured

from .findings import Finding, fail, ok
from .patient import Patient

OTHERS = 0o077


def settings(patient: Patient) -> Finding:
    """`settings`: node.toml is there and says what a node needs."""
    try:
        config.load(patient.root, patient.environ)
    except Misconfigured as error:
        return fail("node.toml can't be used.", "%(why)s", why=error.in_words())
    return ok("node.toml is well.")


def master_key(patient: Patient) -> Finding:
    """`master-key`: node.key is there and holds a key. Whether others can read it is `permissions`' to say. On a machine of
    `deploy/install` what is read is a copy in memory: the remedy names the file itself."""
    try:
        read_master_key(patient.files)
    except Misconfigured as error:
        if "chmod" not in error.text:
            return fail("node.key can't be used: without it the node can't sign.", _bring_back(patient), why=error.in_words())
    return ok("node.key is there.")


def _bring_back(patient: Patient) -> str:
    key = patient.files.key
    if key.exists() and not os.access(key, os.R_OK):
        return "%(why)s"
    return "Bring back the file that was %(key)s, or restore the newest backup, which has it too: %(restore)s"


def private(patient: Patient) -> Iterator[Path]:
    """What lies in the node's directory that nobody else should read."""
    files = patient.files
    beside = (path.with_name(path.name + end) for path in (files.database, files.ring) for end in ("", "-wal", "-shm"))
    yield from (
        path for path in (files.settings, files.key, files.backup_key, files.uploads, files.cache, files.arriving, *beside) if path.exists()
    )


def permissions(patient: Patient) -> Finding:
    """`permissions`: no other user of the machine can read the node's secrets. A closed directory closes what is in it, but for node.key,
    of which the node itself insists on it."""
    way_in = patient.root.stat().st_mode & OTHERS
    loose = [path for path in private(patient) if path.stat().st_mode & OTHERS and (way_in or path == patient.files.key)]
    if loose:
        text = "Other users of this machine can read %(number)d of the node's files."
        return fail(text, "chmod -R go-rwx %(root)s", number=len(loose))
    return ok("Nobody else on this machine can read the node's files.")


def owner(patient: Patient) -> Finding:
    """`owner`: all files belong to the user whose directory it is; a command run as root leaves some that do not."""
    mine = patient.root.stat().st_uid
    if os.geteuid() not in (0, mine):
        return fail("You are another user than the node's.", "Run this as the user with the number %(user)d, or as root.", user=mine)
    others = [path for path in private(patient) if path.stat().st_uid != mine and path.is_relative_to(patient.root)]
    if others:
        return fail(
            "Files of another user in the node's directory: %(number)d. The node may not be able to write them.",
            "chown -R %(user)d %(root)s",
            number=len(others),
            user=mine,
        )
    return ok("All files belong to the node's user.")
