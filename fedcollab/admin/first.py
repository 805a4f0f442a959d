"""Decides what a new node still needs, from facts and not from clicks, and what else an admin has to know at home: one thing to do next."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from aiohttp import web

from fedcollab.access import audit
from fedcollab.access.viewer import ADMIN, Viewer
from fedcollab.actors.models import GROUP, Actor
from fedcollab.actors.node import Node
from fedcollab.backup import printed, runs
from fedcollab.backup.models import FAILED, VERIFIED
from fedcollab.base.clock import DAY
from fedcollab.base.errors import BadRequest, Misconfigured, N_, Refused
from fedcollab.base.paths import for_backups
from fedcollab.base.session import Session
from fedcollab.base.statements import inserting
from fedcollab.base.web import read_form, redirect, words_of
from fedcollab.feature import HomeNote, admin_of, page
from fedcollab.features.members import service as members
from fedcollab.federation.kernel import KERNEL
from fedcollab.federation.models import ADMITTED, Partner
from fedcollab.running import disk
from fedcollab.running.models import Said

from .settings import printed_key, written

MOUNTS = Path("/proc/self/mountinfo")
PAPER, AWAY = "printed key", "first steps"  # names in `said`
OLD, SOON = 3, 14  # days: a backup older than this, a disk that is full before that, are worth a line at home
SLIP = N_("There is a slip in it, or letters are missing: it has 13 groups of five. Compare it with the paper; nothing was kept of it.")
ANOTHER = N_("This is the key of other backups, not the one that this node uses now. Nothing was kept of it.")


@dataclass(frozen=True)
class Step:
    """One thing that a node needs: what, why, where it is done (empty for on the machine), and the command there, by its name in
    paths.for_backups."""

    name: str
    text: str
    why: str
    path: str = ""
    command: str = ""


STEPS = (
    Step("factor", N_("Second factor for every admin"), N_("Who has an admin’s password alone gets nowhere."), "/settings/factor"),
    Step(
        "place",
        N_("Language and time zone"),
        N_("For people who have chosen none. Save them once, even if they are right."),
        "/admin/settings#change",
    ),
    Step("second", N_("A second admin"), N_("Nobody else can let you in again if you lose your phone."), "/admin/members"),
    Step(
        "key",
        N_("A printed key for backups"),
        N_("Without it there is no backup. It is shown once; write it down."),
        command="key",
    ),
    Step(
        "paper", N_("The printed key lies on paper"), N_("Type it from the paper, to be sure that it is all there."), "/admin/first#paper"
    ),
    Step(
        "backup",
        N_("A backup, made and opened"),
        N_("None older than three days, from then on."),
        command="backup",
    ),
    Step("off", N_("Backups go to another disk"), N_("A backup beside what it saves burns with it."), "/admin/settings#backups", "move"),
    Step("group", N_("A first group"), N_("Conversations live in groups."), "/groups/new"),
    Step("partner", N_("A first partner"), N_("Compare the words with its admin on the phone, then admit it."), "/admin/partners"),
)


@dataclass(frozen=True)
class Shown:
    """The steps with whether each is done, and the printed key's name, empty for none."""

    done: dict[str, bool]
    key: str
    away: bool

    @property
    def next(self) -> Step | None:
        """The first one that is not done."""
        return next((step for step in STEPS if not self.done[step.name]), None)

    @property
    def number(self) -> int:
        return sum(self.done.values())


def look(session: Session, node: Node) -> Shown:
    """How far the first steps are."""
    said = {row.name: row.value for row in session.execute(sa.select(Said.name, Said.value))}
    admins, good, key = members.admins(session), runs.newest(session, VERIFIED), printed_key(node)
    admitted = sa.exists().where(Partner.state == ADMITTED)
    own_group = sa.exists().where(Actor.kind == GROUP, Actor.known == "own")
    place = {"language", "time_zone"}
    done = {
        "factor": bool(admins) and all(one.second_factor for one in admins),
        "place": all(name in written(node) or "FEDCOLLAB_" + name.upper() in os.environ for name in place),
        "second": len(admins) > 1,
        "key": bool(key),
        "paper": bool(key) and said.get(PAPER) == key,
        "backup": good is not None and node.now() - good.at < OLD * DAY,
        "off": good is not None and _elsewhere(Path(good.place), node.files.root),
        "group": bool(session.scalar(sa.select(own_group))),
        "partner": bool(session.scalar(sa.select(admitted))),
    }
    return Shown(done, key, AWAY in said)


