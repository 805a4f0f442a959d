"""Decides in which form passwords are stored, and what one run of Argon2id gives: a verifier to store, an unlock key to store nowhere.

    $fc1$m=19456,t=2,p=1$SALT$VERIFIER

The root that Argon2id makes of a password is split by HKDF: `login` gives the verifier, `unlock`, with a pepper made of the node's own key
as salt, the key that seals a person's sealing keys. Neither says anything of the other. Before that, forms were Argon2's own text, in which
the root itself was stored: they still let people in, and are replaced at that login, by another salt."""

import base64
import hmac
import os
import re
import unicodedata
from dataclasses import dataclass, field
from typing import NamedTuple

from . import crypto


class Cost(NamedTuple):
    """What Argon2id spends: kibibytes, passes, lanes."""

    memory: int
    passes: int
    lanes: int


COST = Cost(*crypto.ARGON)  # OWASP's figures
SALT, ROOT = 16, 32  # bytes
FORM = re.compile(r"\$fc1\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([\w-]{22})\$([\w-]{43})", re.ASCII)
NOBODY = f"$fc1$m={COST.memory},t={COST.passes},p={COST.lanes}${'A' * 22}${'A' * 43}"  # no password's: an unknown name costs as much


@dataclass(frozen=True, eq=False)
class Made:
    """A password as it is stored, and the unlock key that comes of it."""

    hashed: str = field(repr=False)
    unlock: bytes = field(repr=False)


@dataclass(frozen=True, eq=False)
class Tried:
    """Whether a password was right. If it was: the unlock key of the stored form (None for the form before), and what to store in its
    place, where that is of an older form or cost."""

    good: bool
    unlock: bytes | None = field(default=None, repr=False)
    renewed: Made | None = field(default=None, repr=False)

    @property
    def lasting(self) -> bytes | None:
        """The unlock key from now on; None for a wrong password."""
        return self.renewed.unlock if self.renewed else self.unlock


def pepper(master_key: bytes) -> bytes:
    """What a stolen database lacks to try passwords on sealed keys."""
    return crypto.hkdf(master_key, b"", b"fedcollab pepper 1")


def make(password: str, peppered: bytes) -> Made:
    """A new password; `peppered` is what `pepper` gives. Takes 19 MiB and some 20 ms: in turn (`crypto.in_turn`)."""
    salt = os.urandom(SALT)
    root = _root(password, salt, COST)
    hashed = f"$fc1$m={COST.memory},t={COST.passes},p={COST.lanes}${_written(salt)}${_written(_verifier(root))}"
    return Made(hashed, _unlock(root, peppered))


def tried(hashed: str, password: str, peppered: bytes) -> Tried:
    """Whether it is the password of the stored form. One run of Argon2id, whether the form is old or new or none at all; a second one
    only where the password was right and its form is to be replaced."""
    found = FORM.fullmatch(hashed)
    if found is None and hashed.startswith("$argon2id$"):
        good = crypto.argon_matches(hashed, _bytes(password))
        return Tried(good, None, make(password, peppered) if good else None)
    found = found or FORM.fullmatch(NOBODY)
    assert found is not None
    cost = Cost(*map(int, found.groups()[:3]))
    root = _root(password, _read(found[4]), cost)
    if not hmac.compare_digest(_verifier(root), _read(found[5])) or found[0] != hashed:
        return Tried(good=False)
    return Tried(True, _unlock(root, peppered), None if cost == COST else make(password, peppered))


def hash_password(password: str) -> str:
    """The stored form alone, for an account that is made without its person."""
    return make(password, b"").hashed


def _root(password: str, salt: bytes, cost: Cost) -> bytes:
    return crypto.argon(_bytes(unicodedata.normalize("NFKC", password)), salt, cost, ROOT)  # keyboards write one letter in several ways


def _bytes(password: str) -> bytes:
    return password.encode(errors="surrogatepass")


def _verifier(root: bytes) -> bytes:
    return crypto.hkdf(root, b"", b"fedcollab login 1")


def _unlock(root: bytes, peppered: bytes) -> bytes:
    return crypto.hkdf(root, peppered, b"fedcollab unlock 1")


def _written(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _read(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
