"""Decides which part of a file a request wants: one range of bytes, exactly; whatever else a Range field says is no wish at all."""

import re

from fedcollab.base.errors import N_, Refused

ONE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class OutOfRange(Refused):
    """The file has none of the bytes that were asked for."""

    status = 416
    text = N_("The file has no such part.")


def part(said: str, size: int) -> tuple[int, int] | None:
    """(first byte, number of bytes); None for the whole file: nothing asked, several ranges, or what is no range (RFC 9110, 14.2).
    Raises OutOfRange."""
    found = ONE.fullmatch(said)
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found[1], found[2]
    if first and last and int(last) < int(first):
        return None
    start, end = (int(first), min(int(last), size - 1) if last else size - 1) if first else (max(0, size - int(last)), size - 1)
    if start >= size or (not first and not int(last)):
        error = OutOfRange()
        error.headers = {"Content-Range": f"bytes */{size}"}
        raise error
    return start, end - start + 1
