"""Decides how the key ring is written down for its backups and filled from one: row by row, alike from either kind of database, without
what sessions have unlocked."""

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from fedcollab.base.clock import DAY
from fedcollab.base.errors import Misconfigured

from .ring_models import Destroyed, RingModel, Unlocked, Wrap
from .wraps import destroy

DAYS = 14  # that a backup of the ring is kept at most, whatever the settings say
FINAL = (DAYS + 1) * DAY  # after this long what was destroyed is in no backup: the run of the next night takes the last one away
BYTES = "b"  # a value that is no text or number: {"b": its base64}
CARRIED = {name: table for name, table in sorted(RingModel.metadata.tables.items()) if name != Unlocked.__tablename__}


def lines(ring: sa.Connection) -> Iterator[bytes]:
    """Each row as one line, in a fixed order."""
    for name, table in CARRIED.items():
        for row in ring.execute(sa.select(table).order_by(*table.primary_key.columns)).mappings():
            values = {column: _written(value) for column, value in row.items()}
            yield json.dumps([name, values], separators=(",", ":"), sort_keys=True).encode() + b"\n"


def fill(ring: sa.Connection, written: Iterable[bytes]) -> int:
    """Puts lines into an empty ring, which is at the step that they were written at; how many. Raises Misconfigured where one is none of
    ours."""
    count = 0
    for line in written:
        name, values = read(line)
        ring.execute(sa.insert(sa.table(name, *map(sa.column, values))).values(values))
        count += 1
    return count


def read(line: bytes) -> tuple[str, dict[str, Any]]:
    """A line's table and row. Raises Misconfigured."""
    try:
        name, values = json.loads(line)
        if name in CARRIED:
            return name, {str(column): _read(value) for column, value in values.items()}
    except (ValueError, TypeError, AttributeError, KeyError):
        pass  # said below, without what the line holds
    raise Misconfigured("This backup of the key ring holds what this program does not know. Install the version that made it.")


def _written(value: object) -> object:
    return {BYTES: base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _read(value: Any) -> object:
    return base64.b64decode(value[BYTES], validate=True) if isinstance(value, dict) else value


def destroyed(ring: sa.Connection, since: int) -> list[str]:
    """What was destroyed since a time (microseconds), as newer backups name it to older rings."""
    found = ring.execute(sa.select(Destroyed.of, Destroyed.to_kid, Destroyed.at).where(Destroyed.at >= since).order_by(Destroyed.at))
    return [json.dumps(list(row)) for row in found]


def destroy_again(ring: sa.Connection, named: Iterable[str]) -> int:
    """Destroys what `destroyed` has named, but for boxes that were handed out anew later; how many boxes were still there."""
    gone = 0
    for word in named:
        of, to_kid, at = json.loads(word)
        if to_kid and ring.execute(sa.select(Wrap.at).where(Wrap.of == of, Wrap.to_kid == to_kid, Wrap.at > at)).first():
            continue
        gone += destroy(ring, of, at, to_kid=to_kid)
    return gone
