"""Decides how tests read the Markdown of this project: headings with their anchors, sections, tables, links, commands."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).parent.parent
LEFT_OUT = {"node_modules", "build", "dist"}
FENCE = re.compile(r"^```.*?^```\n?", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#{1,6}) +(.+?) *$", re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?\)")
CODE = re.compile(r"`([^`\n]+)`")
BEFORE = r"^(?:\$ |ExecStart=)?(?:[A-Z_]+=\S+ )*(?:sudo (?:-u \w+ )?)?(?:\S*/)?"  # what may stand before a program's name
AFTER = re.compile(r" +#.*| +[|&].*")


def pages(root: Path = ROOT) -> list[Path]:
    """All Markdown files of the project."""
    found = {path: path.relative_to(root).parts for path in root.rglob("*.md")}
    return sorted(path for path, parts in found.items() if not any(part in LEFT_OUT or part.startswith(".") for part in parts))


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def without_code(text: str) -> str:
    """The text without what is fenced off or set in code: there, nothing is a link or a heading."""
    return CODE.sub("", FENCE.sub("", text))


def headings(text: str) -> list[str]:
    """All headings, as written, without the hashes."""
    return [found.group(2) for found in HEADING.finditer(FENCE.sub("", text))]


def anchor(heading: str) -> str:
    """A heading's anchor as code hosts make it: small letters, blanks as hyphens, other signs dropped."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def sections(text: str, level: int = 2) -> dict[str, str]:
    """{heading: what stands below it, up to the next heading of this level or a higher one}."""
    marks = [m for m in HEADING.finditer(_blanked(text)) if len(m.group(1)) <= level]
    ends = [m.start() for m in marks[1:]] + [len(text)]
    return {m.group(2): text[m.end() : end] for m, end in zip(marks, ends, strict=True) if len(m.group(1)) == level}


def _blanked(text: str) -> str:
    """The text with fenced code overwritten, so that places stay where they are."""
    return FENCE.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def first_column(text: str) -> list[str]:
    """What stands in code in the first cell of each row of the tables in `text`, head rows left out."""
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("|") and not re.match(r"\| *-", line)]
    return [name for cell in cells for name in CODE.findall(cell)]


def meanings(text: str) -> dict[str, str]:
    """{name in code: the second cell} of the tables in `text`."""
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `")]
    return {name: row[2].strip() for row in rows for name in CODE.findall(row[1])}


def links(text: str) -> list[str]:
    """The targets of all links, those to other sites left out."""
    return [target for target in LINK.findall(without_code(text)) if not re.match(r"[a-z]+:", target)]


def place(page: Path, target: str) -> Path:
    """The file that a link on `page` leads to; the page itself for a bare anchor."""
    name = unquote(target.partition("#")[0])
    return (page.parent / name).resolve() if name else page.resolve()


def dead_links(page: Path, text: str, root: Path = ROOT) -> list[str]:
    """The links that lead nowhere: no such file or folder, outside the project, or no such heading on the page."""
    return [target for target in links(text) if _is_dead(place(page, target), target.partition("#")[2], root)]


def _is_dead(goal: Path, fragment: str, root: Path) -> bool:
    if not goal.is_relative_to(root.resolve()) or not goal.exists():
        return True
    return bool(fragment) and (goal.suffix != ".md" or fragment not in map(anchor, headings(text_of(goal))))


def reached(start: Path) -> set[Path]:
    """All Markdown pages that can be come to from `start` by links alone."""
    found, waiting = set[Path](), [start.resolve()]
    while waiting:
        page = waiting.pop()
        if page in found or page.suffix != ".md" or not page.is_file():
            continue
        found.add(page)
        waiting += [place(page, target) for target in links(text_of(page))]
    return found


def commands(text: str, program: str) -> Iterator[list[str]]:
    """The words of each command line of `program`, in fenced code and in code between words; comments and what is piped left out."""
    fenced = [line.strip() for block in FENCE.findall(text) for line in block.splitlines()]
    for line in [*fenced, *CODE.findall(FENCE.sub("", text))]:
        for part in line.split(" && "):
            found = re.match(rf"{BEFORE}{re.escape(program)}(?= |$)(.*)", part)
            if found:
                yield AFTER.sub("", found.group(1)).split()
