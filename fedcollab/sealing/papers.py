"""Decides what the papers open: a person's recovery code their own key, any two of three sheets the organisation's recovery key."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

from fedcollab.base.errors import N_, Refused

from . import codes
from .boxes import Private
from .locked import derive, lock, unlock
from .shut import Shut

NUMBERS = (1, 2, 3)
CODE = "fcperson"


@dataclass(frozen=True, eq=False)
class Sheet:
    """One of the three: its number, and the bits on it."""

    number: int
    raw: bytes = field(repr=False)

    def printed(self) -> list[str]:
        """The groups that stand on it."""
        return codes.printed(self.raw, _kind(self.number))


def code_key(code: bytes) -> bytes:
    """The key that a recovery code is; the code has 128 bits of chance, so nothing slow is needed."""
    return derive(code, b"", b"fedcollab recovery code 1")


def print_code(code: bytes) -> list[str]:
    """The groups of a person's recovery code."""
    return codes.printed(code, CODE)


def read_code(typed: str) -> bytes:
    """A person's recovery code as it was typed. Raises Refused, which says where the slip is."""
    return codes.read(typed, CODE)[1]


def make_sheets() -> tuple[Sheet, Sheet, Sheet]:
    """Three fresh sheets."""
    one, two, three = (Sheet(number, codes.make()) for number in NUMBERS)
    return one, two, three


def read_sheet(typed: str) -> Sheet:
    """A sheet as it was typed; it says itself which number it has. Raises Refused, which says where the slip is."""
    kinds = {_kind(number): number for number in NUMBERS}
    kind, raw = codes.read(typed, *kinds)
    return Sheet(kinds[kind], raw)


def box_under_sheets(recovery: Private, sheets: tuple[Sheet, Sheet, Sheet]) -> dict[str, bytes]:
    """The recovery key under each pair of sheets, {"12": box, "13": box, "23": box}. No sheet alone says anything of it."""
    kid = recovery.public.kid
    return {_pair(one, other): lock(_key(one, other, kid), recovery.to_bytes(), kid) for one, other in combinations(sheets, 2)}


def open_with_sheets(boxes: Mapping[str, bytes], kid: str, one: Sheet, other: Sheet) -> Private:
    """The recovery key `kid` out of the boxes, by two sheets in either order. Raises Refused where it is one sheet twice, and Shut where
    they are of another set."""
    if one.number == other.number:
        raise Refused(N_("That is the same sheet twice. Type two different ones."))
    recovery = Private.from_bytes(unlock(_key(one, other, kid), boxes.get(_pair(one, other), b""), kid))
    if not hmac.compare_digest(recovery.public.kid, kid):
        raise Shut
    return recovery


def _kind(number: int) -> str:
    return f"fcsheet{number}"


def _pair(one: Sheet, other: Sheet) -> str:
    return "".join(sorted((str(one.number), str(other.number))))


def _key(one: Sheet, other: Sheet, kid: str) -> bytes:
    first, second = sorted((one, other), key=lambda sheet: sheet.number)
    return derive(first.raw + second.raw, b"", f"fedcollab sheets 1 {_pair(one, other)} {kid}".encode())
