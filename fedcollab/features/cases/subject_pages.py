"""Decides how a person gets a copy of what a case keeps of them: looked at first, made by somebody who gives their password once more, put
on record, as a page to print or as a file for programs. It is made in memory and kept nowhere; that something was left out of it, and why,
is a decision in the case."""

from typing import Any

import orjson
from aiohttp import web

from fedcollab.actors.node import Node
from fedcollab.base.clock import iso
from fedcollab.base.errors import FedcollabError, N_
from fedcollab.base.i18n import Words
from fedcollab.base.session import Session
from fedcollab.base.web import words_of
from fedcollab.feature import page, read_grave_form
from fedcollab.sealing import room_chain
from fedcollab.sealing.made_ready import Write
from fedcollab.sealing.room_state import OPEN

from . import subject
from .acting import acted, desk_of
from .checking import Wrong, checked
from .desk import Desk, Keys, add, saying
from .facts import Fact, facts
from .framing import CASE, PEOPLE, show
from .grounds import LAWFUL_BASIS, ROLES, SPECIAL
from .handles import handle, person_at
from .kinds import document
from .subject import Copy
from .telling import KINDS
from .work import Decision

PATH = CASE + "/people/{person}/copy"
LEFT_OUT = N_("%(code)s was given a copy of what is kept of them. Entries that were left out of it by hand: %(num)s.")


async def show_copy(request: web.Request) -> web.Response:
    """What would be in the copy, and what would not."""
    return await _show(request)


async def _show(
    request: web.Request, error: FedcollabError | None = None, given: frozenset[str] | None = None, why: str = "", form: str = ""
) -> web.Response:
    """`given` is what was ticked, None before anybody has unticked anything."""
    desk = await desk_of(request)
    person = person_at(desk.case, desk.id, request.match_info["person"])
    found = subject.copy(desk.case, person.code)
    rows = [(desk.handle(one.id), one, told(desk, request, one.entry)) for one in found.items]
    shown: dict[str, Any] = dict(person=person, rows=rows, found=found, given=given, why=why, form=form)
    shown |= dict(KINDS=KINDS, WHY=subject.WHY, can_note=desk.access.state == OPEN)
    return show(request, desk, "cases/copy.html", PEOPLE, error=error, **shown)


async def make_copy(request: web.Request) -> web.Response:
    """The copy."""
    fields = await read_grave_form(request)
    given, why = frozenset(fields.getall("give", [])), fields.get("why", "")
    try:
        desk, person, made = await acted(request, _made, request.match_info["person"], given, why, words_of(request))
    except Wrong as error:
        return await _show(request, error, given, why, fields.get("form", ""))
    if fields.get("form") == "json":
        said = [_as_data(one.entry) | {"kind": one.kind, "at": iso(one.at)} for one in made.items]
        body = orjson.dumps({"about": person.code, "entries": said, "left_out": dict(made.left_out)}, option=orjson.OPT_INDENT_2)
        return _attached(web.Response(body=body, content_type="application/json"), "copy.json")
    rows = [(one, told(desk, request, one.entry)) for one in made.items]
    lists: dict[str, Any] = dict(KINDS=KINDS, WHY=subject.WHY, ROLES=ROLES, BASIS=LAWFUL_BASIS, SPECIAL=SPECIAL)
    shown = page(request, "cases/copy_file.html", desk=desk, person=person, rows=rows, found=made, **lists)
    return _attached(shown, "copy.html")


def _made(session: Session, node: Node, desk: Desk, _keys: Keys, at: str, given: frozenset[str], why: str, words: Words) -> Write:
    person = person_at(desk.case, desk.id, at)
    without = [one.id for one in subject.copy(desk.case, person.code).items if handle(desk.id, one.id) not in given]
    noted = None
    if without and desk.access.state == OPEN:
        what = words.gettext(LEFT_OUT) % {"code": person.code, "num": words.number(len(without))}
        form = {"what": [what], "why": [why], "who": [desk.viewer.name]}
        noted = saying(session, node, desk, checked(Decision, form, desk.look.now))
    made = subject.copy(desk.case, person.code, without)

    def write(session: Session) -> tuple[Desk, Any, Copy]:
        if noted is not None:
            add(session, node, noted)
        room_chain.add(session, node, desk.id, desk.viewer, "case.copy")
        return desk, person, made

    return write


def told(desk: Desk, request: web.Request, entry: Any) -> list[Fact]:
    """What an entry says of the person, without what names others."""
    return [fact for fact in facts(entry, desk.names, words_of(request)) if fact.name not in subject.NAMES]


def _as_data(entry: Any) -> dict[str, Any]:
    hidden = subject.NAMES | {"v", "secret", "uri"}
    return {name: value for name, value in document(entry).items() if name not in hidden}


def _attached(answer: web.Response, name: str) -> web.Response:
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


ROUTES = (web.get(PATH, show_copy), web.post(PATH, make_copy))
