"""Decides the one form in which JSON is hashed and signed: RFC 8785 (JCS), by orjson where both write the same."""

from typing import Any

import orjson
import rfc8785

PLAIN = (str, int, bool, type(None))


def canonical(value: Any) -> bytes:
    """The canonical bytes of a JSON value.

    orjson sorts names by code points and JCS by UTF-16 units, and they write fractions otherwise: what has a fraction, or a name beyond
    ASCII, goes to the library. Raises ValueError for what JCS cannot write (NaN, numbers beyond 2**53, lone surrogates)."""
    try:
        if _plain(value):
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER)
    except TypeError:  # a lone surrogate or a number too large: the library says which
        pass
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise ValueError(str(error)) from None


def _plain(value: Any) -> bool:
    """Whether a value holds nothing but what both write alike."""
    holders = [[value]]
    for held in holders:  # which grows meanwhile
        for found in held:
            kind = type(found)
            if kind is dict:
                for name in found:
                    if type(name) is not str or not name.isascii():
                        return False
                holders.append(found.values())
            elif kind is list:
                holders.append(found)
            elif kind not in PLAIN:
                return False
    return True
