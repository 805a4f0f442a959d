"""Decides what is put into the key ring, found in it and destroyed: opaque boxes by the names of keys, each put and destroyed the same
twice as once. What these functions take as `ring` is what `node.ring.begin()` or `look()` gives."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.base.errors import Gone

from .ring import LESS, LOCKED
from .ring_models import CURRENT, Destroyed, PersonSecret, RingModel, SheetBox, Unlocked, Wrap

PERSON, SHEETS = "uk:", "rk:"  # of what is destroyed: a person's key, the recovery key
AT_ONCE = 500  # names in one query


class Note(NamedTuple):
    """That all boxes of a key were destroyed, or those that one key opened (`to_kid`), and when."""

    of: str
    to_kid: str
    at: int


class Secret(NamedTuple):
    """A person key's private halves, as they are sealed."""

    kid: str
    by_password: bytes
    by_code: bytes
    state: str


def put_secret(ring: sa.Connection, kid: str, person_id: str, by_password: bytes, by_code: bytes, at: int, state: str = CURRENT) -> None:
    """Keeps a person key's private halves; a changed password or code replaces the box under the one before. Raises Gone where the key was
    destroyed."""
    _check(ring, PERSON + kid)
    rest = dict(person_id=person_id, by_password=by_password, by_code=by_code, state=state, created_at=at)
    _put(ring, PersonSecret, {"kid": kid}, rest)


def change_secret(ring: sa.Connection, kid: str, **changed: bytes | str) -> None:
    """Puts one of a kept key's boxes (`by_password`, `by_code`, empty for none) or its `state` in the place of the one before; of a key
    that is not kept nothing changes."""
    names = ("person_id", "by_password", "by_code", "created_at", "state")
    kept = ring.execute(sa.select(*(getattr(PersonSecret, name) for name in names)).where(PersonSecret.kid == kid)).mappings().first()
    if kept is not None:
        values: dict[str, Any] = {**kept, **changed}
        put_secret(ring, kid, values["person_id"], values["by_password"], values["by_code"], values["created_at"], values["state"])


def secret(ring: sa.Connection, kid: str) -> Secret | None:
    """A person key's private halves."""
    return next((one for one in _secrets(ring, PersonSecret.kid == kid)), None)


def secrets_of(ring: sa.Connection, person_id: str) -> list[Secret]:
    """All keys of a person, the newest first."""
    return _secrets(ring, PersonSecret.person_id == person_id)


def _secrets(ring: sa.Connection, which: sa.ColumnElement[bool]) -> list[Secret]:
    wanted = sa.select(PersonSecret.kid, PersonSecret.by_password, PersonSecret.by_code, PersonSecret.state).where(which)
    return [Secret(*row) for row in ring.execute(wanted.order_by(PersonSecret.created_at.desc(), PersonSecret.kid))]


def put_unlocked(ring: sa.Connection, session_hash: str, kid: str, box: bytes, at: int) -> None:
    """Keeps a person key for as long as a session lasts."""
    _put(ring, Unlocked, {"session_hash": session_hash, "kid": kid}, {"box": box, "at": at})


def unlocked(ring: sa.Connection, session_hash: str) -> dict[str, bytes]:
    """{kid: box} of what a session has unlocked."""
    found = ring.execute(sa.select(Unlocked.kid, Unlocked.box).where(Unlocked.session_hash == session_hash))
    return {row.kid: row.box for row in found}


def lock(ring: sa.Connection, *, session_hash: str = "", kid: str = "") -> int:
    """Forgets what a session has unlocked, or a key in all sessions; how many boxes that were."""
    which = Unlocked.session_hash == session_hash if session_hash else Unlocked.kid == kid
    return _remove(ring, Unlocked, which)


def put_wrap(ring: sa.Connection, of: str, to_kid: str, box: bytes, at: int) -> None:
    """Keeps the box of a key for the holder of another one. Raises Gone where that key was destroyed. One whose boxes for this holder
    were destroyed may be handed to it anew, which no older ring undoes."""
    _check(ring, of)
    before = ring.execute(sa.select(Destroyed.at).where(Destroyed.of == of, Destroyed.to_kid == to_kid)).scalar()
    _put(ring, Wrap, {"of": of, "to_kid": to_kid}, {"box": box, "at": at if before is None else max(at, before + 1)})


def wrap(ring: sa.Connection, of: str, to_kid: str) -> bytes | None:
    """The box of a key for the holder of another one."""
    return ring.execute(sa.select(Wrap.box).where(Wrap.of == of, Wrap.to_kid == to_kid)).scalar()


def wraps_of(ring: sa.Connection, of: str) -> dict[str, bytes]:
    """{kid: box} of a key, for all who hold one."""
    return {row.to_kid: row.box for row in ring.execute(sa.select(Wrap.to_kid, Wrap.box).where(Wrap.of == of))}


def wraps_among(ring: sa.Connection, ofs: Iterable[str], to_kids: Iterable[str]) -> dict[tuple[str, str], bytes]:
    """{(of, kid): box} of these keys, for these holders."""
    found: dict[tuple[str, str], bytes] = {}
    names, kids = sorted(set(ofs)), sorted(set(to_kids))
    for start in range(0, len(names), AT_ONCE):
        which = sa.and_(Wrap.of.in_(names[start : start + AT_ONCE]), Wrap.to_kid.in_(kids))
        found |= {(row.of, row.to_kid): row.box for row in ring.execute(sa.select(Wrap.of, Wrap.to_kid, Wrap.box).where(which))}
    return found


