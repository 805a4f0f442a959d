"""Decides what people do with a sealed group's files: add one to an own post, open one, mark one that may show the abuse of a child."""

from aiohttp import web

from fedcollab import file_forms
from fedcollab.base.errors import FedcollabError, NotFound, Refused, Unavailable
from fedcollab.base.web import read_form, redirect
from fedcollab.file_forms import takes_file
from fedcollab.files.receiving import NO_FILE, drain
from fedcollab.files.uploading import Cut
from fedcollab.sealing.filed import SUSPECTED
from fedcollab.sealing.typed import Wrong

from . import filing, reading
from .forms import read_with_file
from .pages import GROUP, POST, show
from .units import acted, asked, looked

FILE = GROUP + "/files/{file}"


@takes_file
async def add(request: web.Request) -> web.StreamResponse:
    """The form that adds a file to an own post, and adding it."""
    written = await read_with_file(request)
    if not written.sent:
        return await _add_page(request)
    try:
        if written.file is None:
            raise Wrong("file", NO_FILE)
        await asked(request, filing.check_takes)
        await _own(request)
        async with file_forms.incoming(request, written.file) as (came, carried):
            file = filing.Came(came.name, came.media, came.secret, carried)
            await acted(request, filing.attach, request.match_info["row"], file)
    except (NotFound, Cut):
        raise
    except (Refused, Unavailable) as error:
        await drain(request)
        return await _add_page(request, file_forms.beside(error))
    return redirect(request.path.removesuffix("/file"))


async def _own(request: web.Request) -> reading.Own:
    own: reading.Own = await looked(request, reading.one, request.match_info["row"])
    filing.check_own(own)
    return own


async def _add_page(request: web.Request, error: FedcollabError | None = None) -> web.Response:
    own = await _own(request)
    return show(request, own.here, "rooms/file.html", error, own=own)


async def open_file(request: web.Request) -> web.StreamResponse:
    """A file in clear, for whoever may read its post; that they opened it is on record."""
    return await file_forms.hand_out(request, await acted(request, filing.opened, request.match_info["file"]))


async def show_mark(request: web.Request) -> web.Response:
    """What it means to mark a file, and whom to tell."""
    here, found = await looked(request, filing.find, request.match_info["file"])
    return show(request, here, "rooms/mark.html", one=found, SUSPECTED=SUSPECTED)


async def mark(request: web.Request) -> web.Response:
    """Marks it, in one step."""
    await read_form(request)
    await acted(request, filing.mark, request.match_info["file"])
    return redirect(request.path)


ROUTES = (
    web.get(POST + "/file", add),
    web.post(POST + "/file", add),
    web.get(FILE, open_file, allow_head=False),
    web.get(FILE + "/mark", show_mark),
    web.post(FILE + "/mark", mark),
)
