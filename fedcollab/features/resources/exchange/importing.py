"""Decides how an import goes: read and compared, looked at, chosen from, put into the library part by part, and reported on."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit, policy
from fedcollab.access.viewer import MEMBER, Viewer
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, new_id
from fedcollab.base.errors import Conflict, FedcollabError, N_, NotFound, Refused, Unavailable
from fedcollab.base.markup import plain
from fedcollab.base.session import Session
from fedcollab.base.statements import part
from fedcollab.features.resources import service, shelves
from fedcollab.features.resources.record import NAME, Record

from . import known
from .models import ADDED, BROKEN, DONE, FAILED, KNOWN, NEW, OPEN, PREVIEW, READING, RUNNING, Import, ImportRow
from .rows import Row

MOST, KEPT = 20, 30 * DAY  # imports of one person; how long one is kept after its last change
UNIT, SECONDS, A_PART = 20, 0.035, 500  # records of a unit of work at the most, and its time; rows that are stored in one
SHOWN = 50  # rows of a page


@dataclass(frozen=True)
class Shown:
    """An import and a page of its rows; `counts` are {state: number}, `titles` those of the resources that rows name."""

    row: Any
    rows: list[Any]
    page: int
    pages: int
    counts: Mapping[str, int]
    chosen: int
    titles: Mapping[str, str]


def begin(
    session: Session, node: Node, viewer: Viewer, *, name: str, text: str, code: str, guessed: bool, label: str, publisher: str
) -> str:
    """Keeps the text, so that nothing of it is lost. Answers the import's id. Raises Refused, StorageFull."""
    if policy.check_label(label) not in shelves.LABELS:
        raise Refused(N_("Choose who can read it."))
    mine = sa.select(sa.func.count()).select_from(Import).where(Import.person_id == viewer.person_id)
    if (session.scalar(mine) or 0) >= MOST:
        raise Refused(N_("There are 20 imports of yours already. Delete one that you do not need any more."))
    node.room.need()
    import_id, now = new_id(node.now()), node.now()
    words = dict(name=plain(name, NAME), text=text, format=code, guessed=guessed, label=label, publisher=plain(publisher, NAME))
    times = dict(state=READING, entries=0, created_at=now, changed_at=now)
    session.execute(sa.insert(Import).values(id=import_id, person_id=viewer.person_id, **words, **times))
    return import_id


def again(session: Session, node: Node, viewer: Viewer, import_id: str, *, text: str | None = None, code: str = "") -> None:
    """Begins anew with a corrected text, or in another format; of an import that has begun to run nothing can be changed any more. Raises
    NotFound, Conflict, StorageFull."""
    row = own(session, viewer, import_id)
    if row.state not in (READING, PREVIEW):
        raise Conflict(N_("This import has begun already. Import the rest of your text as a new one."))
    node.room.need()
    session.execute(sa.delete(ImportRow).where(ImportRow.import_id == import_id))
    changed = {"text": text} if text is not None else {}
    _change(session, node, import_id, state=READING, entries=0, format=code or row.format, **changed)


def wanted(rows: Sequence[Row]) -> set[str]:
    """The keys by which the rows' records are looked for."""
    return {key for row in rows if row.record for key in _keys(row.record)}


def _keys(record: Record) -> list[str]:
    return known.keys(record.title, record.authors, record.year, record.identifier, record.source)


