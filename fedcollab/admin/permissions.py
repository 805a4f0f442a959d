"""Decides which features a partner can be allowed to take part in, and what allowing or forbidding one does."""

from collections.abc import Iterable

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import BadRequest, N_
from fedcollab.base.session import Session
from fedcollab.feature import Feature
from fedcollab.features.discussions.feature import FEATURE as DISCUSSIONS
from fedcollab.features.resources.feature import FEATURE as LIBRARY
from fedcollab.federation import partners
from fedcollab.federation.models import ADMITTED, SUSPENDED, Partner

PERMITTED: tuple[Feature, ...] = (DISCUSSIONS, LIBRARY)  # each feature with a `permission`; a test holds it to app.FEATURES
ALL = tuple(feature.name for feature in PERMITTED)


def admit(session: Session, node: Node, partner: partners.PartnerData) -> None:
    """Puts a partner inside the audiences of what it may take part in."""
    for feature in PERMITTED:
        if feature.name in partner.allows and feature.admits:
            feature.admits(session, node, partner.organisation_id)


def expel(session: Session, node: Node, partner: partners.PartnerData) -> None:
    """Takes a partner out of all audiences."""
    for feature in PERMITTED:
        if feature.expels:
            feature.expels(session, node, partner.organisation_id)


def allow(session: Session, node: Node, viewer: Viewer | None, key: str, names: Iterable[str]) -> None:
    """From now on a partner may take part in these features and in no others. Raises NotFound, and BadRequest for a name that is none."""
    chosen, partner = set(names), partners.find(session, key)
    if chosen - set(ALL):
        raise BadRequest(N_("This node has no such thing to take part in. Open the partner's page again and choose there."))
    if chosen == set(partner.allows):
        return
    session.execute(sa.update(Partner).where(Partner.id == partner.id).values(allows=sorted(chosen)))
    if partner.state in (ADMITTED, SUSPENDED):
        for feature in PERMITTED:
            act = feature.admits if feature.name in chosen else feature.expels
            if (feature.name in chosen) != (feature.name in partner.allows) and act:
                act(session, node, partner.organisation_id)
    audit.record(session, node.now(), viewer, "partner.allow", partner.host)
