"""Decides who handles what arrives: one visible list of handlers, given by the features, found by activity and object type."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.errors import Refused
from fedcollab.base.session import Session

from . import activitystreams as ap


@dataclass(frozen=True)
class Verified:
    """An activity that is known to be its actor's: signed by `actor`, or proved by them and announced by the group `through` in `outer`;
    `unproved` is what that group's host says of somebody on a server that proves nothing. `outside`: the sender's server is no partner of
    ours. `proved`: it carries a proof by its actor's key, so that others can believe it too. A handler that takes it cannot be called with
    anything unverified."""

    activity: dict[str, Any]
    actor: ActorData
    sender: ActorData
    through: ActorData | None = None
    outer: dict[str, Any] | None = None
    outside: bool = False
    unproved: bool = False
    proved: bool = False

    @property
    def first_hand(self) -> bool:
        """Whether the actor itself has sent it just now: what somebody else brings may be old."""
        return self.through is None and self.actor.id == self.sender.id

    @property
    def object(self) -> dict[str, Any]:
        """The embedded object, or one with its id alone."""
        value = self.activity.get("object")
        return value if isinstance(value, dict) else {"id": ap.ident(value)}


PARTNERS, OUTSIDE = "partners", "outside"
BOTH = (PARTNERS, OUTSIDE)
UNTYPED = ""  # an object that is named by its id alone
Work = Callable[[Session, Node, Verified], None]
Full = Callable[[Session, Node, str, dict[str, Any]], str]


@dataclass(frozen=True)
class Handler:
    """Takes activities of one type whose object is of one of `objects` (any, where empty); `announced` ones only where it says so:
    what an organisation says to us of itself is never taken from a third one's hands. `feature` is the one that a partner has to be
    allowed to take part in; what takes something back (`withdraws`) is heard all the same, and of the rest `turned_away` tells the sender
    where somebody waits for an answer. `by` says from whom it is heard: partners, servers outside. `full` says whose share
    is used up (a host's, or nothing) where what one brings is more than is kept: then it is not taken in, and stays with its sender until
    there is room."""

    activity: str
    objects: tuple[str, ...]
    work: Work
    announced: bool = False
    withdraws: bool = False
    feature: str = ""
    by: tuple[str, ...] = (PARTNERS,)
    turned_away: Work | None = None
    full: Full | None = None

    def takes(self, objects: set[str], *, only: bool) -> bool:
        """Whether it handles an object of these types; `only` where it names one of them itself."""
        return bool(objects & set(self.objects)) or (not self.objects and not only)


class NotPermitted(Refused):
    """The partner may not take part in what it has sent; `tell` says so to it, where it waits to hear."""

    def __init__(self, received: Verified, tell: list[Work]) -> None:
        super().__init__(reason="the partner may not take part in this")
        self.received = received
        self.tell = tell


class Registry:
    """All handlers of the house, each asked in its turn. `own` are the types of ours that some of them name: what is of one of these is
    theirs alone, whatever else it says to be."""

    def __init__(self, handlers: Iterable[Handler]) -> None:
        self.handlers = tuple(handlers)
        self.own = {name for handler in self.handlers for name in handler.objects if name.startswith(ap.OURS)}

    def measured(self, activity: dict[str, Any]) -> list[tuple[Full, dict[str, Any]]]:
        """Who says whether there is room for an activity, or for the one that it carries; no proof is needed for a no."""
        inner = activity.get("object")
        carried = (activity, inner) if isinstance(inner, dict) and "Announce" in ap.types(activity) else (activity,)
        kept = [handler for handler in self.handlers if handler.full is not None]
        return [
            (handler.full, one)
            for one in carried
            for handler in kept
            if handler.full and handler.activity in ap.types(one) and handler.takes(set(ap.types(one.get("object"))), only=True)
        ]

    def full(self, session: Session, node: Node, host: str, activity: dict[str, Any]) -> str:
        """Whose share, where there is no room for what a host brings."""
        return next((whose for full, one in self.measured(activity) if (whose := full(session, node, host, one))), "")

    def find(self, received: Verified, permitted: Collection[str] | None = None) -> list[Work]:
        """All that handle an activity, in order; what nobody handles is accepted and has no effect. Raises NotPermitted where only features
        handle it that are not `permitted` to its sender (None permits all)."""
        kinds, objects = ap.types(received.activity), set(ap.types(received.activity.get("object"))) or {UNTYPED}
        side, ours = OUTSIDE if received.outside else PARTNERS, objects & self.own
        found = [h for h in self.handlers if side in h.by and h.activity in kinds and h.takes(ours or objects, only=bool(ours))]
        heard = [h for h in found if h.announced or received.first_hand]
        allowed = [h for h in heard if permitted is None or not h.feature or h.withdraws or h.feature in permitted]
        if heard and not allowed:
            raise NotPermitted(received, [h.turned_away for h in heard if h.turned_away])
        return [h.work for h in allowed]
