"""Decides which domains, names and directories the installer takes; each refusal is a sentence that says what to write."""

import re
from collections.abc import Collection
from pathlib import Path

from .layout import SHORT

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
SIGN_IN = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}")
PLACE = re.compile(r"(/[A-Za-z0-9._+-]+)+")
NOWHERE = {
    "onion": "Partners can't reach an onion address, nor check whose it is. Take a name in the DNS; docs/admins/networks.md says more.",
    "local": "Names that end in .local are known in one building alone. Take a name in the DNS that you have.",
    "localhost": "Only this machine itself knows localhost. Take a name in the DNS that you have.",
}
USUAL = ("www", "node", "fedcollab", "fed", "talk", "connect", "community", "social")


def wrong_domain(text: str) -> str:
    """What is wrong with a domain as it was typed; empty if it can be taken."""
    if "://" in text:
        return f"Without {text.partition('://')[0]}://, the name alone: {text.partition('://')[2].strip('/') or 'node.example.org'}"
    if "/" in text:
        return "Without a slash, the name alone: node.example.org"
    if "@" in text:
        return "A domain has no @. The name alone: node.example.org"
    if text != text.lower():
        return f"In small letters: {text.lower()}"
    if ":" in text:
        return "Without a port: the node is reached at the usual one, 443."
    return _wrong_name(text)


def _wrong_name(text: str) -> str:
    if not text.isascii():
        return "Letters beyond a to z are written as the domain's registrar shows them, beginning with xn--."
    if "." not in text.strip("."):
        return "There is no dot in it. The whole name: node.example.org"
    labels = text.split(".")
    if len(text) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        return "A domain is letters a to z, digits and hyphens between single dots: node.example.org"
    if labels[-1].isdigit():
        return "That is an address. Take a name in the DNS: ids begin with it, and addresses change."
    return NOWHERE.get(labels[-1], "")


def short_name(domain: str, taken: Collection[str]) -> str:
    """What a node is called on its machine: the telling part of its domain, with a number where another has it."""
    labels = domain.split(".")[:-1]
    while len(labels) > 1 and labels[0] in USUAL:
        labels = labels[1:]
    name = re.sub(r"[^a-z0-9-]", "", labels[0]).strip("-")[:20].strip("-")
    name = name if SHORT.fullmatch(name) else f"node-{name}"[:20].strip("-")
    return next(found for number in range(1, 1000) if (found := name if number == 1 else f"{name}{number}") not in taken)


def wrong_short(text: str) -> str:
    """What is wrong with a short name; empty if it can be taken."""
    fits = SHORT.fullmatch(text) and text not in ("upgrade", "backup")
    return "" if fits else "The short name is 2 to 22 small letters, digits and hyphens, the first a letter: meridian"


def wrong_sign_in(text: str) -> str:
    """What is wrong with the name that the first admin signs in with; empty if it can be taken."""
    return "" if SIGN_IN.fullmatch(text) else "Small letters a to z, digits, dots and hyphens, at most 40: ilse"


def wrong_words(text: str) -> str:
    """What is wrong with the name of an organisation; empty if it can be taken."""
    return "" if text.strip() and len(text) <= 200 and text.isprintable() else "1 to 200 characters, on one line."


def wrong_place(text: str) -> str:
    """What is wrong with the directory for backups; empty if it can be taken."""
    if not PLACE.fullmatch(text) or ".." in text.split("/"):
        return "The whole path of a directory, without blanks: /mnt/backups/meridian"
    if not Path(text).parent.is_dir():
        return f"{Path(text).parent} is not there. Mount the disk first, or take another directory."
    return ""
