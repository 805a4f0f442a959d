"""Decides what a file is called: whatever its sender says is a label that people read, and never a place."""

from fedcollab.base.markup import plain

LONGEST, ENDING = 200, 12  # characters
UNNAMED = "file"


def label(said: str) -> str:
    """A name to show: the last part of a path, on one line, at most 200 characters with its ending kept."""
    last = said[:2000].replace("\\", "/").rpartition("/")[2]
    name = plain(last, LONGEST * 2).strip(". ")
    if len(name) > LONGEST:
        stem, dot, ending = name.rpartition(".")
        kept = dot + ending if dot and len(ending) <= ENDING and "…" not in ending else ""
        name = plain((stem if kept else name)[: LONGEST - len(kept)], LONGEST) + kept
    return name or UNNAMED
