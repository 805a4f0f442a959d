"""Decides how entries and people of a case stand in addresses and forms: by names that are made from theirs and say nothing."""

import hashlib

from fedcollab.base.errors import NotFound

from .shown import Case, PersonShown, Shown

LETTERS = 24  # 96 bits


def handle(case_id: str, name: str) -> str:
    """For the id of an entry, or a person's code; another one in each case."""
    return hashlib.sha256(f"{case_id}\n{name}".encode()).hexdigest()[:LETTERS]


def entry_at(case: Case, case_id: str, found: str) -> Shown:
    """The item of the timeline that goes by this handle. Raises NotFound."""
    for shown in case.timeline:
        if handle(case_id, shown.id) == found:
            return shown
    raise NotFound


def person_at(case: Case, case_id: str, found: str) -> PersonShown:
    """The person who goes by it. Raises NotFound."""
    for person in case.people:
        if handle(case_id, person.code) == found:
            return person
    raise NotFound
