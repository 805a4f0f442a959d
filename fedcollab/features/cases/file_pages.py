"""Decides what people do with a case's files: look through the list, share one by a form that needs no script, open one, mark one that may
show the abuse of a child."""

from typing import Any

from aiohttp import web
from multidict import MultiDict

from fedcollab import file_forms
from fedcollab.base.errors import FedcollabError, N_, Refused, Unavailable
from fedcollab.base.web import read_form, redirect
from fedcollab.federation.kernel import KERNEL
from fedcollab.file_forms import BARE, WHOLE, beside, takes_file
from fedcollab.files import uploading
from fedcollab.files.receiving import NO_FILE, Sent, drain
from fedcollab.sealing.chunks import FileSecret
from fedcollab.sealing.filed import UNNAMED, WORDS
from fedcollab.sealing.unlocked import unlocked_of

from . import filing
from .acting import acted, desk_of, reader_of
from .checking import Wrong, checked
from .desk import Desk
from .framing import CASE, FILES, show
from .grounds import PARTS
from .hiding import SUSPECTED
from .shown import THERE
from .slices import newest
from .telling import UNREAD
from .work import File

NOT_SENT, NOWHERE = FileSecret(bytes(32), 1, bytes(32)), "https://nowhere.example/"  # stand for what the file will have
ALONE = N_("Choose the kind of information too, or nobody in particular: who needs to know it then sees the file.")


async def show_files(request: web.Request) -> web.Response:
    """The files of a case, and the form that shares one."""
    return await _page(request, await desk_of(request))


async def open_file(request: web.Request) -> web.StreamResponse:
    """A file in clear, for whoever may read it; that they opened it is on record."""
    return await file_forms.hand_out(request, await acted(request, filing.opened, request.match_info["file"]))


async def show_mark(request: web.Request) -> web.Response:
    """What it means to mark a file, and whom to tell."""
    return await _mark_page(request, await desk_of(request))


async def mark(request: web.Request) -> web.Response:
    """Marks it, in one step."""
    await read_form(request)
    await acted(request, filing.mark, request.match_info["file"])
    return redirect(request.path)


async def _mark_page(request: web.Request, desk: Desk) -> web.Response:
    found = await request.app[KERNEL].database.read(filing.find, desk, request.match_info["file"])
    return show(request, desk, "cases/mark.html", FILES, one=found, SUSPECTED=SUSPECTED)


@takes_file
async def share(request: web.Request) -> web.StreamResponse:
    """Takes in a file that a form brings, behind its fields. Whatever it is refused for, what was typed is on the page that says so."""
    sent = await file_forms.read(request)
    file_forms.is_sent(request, sent)
    await _check_takes(request, sent.fields.get("person", ""))
    try:
        await _take(request, sent)
    except uploading.Cut:
        raise
    except (Refused, Unavailable) as error:
        await drain(request)
        return await _page(request, await desk_of(request), error=beside(error), typed=sent.fields)
    return redirect(request.path)


async def _check_takes(request: web.Request, person: str) -> None:
    viewer, keys, kernel = reader_of(request), await unlocked_of(request), request.app[KERNEL]
    await kernel.database.read(filing.check_takes, kernel.node, viewer, keys, request.match_info["id"], person)


async def _take(request: web.Request, sent: Sent) -> None:
    """Raises Wrong for a field, and what a file may be refused for."""
    said = _said(sent.fields, request.app[KERNEL].node.now())
    if sent.part is None:
        raise Wrong("file", NO_FILE)
    async with file_forms.incoming(request, sent) as (came, carried):
        said |= dict(uri=carried.uri, name=came.name, media=came.media, secret=came.secret)
        await acted(request, filing.share, carried, said)


def _said(fields: "MultiDict[str]", now: int) -> dict[str, Any]:
    """What the form says of the file, before any of it is taken in. Raises Wrong."""
    form = {name: fields.getall(name) for name in fields}
    if fields.get("person") and not fields.get("part"):
        raise Wrong("part", ALONE)
    entry = checked(File, form, now, uri=NOWHERE, name="x", media="", secret=NOT_SENT)
    return dict(about=entry.about, person=entry.person, part=entry.part)


async def _page(request: web.Request, desk: Desk, *, error: FedcollabError | None = None, typed: Any = None) -> web.Response:
    kernel = request.app[KERNEL]
    found = await kernel.database.read(filing.listed, desk)
    if any(one.state == UNNAMED for one in found):
        await kernel.database.write(filing.learn, kernel.node, desk)
        found = await kernel.database.read(filing.listed, desk)
    part = newest(found[::-1], request.query.get("before", ""))
    shown: dict[str, Any] = dict(
        part=part, files=len(found), people=filing.people(desk), typed=typed or {}, PARTS=PARTS, WORDS=UNREAD | WORDS
    )
    shown |= dict(THERE=THERE, SUSPECTED=SUSPECTED, BARE=BARE, WHOLE=WHOLE, scanner=bool(kernel.node.settings.scanner))
    return show(request, desk, "cases/files.html", FILES, error=error, **shown)


ROUTES = (
    web.get(CASE + "/files", show_files),
    web.post(CASE + "/files", share),
    web.get(CASE + "/files/{file}", open_file, allow_head=False),
    web.get(CASE + "/files/{file}/mark", show_mark),
    web.post(CASE + "/files/{file}/mark", mark),
)
