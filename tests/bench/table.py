"""Decides what a measure says: its value, the floor measured beside it, and whether it keeps its target."""

import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measure. `floor` is what the least that could do the same took in the same run; without a `target` the row informs only."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    target: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None

    @property
    def ok(self) -> bool | None:
        return None if self.target is None else self.value <= self.target


def as_json(rows: Sequence[Row]) -> str:
    """All rows as one JSON document."""
    keys = ("name", "value", "unit", "floor", "ratio", "target", "ok")
    return json.dumps([{key: _rounded(getattr(row, key)) for key in keys} for row in rows], indent=1)


def _rounded(cell: object) -> object:
    return round(cell, 4) if isinstance(cell, float) else cell


def as_text(rows: Sequence[Row]) -> str:
    """All rows as a table for people."""
    head = ("measure", "value", "unit", "floor", "ratio", "target", "")
    lines = [head, *((r.name, _short(r.value), r.unit, _short(r.floor), _short(r.ratio), _short(r.target), _verdict(r)) for r in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    return "\n".join(_line(line, widths).rstrip() for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    words = (0, 2, 6)
    return "  ".join(
        cell.ljust(width) if at in words else cell.rjust(width) for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )


def _short(number: float | None) -> str:
    return "" if number is None else f"{number:.0f}" if number >= 100 else f"{number:.2f}"


def _verdict(row: Row) -> str:
    return {True: "ok", False: "NOT OK", None: ""}[row.ok]


def good(rows: Sequence[Row]) -> bool:
    """Whether every row with a target keeps it."""
    return all(row.ok is not False for row in rows)
