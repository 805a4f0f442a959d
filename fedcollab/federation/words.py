"""Decides how two admins compare keys by voice: eight words, and the same as digits, from the keys of both organisations."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from .wordlist import WORDS

COUNT, BITS = 8, 10
COST = dict(n=1 << 14, r=8, p=1)  # 16 MiB and some 50 ms: what somebody in the middle has to spend on each pair of keys that they try
GROUP = 5


@dataclass(frozen=True)
class Spoken:
    """What both admins see for their pair of nodes: the same 80 bits as words and as groups of digits."""

    words: tuple[str, ...]
    digits: tuple[str, ...]


@lru_cache(1024)
def spoken(one: str, other: str) -> Spoken:
    """The words of two fingerprints, in whichever order. Takes some 50 ms the first time."""
    both = "\n".join(sorted((one, other))).encode()
    raw = hashlib.scrypt(both, salt=b"two-nodes-words-1", dklen=COUNT * BITS // 8, **COST)
    number = int.from_bytes(raw)
    words = tuple(WORDS[number >> BITS * place & (1 << BITS) - 1] for place in reversed(range(COUNT)))
    text = f"{number:025d}"
    return Spoken(words, tuple(text[at : at + GROUP] for at in range(0, len(text), GROUP)))
