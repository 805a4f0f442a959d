"""Decides in which words it is said what a case or a group in a file proves, by whom, and what it does not. What the file itself says is
shown without anything that a terminal would act upon."""

import hashlib
from collections.abc import Iterator

from fedcollab.base.clock import MINUTE, iso
from fedcollab.base.crypto import base58

from .bundle_check import Findings, Organisation
from .room_models import GROUP

LEFT_OUT = {
    "masked": "hidden by those on the case",
    "redacted": "redacted",
    "erased": "taken back or erased",
    "suspected": "held back: a file that may show the abuse of a child is never handed on",
    "withheld": "not for whoever made the file",
    "newer": "written by a newer program",
    "broken": "not readable",
    "key": "sealed under a key that was not there",
    "author": "by somebody whose key was not known",
    "large": "too large for this form",
}
NOT_PROVED = (
    "that a name belongs to a key: compare the fingerprints above with the organisations by another way",
    "that nothing is missing which whoever made the file never had, or was not allowed to read",
    "that what people wrote is true; only that they wrote it",
    "what was read or copied outside of the program",
)


def plain(text: object) -> str:
    """A text of the file, as it may be printed."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(text))[:300]


def day(at: object) -> str:
    return iso(at)[:16].replace("T", " ") + " UTC" if type(at) is int and 0 <= at < 2**53 - MINUTE and at < 253_370_764_800_000_000 else "?"


def fingerprint(one: Organisation) -> str:
    """Of an organisation's keys in its own document, else of those that it is said to have had: short enough to be read out."""
    keys = sorted(public for kind, public in (one.own or one.more).values() if kind == "ed25519")
    text = base58(hashlib.sha256(" ".join(keys).encode()).digest())[:20]
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def said(found: Findings) -> Iterator[str]:
    """The report, a line each."""
    first = found.first
    what = "Sealed group" if first.get("room_kind") == GROUP else f"Case {plain(first.get('code') or '(no code)')}"
    yield f"{what}, {plain(first.get('label'))}, made {day(found.at)} by {plain(found.node)}"
    yield ""
    yield "Who could read it then:"
    yield from (f"  {line}" for line in _access(found))
    yield ""
    yield "Whose keys signed what is in it:"
    for one in found.organisations.values():
        yield f"  {plain(one.name)} ({plain(one.uri)}), fingerprint {fingerprint(one)}" + (
            "" if one.own else ", on the word of who made the file"
        )
    yield ""
    yield "Proved:" if not found.wrong else "Of what is in it, this holds:"
    yield from (f"  {line}" for line in _proved(found))
    yield ""
    yield "Not proved:"
    yield from (f"  {line}" for line in _not_proved(found))
    if found.wrong:
        yield ""
        yield "WRONG:"
        yield from (f"  {plain(line)}" for line in found.wrong)


def _access(found: Findings) -> Iterator[str]:
    access, ours = found.first.get("access"), found.first.get("ours")
    for one in access if isinstance(access, list) else []:
        if isinstance(one, dict):
            people = one.get("people")
            named = ": " + ", ".join(map(plain, people)) if isinstance(people, list) and people else ""
            yield f"{plain(one.get('name'))} ({plain(one.get('role'))}, {plain(one.get('state'))}){named}"
    names = [plain(one.get("name")) for one in ours if isinstance(one, dict)] if isinstance(ours, list) else []
    if names:
        yield "there by name, as the node that made the file says: " + ", ".join(names)


def _proved(found: Findings) -> Iterator[str]:
    for uri, number in sorted(found.proved.items()):
        yield f"{number} entries were written by {_person(found, uri)}, with a key that their organisation vouches for"
    if found.sealed:
        yield f"the file as a whole was signed by {plain(found.node)}"
    if found.entries:
        first = found.begins.seq + 1
        yield f"the record of {plain(found.node)} holds: entries {first} to {found.ends.seq}, none changed, left out or put in since"
    for by, one in sorted(found.vouched.items()):
        yield (
            f"{plain(by)} has countersigned this record up to entry {one.seq} on {day(one.at)}, having followed it from entry {one.since}"
            + (f"; it says that {one.breaks} times the record did not go on from what it knew" if one.breaks else "")
        )
    for node, head in sorted(found.heads.items()):
        if node != found.node:
            yield f"{plain(node)} has said on {day(head.at)} that its own record ends at entry {head.seq}"
    for number, name in sorted(found.files.items()):
        yield f"file {number:04d} is the one that an entry names: {plain(name)}"
    proved = sum(one.proved for one in found.case_keys.values())
    if proved:
        yield f"{proved} of {len(found.case_keys)} lists of who was inside are signed by who led the case then"


def _not_proved(found: Findings) -> Iterator[str]:
    for uri, number in sorted(found.stated.items()):
        yield f"that {number} entries are by {_person(found, uri)}: they are signed, by a key that only the node that made the file names"
    for why, number in sorted(found.left_out.items()):
        yield f"what {number} entries say, which are left out: {LEFT_OUT[why]}"
    if found.named > len(found.files):
        yield f"what is in {found.named - len(found.files)} files that entries name: they are not in the file, or not whole"
    if found.entries and not found.vouched:
        yield "that the record was not rewritten before the file was made: nobody else has countersigned it"
    yield from NOT_PROVED


def _person(found: Findings, uri: str) -> str:
    one = found.people[uri]
    return f"{plain(one.name)} ({plain(uri)})"
