"""Decides how an organisation, or a person by name, is invited: whom first, then what is shared with that and on which ground, with the
access list in sight before anything is sent."""

from typing import Any

from aiohttp import web

from fedcollab.access.models import RED
from fedcollab.base.errors import FedcollabError, N_, NotFound, Refused
from fedcollab.base.session import Session
from fedcollab.base.web import read_form, redirect, words_of
from fedcollab.feature import read_grave_form
from fedcollab.federation.kernel import KERNEL
from fedcollab.sealing.unlocked import Locked

from . import borders, membership
from .acting import acted, desk_of, worker_of
from .asked_sharing import ALL
from .checking import Wrong, checked
from .desk import Desk
from .forms import Option, coded, form, of_this_case, sent
from .framing import ACCESS, CASE, show
from .partners import Candidate, candidate, candidates
from .sharing import Share

KNOWN = ("to", "to_name")
CHOOSE = N_("Choose whom you invite.")
NO_SUCH = N_("They cannot be invited: they are on this case already, were asked, or are no partner of ours.")


async def show_invite(request: web.Request) -> web.Response:
    """Whom to invite: partners with a key to seal to, and those without one, who cannot be."""
    return await _whom(request, await desk_of(request))


async def choose(request: web.Request) -> web.Response:
    """The second step for whoever was chosen: what is shared, why, on which ground, and who can read the case then."""
    worker_of(request)
    fields = await read_form(request)
    desk = await desk_of(request)
    to = await _candidate(request, desk, fields.get("whom", ""))
    if to is None or not to.has_key:
        return await _whom(request, desk, Wrong("whom", NO_SUCH if fields.get("whom") else CHOOSE))
    return _ground(request, desk, to, {"basis": []})


async def invite(request: web.Request) -> web.Response:
    """Records the share, then sends the invitation."""
    worker_of(request)
    fields = await read_grave_form(request)
    values = sent(Share, fields)

    def share(desk: Desk, to: Candidate) -> Share:
        said = coded(Share, values)
        of_this_case(Share, said, _choices(desk, to))
        return checked(Share, said, desk.look.now, to=to.uri, to_name="")

    since = membership.FROM_THE_BEGINNING if fields.get("since") == "all" else membership.FROM_NOW
    try:
        await acted(request, membership.invite, fields.get("whom", ""), share, fields.get("shown", ""), since)
    except Locked:
        raise
    except Refused as error:
        if error.status in (404, 410):
            raise
        desk = await desk_of(request)
        to = await _candidate(request, desk, fields.get("whom", ""))
        return await _whom(request, desk, error) if to is None else _ground(request, desk, to, values, fields.get("since", ""), error)
    return redirect(f"/cases/{request.match_info['id']}/access")


async def _candidate(request: web.Request, desk: Desk, actor_id: str) -> Candidate | None:
    kernel = request.app[KERNEL]

    def look(session: Session) -> Candidate | None:
        try:
            return candidate(session, desk, actor_id)
        except NotFound:
            return None

    return await kernel.database.read(look)


async def _whom(request: web.Request, desk: Desk, error: FedcollabError | None = None) -> web.Response:
    kernel = request.app[KERNEL]
    found = await kernel.database.read(candidates, desk)
    return show(request, desk, "cases/invite.html", ACCESS, error=error, found=found, by_name=desk.opened.label == RED)


def _ground(
    request: web.Request, desk: Desk, to: Candidate, values: dict[str, list[str]], since: str = "", error: FedcollabError | None = None
) -> web.Response:
    fields = form(Share, values | borders.begin(desk, to.uri, values, words_of(request)), _choices(desk, to), KNOWN, ALL["share"].fields)
    shown: dict[str, Any] = dict(to=to, fields=fields, since=since, shown=membership.seen(desk), by_name=desk.opened.label == RED)
    return show(request, desk, "cases/invite_ground.html", ACCESS, error=error, **shown)


def _choices(desk: Desk, to: Candidate) -> dict[str, list[Option]]:
    """The people of the case by their codes, and the consents in force that are for this recipient."""
    people = [Option(one.code, one.code, own=True) for one in desk.case.people]
    entries = [(one.item.id, one.entry) for one in desk.case.in_force if one.entry and one.entry.to == to.uri]
    consents = [Option(of, f"{entry.person} · {entry.until} · {entry.what[:80]}", own=True) for of, entry in entries]
    return {"people": people, "consent": consents}


ROUTES = (
    web.get(CASE + "/access/invite", show_invite),
    web.post(CASE + "/access/invite/to", choose),
    web.post(CASE + "/access/invite", invite),
)