def wraps_to(ring: sa.Connection, to_kid: str) -> dict[str, bytes]:
    """{of: box} of all that the holder of a key can open."""
    return {row.of: row.box for row in ring.execute(sa.select(Wrap.of, Wrap.box).where(Wrap.to_kid == to_kid))}


def put_sheet(ring: sa.Connection, rk: str, pair: str, box: bytes, at: int) -> None:
    """Keeps the recovery key for a pair of sheets. Raises Gone where it was destroyed."""
    _check(ring, SHEETS + rk)
    _put(ring, SheetBox, {"rk": rk, "pair": pair}, {"box": box, "at": at})


def sheet_boxes(ring: sa.Connection, rk: str) -> dict[str, bytes]:
    """{pair: box} of a recovery key."""
    return {row.pair: row.box for row in ring.execute(sa.select(SheetBox.pair, SheetBox.box).where(SheetBox.rk == rk))}


def destroy(ring: sa.Connection, of: str, at: int, *, to_kid: str = "") -> int:
    """Deletes all boxes of a key (`uk:` a person's, `rk:` the recovery key with its sheets, any other `of`), or the one that `to_kid`
    opens, and notes it: no older ring brings them back. How many there were. When the unit leaves the ring, they are in none of its files.
    That holds also where the unit's own commit then fails, so destroy last."""
    _note(ring, of, to_kid, at)
    if to_kid:
        return _remove(ring, Wrap, sa.and_(Wrap.of == of, Wrap.to_kid == to_kid))
    kid, gone = of.partition(":")[2], _remove(ring, Wrap, Wrap.of == of)
    if of.startswith(PERSON):
        gone += _remove(ring, PersonSecret, PersonSecret.kid == kid) + _remove(ring, Unlocked, Unlocked.kid == kid)
    if of.startswith(SHEETS):
        gone += _remove(ring, SheetBox, SheetBox.rk == kid)
    return gone


def destroy_held(ring: sa.Connection, to_kid: str, at: int) -> int:
    """`destroy` of all boxes that the holder of a key can open, with as few statements as if it were one."""
    held = ring.execute(sa.select(Wrap.of, Wrap.at).where(Wrap.to_kid == to_kid)).all()
    noted = {row.of: row.at for row in ring.execute(sa.select(Destroyed.of, Destroyed.at).where(Destroyed.to_kid == to_kid))}
    last = {row.of: max(at, row.at, noted.get(row.of, 0)) for row in held}
    again = {of: last[of] for of in last.keys() & noted.keys() if last[of] != noted[of]}
    if fresh := [dict(of=of, to_kid=to_kid, at=last[of]) for of in sorted(last.keys() - noted.keys())]:
        ring.execute(sa.insert(Destroyed), fresh)
    if again:
        before = sa.and_(Destroyed.of == sa.bindparam("key"), Destroyed.to_kid == to_kid)
        ring.execute(
            sa.update(Destroyed).where(before).values(at=sa.bindparam("last")), [dict(key=of, last=again[of]) for of in sorted(again)]
        )
    return _remove(ring, Wrap, Wrap.to_kid == to_kid)


def _note(ring: sa.Connection, of: str, to_kid: str, at: int) -> None:
    """The first time counts for all of it, the last for one holder's box, and that is never before the box: older rings go by it."""
    noted = ring.execute(_noted(of, to_kid)).scalar()
    if noted is None:
        ring.execute(sa.insert(Destroyed).values(of=of, to_kid=to_kid, at=at))
    put = ring.execute(sa.select(Wrap.at).where(Wrap.of == of, Wrap.to_kid == to_kid)).scalar() if to_kid else None
    last = max(at, put or 0, noted or 0)
    if to_kid and last != noted:
        ring.execute(sa.update(Destroyed).where(Destroyed.of == of, Destroyed.to_kid == to_kid).values(at=last))


def is_destroyed(ring: sa.Connection, of: str) -> bool:
    """Whether all boxes of a key were destroyed."""
    return ring.execute(_noted(of, "")).first() is not None


def noted(ring: sa.Connection, prefix: str, since: int) -> list[Note]:
    """What was destroyed since, of the keys whose names begin so."""
    within = sa.and_(Destroyed.of.startswith(prefix, autoescape=True), Destroyed.at >= since)
    query = sa.select(Destroyed.of, Destroyed.to_kid, Destroyed.at).where(within).order_by(Destroyed.of, Destroyed.to_kid)
    return [Note(*row) for row in ring.execute(query)]


def _noted(of: str, to_kid: str) -> sa.Select[Any]:
    return sa.select(Destroyed.at).where(Destroyed.of == of, Destroyed.to_kid == to_kid)


def _check(ring: sa.Connection, of: str) -> None:
    if is_destroyed(ring, of):
        raise Gone(reason="this key was destroyed")


def _remove(ring: sa.Connection, model: type[RingModel], which: sa.ColumnElement[bool]) -> int:
    gone = ring.execute(sa.delete(model).where(which)).rowcount
    if gone:
        ring.info[LOCKED if model is Unlocked else LESS] = True
    return gone


def _put(ring: sa.Connection, model: type[RingModel], key: Mapping[str, object], rest: Mapping[str, object]) -> None:
    """A row that is there as it should be stays; another one is taken away, as what is destroyed."""
    columns = model.__table__.columns
    which = sa.and_(*(columns[name] == value for name, value in key.items()))
    before = ring.execute(sa.select(*(columns[name] for name in rest)).where(which)).first()
    if before is not None and tuple(before) == tuple(rest.values()):
        return
    if before is not None:
        _remove(ring, model, which)
    ring.execute(sa.insert(model).values(**key, **rest))
