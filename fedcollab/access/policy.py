"""Decides who sees a thing and who is sent it: sight and sending read the same rows, so neither can be wider than the other."""

from functools import cache
from typing import TypeVar

import sqlalchemy as sa

from fedcollab.base.clock import new_id
from fedcollab.base.errors import BadRequest, N_, Refused
from fedcollab.base.model import Mapped, Model
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared

from .models import AMBER, CLEAR, GREEN, LABELS, RED, STRICT, Audience, AudienceMember, Block, SharedObject
from .viewer import Viewer

SEALED_ALONE = {
    AMBER: N_("TLP:AMBER is for what is sealed: a case, or a sealed group. Here choose TLP:GREEN, or TLP:AMBER+STRICT for us alone."),
    RED: N_("TLP:RED is for what is sealed: a case, or a sealed group. Here choose TLP:AMBER+STRICT for us alone."),
}
Shared = TypeVar("Shared", bound=SharedObject)
LOOKING = "looking"


def visible(model: type[Shared], viewer: Viewer | None = None) -> sa.ColumnElement[bool]:
    """The clause that keeps only what `viewer` may see: CLEAR, or listed in the audience and (since its admission, or history is open).
    Words of an organisation that this node has blocked are left out whoever looks.

    Without a viewer the clause is for a query that is built once: it runs with `asked_by(viewer)`, and not at all without."""
    inside = (
        sa.exists()
        .where(AudienceMember.audience_id == model.audience_id, AudienceMember.organisation_id == _organisation(viewer))
        .where(
            sa.or_(AudienceMember.since <= model.posted_at, sa.exists().where(Audience.id == AudienceMember.audience_id, Audience.history))
        )
    )
    return sa.and_(sa.or_(model.label == CLEAR, inside), not_blocked(model.organisation_id))


def tables_of_shared() -> list[sa.Table]:
    """All tables whose rows are of an organisation and for an audience: what is shared, and what it is found by."""
    return [
        table for table in Model.metadata.tables.values() if {"organisation_id", "audience_id", "posted_at"} <= set(table.columns.keys())
    ]


def not_blocked(organisation_id: sa.ColumnElement[str] | Mapped[str]) -> sa.ColumnElement[bool]:
    """The clause that leaves out what is of an organisation blocked on this node."""
    return ~sa.exists().where(Block.organisation_id == organisation_id)


def sees_group(viewer: Viewer | None = None) -> sa.ColumnElement[bool]:
    """The clause for audiences (and so groups) that `viewer` may know of: CLEAR ones, and those that list their organisation; none of
    an organisation that this node has blocked. Without a viewer as in `visible`."""
    listed = sa.exists().where(AudienceMember.audience_id == Audience.id, AudienceMember.organisation_id == _organisation(viewer))
    return sa.and_(sa.or_(Audience.label == CLEAR, listed), not_blocked(Audience.owner_id))


def of_group() -> sa.ColumnElement[bool]:
    """The clause for the audiences of groups: those of what an organisation itself publishes are its own."""
    return Audience.group_id != Audience.owner_id


def _organisation(viewer: Viewer | None) -> sa.BindParameter[str | None]:
    return sa.bindparam(LOOKING, type_=sa.String(36)) if viewer is None else sa.literal(_inside_as(viewer), sa.String(36))


def asked_by(viewer: Viewer) -> dict[str, str | None]:
    """The parameters that a query built once runs with."""
    return {LOOKING: _inside_as(viewer)}


def _inside_as(viewer: Viewer) -> str | None:
    """The organisation that somebody is inside audiences as; NULL, which equals nothing, for who has not signed in."""
    return viewer.organisation_id or None


def knows_group(session: Session, viewer: Viewer, group_id: str) -> bool:
    """Whether `viewer` may know that a group exists."""
    return session.execute(sa.select(Audience.id).where(Audience.group_id == group_id, sees_group(viewer))).first() is not None


def speaks_publicly(session: Session, person_id: str) -> bool:
    """Whether somebody has shared anything public: then their name may be asked for by whoever may read it."""
    shared = [sa.select(sa.literal(1)).where(model.author_id == person_id, model.label == CLEAR) for model in SharedObject.__subclasses__()]
    return any(session.execute(query.limit(1)).first() is not None for query in shared)


