"""Decides which signatures are not checked twice: those that this process has found good, by a hash of the key, what is signed and the
signature. Nothing of what was signed is kept, and what was not found good is always checked."""

import hashlib

MOST = 12_000  # of a half; 100 bytes each


class FoundGood:
    """The signatures found good lately. Where one half is full it becomes the older one, and what was the older one goes; what is asked for
    again moves over."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._now, self._before = set[bytes](), set[bytes]()

    def name(self, key: bytes, signature: bytes, digest: bytes) -> bytes:
        """What one is known by; `key`, `signature` and `digest`, which holds all that is signed, are of fixed lengths."""
        return hashlib.sha256(key + signature + digest).digest()

    def has(self, name: bytes) -> bool:
        """Whether it was found good before."""
        if name in self._now:
            return True
        if name in self._before:
            self.add(name)
            return True
        return False

    def add(self, name: bytes) -> None:
        """It was found good."""
        if len(self._now) >= self.most:
            self._now, self._before = set(), self._now
        self._now.add(name)