def stored(rows: Sequence[Row], there: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rows as they are stored: new and chosen, or the same as what is `there` or stands earlier in the file, or broken."""
    found, first = [], dict[str, int]()
    for number, row in enumerate(rows, 1):
        reason = [row.reason.text, row.reason.values] if row.reason else None
        about = dict(number=number, line=row.line, label=row.label, reason=reason, notes=[[one.text, one.values] for one in row.notes])
        same: int | None = None
        here = None
        if row.record:
            mine = _keys(row.record)
            here = next((there[key] for key in mine if key in there), None)
            same = next((first[key] for key in mine if key in first), None)
            first |= {key: first.get(key, number) for key in mine}
        state = BROKEN if row.record is None else KNOWN if here or same else NEW
        record = asdict(row.record) if row.record else None
        found.append(about | dict(record=record, state=state, chosen=state == NEW, resource_id=here, same_as=same))
    return found


def put_rows(session: Session, node: Node, viewer: Viewer, import_id: str, rows: Sequence[dict[str, Any]], *, last: bool) -> None:
    """Stores a part of the rows; with the last one the import can be looked at. Raises NotFound, Conflict where it was read meanwhile."""
    row = own(session, viewer, import_id)
    if row.state != READING or row.entries != rows[0]["number"] - 1:
        raise Conflict()
    session.execute(sa.insert(ImportRow), [one | {"import_id": import_id} for one in rows])
    _change(session, node, import_id, entries=rows[-1]["number"], **({"state": PREVIEW} if last else {}))


def own(session: Session, viewer: Viewer, import_id: str) -> Any:
    """An import of the viewer's, without its text: it is for nobody else. Raises NotFound."""
    columns = [column for column in Import.__table__.columns if column.name != "text"]
    mine = sa.and_(Import.id == import_id, Import.person_id == viewer.person_id)
    row = session.execute(sa.select(*columns).where(mine)).one_or_none()
    if row is None or not viewer.signed_in:
        raise NotFound()
    return row


def text_of(session: Session, viewer: Viewer, import_id: str) -> str:
    """The text as it came, or was corrected. Raises NotFound."""
    own(session, viewer, import_id)
    return session.scalar(sa.select(Import.text).where(Import.id == import_id)) or ""


def listed(session: Session, viewer: Viewer) -> list[Any]:
    """The viewer's imports, newest first."""
    columns: list[Any] = [Import.id, Import.name, Import.format, Import.state, Import.entries, Import.created_at]
    return list(session.execute(sa.select(*columns).where(Import.person_id == viewer.person_id).order_by(Import.id.desc())))


def shown(session: Session, viewer: Viewer, import_id: str, number: int = 1) -> Shown:
    """An import with one page of its rows, in the file's order. Raises NotFound."""
    row, mine = own(session, viewer, import_id), ImportRow.import_id == import_id
    pages = max(1, -(-row.entries // SHOWN))
    number = min(max(number, 1), pages)
    within = sa.and_(mine, ImportRow.number > (number - 1) * SHOWN, ImportRow.number <= number * SHOWN)
    rows = session.execute(sa.select(*ImportRow.__table__.columns).where(within).order_by(ImportRow.number)).all()
    grouped = sa.select(ImportRow.state, sa.func.count().label("number")).where(mine).group_by(ImportRow.state)
    counts = {line.state: line.number for line in session.execute(grouped)}
    chosen = sa.select(sa.func.count()).select_from(ImportRow).where(mine, ImportRow.chosen, ImportRow.state.in_(OPEN))
    return Shown(row, list(rows), number, pages, counts, session.scalar(chosen) or 0, titles(session, viewer, rows))


def titles(session: Session, viewer: Viewer, rows: Sequence[Any]) -> dict[str, str]:
    """{id: title} of the resources that rows name, as far as the viewer (still) sees them."""
    from fedcollab.features.resources import reading

    ids = list(dict.fromkeys(row.resource_id for row in rows if row.resource_id))
    return {one.id: one.title for one in reading.some(session, viewer, ids)}


def report(session: Session, viewer: Viewer, import_id: str, after: int) -> list[Any]:
    """The next rows of the report, at most 500. Raises NotFound."""
    own(session, viewer, import_id)
    mine = sa.and_(ImportRow.import_id == import_id, ImportRow.number > after)
    return list(session.execute(sa.select(*ImportRow.__table__.columns).where(mine).order_by(ImportRow.number).limit(A_PART)))


def choose(session: Session, node: Node, viewer: Viewer, import_id: str, number: int, chosen: frozenset[int]) -> None:
    """Which rows of a page are to be imported; what is in already, or is broken, stays as it is. Raises NotFound, Conflict."""
    if own(session, viewer, import_id).state != PREVIEW:
        raise Conflict(N_("This import has begun already. Import the rest of your text as a new one."))
    page = sa.and_(ImportRow.import_id == import_id, ImportRow.number > (number - 1) * SHOWN, ImportRow.number <= number * SHOWN)
    session.execute(sa.update(ImportRow).where(page, ImportRow.state.in_(OPEN)).values(chosen=ImportRow.number.in_(chosen)))
    _change(session, node, import_id)


def start(session: Session, node: Node, viewer: Viewer, import_id: str) -> None:
    """The chosen rows are to be imported: now by `run`, and after whatever comes in between by `go_on`. Started twice it runs once. Raises
    NotFound, Conflict, Refused where none is chosen."""
    row = own(session, viewer, import_id)
    if row.state in (RUNNING, DONE):
        return
    if row.state != PREVIEW:
        raise Conflict(N_("The text has not been read yet. Read it again first."))
    if not _next(session, import_id, 1):
        raise Refused(N_("Choose at least one entry."))
    _change(session, node, import_id, state=RUNNING)
    audit.record(session, node.now(), viewer, "resource.import", import_id)


def _next(session: Session, import_id: str, most: int) -> list[Any]:
    waiting = sa.and_(ImportRow.import_id == import_id, ImportRow.chosen, ImportRow.state.in_(OPEN))
    return list(session.execute(sa.select(*ImportRow.__table__.columns).where(waiting).order_by(ImportRow.number).limit(most)))


def run(session: Session, node: Node, import_id: str, seconds: float = SECONDS) -> bool:
    """One unit: some of the chosen rows become resources, each of them once; of whoever is no member any more none does, and that ends it.
    Answers whether there is more to do."""
    running = sa.select(*Import.__table__.columns).where(Import.id == import_id, Import.state == RUNNING)
    row = session.execute(running.with_for_update()).one_or_none()  # a page and the chore run at once on PostgreSQL
    if row is None:
        return False
    viewer = _importer(session, row.person_id)
    if viewer is None:
        _change(session, node, import_id, state=DONE)
        return False
    end = time.monotonic() + seconds
    for one in _next(session, import_id, UNIT):
        _put(session, node, viewer, row, one)
        if time.monotonic() > end:
            break
    more = bool(_next(session, import_id, 1))
    _change(session, node, import_id, **({} if more else {"state": DONE}))
    return more


def _importer(session: Session, person_id: str) -> Viewer | None:
    """Whoever has begun it, as far as they still are a member."""
    person = session.execute(sa.select(Actor.organisation_id, Actor.name, Actor.disabled_at).where(Actor.id == person_id)).one()
    return None if person.disabled_at else Viewer(person.organisation_id, person_id, frozenset({MEMBER}), person.name)


def _put(session: Session, node: Node, viewer: Viewer, about: Any, row: Any) -> None:
    lists = {name: tuple(row.record[name]) for name in ("authors", "countries", "topics")}
    record = Record(**row.record | lists | {"publisher": row.record["publisher"] or about.publisher})
    label = policy.narrowest(about.label, *([row.label] if row.label else []))
    changed: dict[str, Any]
    try:
        with part(session):
            changed = dict(state=ADDED, resource_id=service.add(session, node, viewer, record, label=label).id)
    except Unavailable:
        raise
    except FedcollabError as error:
        changed = dict(state=FAILED, reason=[error.text, {name: str(value) for name, value in error.values.items()}])
    one = sa.and_(ImportRow.import_id == row.import_id, ImportRow.number == row.number)
    session.execute(sa.update(ImportRow).where(one).values(changed))


def go_on(session: Session, node: Node) -> None:
    """Chore: imports that were begun and left in the middle go on, a unit each; those that nobody has touched for so long go."""
    for import_id in session.scalars(sa.select(Import.id).where(Import.state == RUNNING).order_by(Import.changed_at).limit(2)).all():
        run(session, node, import_id, SECONDS / 2)
    old = sa.select(Import.id).where(Import.changed_at < node.now() - KEPT).order_by(Import.changed_at).limit(2)
    for import_id in session.scalars(old).all():
        _forget(session, import_id)


def delete(session: Session, viewer: Viewer, import_id: str) -> None:
    """Takes an import away; what has come into the library stays. Raises NotFound, Conflict while it runs."""
    if own(session, viewer, import_id).state == RUNNING:
        raise Conflict(N_("This import is still running. Wait until it is done."))
    _forget(session, import_id)


def _forget(session: Session, import_id: str) -> None:
    session.execute(sa.delete(ImportRow).where(ImportRow.import_id == import_id))
    session.execute(sa.delete(Import).where(Import.id == import_id))


def _change(session: Session, node: Node, import_id: str, **values: Any) -> None:
    session.execute(sa.update(Import).where(Import.id == import_id).values(changed_at=node.now(), **values))
