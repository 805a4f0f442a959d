"""Decides who finds what: what `access.policy` shows them, and names for members alone."""

from functools import cache
from typing import Any

import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.models import Audience, AudienceMember
from fedcollab.access.viewer import Viewer
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared

from .marks import AUDIENCE, CLEAR_MARK, MEMBERS_MARK, short
from .models import SearchEntry

GROUP = "group"
FEW = 64  # audiences that a question names; with more of them most of what is here is for this viewer, and the clause alone decides
MEMBER = "member"


def sees() -> sa.ColumnElement[bool]:
    """The clause for rows of the index; a query with it runs with `asked_by(viewer)`. Of groups it shows what `sees_group` does."""
    entry: Any = SearchEntry
    name = sa.and_(
        SearchEntry.audience_id.is_(None), sa.bindparam(MEMBER, type_=sa.Integer()) == 1, policy.not_blocked(SearchEntry.organisation_id)
    )
    known = sa.exists().where(Audience.id == SearchEntry.audience_id, policy.sees_group())
    group = sa.and_(SearchEntry.kind == GROUP, known)
    thing = sa.and_(SearchEntry.kind != GROUP, SearchEntry.audience_id.is_not(None), policy.visible(entry))
    return sa.or_(thing, group, name)


def asked_by(viewer: Viewer) -> dict[str, Any]:
    """The parameters of `sees`."""
    return policy.asked_by(viewer) | {MEMBER: int(viewer.signed_in)}


def marks_of(session: Session, viewer: Viewer) -> list[str]:
    """The marks of which every row has one that the viewer may see; none where they are inside too many audiences for that to help."""
    found = audiences_of(session, viewer)
    return [] if found is None else marks_in(viewer, found)


def marks_in(viewer: Viewer, audiences: list[str]) -> list[str]:
    """The marks of what is public and of these audiences."""
    if not viewer.organisation_id:
        return [CLEAR_MARK]
    return [CLEAR_MARK, *([MEMBERS_MARK] if viewer.signed_in else []), *(short(AUDIENCE, one) for one in audiences)]


def audiences_of(session: Session, viewer: Viewer) -> list[str] | None:
    """The audiences that the viewer is inside; None where they are so many that most of what is here is for them."""
    if not viewer.organisation_id:
        return []
    found = prepared(session, _audiences(), {"organisation": viewer.organisation_id, "most": FEW + 1}).scalars()
    return None if len(found) > FEW else found


@cache
def _audiences() -> sa.Select[Any]:
    mine = AudienceMember.organisation_id == sa.bindparam("organisation")
    columns: list[Any] = [AudienceMember.audience_id]
    return sa.select(*columns).where(mine).limit(sa.bindparam("most"))
