"""Decides what a feature hands to the house (routes, handlers of activities, chores, menu) and how its pages get their frame."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from aiohttp import web
from multidict import MultiDictProxy

from fedcollab.access.viewer import ANYBODY, CASEWORKER, GUEST, MODERATOR, VIEWER, Viewer
from fedcollab.actors.node import Node
from fedcollab.backup.erasures import Part
from fedcollab.base.clock import MICROSECONDS, MINUTE
from fedcollab.base.errors import FedcollabError, N_, NotFound, Refused, Unauthorized
from fedcollab.base.i18n import LANGUAGES
from fedcollab.base.session import Session
from fedcollab.base.templates import Templates
from fedcollab.base.web import (
    NOTICES,
    SECRETS,
    SETTINGS,
    TYPED,
    check_form,
    check_origin,
    form_token,
    is_signed,
    read_fields,
    read_form,
    redirect,
    takes_a_stream,
    typed_into,
    words_of,
)
from fedcollab.base.web import Handler as WebHandler
from fedcollab.federation.asked import MayAsk
from fedcollab.federation.clients import Arrivals, Taker
from fedcollab.federation.kernel import KERNEL
from fedcollab.federation.registry import Handler
from fedcollab.federation.workers import Chore
from fedcollab.files.holding import Holds
from fedcollab.sealing.sweeping import Naming
from fedcollab.sealing.unlocked import Locked
from fedcollab.search.filling import Stock


@dataclass(frozen=True)
class MenuItem:
    """A place in the menu: address, message id, icon of icons.svg, the role it takes (empty for every member; a moderator's is an
    admin's too, a caseworker's a keeper's), what else belongs to it (the beginnings of other addresses), and how many things wait there,
    for whom it is shown to (`own`: another number for each of them)."""

    path: str
    text: str
    icon: str
    role: str = ""
    also: tuple[str, ...] = ()
    number: Callable[[Session, Viewer], int] | None = None
    own: bool = False

    def counted_as(self, viewer: Viewer) -> str:
        """Under what its number is kept: for everybody who sees the place, or for one person."""
        return f"{self.path} {viewer.person_id}" if self.own else self.path

    def is_for(self, viewer: Viewer) -> bool:
        """Whether it stands in somebody's menu."""
        if not viewer.signed_in or (viewer.is_guest and self.role != GUEST):
            return False
        also = (self.role == MODERATOR and viewer.moderates) or (self.role == CASEWORKER and viewer.is_keeper)
        return not self.role or self.role in viewer.roles or also

    def holds(self, path: str) -> bool:
        """Whether the page at `path` lies in this part of the house."""
        return path == self.path or (self.path != "/" and path.startswith((self.path, *self.also)))


@dataclass(frozen=True)
class HomeNote:
    """Something that stands at the top of the home of those with a role, as long as `look` finds something: the piece of a page, and what
    it shows as `note`; a `personal` one is asked with whoever looks."""

    template: str
    role: str
    look: Callable[..., Any]
    personal: bool = False
    or_role: str = ""


@dataclass(frozen=True)
class Beside:
    """What stands beside a thing on its page, from another feature: its address, title and language, and what it is to it (a message
    id)."""

    path: str
    title: str
    language: str
    word: str


LookBeside = Callable[[Session, Viewer, str], list[Beside]]
THREAD, RESOURCE = "thread", "resource"  # beside what something stands


@dataclass(frozen=True)
class Feature:
    """One feature's part in the house; `outbox` and `arrivals` are what members' own tools write and read of it, `asked` which of its
    activities other servers may fetch by their ids, `holds` which files may be read because of its things, `beside` what it puts beside
    things of other features, `restored` what a node that comes out of a backup of that time does first, `erasures` what must not come back
    with an older one, `namings` which boxes of the key ring its rows name, `stock` what it has stored that is to be found, `codes` what its
    topics and types are called (code to message id).
    Where it has a `permission` (the message id of what a partner may take part in), each partner is allowed it or not, by the feature's
    name: `admits` puts an organisation into the feature's audiences, `expels` takes it out of them and drops what still waits for it. What
    a partner sends to its handlers is refused where it is not allowed."""

    name: str
    routes: tuple[web.RouteDef, ...] = ()
    handlers: tuple[Handler, ...] = ()
    chores: tuple[Chore, ...] = ()
    restored: tuple[Callable[[Session, Node, int], None], ...] = ()
    erasures: Part | None = None
    namings: tuple[Naming, ...] = ()
    outbox: tuple[Taker, ...] = ()
    arrivals: tuple[Arrivals, ...] = ()
    asked: MayAsk | None = None
    holds: Holds | None = None
    menu: tuple[MenuItem, ...] = ()
    home: tuple[HomeNote, ...] = ()
    beside: tuple[tuple[str, LookBeside], ...] = ()
    permission: str = ""
    admits: Callable[[Session, Node, str], None] | None = None
    expels: Callable[[Session, Node, str], None] | None = None
    stock: Stock | None = None
    codes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.permission:
            object.__setattr__(self, "handlers", tuple(replace(handler, feature=self.name) for handler in self.handlers))


TEMPLATES = web.AppKey("templates", Templates)
MENU = web.AppKey("menu", tuple[MenuItem, ...])
OUTBOX: web.AppKey[tuple[Taker, ...]] = web.AppKey("outbox")
ARRIVALS: web.AppKey[tuple[Arrivals, ...]] = web.AppKey("arrivals")
CODES: web.AppKey[dict[str, str]] = web.AppKey("codes")
ASKED: web.AppKey[tuple[MayAsk, ...]] = web.AppKey("asked")
HOME = web.AppKey("home", tuple[HomeNote, ...])
BESIDE: web.AppKey[tuple[tuple[str, LookBeside], ...]] = web.AppKey("beside")
COLLEAGUES: web.AppKey[Callable[[Session, frozenset[str]], list[tuple[str, str]]]] = web.AppKey("colleagues")  # with one of some roles
NUMBERS = web.RequestKey("numbers", dict[str, int])
ASKED_AT = web.RequestKey("asked_at", int)  # when whoever is signed in last gave in this browser all that they sign in with
ASKED_FOR, AGAIN = 10 * MINUTE, "/again"
MOST = 2_000  # characters of an address inside another
COUNTED_FOR = 10 * MICROSECONDS


@dataclass
class Counted:
    """How many things wait in each place of the menu, and when that was counted, by `MenuItem.counted_as`: the same for all whom a place
    is shown to, unless each has their own."""

    numbers: dict[str, int] = field(default_factory=dict)
    at: dict[str, int] = field(default_factory=dict)


COUNTED = web.AppKey("counted", Counted)


@web.middleware
async def count_in_menu(request: web.Request, handler: WebHandler) -> web.StreamResponse:
    """How many things wait where, for those alone whose menu shows it: at most ten seconds old, and on the place's own pages new."""
    if is_signed(request):
        return await handler(request)
    viewer, kept, now = viewer_of(request), request.app[COUNTED], request.app[KERNEL].node.now()
    counted = [(item.counted_as(viewer), item) for item in request.app[MENU] if item.number is not None and item.is_for(viewer)]
    if counted and request.method == "GET":
        there = any(request.path.startswith(item.path) for _, item in counted)
        due = counted if there else [one for one in counted if not 0 <= now - kept.at.get(one[0], -COUNTED_FOR) < COUNTED_FOR]
        if due:

            def count(session: Session) -> dict[str, int]:
                return {name: item.number(session, viewer) for name, item in due if item.number is not None}

            kept.numbers |= await request.app[KERNEL].database.glance(count)
            kept.at |= {name: now for name, _ in due}
        request[NUMBERS] = {item.path: kept.numbers[name] for name, item in counted}
    return await handler(request)


def viewer_of(request: web.Request) -> Viewer:
    """Who is looking; nobody until the session has said otherwise."""
    found: Viewer = request.get(VIEWER, ANYBODY)
    return found


def member_of(request: web.Request) -> Viewer:
    """The member who is signed in. Raises Unauthorized, which leads to the login page and back."""
    viewer = viewer_of(request)
    if not viewer.signed_in:
        raise Unauthorized()
    return viewer


def sign_in_first(request: web.Request) -> web.Response:
    """Leads a form whose sender is signed out to the login page and, by way of it, back with all that was typed (307 keeps the fields)."""
    return web.Response(status=307, headers={"Location": login_address(request)})


def login_address(request: web.Request, at: str = "/login") -> str:
    """Where to sign in and come back from to the address asked for; to one too long to be carried along, without what was asked there."""
    to = quote(request.rel_url.raw_path_qs, safe="/")
    return f"{at}?next={to if len(to) < MOST else request.rel_url.raw_path}"


def unlock_first(request: web.Request) -> web.Response:
    """Leads who has not unlocked their keys to the page for that and back: to this address, or, where it takes forms alone, to the part of
    the house that it lies in."""
    if request.method in ("GET", "HEAD"):
        return redirect(login_address(request, "/unlock"))
    menu = [item for item in request.app[MENU] if item.is_for(viewer_of(request))]
    return redirect(f"/unlock?next={quote(_here(request, menu), safe='/')}")


class AskAgain(Refused):
    """Whoever is signed in has not lately given what they sign in with. Pages lead to the page that asks for it, and back (app.py), forms
    with all that stands in them (`nothing_lost`)."""

    status = 403
    text = N_("This asks for your password once more. Open its page again, then send the form once more.")


def lately(request: web.Request) -> bool:
    """Whether the password, and the second factor where one is on, were given in this very session within the last ten minutes."""
    at = request.get(ASKED_AT)
    return at is not None and 0 <= request.app[KERNEL].node.now() - at < ASKED_FOR


def asked_again(request: web.Request) -> None:
    """For a grave act, and for the page that begins one: raises AskAgain unless `lately`. After the viewer's right to it is known."""
    if not lately(request):
        raise AskAgain


async def read_grave_form(request: web.Request) -> "MultiDictProxy[str]":
    """As `read_form`, for a grave act: naming keepers, giving rights, exporting, purging. Raises AskAgain too, for a form of ours alone."""
    fields = await read_form(request)
    asked_again(request)
    return fields


@web.middleware
async def nothing_lost(request: web.Request, handler: WebHandler) -> web.StreamResponse:
    """Whatever a form of ours is refused for, what was typed into it is on the page that says so (see `typed` in base/error.html), and who
    is signed out, or has not unlocked their keys, takes it along to the page for that: no handler has to think of it. Those that show
    their own form again do it better."""
    try:
        return await handler(request)
    except Exception as error:
        fields = await _sent(request)
        if fields is not None:
            request[TYPED] = typed_into(fields)
        if isinstance(error, Unauthorized) and fields is not None and request[TYPED] and SECRETS.isdisjoint(fields):
            return sign_in_first(request)
        if isinstance(error, Locked) and fields is not None and request[TYPED] and SECRETS.isdisjoint(fields):
            return web.Response(status=307, headers={"Location": login_address(request, "/unlock")})
        if isinstance(error, AskAgain) and fields is not None:
            return web.Response(status=307, headers={"Location": login_address(request, AGAIN)})
        raise


async def _sent(request: web.Request) -> MultiDictProxy[str] | None:
    """The fields of a form from a page of ours; None for everything else, and for what script sends, whose page still stands."""
    if request.method != "POST" or is_signed(request) or takes_a_stream(request) or request.headers.get("HX-Request") == "true":
        return None
    with contextlib.suppress(FedcollabError):
        check_origin(request)
        fields = await read_fields(request)
        return fields if "token" in fields else None
    return None


def came_back(request: web.Request, fields: MultiDictProxy[str]) -> bool:
    """Whether a form came by way of the login page: then it is shown again, for nothing is stored before its author says so. One that came
    by way of the page that asks again goes on. Raises Forbidden for one that is not from a page of ours."""
    if "next" in fields and "again" not in fields:
        check_origin(request)
        return True
    check_form(request, fields)
    return False


def admin_of(request: web.Request) -> Viewer:
    """The admin who is signed in; for everybody else the page does not exist."""
    viewer = member_of(request)
    if not viewer.is_admin:
        raise NotFound()
    return viewer


def keeper_of(request: web.Request, *, admins: bool = False) -> Viewer:
    """The keeper who is signed in, or an admin where `admins` may see it too; for everybody else it does not exist."""
    viewer = member_of(request)
    if not (viewer.is_keeper or (admins and viewer.is_admin)):
        raise NotFound()
    return viewer


def beside(request: web.Request, session: Session, kind: str, uri: str) -> list[Beside]:
    """What other features put beside the thing of this kind and uri, as far as whoever looks may see it."""
    looks = [look for to, look in request.app.get(BESIDE, ()) if to == kind]
    return [one for look in looks for one in look(session, viewer_of(request), uri)]


async def home_notes(request: web.Request) -> list[tuple[str, Any]]:
    """(template, what it shows) of what stands at the top of somebody's home."""
    viewer, kernel = viewer_of(request), request.app[KERNEL]
    notes = [note for note in request.app.get(HOME, ()) if {note.role, note.or_role} & viewer.roles]
    asked = [(note, (kernel.node, viewer) if note.personal else (kernel.node,)) for note in notes]
    found = [(note.template, await kernel.database.read(note.look, *args)) for note, args in asked]
    return [(template, shown) for template, shown in found if shown is not None]


def _here(request: web.Request, menu: list[MenuItem]) -> str:
    """Where to come back to by a link: this address, or, where it takes forms alone, the part of the house that it lies in."""
    resource = request.match_info.route.resource
    if request.method in ("GET", "HEAD") or (resource is not None and "GET" in {route.method for route in resource}):
        return request.path_qs
    return next((item.path for item in menu if item.holds(request.path)), "/")


def page(request: web.Request, template: str, *, status: int = 200, **values: Any) -> web.Response:
    """A page in the house's frame: masthead, menu, the reader's language, the form token."""
    viewer, app = viewer_of(request), request.app
    menu = [item for item in app[MENU] if item.is_for(viewer)]
    frame = {
        "viewer": viewer,
        "account": "/guest" if viewer.is_guest else "/settings",
        "menu": menu,
        "numbers": request.get(NUMBERS, {}),
        "path": request.path,
        "address": _here(request, menu),
        "settings": app[SETTINGS],
        "token": form_token(request),
        "now": app[KERNEL].node.now(),
        "languages": LANGUAGES,
        "notices": request.get(NOTICES, ()),
        "closed": app[KERNEL].node.maintenance.state() if viewer.is_admin else None,
    }
    text = app[TEMPLATES].render(template, words_of(request), **(frame | values))
    return web.Response(text=text, content_type="text/html", charset="utf-8", status=status)
