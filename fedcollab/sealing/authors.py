"""Decides how those inside come to know who writes: by the signed documents of a person and their organisation, which go with the first
message of theirs that an organisation gets in a room, and with the first after their key has changed."""

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.actors.models import OWN
from fedcollab.actors.node import Node
from fedcollab.actors.service import ActorData
from fedcollab.base.errors import Refused
from fedcollab.base.session import Session
from fedcollab.base.statements import part, put
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import announce, profiles
from fedcollab.federation.registry import Verified

from . import people
from .room_models import RoomTold


def introduced(session: Session, node: Node, room_id: str, author: ActorData, to: Iterable[str]) -> dict[str, Any]:
    """What a message brings besides for organisations of which one does not know its author's key yet; they are taken to know it then."""
    key = people.current(session, author.id)
    if key is None:
        return {}
    known = sa.select(RoomTold.organisation).where(RoomTold.room_id == room_id, RoomTold.name == key.kid)
    fresh = sorted(set(to) - set(session.scalars(known)))
    if not fresh:
        return {}
    put(session, RoomTold, *(dict(room_id=room_id, organisation=one, name=key.kid, at=node.now()) for one in fresh))
    return {ap.INTRODUCES: announce.introductions(session, author)}


def meet(session: Session, node: Node, received: Verified, author: str) -> None:
    """Takes over what a message brings of its author. Documents that are not proved change nothing: the message is kept, and shown as one
    that nobody here can check."""
    listed = received.activity.get(ap.INTRODUCES)
    meet_all(session, node, received.through or received.actor, listed if isinstance(listed, list) else [], [author])


def meet_all(session: Session, node: Node, by: ActorData, documents: Iterable[object], authors: Iterable[str]) -> None:
    """The same for several, brought by a member."""
    brought: Mapping[str, Any] = {ap.ident(document): document for document in documents if isinstance(document, dict)}
    for uri in authors:
        there = actors.by_uri(session, uri)
        with contextlib.suppress(Refused), part(session):
            if there is None and uri in brought:
                announce.introduce(session, node, Verified({}, by, by), uri, dict(brought))
            elif there is not None and there.known != OWN:
                profiles.renew(session, node, there, brought.get(uri))
