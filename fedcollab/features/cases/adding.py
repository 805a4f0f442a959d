"""Decides the page of all that can be added to a case: what is used every day first, in groups, a line on each; of a person's record whose
it is comes first. Guests add little, and find it on the case's own pages."""

from typing import NamedTuple

from aiohttp import web

from fedcollab.access.models import AMBER
from fedcollab.base.errors import N_

from .acting import desk_of
from .desk import Desk
from .framing import CASE, TIMELINE, show
from .grounds import ENDED, ROLES


class Way(NamedTuple):
    """A thing to add: what comes after the case's address, what one does (a message id), and a line on it."""

    path: str
    text: str
    line: str


class Group(NamedTuple):
    """Ways under one heading."""

    title: str
    ways: tuple[Way, ...]


CONTACT = Way("/new/contact", N_("Note a contact"), N_("You called, wrote, met, or tried to. The rules for safe contact come first."))
MESSAGE = Way("/new/message", N_("Write a message"), N_("To all on this case: a question, an observation, news."))
TASK = Way("/new/task", N_("Add a task"), N_("Something that somebody is going to do, by a day."))
FILE = Way("/files#share", N_("Share a file"), N_("A letter, a scan, a picture. It is sealed as it comes in."))
DECISION = Way("/new/decision", N_("Note a decision"), N_("What was decided, by whom, and why."))
PERSON = Way("/new/person", N_("Add a person"), N_("By a code. Safe contact, name and health come on their own page afterwards."))
REFER = Way(
    "/refer", N_("Refer a person"), N_("Ask another organisation to take them on. It sees a few words first, the rest with its yes.")
)
CONSENT = Way("/new/consent", N_("Note a consent"), N_("What a person agrees to share, with whom, until when."))
SHARE = Way("/new/share", N_("Note a share"), N_("Who was given what, and why. Before you send or say it."))
GUEST = Way(
    "/guests#ask", N_("Ask a guest in"), N_("Somebody by name of an organisation that is not here: police, a lawyer, an interpreter.")
)
INVITE = Way("/access/invite", N_("Invite an organisation"), N_("A partner works on this case with you, and reads it."))
COLLEAGUE = Way("/access#ours", N_("Put a colleague on it"), N_("They read the whole case; of people’s records what they need to know."))
STATUS = Way("/new/status", N_("Say how the case stands"), N_("Active, or follow-up."))
TERMS = Way("/new/terms", N_("Change purpose, review or last day"), N_("Why it is kept, when it is looked at again, until when."))
HOLD = Way("/new/hold", N_("Hold it back from erasure"), N_("Where a court or a law demands that it be kept."))
CLOSE = Way("/new/closed", N_("Close the case"), N_("The work ends. The record stays until its last day."))


def ways(desk: Desk) -> tuple[Group, ...]:
    """What whoever looks can add, most used first."""
    amber = desk.opened.label == AMBER
    others = (
        *((REFER,) if amber else ()),
        CONSENT,
        SHARE,
        COLLEAGUE,
        *((INVITE,) if desk.access.leads else ()),
        *((GUEST,) if amber else ()),
    )
    close = () if desk.case.status in ENDED else (CLOSE,)
    lead = (STATUS, TERMS, HOLD, *close) if desk.leads else (HOLD,)
    return (
        Group(N_("Every day"), (CONTACT, MESSAGE, TASK, FILE, DECISION)),
        Group(N_("People in the case"), (PERSON,)),
        Group(N_("Working with others"), others),
        Group(N_("The case itself"), lead),
    )


def may_refer(desk: Desk) -> bool:
    """Whether the case's first page offers to refer somebody from it: where somebody is in it, and its label lets it."""
    return desk.access.state == "open" and not desk.viewer.is_guest and desk.opened.label == AMBER and bool(desk.case.people)


async def show_ways(request: web.Request) -> web.Response:
    """All that can be added."""
    desk = await desk_of(request)
    return show(request, desk, "cases/adding.html", TIMELINE, groups=ways(desk), ROLES=ROLES)


ROUTES = (web.get(CASE + "/new", show_ways),)
