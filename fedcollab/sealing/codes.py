"""Decides how 128 bits stand on paper: eight groups of four letters, of which six letters check the rest.

26 letters carry the bits, 6 are the checksum of Bech32m (BIP 350), which notices every slip in up to four letters and so every two that
changed places. What the paper is for is part of the sum: a code of one kind is not taken for another's."""

import os

from fedcollab.base.errors import N_, Refused

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32: none that looks like another
LIKE = str.maketrans("OILU", "011V", " -\u2010\u2011\u2012\u2013\u2014\t\r\n.,\u00a0")
BYTES = 16
DATA, CHECK, EACH = 26, 6, 4  # letters
ALL = DATA + CHECK
STEPS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
SUM = 0x2BC830A3


def make() -> bytes:
    """128 fresh bits."""
    return os.urandom(BYTES)


def printed(secret: bytes, kind: str) -> list[str]:
    """The eight groups as they stand on paper; `kind` is a short word in small letters."""
    number = int.from_bytes(secret)
    data = [number >> 5 * (DATA - 1 - at) & 31 for at in range(DATA)]
    rest = _sum([*_expanded(kind), *data, *[0] * CHECK]) ^ SUM
    values = data + [rest >> 5 * (CHECK - 1 - at) & 31 for at in range(CHECK)]
    letters = "".join(LETTERS[value] for value in values)
    return [letters[at : at + EACH] for at in range(0, ALL, EACH)]


def read(typed: str, *kinds: str) -> tuple[str, bytes]:
    """(Which of these kinds of code it is, its bits), as somebody has typed them: small letters or capitals, blanks and dashes or none, O
    for 0, I and L for 1, U for V. Raises Refused, which says where the slip is if it is a single one."""
    letters = typed.upper().translate(LIKE)
    if len(letters) != ALL or set(letters) - set(LETTERS):
        raise Refused(N_("The code has eight groups of four letters and digits. Type all of them, as they are printed."))
    values = [LETTERS.index(letter) for letter in letters]
    kind = next((kind for kind in kinds if _whole(values, kind)), "")
    if not kind:
        if group := max(_group(values, kind) for kind in kinds):
            raise Refused(N_("There is a slip in group %(group)s. Compare it with the paper."), group=group)
        raise Refused(N_("That is not the code. Compare it with the paper, group by group."))
    number = sum(value << 5 * (DATA - 1 - at) for at, value in enumerate(values[:DATA]))
    return kind, number.to_bytes(BYTES)


def _group(values: list[int], kind: str) -> int:
    """The one group in which a single other letter would make it whole; 0 where there is none."""
    for at, value in enumerate(values):
        if any(_whole([*values[:at], other, *values[at + 1 :]], kind) for other in range(32) if other != value):
            return at // EACH + 1
    return 0


def is_whole(values: list[int], kind: str) -> bool:
    """Whether the values of a code's letters are in order among themselves."""
    return _sum([*_expanded(kind), *values]) == SUM


def _whole(values: list[int], kind: str) -> bool:
    return values[0] < 8 and is_whole(values, kind)  # 128 bits in 130: the first letter has two to spare


def _expanded(kind: str) -> list[int]:
    return [*(ord(letter) >> 5 for letter in kind), 0, *(ord(letter) & 31 for letter in kind)]


def _sum(values: list[int]) -> int:
    """Bech32's checksum, a BCH code over 32 letters."""
    total = 1
    for value in values:
        top = total >> 25
        total = (total & 0x1FFFFFF) << 5 ^ value
        for bit, step in enumerate(STEPS):
            total ^= step if top >> bit & 1 else 0
    return total
