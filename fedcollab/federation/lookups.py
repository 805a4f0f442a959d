"""Decides how the signer of a request is found: partner, key and the key's owner in one read, which no request is too fast for."""

from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from fedcollab.actors.keys import RSA, PublicKey
from fedcollab.actors.models import INTRODUCED, Actor, ActorKey
from fedcollab.actors.service import COLUMNS, ActorData
from fedcollab.base.database import Database
from fedcollab.base.model import aliased

from .models import Partner
from .partners import COLUMNS as PARTNER_COLUMNS
from .partners import PartnerData


class Found(NamedTuple):
    """A host on the list, whatever its state, with the key that a request names and whose it is, where we hold it."""

    partner: PartnerData
    key: PublicKey | None = None
    actor: ActorData | None = None


async def signer_of(database: Database, host: str, key_uri: str) -> Found | None:
    """None for a host that is not on the list. A key without a fragment may be called by its owner's id: that is the RSA key.

    No key is answered of an actor that was disabled, of one on another host, or of one that a third party has introduced: it may have
    brought keys of its own."""
    rows = await database.look(_by_key(), {"host": host, "key": key_uri})
    if rows and rows[0][0] is None and "#" not in key_uri:
        rows = await database.look(_by_owner(), {"host": host, "key": key_uri})
    if not rows:
        return None
    row = rows[0]
    partner = PartnerData(*row[5 + len(COLUMNS) :])
    if row[0] is None or row[5] is None:
        return Found(partner)
    actor = ActorData(*row[5 : 5 + len(COLUMNS)])
    return Found(partner, PublicKey(row[0], row[1], row[2], actor.id, actor.uri, row[3], row[4]), actor)


@cache
def _by_key() -> sa.Select[Any]:
    return _query(ActorKey.uri == sa.bindparam("key"))


@cache
def _by_owner() -> sa.Select[Any]:
    owner = aliased(Actor)
    mine = sa.select(ActorKey.id).join(owner, owner.id == ActorKey.actor_id).where(owner.uri == sa.bindparam("key"), ActorKey.kind == RSA)
    return _query(ActorKey.id == mine.order_by(ActorKey.id.desc()).limit(1).scalar_subquery())


def _query(named: sa.ColumnElement[bool]) -> sa.Select[Any]:
    signer = aliased(Actor)
    own_word = sa.and_(signer.known != INTRODUCED, signer.disabled_at.is_(None), signer.host == Partner.host)
    key = (ActorKey.uri, ActorKey.kind, ActorKey.public, ActorKey.state, ActorKey.until)
    columns: list[Any] = [*key, *(getattr(signer, column.key) for column in COLUMNS)]
    query = sa.select(*columns, *PARTNER_COLUMNS).select_from(Partner).join(Actor, Actor.id == Partner.organisation_id)
    query = query.outerjoin(ActorKey, named).outerjoin(signer, sa.and_(signer.id == ActorKey.actor_id, own_word))
    return query.where(Partner.host == sa.bindparam("host"))
