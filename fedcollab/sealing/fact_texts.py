"""Decides how the facts of a room are written: as JSON for the table and the wire, each by a name that is a hash of all that it says."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from fedcollab.base.canonical import canonical
from fedcollab.base.errors import BadRequest

from . import casekeys, facts
from .casekeys import ROLES, CaseKey
from .facts import Fact
from .reading import NUMBER, members, one_of, uri
from .texts import name_of, named

KINDS: dict[str, type[Any]] = {
    "founded": facts.Founded,
    "invited": facts.Invited,
    "answer": facts.Answer,
    "withdrawn": facts.Withdrawn,
    "rekeyed": facts.Rekeyed,
    "left": facts.Left,
    "removed": facts.Removed,
    "granted": facts.Granted,
    "seen": facts.Seen,
    "agreed": facts.Agreed,
    "backed": facts.Backed,
    "closed": facts.Closed,
}
URIS, NAMES, NUMBERS = {"by", "organisation", "id", "invitation", "deputy"}, {"ck", "old", "new"}, {"since", "epoch"}


def kind_of(fact: Fact) -> str:
    """What a fact is called; a case key is none of these: it has its own document."""
    return next(name for name, kind in KINDS.items() if type(fact) is kind)


def written(fact: Fact) -> dict[str, Any]:
    """What it says."""
    return fact.document() if isinstance(fact, CaseKey) else asdict(fact)


def name(fact: Fact) -> str:
    """Its name within a room."""
    return fact.ck if isinstance(fact, CaseKey) else name_of(canonical({"kind": kind_of(fact)} | written(fact)))


def read(kind: str, document: object) -> Fact:
    """A fact of a kind from what somebody has said. Raises BadRequest for anything that `written` would not have written."""
    if kind == "key":
        return casekeys.parse(document)
    if kind not in KINDS:
        raise BadRequest(reason="sealing: a kind of fact that is not known")
    said = members(document, {field.name for field in fields(KINDS[kind])})
    made: Fact = KINDS[kind](**{key: _value(kind, key, said) for key in said})
    return made


def _value(kind: str, key: str, said: Mapping[str, Any]) -> Any:
    value = said[key]
    if key in URIS:
        return uri(value)
    if key in NAMES:
        return named(value)
    if key in NUMBERS:
        return _number(value)
    if key == "role":
        return one_of(value, ROLES[1:])
    if key == "purged":
        return one_of(value, (True, False))
    empty = (key == "person") or (key == "mk" and kind == "answer")
    if value == "" and empty:
        return ""
    return named(value) if key == "mk" else uri(value)


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value <= NUMBER:
        raise BadRequest(reason="sealing: no number within its limits")
    return value
