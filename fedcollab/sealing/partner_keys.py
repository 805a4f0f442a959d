"""Decides to which key of a partner's organisation something is sealed: the one in the document that its pinned signing keys have proved.

A change is believed as the Organization's own document is: proved by a pinned key, or after the words were compared again. A key that was
replaced does not come back: whoever had left there could still open it."""

import logging
from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.actors import service as actors
from fedcollab.actors.models import ORGANIZATION, PARTNER
from fedcollab.actors.node import Node
from fedcollab.base.clock import new_id
from fedcollab.base.errors import BadRequest
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import profiles
from fedcollab.federation.registry import Handler, Verified

from . import boxes
from .boxes import Public
from .keeping_models import CURRENT, OLD, OrganisationKey

log = logging.getLogger(__name__)


def key_of(session: Session, node: Node, organisation_id: str) -> Public | None:
    """The key to which something is sealed for a partner's organisation. None where it publishes none that we can take: then nothing is
    sent to it, for there is no sending in plain."""
    learn(session, node, organisation_id)
    document = session.execute(_of(organisation_id).where(OrganisationKey.state == CURRENT)).scalar()
    return None if document is None else boxes.published(document)


def has_key(session: Session, organisation_id: str) -> bool:
    """Whether `key_of` would answer one; changes nothing."""
    said, before = _said(session, organisation_id), _states(session, organisation_id)
    present = next((name for name, state in before.items() if state == CURRENT), None)
    if actors.by_id(session, organisation_id).known != PARTNER or _kid(said) == present:
        return present is not None
    return said is not None and _kid(said) not in before and _read(said) is not None


def learn(session: Session, node: Node, organisation_id: str) -> None:
    """Takes over what a partner's document says by now; a document that says the same changes nothing."""
    partner = actors.by_id(session, organisation_id)
    if partner.known != PARTNER:
        return
    said = _said(session, organisation_id)
    kid = _kid(said)
    before = _states(session, organisation_id)
    present = next((name for name, state in before.items() if state == CURRENT), None)
    if kid == present:
        return
    mine = sa.update(OrganisationKey).where(OrganisationKey.organisation_id == organisation_id)
    session.execute(mine.where(OrganisationKey.state == CURRENT).values(state=OLD))
    public = None if said is None or kid in before else _read(said)
    if public is not None:
        row = dict(organisation_id=organisation_id, kid=public.kid, document=public.document(), state=CURRENT, at=node.now())
        session.execute(sa.insert(OrganisationKey).values(id=new_id(node.now()), **row))
        audit.record(session, node.now(), None, "partner.sealing_key", partner.host)
    elif present is not None:
        audit.record(session, node.now(), None, "partner.sealing_key_gone", partner.host)


def receive(session: Session, node: Node, received: Verified) -> None:
    """A partner's Organization has renewed its document; after `offers.receive`, which has looked at its proof and kept it."""
    if received.actor.kind == ORGANIZATION and ap.ident(received.object) == received.actor.uri:
        learn(session, node, received.actor.id)


def _said(session: Session, organisation_id: str) -> object:
    return (profiles.stored_document(session, organisation_id) or {}).get(ap.ORGANISATION_KEY)


def _kid(said: object) -> str | None:
    named = said.get("kid") if isinstance(said, dict) else None
    return named if isinstance(named, str) else None


def _states(session: Session, organisation_id: str) -> dict[str, str]:
    query = sa.select(OrganisationKey.kid, OrganisationKey.state).where(OrganisationKey.organisation_id == organisation_id)
    return {row.kid: row.state for row in session.execute(query)}


def _of(organisation_id: str) -> sa.Select[Any]:
    return sa.select(OrganisationKey.document).where(OrganisationKey.organisation_id == organisation_id)


def _read(said: object) -> Public | None:
    try:
        return boxes.published(said)
    except BadRequest as error:
        log.info("a partner's key was not taken", extra={"reason": error.reason})
        return None


HANDLERS = (Handler("Update", (ORGANIZATION,), receive),)
