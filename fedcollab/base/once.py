"""Decides what a thing is called that a form makes: by the form's own id, so that a form sent twice makes it once."""

import re
from functools import cache
from typing import Any

import sqlalchemy as sa

from .clock import new_id
from .session import Session
from .statements import prepared

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def row_id(session: Session, model: Any, once: str, now: int) -> str:
    """`once`, the form's id, where it is one and no row of the model has it; else a new one."""
    fresh = ID.fullmatch(once) and prepared(session, _there(model), {"id": once}).first() is None
    return once if fresh else new_id(now)


@cache
def _there(model: Any) -> sa.Select[Any]:
    return sa.select(model.id).where(model.id == sa.bindparam("id"))
