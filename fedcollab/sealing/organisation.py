"""Decides what our organisation's key is: who can open it, how it is published, and when it is turned. Turning needs nobody's private key,
so it never waits for one."""

import hmac
from collections.abc import Iterable

import sqlalchemy as sa

from fedcollab.actors import service as actors
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import new_id
from fedcollab.base.database import wake
from fedcollab.base.errors import N_, Refused
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import profiles, succession

from . import boxes, person_models, wraps
from .boxes import Private, Public, box, unbox
from .keeping_models import CURRENT, OLD, Keeper, OrganisationKey, RecoveryKey
from .opening import Facts
from .pairs import PersonPublic
from .person_models import AccessLock, PersonKeyRow
from .shut import Shut
from .sweeping import Naming

KEY = "ok:"
GONE = "gone"  # the topic of whoever goes on where somebody's keys have ended
NOT_HELD = N_("The organisation’s key has not been handed to you, so you cannot do this. Ask another keeper to hand it to you.")


def facts(session: Session, node: Node) -> Facts:
    """What this node has of what cases need (see opening)."""
    recovery = session.execute(sa.select(RecoveryKey.tried_at).where(RecoveryKey.state == CURRENT)).first()
    tried = recovery is not None and recovery.tried_at is not None
    return Facts(current(session, node) is not None, len(holders(session)), recovery is not None, tried)


def holders(session: Session) -> dict[str, PersonPublic]:
    """{person id: their key} of the keepers who can open the organisation's key today; not of who has locked their access."""
    theirs = sa.and_(PersonKeyRow.person_id == Keeper.person_id, PersonKeyRow.kid == Keeper.kid)
    query = sa.select(Keeper.person_id, PersonKeyRow.public, PersonKeyRow.signing).join(PersonKeyRow, theirs)
    query = query.join(Actor, Actor.id == Keeper.person_id).where(Actor.disabled_at.is_(None))
    there = sa.and_(PersonKeyRow.state == person_models.CURRENT, Keeper.person_id.not_in(sa.select(AccessLock.person_id)))
    found = session.execute(query.where(there).order_by(Keeper.named_at, Keeper.person_id))
    return {row.person_id: PersonPublic(row.public, row.signing) for row in found}


def check_holds(session: Session, person_id: str, keys: Iterable[Private]) -> None:
    """Raises Refused unless somebody's own key is in use and among their unlocked `keys`, and opens the organisation's key: only then does
    their word let somebody else in."""
    mine = holders(session).get(person_id)
    own = sa.select(PersonKeyRow.kid).where(PersonKeyRow.person_id == person_id, PersonKeyRow.state == person_models.CURRENT)
    if session.scalar(own) not in {private.public.kid for private in keys}:
        raise Refused(N_("Your own key has to be in use, and unlocked, before you let somebody else in."))
    if mine is None:
        raise Refused(NOT_HELD)


def recovery(session: Session) -> Public | None:
    """The recovery key that the sheets of today open."""
    document = session.execute(sa.select(RecoveryKey.document).where(RecoveryKey.state == CURRENT)).scalar()
    return None if document is None else boxes.published(document)


def current(session: Session, node: Node) -> Public | None:
    """The key to which something is sealed for our organisation; None while cases are off."""
    mine = sa.select(OrganisationKey.document).where(OrganisationKey.organisation_id == actors.own(session, node).id)
    document = session.execute(mine.where(OrganisationKey.state == CURRENT)).scalar()
    return None if document is None else boxes.published(document)


def kids(session: Session, node: Node) -> list[str]:
    """The names of all our organisation's keys, the newest first: the ones before still open what was sealed to them."""
    mine = sa.select(OrganisationKey.kid).where(OrganisationKey.organisation_id == actors.own(session, node).id)
    return list(session.scalars(mine.order_by(OrganisationKey.at.desc(), OrganisationKey.id.desc())))


