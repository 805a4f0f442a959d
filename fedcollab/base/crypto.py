"""Decides the node's own secrets: the master key that seals signing keys, tokens and their stored form, Argon2 (see passwords.py)."""

import asyncio
import functools
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .errors import Misconfigured, Unavailable
from .paths import NodeFiles

P = ParamSpec("P")
T = TypeVar("T")
ARGON = (19456, 2, 1)  # kibibytes, passes, lanes
AT_ONCE, WAITING = 2, 50
POOL = ThreadPoolExecutor(AT_ONCE, "password")
_asked = 0
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
FEW = 58**10


def make_master_key(files: NodeFiles) -> bytes:
    """Writes a fresh node master key, mode 0600; never replaces one that is there."""
    key = os.urandom(32)
    handle = os.open(files.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(key.hex() + "\n")
    return key


def read_master_key(files: NodeFiles) -> bytes:
    """The node master key. Raises Misconfigured where it is missing, readable by others, or not a key."""
    try:
        mode = files.key.stat().st_mode & 0o777
        text = files.key.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(
            "%(path)s can't be read (%(error)s). Bring it back from where you keep it.", path=files.key, error=error
        ) from None
    if mode & (0o037 if files.key_is_handed else 0o077):  # systemd opens it for one user by an access list, which shows as the group's
        raise Misconfigured("%(path)s can be read by other users of this machine. Run: chmod 600 %(path)s", path=files.key)
    return master_key(text.encode(), files.key)


def master_key(said: bytes, path: Path) -> bytes:
    """The key that such a file's text is. Raises Misconfigured where it is none."""
    text = said.decode("ascii", "replace").strip()
    if not re.fullmatch(r"[0-9a-f]{64}", text) or len(set(text)) < 4:
        raise Misconfigured("%(path)s holds no key of this node. Bring back the file that `init` wrote.", path=path)
    return bytes.fromhex(text)


def seal(key: bytes, plain: bytes, purpose: str) -> bytes:
    """ChaCha20-Poly1305 under `key`, bound to `purpose`: 12 bytes of nonce before the text."""
    nonce = os.urandom(12)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, plain, purpose.encode())


def unseal(key: bytes, sealed: bytes, purpose: str) -> bytes:
    """Undoes `seal`; raises Misconfigured under a wrong key, which means that node.key belongs to another node."""
    try:
        return ChaCha20Poly1305(key).decrypt(sealed[:12], sealed[12:], purpose.encode())
    except (InvalidTag, ValueError):
        raise Misconfigured("node.key does not open this node's signing keys: it belongs to another node.") from None


def derive(key: bytes, purpose: str) -> bytes:
    """A 32-byte key of its own for one purpose."""
    return hmac.digest(key, b"fedcollab " + purpose.encode(), "sha256")


def new_token() -> str:
    """A secret of 192 bits for a cookie, a link or an invitation."""
    return secrets.token_urlsafe(24)


def stored(token: str) -> str:
    """The form in which a secret is stored: whoever reads the database cannot use it. A header may bring bytes that are no letters."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()


def hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 (RFC 5869): 32 bytes for what `info` says."""
    return HKDF(hashes.SHA256(), 32, salt, info).derive(secret)


def argon(password: bytes, salt: bytes, cost: tuple[int, int, int], length: int) -> bytes:
    """Argon2id; `cost` as in ARGON."""
    from argon2.low_level import Type, hash_secret_raw

    memory, passes, lanes = cost
    return hash_secret_raw(password, salt, passes, memory, lanes, length, Type.ID)


def argon_matches(hashed: str, password: bytes) -> bool:
    """Whether a password goes with Argon2's own text of it."""
    from argon2.exceptions import InvalidHashError, VerificationError
    from argon2.low_level import Type, verify_secret

    try:
        return verify_secret(hashed.encode(), password, Type.ID)
    except (VerificationError, InvalidHashError):
        return False


async def in_turn(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs what asks Argon2 off the loop: two at once (each takes 19 MiB and a core), fifty waiting.

    Raises Unavailable for whoever comes after."""
    global _asked  # noqa: PLW0603  # how many this process has taken on, counted on its one loop
    if _asked >= AT_ONCE + WAITING:
        raise Unavailable(reason="too many passwords wait to be hashed", retry_after=10)
    _asked += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(POOL, functools.partial(work, *args, **kwargs))
    finally:
        _asked -= 1


def base58(data: bytes) -> str:
    """base58btc as multibase writes it, without the prefix z."""
    number, text = int.from_bytes(data), ""
    while number:
        number, few = divmod(number, FEW)  # ten digits at once, for a large number is slow to divide
        for _ in range(10):
            few, digit = divmod(few, 58)
            text = ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text.lstrip("1")


def unbase58(text: str) -> bytes:
    """Undoes `base58`. Raises ValueError for other characters or more than 200 of them."""
    if len(text) > 200:
        raise ValueError("too long")
    number = 0
    for at in range(0, len(text), 10):
        few, part = 0, text[at : at + 10]
        for letter in part:
            few = few * 58 + ALPHABET.index(letter)
        number = number * 58 ** len(part) + few
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)
