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

_ESCAPED_BACKSLASH = b"\\\\"
_ESCAPED_COLONS = (b"\\u003a", b"\\u003A")
_ESCAPED_NUL = b"\\u0000"


def loads(raw: bytes, *, members: int = MAX_MEMBERS) -> object:
    """The document in `raw`: at most 1 MB, 32 levels, 10,000 members (or as many as said), whole numbers within 2**53 (RFC 7493).

    A whole number too long for 64 bits becomes a float, as in every JavaScript reader. Raises BadRequest, its `reason` for the log,
    for anything beyond or ambiguous."""
    if len(raw) > MAX_BYTES:
        raise BadRequest(reason=f"json: more than {MAX_BYTES} bytes")
    try:
        document = orjson.loads(raw)
        _check_size(raw, document, members)
        _check_strings_and_names(raw, orjson.dumps(document, option=orjson.OPT_STRICT_INTEGER))
    except orjson.JSONDecodeError as error:
        raise BadRequest(reason=f"json: {error.msg}") from None
    except orjson.JSONEncodeError:
        raise BadRequest(reason="json: a number beyond 2**53") from None
    return document


def _check_size(raw: bytes, document: object, most: int) -> None:
    """Counting brackets and commas, even those inside strings, clears nearly every document without a walk."""
    openings = raw.count(b"{") + raw.count(b"[")
    if openings > MAX_DEPTH or openings + raw.count(b",") > most:
        _walk(document, most)


def _walk(document: object, most: int) -> None:
    """Level by level, never recursing."""
    level, depth, members = _containers([document]), 0, 0
    while level:
        depth += 1
        below = [value for container in level for value in (container.values() if isinstance(container, dict) else container)]
        members += len(below)
        if depth > MAX_DEPTH:
            raise BadRequest(reason=f"json: deeper than {MAX_DEPTH}")
        if members > most:
            raise BadRequest(reason=f"json: more than {most} members")
        level = _containers(below)


def _containers(values: list[object]) -> list[dict[str, object] | list[object]]:
    return [value for value in values if isinstance(value, dict | list)]


def _check_strings_and_names(raw: bytes, again: bytes) -> None:
    """Compares the document with `again`, the same parsed and written out."""
    # With pairs of backslashes out of the way, whatever backslash is left begins an escape.
    flat = raw.replace(_ESCAPED_BACKSLASH, b"__")
    if _ESCAPED_NUL in flat:
        raise BadRequest(reason="json: NUL in a string")
    colons = flat.count(b":") + sum(map(flat.count, _ESCAPED_COLONS))
    if again.count(b":") != colons:
        raise BadRequest(reason="json: a name stands twice in one object")