def recipients(*, by_time: bool = False) -> sa.Select[str]:
    """The organisations inside the audience of the parameter `audience`; nobody else is ever sent anything of it. Federation narrows to
    admitted followers. Of what came in at the moment `at`, only those that were inside then (all of them, where history is open)."""
    inside = sa.select(AudienceMember.organisation_id).where(AudienceMember.audience_id == sa.bindparam("audience"))
    if not by_time:
        return inside
    history = sa.exists().where(Audience.id == AudienceMember.audience_id, Audience.history)
    return inside.where(sa.or_(AudienceMember.since <= sa.bindparam("at"), history))


def check_label(label: str) -> str:
    """A label that this node can keep today. Raises Refused, with what to choose instead."""
    if label not in LABELS:
        raise BadRequest(N_("The label must be one of TLP:CLEAR, TLP:GREEN, TLP:AMBER+STRICT."))
    if label in SEALED_ALONE:
        raise Refused(SEALED_ALONE[label])
    return label


def check_leaves(label: str) -> str:
    """A label under which things may be delivered. Raises Refused for the rest."""
    check_label(label)
    if label == STRICT:
        raise Refused(N_("TLP:AMBER+STRICT with nobody named is ours alone and never leaves the node."))
    return label


def narrowest(*labels: str) -> str:
    """The narrowest of several labels; an unknown one counts as TLP:RED."""
    return max(labels, key=lambda label: LABELS.index(label) if label in LABELS else len(LABELS) - 1) if labels else RED


def is_wider(label: str, than: str) -> bool:
    return LABELS.index(label) < LABELS.index(than)


def may_widen(viewer: Viewer, organisation_id: str, author_id: str | None) -> bool:
    """Whether somebody may put a thing of an organisation under a wider label, for a reason that they give: of its own people, its author
    or a moderator. (What a group holds is never widened, by nobody.)"""
    ours = viewer.signed_in and viewer.organisation_id == organisation_id
    return ours and (viewer.moderates or viewer.person_id == author_id)


def open_audience(session: Session, *, now: int, label: str, owner_id: str, group_id: str, history: bool = False) -> str:
    """A new audience with its owner inside; answers its id."""
    audience_id = new_id(now)
    session.execute(sa.insert(Audience).values(id=audience_id, label=label, owner_id=owner_id, group_id=group_id, history=history))
    admit(session, audience_id, owner_id, since=0)
    return audience_id


def admit(session: Session, audience_id: str, organisation_id: str, *, since: int) -> None:
    """Puts an organisation into an audience; one that is there keeps its moment."""
    there = sa.and_(AudienceMember.audience_id == audience_id, AudienceMember.organisation_id == organisation_id)
    if session.execute(sa.select(AudienceMember.since).where(there)).first() is None:
        session.execute(sa.insert(AudienceMember).values(audience_id=audience_id, organisation_id=organisation_id, since=since))


def count_anew(session: Session, owner_id: str, organisation_id: str) -> None:
    """The number of an organisation's people has changed: our lists that name it are to be signed anew."""
    named = sa.exists().where(AudienceMember.audience_id == Audience.id, AudienceMember.organisation_id == organisation_id)
    session.execute(sa.update(Audience).where(Audience.owner_id == owner_id, of_group(), named).values(stale=True))


def is_inside(session: Session, audience_id: str, organisation_id: str) -> bool:
    """Whether an organisation is inside an audience now: its people write there."""
    return prepared(session, _member_query(), {"audience": audience_id, "organisation": organisation_id}).first() is not None


@cache
def _member_query() -> sa.Select[int]:
    listed = sa.select(AudienceMember.since).where(AudienceMember.audience_id == sa.bindparam("audience"))
    return listed.where(AudienceMember.organisation_id == sa.bindparam("organisation"))


def expel(session: Session, audience_id: str, organisation_id: str) -> None:
    """Takes an organisation out of an audience: from now on it is sent and shown nothing."""
    session.execute(
        sa.delete(AudienceMember).where(AudienceMember.audience_id == audience_id, AudienceMember.organisation_id == organisation_id)
    )


__all__ = [
    "GREEN",
    "admit",
    "asked_by",
    "check_label",
    "check_leaves",
    "count_anew",
    "expel",
    "is_inside",
    "is_wider",
    "knows_group",
    "may_widen",
    "narrowest",
    "not_blocked",
    "of_group",
    "open_audience",
    "recipients",
    "sees_group",
    "speaks_publicly",
    "tables_of_shared",
    "visible",
]