def _elsewhere(place: Path, root: Path) -> bool:
    """Whether a directory lies on another disk than the node, by the list of what is mounted: it is asked for at each look at home, and a
    share that does not answer would keep whoever touches it waiting. Where there is no such list, nobody knows."""
    try:
        mounts = MOUNTS.read_text("utf-8", "surrogateescape")
    except OSError:
        return False
    return place.is_absolute() and _disk(mounts, place) != _disk(mounts, root.resolve())


def _disk(mounts: str, path: Path) -> str:
    """The device (its two numbers) that is mounted where a path lies; of two at one place the later lies over the other."""
    found, device = "/", ""
    for line in mounts.splitlines():
        words = line.split(" ")
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), words[4])
        if path.is_relative_to(point) and len(point) >= len(found):
            found, device = point, words[2]
    return device


@dataclass(frozen=True)
class AtHome:
    """What an admin reads at home: the next step, how many are done of how many, and what is wrong, as message ids with their numbers."""

    next: Step | None
    done: int
    total: int
    low: bool
    days: int | None
    backup_failed: bool
    backup_days: int | None


def at_home(session: Session, node: Node) -> AtHome | None:
    """None where there is nothing to say."""
    steps, stands = look(session, node), disk.look(session, node)
    good, last = runs.newest(session, VERIFIED), runs.newest(session)
    age = None if good is None else (node.now() - good.at) // DAY
    found = AtHome(
        next=None if steps.away else steps.next,
        done=steps.number,
        total=len(STEPS),
        low=stands.low,
        days=stands.days if stands.days is not None and stands.days < SOON else None,
        backup_failed=last is not None and last.state == FAILED,
        backup_days=age if age is not None and age >= OLD else None,
    )
    quiet = found.next is None and not (found.low or found.backup_failed)
    return None if quiet and found.days is None and found.backup_days is None else found


async def show(request: web.Request) -> web.Response:
    """All steps."""
    admin_of(request)
    return await _page(request)


async def _page(request: web.Request, status: int = 200, error: str = "") -> web.Response:
    kernel = request.app[KERNEL]
    found = await kernel.database.read(look, kernel.node)
    errors = {"key": error} if error else {}
    commands = for_backups(kernel.node.files.root)
    return page(request, "admin/first.html", status=status, steps=STEPS, commands=commands, found=found, errors=errors)


async def say(request: web.Request) -> web.Response:
    """Takes the printed key as it is read from the paper, compares it and forgets it; or puts the steps away, or shows them again."""
    viewer, form, kernel = admin_of(request), await read_form(request), request.app[KERNEL]
    act = form.get("act", "")
    if act == "key":
        try:
            name = compared(kernel.node, form.get("key", ""))
        except Refused as error:
            return await _page(request, error.status, error.in_words(words_of(request)))
        await kernel.database.write(confirm, kernel.node, viewer, name)
    elif act == "away":
        await kernel.database.write(put_away, kernel.node, viewer)
        return redirect("/")
    elif act == "back":
        await kernel.database.write(take_back)
    else:
        raise BadRequest(N_("Choose what to do with the steps."))
    return redirect("/admin/first")


def compared(node: Node, typed: str) -> str:
    """The name of the printed key that was typed, where it is the node's own. Raises Refused; the key itself is kept nowhere."""
    try:
        public = printed.pair(printed.read(typed[:200])).public
    except Misconfigured:
        raise Refused(SLIP) from None
    if printed.name(public) != printed_key(node):
        raise Refused(ANOTHER)
    return printed.name(public)


def confirm(session: Session, node: Node, viewer: Viewer, name: str) -> None:
    """The printed key lies on paper: somebody has just read it from there."""
    _say(session, node, viewer, PAPER, name)
    audit.record(session, node.now(), viewer, "node.key_on_paper", name)


def put_away(session: Session, node: Node, viewer: Viewer) -> None:
    """The steps are shown at home no more; their page still has them."""
    _say(session, node, viewer, AWAY, "yes")


def take_back(session: Session) -> None:
    """The steps are shown at home again, where one is not done."""
    session.execute(sa.delete(Said).where(Said.name == AWAY))


def _say(session: Session, node: Node, viewer: Viewer, name: str, value: str) -> None:
    row = {"value": value, "at": node.now(), "by_id": viewer.person_id or None}
    said = inserting(session.connection().dialect.name, Said).values(name=name, **row)
    session.execute(said.on_conflict_do_update(index_elements=["name"], set_=row))


NOTE = HomeNote("admin/at_home.html", ADMIN, at_home)
ROUTES = (web.get("/admin/first", show), web.post("/admin/first", say))
