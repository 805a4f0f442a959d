"""Decides how moderation reads as activities, both ways; pure, without a database."""

from dataclasses import dataclass
from typing import Any

from fedcollab.base.clock import iso, parse_iso
from fedcollab.base.markup import plain
from fedcollab.federation import activitystreams as ap

from .state import LOCK, REMOVE

TYPES = {REMOVE: "Delete", LOCK: "Lock"}
REASON, REPORT = 500, 2000
NOTHING, REMOVED, LOCKED, ACTED = "nothing", "removed", "locked", "acted"
RESULTS = {REMOVED: "Delete", LOCKED: "Lock"}


@dataclass(frozen=True)
class Place:
    """What an act is about: the post or the opener, its conversation, the group."""

    object_uri: str
    context: str
    group: str

    def addressed(self) -> dict[str, Any]:
        return {"to": [self.group + "/followers"], "audience": self.group, "context": self.context}


def act(kind: str, uri: str, moderator: str, place: Place, reason: str, now: int) -> ap.Document:
    """A Delete with a summary, or a Lock, by a moderator."""
    return ap.activity(TYPES[kind], uri, moderator, place.object_uri, summary=reason, published=iso(now), **place.addressed())


def undo(kind: str, uri: str, moderator: str, place: Place, done: str, reason: str, now: int) -> ap.Document:
    """The Undo of such an act, whose id is `done`."""
    inner = {"id": done, "type": TYPES[kind], "actor": moderator, "object": place.object_uri, "context": place.context}
    return ap.activity("Undo", uri, moderator, inner, summary=reason, published=iso(now), **place.addressed())


def reason(activity: dict[str, Any]) -> str:
    """Why, as the activity says: plain text of at most 500 characters."""
    return plain(ap.text(activity, "summary"), REASON)


def done_at(activity: dict[str, Any], now: int) -> int:
    """When, as the activity says, but never later than now."""
    return min(parse_iso(activity.get("published")) or now, now)


def flag(uri: str, organisation: str, to: str, post: str, content: str, *, pass_on: str = "") -> ap.Document:
    """A report by our Organization to another; `pass_on` names the author's organisation, which the group's host knows and we don't."""
    return ap.activity("Flag", uri, organisation, [post], content=content, to=[to], cc=[pass_on] if pass_on else [])


def answer(outcome: str, uri: str, organisation: str, flagged: str, post: str, why: str) -> ap.Document:
    """What our moderators made of a report: Reject where there was nothing to do, else Accept, whose `result` is what was done."""
    kind = "Reject" if outcome == NOTHING else "Accept"
    result = {"type": RESULTS[outcome], "object": post} if outcome in RESULTS else None
    return ap.activity(kind, uri, organisation, {"id": flagged, "type": "Flag", "object": [post]}, summary=why, result=result)


def outcome(activity: dict[str, Any]) -> str:
    """What others' moderators made of a report of ours."""
    if "Reject" in ap.types(activity):
        return NOTHING
    kinds = ap.types(activity.get("result"))
    return next((name for name, kind in RESULTS.items() if kind in kinds), ACTED)
