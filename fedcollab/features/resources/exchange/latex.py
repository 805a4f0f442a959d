"""Decides how LaTeX in a bibliography becomes plain text, and how plain text is written so that LaTeX leaves it as it is."""

import logging
import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pylatexenc.latex2text import LatexNodes2Text

DEEPEST, LONGEST = 60, 25_000  # braces within braces; characters
SPECIAL = re.compile(r"[\\{}$~^%]|--|''|``|[?!]`|<<|>>")
PERCENT = re.compile(r"(?<!\\)((?:\\\\)*)%")
UNKNOWN = re.compile(r"\\(?:(textasciicircum|textbraceleft|textbraceright)(?: *\{\}| +|(?![a-zA-Z{ ]))|\^\{\})")
INSTEAD = {"textbraceleft": r"\{", "textbraceright": r"\}"}  # what the library does not know, or takes for a letter that looks alike
ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "@": "{@}",
    **{sign: "\\" + sign for sign in "$&%#_"},
}
ESCAPED = re.compile(r"[\\{}~^@$&%#_]")
LIGATURES = re.compile(r"(?<=-)-|(?<=')'|(?<=`)`|(?<=[?!])`|(?<=<)<|(?<=>)>")


@cache
def _reader() -> "LatexNodes2Text":
    from pylatexenc.latex2text import LatexNodes2Text

    logging.getLogger("pylatexenc").setLevel(logging.CRITICAL + 1)  # it quotes what it reads
    return LatexNodes2Text(keep_comments=True, strict_latex_spaces=True)


def decoded(text: str) -> tuple[str, bool]:
    """The plain text, and whether all of its LaTeX was understood; a per cent sign is one, for bibliographies have no comments there."""
    if not SPECIAL.search(text):
        return text, True
    if len(text) > LONGEST or _depth(text) > DEEPEST:
        return _bare(text), False
    try:
        text = UNKNOWN.sub(lambda found: INSTEAD.get(found[1], "{^}"), PERCENT.sub(r"\1\\%", text))
        return str(_reader().latex_to_text(text)), True
    except Exception:  # noqa: BLE001  # the library answers odd input with whatever comes up
        return _bare(text), False


def _depth(text: str) -> int:
    deepest = depth = 0
    for sign in re.findall(r"[{}]|\\begin|\\end|\$", text):
        depth = max(0, depth + (-1 if sign in ("}", r"\end") else 1))
        deepest = max(deepest, depth)
    return deepest


def _bare(text: str) -> str:
    return re.sub(r"[{}]|\\[a-zA-Z]+ ?", "", text)


def encoded(text: str) -> str:
    """The text for a field in braces: letters of every script as they are, signs that mean something to LaTeX escaped."""
    return LIGATURES.sub(lambda found: "{}" + found.group(), ESCAPED.sub(lambda found: ESCAPES[found.group()], text))


def address(text: str) -> str:
    r"""An address, which LaTeX may have been told to leave alone by \url, with its signs escaped all the same."""
    bare = re.sub(r"\\url\s*\{(.*)\}", r"\1", text.strip(), flags=re.DOTALL)
    bare = re.sub(r"\{?\\(?:textasciitilde|~)\s?(?:\{\})?\}?", "~", bare)
    return re.sub(r"\\([&%#_$])|[{}\s]", r"\1", bare)
