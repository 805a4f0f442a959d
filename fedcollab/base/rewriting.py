"""Decides how a line of node.toml is changed by the program: that line alone, comments kept, the file whole or as it was."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from .config import line
from .errors import N_, Refused

BY_HAND = N_("node.toml could not be changed from here. Change it by hand, as docs/admins/settings.md says.")


def rewritten(text: str, changes: Mapping[str, object]) -> str:
    """The text with other values: a setting's line is changed where it stands, or added at the end. Raises Refused where the text is
    written in a way that this does not understand: then all else would not be as it was."""
    before = tomllib.loads(text)
    for name, value in changes.items():
        made = line(name, value)
        found = re.compile(rf"^{name}[ \t]*=[ \t]*(?:\"[^\"\n]*\"|[\w.+-]+)(?P<rest>[ \t]*(?:#.*)?)$", re.MULTILINE)
        text, times = found.subn(lambda old, made=made: made + old["rest"], text, count=1)  # type: ignore[misc]
        if not times:
            text = text.rstrip("\n") + ("\n" if text.strip() else "") + made + "\n"
    try:
        after = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise Refused(BY_HAND) from None
    if after != before | dict(changes):
        raise Refused(BY_HAND)
    return text


def change(file: Path, changes: Mapping[str, object]) -> None:
    """Writes other values into the file, in one move, readable by whom it was before. Raises Refused where that can't be done: then the
    file is as it was."""
    try:
        text = rewritten(file.read_text("utf-8"), changes)
        mode, half = file.stat().st_mode & 0o777, file.with_suffix(".half")
        half.unlink(missing_ok=True)
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        half.replace(file)
    except (OSError, ValueError) as error:
        raise Refused(BY_HAND, reason=type(error).__name__) from None
