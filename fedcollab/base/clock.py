"""Decides what time is: whole microseconds since the epoch, UTC, from a clock that tests can set."""

import os
import time
import uuid
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Protocol

MICROSECONDS = 1_000_000
MINUTE = 60 * MICROSECONDS
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Clock(Protocol):
    """Anything that tells the time in microseconds since the epoch."""

    def __call__(self) -> int: ...


def system_clock() -> int:
    """The machine's time in microseconds since the epoch."""
    return time.time_ns() // 1000


def http_date(micros: int) -> str:
    """The time as an HTTP Date field (RFC 9110, 5.6.7)."""
    return formatdate(micros / MICROSECONDS, usegmt=True)


def iso(micros: int) -> str:
    """The time as ActivityStreams writes it, whole milliseconds, with Z."""
    stamp = datetime.fromtimestamp(micros / MICROSECONDS, UTC)
    return stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{micros // 1000 % 1000:03d}Z"


def parse_iso(text: object) -> int | None:
    """Microseconds of an ISO 8601 time with an offset, or None where it is not one."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        return None
    if stamp.tzinfo is None:
        return None
    try:
        return round(stamp.timestamp() * MICROSECONDS)
    except (OverflowError, ValueError):
        return None


def new_id(micros: int | None = None) -> str:
    """A random UUIDv7 (RFC 9562): sorts by time, says nothing else, is never used twice."""
    millis = (system_clock() if micros is None else micros) // 1000
    value = (millis & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=value))
