"""Decides how members add a resource and change its record: whatever goes wrong, what was typed stays, and so does what others typed."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from fedcollab.access.models import GREEN
from fedcollab.access.viewer import Viewer
from fedcollab.base.clock import new_id
from fedcollab.base.errors import FedcollabError
from fedcollab.base.session import Session
from fedcollab.base.web import read_fields, read_form, redirect, words_of
from fedcollab.feature import came_back, member_of, page, viewer_of
from fedcollab.federation.kernel import KERNEL
from fedcollab.files import service as files

from . import drafts, forms, reading, sending, service
from .checking import Wrong
from .forms import Fields
from .views import CODES, LABELS

ID = 36  # characters of a row id


@dataclass(frozen=True)
class Form:
    """A record's form as the page shows it: what was typed, what was wrong, and `theirs`, what somebody else has written meanwhile."""

    values: dict[str, str]
    errors: dict[str, str]
    status: int = 200
    theirs: dict[str, str] | None = None
    kept: bool = False


def shows(error: FedcollabError, request: web.Request) -> dict[str, str]:
    """An error beside the field that it is about."""
    return {error.field if isinstance(error, Wrong) else "": error.in_words(words_of(request))}


async def new_resource(request: web.Request) -> web.Response:
    """The form for a new resource, with a file or an address; keeping it, and adding it."""
    fields = await read_fields(request) if request.method == "POST" else None
    viewer, kernel = member_of(request), request.app[KERNEL]
    if fields is None:
        values = await kernel.database.read(drafts.kept, viewer, "")
        return await _new(request, viewer, Form(_whole(values), {}))
    values = _typed(fields)
    try:
        if came_back(request, fields):
            return await _new(request, viewer, Form(values, {}))
        if fields.get("act") == "keep":
            await kernel.database.write(drafts.keep, kernel.node, viewer, "", values)
            return await _new(request, viewer, Form(values, {}, kept=True))
        more: dict[str, Any] = dict(label=values["label"], file_id=values["file"], note="", once=fields.get("once", ""))
        made = await kernel.database.write(service.add, kernel.node, viewer, forms.record_of(values), **more)
    except FedcollabError as error:
        return await _new(request, viewer, Form(values, shows(error, request), error.status))
    return redirect(f"/library/{made.id}")


def _typed(fields: Fields) -> dict[str, str]:
    """The record's fields and what goes with them."""
    return forms.values_of(fields) | {"label": fields.get("label", GREEN), "file": fields.get("file", "")[:ID]}


def _whole(kept: dict[str, str]) -> dict[str, str]:
    """A draft with what it does not have."""
    return dict.fromkeys((*forms.TEXTS, forms.TOPICS, "file"), "") | {"label": GREEN} | kept


async def _new(request: web.Request, viewer: Viewer, form: Form) -> web.Response:
    kernel, came = request.app[KERNEL], request.query.get("file", "")[:ID]
    if came:
        form.values["file"] = came

    def read(session: Session) -> tuple[files.FileData | None, dict[str, reading.Reach]]:
        found = reading.uploaded(session, viewer, form.values["file"])
        return found, {label: reading.own_reach(session, kernel.node, label) for label in LABELS}

    file, reaches = await kernel.database.read(read)
    form.values["file"] = file.id if file else ""
    named = {"title": file.name.rsplit(".", 1)[0]} if file and not form.values["title"] else {}
    values = form.values | named
    shown: dict[str, Any] = dict(values=values, errors=form.errors, theirs=None, kept=form.kept, file=file, reaches=reaches)
    return page(request, "resources/new.html", status=form.status, once=new_id(), labels=LABELS, **shown, **CODES)


async def edit_resource(request: web.Request) -> web.Response:
    """The form to change a record of ours, and changing it. Where somebody has changed it meanwhile, both texts are shown."""
    fields = await read_fields(request) if request.method == "POST" else None
    viewer, kernel, resource_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    row, kept = await kernel.database.read(_own, viewer, resource_id)
    stands = forms.values_from(sending.record_of(row), words_of(request))
    if fields is None:
        revision = kept.get("revision", str(row.revision))
        return await _edit(request, row, revision, Form(stands | kept, {}, theirs=_other(stands, stands | kept) if kept else None))
    values, revision = forms.values_of(fields), fields.get("revision", "")[:20]
    try:
        if came_back(request, fields):
            return await _edit(request, row, revision, Form(values, {}))
        if fields.get("act") == "keep":
            await kernel.database.write(drafts.keep, kernel.node, viewer, resource_id, values | {"revision": revision})
            return await _edit(request, row, revision, Form(values, {}, kept=True))
        began = int(revision) if revision.isascii() and revision.isdigit() else 0
        await kernel.database.write(service.edit, kernel.node, viewer, resource_id, forms.record_of(values), revision=began)
    except service.Changed as changed:
        theirs = forms.values_from(changed.theirs, words_of(request))
        form = Form(values, shows(changed, request), changed.status, theirs=_other(theirs, values))
        return await _edit(request, row, str(changed.revision), form)
    except FedcollabError as error:
        return await _edit(request, row, revision, Form(values, shows(error, request), error.status))
    return redirect(f"/library/{resource_id}")


def _own(session: Session, viewer: Viewer, resource_id: str) -> tuple[Any, dict[str, str]]:
    return service.own(session, viewer, resource_id), drafts.kept(session, viewer, resource_id)


def _other(theirs: dict[str, str], mine: dict[str, str]) -> dict[str, str]:
    """The fields that stand otherwise now than in the form."""
    return {name: text for name, text in theirs.items() if text.split() != mine.get(name, "").split()}


async def _edit(request: web.Request, row: Any, revision: str, form: Form) -> web.Response:
    kernel = request.app[KERNEL]
    reach = await kernel.database.read(reading.reach, viewer_of(request), row.audience_id, row.label)
    shown: dict[str, Any] = dict(values=form.values, errors=form.errors, theirs=form.theirs, kept=form.kept, reach=reach)
    return page(request, "resources/edit.html", status=form.status, row=row, revision=revision, **shown, **CODES)


async def keep(request: web.Request) -> web.Response:
    """Keeps what is being typed, for htmx; answers one line."""
    viewer, fields, kernel = member_of(request), await read_form(request), request.app[KERNEL]
    place = request.match_info.get("id", "")
    values = forms.values_of(fields) | {"revision": fields.get("revision", "")[:20]} if place else _typed(fields)
    await kernel.database.write(drafts.keep, kernel.node, viewer, place, values)
    return page(request, "resources/kept.html")
