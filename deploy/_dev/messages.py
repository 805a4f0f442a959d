"""Decides how translations are kept: texts gathered from code and templates, merged into each language, compiled; no dates, so no noise."""

from pathlib import Path

from .environment import PYTHON
from .say import CACHE, ROOT, must, say

LOCALES = ROOT / "fedcollab" / "locales"
LANGUAGES = ("fr", "es", "ar")  # English is the language of the message ids
NOISE = ("Project-Id-Version", "Report-Msgid-Bugs-To", "POT-Creation-Date", "PO-Revision-Date", "Last-", "Language-Team", "Generated-By")
HEADER = "# Translations of fedcollab's texts, under its licence."
FAILED = "The texts could not be gathered (above); nothing was lost."


def refresh() -> None:
    """Gathers, merges, compiles; says how much of each language is done."""
    gathered = CACHE / "messages.pot"
    how = ("--mapping-file=pyproject.toml", "--keywords=N_", "--sort-by-file", "--add-location=file", "--width=140")
    _babel("extract", *how, f"--header-comment={HEADER}", f"--output-file={gathered}", ".")
    for language in LANGUAGES:
        kept = LOCALES / language / "LC_MESSAGES" / "messages.po"
        merge = ("update", "--no-fuzzy-matching", "--ignore-pot-creation-date") if kept.exists() else ("init",)
        kept.parent.mkdir(parents=True, exist_ok=True)
        _babel(*merge, f"--input-file={gathered}", f"--output-file={kept}", f"--locale={language}", "--width=140")
        _without_noise(kept)
    _babel("compile", f"--directory={LOCALES}", "--statistics")
    say((CACHE / "logs" / "messages-compile.log").read_text())


def _babel(command: str, *options: str) -> None:
    must(f"messages-{command}", [PYTHON, "-m", "babel.messages.frontend", command, *options], FAILED)


def _without_noise(catalogue: Path) -> None:
    lines = catalogue.read_text(encoding="utf-8").splitlines(keepends=True)
    catalogue.write_text("".join(line for line in lines if not line.startswith(tuple(f'"{name}' for name in NOISE))), encoding="utf-8")
