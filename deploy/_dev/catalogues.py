"""Decides what a catalogue of translations is: texts gathered from code and templates, merged and compiled to the same bytes each time.

Run by the environment's interpreter, for it needs Babel; no dates and no versions of tools, so no noise in what is committed."""

import sys
import tomllib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
PLURALS = {  # language -> gettext's usual rule; the languages that we have beside English, the language of the message ids
    "fr": "nplurals=2; plural=(n > 1);",
    "es": "nplurals=2; plural=(n != 1);",
    "ar": "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5);",
}
COMMENT = "# Translations of fedcollab's texts, under its licence."


class Catalogue(Catalog):
    """A catalogue whose header says the language, its plurals and the encoding, and nothing else."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", str(self.locale)),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
            ("Plural-Forms", PLURALS[str(self.locale)]),
        ]

    @mime_headers.setter
    def mime_headers(self, headers: object) -> None:
        """What a file says about itself is not taken over."""


def gather(root: Path = ROOT) -> Catalog:
    """All texts of the code and the templates, as pyproject.toml maps them, in the order of files and lines."""
    mappings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["babel"]["mappings"]
    methods = [(mapping["pattern"], mapping["method"]) for mapping in mappings]
    options = {mapping["pattern"]: mapping | {"silent": "false"} for mapping in mappings}
    found = extract_from_dir(root, methods, options, {**DEFAULT_KEYWORDS, "N_": None})
    gathered = Catalog()
    for file, line, text, comments, context in sorted(found, key=lambda one: one[:2]):
        gathered.add(text, locations=[(Path(file).as_posix(), line)], auto_comments=comments, context=context)
    return gathered


def merge(language: str, gathered: Catalog, written: str) -> Catalogue:
    """The gathered texts with the translations that a .po file holds; what is gathered no more is dropped, what is new stays empty."""
    known = read_po(BytesIO(written.encode()), locale=language)
    merged = Catalogue(locale=language, header_comment=COMMENT, fuzzy=False)
    for message in _texts(gathered):
        before = known.get(message.id, message.context)
        text = before.string if before is not None and not before.fuzzy else ""
        files = sorted({file for file, _ in message.locations})
        merged.add(message.id, text or _nothing(message, merged), [(file, 1) for file in files], message.flags, context=message.context)
    return merged


def _texts(catalogue: Catalog) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def _nothing(message: Message, catalogue: Catalog) -> Any:
    return ("",) * catalogue.num_plurals if message.pluralizable else ""


def written(catalogue: Catalog) -> str:
    """The .po file; texts stand with the files that show them, without line numbers, so that moving code changes nothing."""
    out = BytesIO()
    write_po(out, catalogue, width=140, include_lineno=False)
    return out.getvalue().decode()


def compiled(catalogue: Catalog) -> bytes:
    """The .mo file."""
    out = BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def missing(catalogue: Catalog) -> list[str]:
    """The message ids that have no translation, or not in each plural form."""
    return [str(message.id) for message in _texts(catalogue) if not all(forms(message))]


def forms(message: Message) -> list[str]:
    """The translation in each of its plural forms; one for a text without a number."""
    return [str(form or "") for form in message.string] if isinstance(message.string, (tuple, list)) else [str(message.string or "")]


def refresh(root: Path = ROOT) -> list[str]:
    """Gathers, merges, compiles all languages below `root`; answers a line about each."""
    gathered, lines = gather(root), []
    for language in PLURALS:
        place = root / "fedcollab" / "locales" / language / "LC_MESSAGES"
        place.mkdir(parents=True, exist_ok=True)
        file = place / "messages.po"
        merged = merge(language, gathered, file.read_text(encoding="utf-8") if file.exists() else "")
        file.write_text(written(merged), encoding="utf-8")
        file.with_suffix(".mo").write_bytes(compiled(merged))
        lacking = missing(merged)
        lines.append(
            f"{language}: {len(merged)} texts, {len(lacking)} without a translation" + "".join(f"\n    {text}" for text in lacking)
        )
    return lines


if __name__ == "__main__":
    sys.stdout.write("\n".join(refresh()) + "\n")
