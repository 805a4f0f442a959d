"""Decides which JSON documents of strangers are read at all: small, shallow, plain, and the same to every reader.

orjson already refuses what is not UTF-8, lone surrogates, NaN, Infinity and trailing bytes, but it keeps the last of two equal
names silently. Two readers that keep different ones can be made to see different documents under one signature, so such a
document is refused. Finding it costs no second parser: written out again, a document that lost a member has lost a colon.
"""

import orjson

from fedcollab.base.errors import BadRequest

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_MEMBERS = 10_000
MAX_NUMBER = 2**53

_ESCAPED_BACKSLASH = b"\\\\"
_ESCAPED_COLONS = (b"\\u003a", b"\\u003A")
_ESCAPED_NUL = b"\\u0000"


def loads(raw: bytes) -> object:
    """The document in `raw`, at most 1 MB, 32 levels, 10,000 members and numbers within 2**53 (RFC 7493).

    Raises BadRequest, its `reason` for the log, for anything beyond or ambiguous."""
    if len(raw) > MAX_BYTES:
        raise BadRequest(reason=f"json: more than {MAX_BYTES} bytes")
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadRequest(reason=f"json: {error.msg}") from None
    _measure(document)
    # With pairs of backslashes out of the way, whatever backslash is left begins an escape.
    flat = raw.replace(_ESCAPED_BACKSLASH, b"__")
    if _ESCAPED_NUL in flat:
        raise BadRequest(reason="json: NUL in a string")
    colons = flat.count(b":") + sum(map(flat.count, _ESCAPED_COLONS))
    if orjson.dumps(document).count(b":") != colons:
        raise BadRequest(reason="json: a name stands twice in one object")
    return document


def _measure(document: object) -> None:
    """Walks level by level, never recursing: depth, members, numbers."""
    level, depth, members = [document], -1, 0
    while level:
        depth += 1
        below: list[object] = []
        for value in level:
            kind = type(value)
            if kind is dict:
                below.extend(value.values())  # type: ignore[attr-defined]  # mypy does not narrow by type(), which is faster here
            elif kind is list:
                below.extend(value)  # type: ignore[arg-type]  # likewise
            elif (kind is int or kind is float) and not -MAX_NUMBER <= value <= MAX_NUMBER:  # type: ignore[operator]  # likewise
                raise BadRequest(reason="json: a number beyond 2**53")
        members += len(below)
        if members > MAX_MEMBERS:
            raise BadRequest(reason=f"json: more than {MAX_MEMBERS} members")
        if depth >= MAX_DEPTH and below:
            raise BadRequest(reason=f"json: deeper than {MAX_DEPTH}")
        level = below
