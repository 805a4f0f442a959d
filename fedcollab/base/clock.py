"""Decides what time is: whole microseconds since the epoch, UTC, from a clock that tests can set."""

import os
import time
import uuid
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import Protocol

MICROSECONDS = 1_000_000
MINUTE = 60 * MICROSECONDS
HOUR = 60 * MINUTE
DAY = 24 * HOUR
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = 253_402_300_800 * MICROSECONDS - 2 * DAY  # two days before the year 10000: the calendar ends there


class Clock(Protocol):
    """Anything that tells the time in microseconds since the epoch."""

    def __call__(self) -> int: ...


def system_clock() -> int:
    """The machine's time in microseconds since the epoch."""
    return time.time_ns() // 1000


def http_date(micros: int) -> str:
    """The time as an HTTP Date field (RFC 9110, 5.6.7)."""
    return formatdate(micros // MICROSECONDS, usegmt=True)


def iso(micros: int) -> str:
    """The time as ActivityStreams writes it, whole milliseconds, with Z."""
    stamp = EPOCH + timedelta(microseconds=micros)
    return stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{micros // 1000 % 1000:03d}Z"


def parse_iso(text: object) -> int | None:
    """Microseconds of an ISO 8601 time with an offset, or None where it is not one, or none that every reader's calendar can show:
    before 1970, or within a day of the year 10000."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        return None
    if stamp.tzinfo is None:
        return None
    micros = (stamp - EPOCH) // timedelta(microseconds=1)
    return micros if 0 <= micros < LAST else None


def made_at(row_id: str) -> int:
    """When an id was made, in whole milliseconds as microseconds."""
    return int(row_id[:8] + row_id[9:13], 16) * 1000


def beginning(micros: int) -> str:
    """What the ids sort after that are made in this millisecond or later, and no others."""
    made = f"{micros // 1000:012x}"
    return f"{made[:8]}-{made[8:]}"


def new_id(micros: int | None = None) -> str:
    """A random UUIDv7 (RFC 9562): sorts by time, says nothing else, is never used twice."""
    millis = (system_clock() if micros is None else micros) // 1000
    value = (millis & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=value))
