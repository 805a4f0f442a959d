"""Decides the code with which somebody takes their story back: 26 random digits and one that notices a slip, stored as a hash alone."""

import secrets
import unicodedata

from fedcollab.base.crypto import stored
from fedcollab.base.errors import N_, Refused

RANDOM, GROUP = 26, 3  # digits: 86 bits, in nine groups of three


def make() -> str:
    """A new code, in digits alone."""
    digits = "".join(secrets.choice("0123456789") for _ in range(RANDOM))
    return digits + _check(digits)


def spaced(code: str) -> str:
    """The code as it is printed and read aloud."""
    return " ".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def read(typed: str) -> str:
    """The stored form of a code as somebody has typed it, in the digits of any script, with spaces or dashes. Raises Refused where it has
    a slip: then nobody has been asked."""
    digits = "".join(str(unicodedata.decimal(letter)) for letter in typed[:200] if letter.isdecimal())
    if len(digits) != RANDOM + 1:
        raise Refused(N_("The code has 27 digits. Type all of them, as they stand on your sheet."))
    if _check(digits[:-1]) != digits[-1]:
        raise Refused(N_("One of the digits is not as it stands on your sheet. Compare them and try again."))
    return stored("story " + digits)


def _check(digits: str) -> str:
    """The check digit of Luhn's formula (ISO/IEC 7812-1, annex B): it notices each wrong digit and almost every swapped pair."""
    doubled = [int(digit) * (2 - at % 2) for at, digit in enumerate(reversed(digits))]
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)
