"""Decides how much of a length can be seen: sizes are rounded up by Padmé, small ones to a floor.

Padmé: Nikitin, Barman, Lueks, Underwood, Hubaux, Ford, "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs",
PoPETs 2019. It is rounding to a binary floating-point number whose mantissa has no more bits than its exponent: at most 12 % more, ever
less for what is large, and of a size up to M bytes no more is told than O(log log M) bits.
"""

from .shut import Shut

FLOOR = 256  # bytes
COUNT = 4  # bytes before the text: its true length


def padme(length: int) -> int:
    """The size to which `length` is rounded up, both in bytes; lengths below 2 stay."""
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    free = exponent - exponent.bit_length()  # low bits that become zero
    mask = (1 << free) - 1
    return (length + mask) & ~mask


def rounded(length: int, floor: int = FLOOR) -> int:
    """The size that others see of something of `length` bytes."""
    return padme(max(length, floor))


def padded(text: bytes) -> bytes:
    """The text with its length before it and zeros behind it."""
    return (len(text).to_bytes(COUNT) + text).ljust(rounded(COUNT + len(text)), b"\0")


def unpadded(data: bytes) -> bytes:
    """Undoes `padded`. Raises Shut for what `padded` would not have written: nothing can hide between the text and the end."""
    length = int.from_bytes(data[:COUNT])
    text = data[COUNT : COUNT + length]
    if len(text) != length or padded(text) != data:
        raise Shut
    return text
