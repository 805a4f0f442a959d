"""Decides how a developer refreshes the translations and the tables of formats, by the environment's interpreter; what it found."""

from .environment import PYTHON
from .say import log_of, must, say

FAILED = "The texts could not be gathered (above); nothing was lost."


def refresh() -> None:
    """Gathers, merges, compiles; says for each language what is still without a translation."""
    must("formats", [PYTHON, "-m", "deploy._dev.formats"], FAILED)
    must("messages", [PYTHON, "-m", "deploy._dev.catalogues"], FAILED)
    say(log_of("messages").read_text(encoding="utf-8").strip())
