"""Decides how records are named as the same thing in another language: either says so, both show it, whichever organisation they are of."""

import re
from typing import Any

import sqlalchemy as sa

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.errors import N_, NotFound
from fedcollab.base.session import Session

from . import reading, sending, service
from .activities import TRANSLATIONS
from .checking import Wrong
from .models import Translation

ADDRESS = re.compile(r"/library/([0-9a-f-]{36})/?$")


def link(session: Session, node: Node, viewer: Viewer, resource_id: str, address: str) -> None:
    """Names another record, by the address of its page on this node, as a translation of one of ours. Where both are ours, both say so.

    Raises NotFound, Forbidden, Refused (Wrong names the field)."""
    row, found = service.own(session, viewer, resource_id), ADDRESS.search(address.strip())
    if found is None or not address.strip().startswith((node.settings.base_url + "/library/", "/library/")):
        raise Wrong("address", N_("Copy the address of the other resource's page on this node."))
    try:
        other = reading.resource(session, viewer, found[1])
    except NotFound:
        raise Wrong("address", N_("There is no such resource on this node, or it is not for you to see.")) from None
    if other.id == row.id:
        raise Wrong("address", N_("This is the resource itself."))
    _name(session, node, row, other.uri)
    if other.organisation_id == row.organisation_id:
        _name(session, node, other, row.uri)
    audit.record(session, node.now(), viewer, "resource.translate", resource_id)


def _name(session: Session, node: Node, row: Any, uri: str) -> None:
    named = set(session.scalars(sa.select(Translation.uri).where(Translation.resource_id == row.id)))
    if uri in named:
        return
    if len(named) >= TRANSLATIONS:
        raise Wrong("address", N_("A resource has at most 50 translations."))
    session.execute(sa.insert(Translation).values(resource_id=row.id, uri=uri))
    service.change(session, node, row)
    sending.send(session, node, "Update", row.id)


def unlink(session: Session, node: Node, viewer: Viewer, resource_id: str, other_id: str) -> None:
    """Takes that back, as far as it is ours to say. Raises NotFound, Forbidden."""
    row, other = service.own(session, viewer, resource_id), reading.resource(session, viewer, other_id)
    both = [(row, other.uri)] + ([(other, row.uri)] if other.organisation_id == row.organisation_id else [])
    for one, uri in both:
        there = sa.and_(Translation.resource_id == one.id, Translation.uri == uri)
        if session.execute(sa.delete(Translation).where(there).returning(Translation.uri)).first() is not None:
            service.change(session, node, one)
            sending.send(session, node, "Update", one.id)
    audit.record(session, node.now(), viewer, "resource.untranslate", resource_id)
