"""Decides which activities of ours another server is told that asks for one by its id: those about a thing which it may see."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.base.session import Session

from . import activitystreams as ap
from .models import Activity

ACTS = {"Create", "Update", "Delete"}  # an author's, about a thing of their own
WORDLESS = {"Delete", "Tombstone", "Like", "Undo"}
# Whether a viewer may ask for an activity about the thing with this uri, which carries its words or does not.
MayAsk = Callable[[Session, Viewer, str, bool], bool]


def activity(session: Session, viewer: Viewer, row_id: str, features: Iterable[MayAsk]) -> dict[str, Any] | None:
    """An activity as it was signed; None where there is none, where its thing was deleted since, and where `viewer` may not see that."""
    row = session.execute(sa.select(Activity.object_uri, Activity.body).where(Activity.id == row_id, Activity.body != "")).one_or_none()
    found: dict[str, Any] = json.loads(row.body) if row else {}
    if row is None or not (_for_partners(found) if viewer.organisation_id else _for_anybody(found)):
        return None
    words = not WORDLESS & set(ap.types(_carried(found)))
    return found if any(may_ask(session, viewer, row.object_uri, words) for may_ask in features) else None


def _carried(found: dict[str, Any]) -> Any:
    """What a group passes on; anything else itself."""
    return found["object"] if found["type"] == "Announce" else found


def _for_partners(found: dict[str, Any]) -> bool:
    """Reports, follows, receipts and the answers to them are their receivers' alone, whatever they are about."""
    carried = _carried(found)
    return not isinstance(carried, dict) or "actor" not in carried or bool({*ACTS, "Like", "Undo"} & set(ap.types(carried)))


def _for_anybody(found: dict[str, Any]) -> bool:
    """Servers outside are told what our people say publicly and what a group names by its id, not who has thanked or who else is there."""
    return found["type"] in ACTS or isinstance(_carried(found), str)
