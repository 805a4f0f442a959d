"""Decides what stands around every page of a case: its code and label, its parts as tabs, and who can read it, always in sight."""

from typing import Any, NamedTuple

from aiohttp import web

from fedcollab.base.clock import new_id
from fedcollab.base.errors import FedcollabError, N_
from fedcollab.base.web import words_of
from fedcollab.feature import page

from .checking import in_words
from .desk import Desk
from .grounds import CASE_STATUS, LABELS

CASE = "/cases/{id}"  # addresses of the feature with a word in its place stand before these in feature.ROUTES


class Tab(NamedTuple):
    """A part of a case: its name, what comes after the case's own address, its word."""

    name: str
    path: str
    text: str


TIMELINE, TASKS, PEOPLE, FILES, ACCESS, RECORD = "timeline", "tasks", "people", "files", "access", "record"
CONSENTS = "consents"
TABS = (
    Tab(TIMELINE, "", N_("Timeline")),
    Tab(TASKS, "/tasks", N_("Tasks")),
    Tab(PEOPLE, "/people", N_("People")),
    Tab(CONSENTS, "/consents", N_("Consents")),
    Tab(FILES, "/files", N_("Files")),
    Tab(ACCESS, "/access", N_("Access")),
    Tab(RECORD, "/record", N_("Record")),
)
FOR_GUESTS = frozenset({TIMELINE, TASKS, PEOPLE, FILES})


def show(
    request: web.Request, desk: Desk, template: str, tab: str, *, error: FedcollabError | None = None, at: str = "", **values: Any
) -> web.Response:
    """A page of a case in its frame; with what was refused, beside the field that it was where that is known (`errors`); `at` stands before
    the names of the fields of that form. Each form of a page has an id of its own, `once()`."""
    errors = in_words(error, words_of(request), at) if error is not None else {}
    values.setdefault("once", new_id)
    tabs = [one for one in TABS if not desk.viewer.is_guest or one.name in FOR_GUESTS]
    frame: dict[str, Any] = dict(desk=desk, case=desk.case, tab=tab, tabs=tabs, errors=errors, STATUS=CASE_STATUS, LABELS=LABELS)
    return page(request, template, status=error.status if error is not None else 200, **(frame | values))