def turn(session: Session, node: Node) -> None:
    """A new key in the place of the present one, boxed to whoever holds it today and to the sheets; partners learn its public half. Where
    nobody holds it there is none from now on."""
    me, to = actors.own(session, node), [*holders(session).values(), *filter(None, [recovery(session)])]
    retired = sa.update(OrganisationKey).where(OrganisationKey.organisation_id == me.id, OrganisationKey.state == CURRENT)
    session.execute(retired.values(state=OLD))
    made = boxes.generate() if to else None
    if made is not None:
        hand(node, {made.public.kid: made}, to)
        row = dict(organisation_id=me.id, kid=made.public.kid, document=made.public.document(), at=node.now())
        session.execute(sa.insert(OrganisationKey).values(id=new_id(node.now()), state=CURRENT, **row))
    publish(session, node, made.public if made is not None else None)
    wake(session, GONE)


def hand(node: Node, keys: dict[str, Private], to: Iterable[Public]) -> None:
    """Boxes organisation's keys, {kid: private half}, to the holders of other keys."""
    receivers = list(to)
    with node.ring.begin() as ring:
        for kid, key in keys.items():
            for one in receivers:
                wraps.put_wrap(ring, KEY + kid, one.kid, box(one, key.to_bytes(), KEY + kid), node.now())


def opened(session: Session, node: Node, holder: Private) -> dict[str, Private]:
    """{kid: private half} of all our organisation's keys that the holder of a key opens, the newest first. Raises Refused where the
    present one is not among them."""
    ours, to = kids(session, node), holder.public.kid
    with node.ring.look() as ring:  # of a keeper at work, who may hold thousands of boxes of rooms
        found = wraps.wraps_among(ring, (KEY + kid for kid in ours), [to])
    keys = {kid: _open(holder, found[KEY + kid, to], kid) for kid in ours if (KEY + kid, to) in found}
    public = current(session, node)
    if public is None or public.kid not in keys:
        raise Refused(NOT_HELD)
    return keys


def _open(holder: Private, sealed: bytes, kid: str) -> Private:
    key = Private.from_bytes(unbox(holder, sealed, KEY + kid))
    if not hmac.compare_digest(key.public.kid, kid):
        raise Shut
    return key


def take_away(session: Session, node: Node, kid: str) -> None:
    """Destroys each box of our organisation's keys that the key `kid` opens. Call it last in a unit."""
    with node.ring.begin() as ring:
        for one in kids(session, node):
            if wraps.wrap(ring, KEY + one, kid) is not None:
                wraps.destroy(ring, KEY + one, node.now(), to_kid=kid)


def publish(session: Session, node: Node, public: Public | None) -> None:
    """Puts the public half into our Organization's document, or takes it out of there, and tells partners."""
    me = actors.own(session, node)
    before = profiles.stored_document(session, me.id) or {}
    said = {name: before[name] for name in (ap.SUCCESSOR, ap.UNTIL, ap.SUCCEEDS) if name in before}
    profiles.document(session, node, me, **said, **{ap.ORGANISATION_KEY: public.document() if public is not None else None})
    succession.tell(session, node)


def begin_anew(session: Session, node: Node, _made_at: int) -> None:
    """For a node that comes out of a backup: the organisation's key in it may be one that was turned since, because somebody left."""
    key = session.execute(sa.select(RecoveryKey.kid).where(RecoveryKey.state == CURRENT)).scalar()
    if key is not None:
        with node.ring.look() as ring:
            there = wraps.sheet_boxes(ring, key)
        if not there:  # the key ring's own backups are kept two weeks: these sheets open nothing any more
            session.execute(sa.update(RecoveryKey).where(RecoveryKey.kid == key).values(state=OLD))
    if current(session, node) is not None:
        turn(session, node)


def _named(session: Session) -> list[str]:
    return [KEY + kid for kid in session.scalars(sa.select(OrganisationKey.kid))]


NAMED_IN_RING = Naming(KEY, _named)
