"""Decides how a request to a partner is signed: in the form that it accepted last, else RFC 9421, and on a 401 at once in the other."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fedcollab.actors import keys
from fedcollab.actors import service as actors
from fedcollab.actors.keys import ED25519, RSA, Signer
from fedcollab.actors.models import Actor
from fedcollab.base.errors import BadRequest, Unreachable
from fedcollab.base.http import Answer, Sign, Take, is_activity
from fedcollab.base.session import Session
from fedcollab.base.strictjson import loads

from . import activitystreams as ap
from . import signatures
from .kernel import Kernel
from .models import ADMITTED, Partner

ACCEPT = 'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
UNREADABLE = frozenset((400, 401, 403))  # what software says that has never heard of a form
NOTHING: Mapping[str, str] = {}


@dataclass
class Peer:
    """A partner's node as we sign for it: `form` is what it accepted last, empty where nothing was; `kind` the type of key it reads."""

    id: str
    host: str
    state: str
    form: str
    kind: str
    uri: str = ""

    def forms(self) -> tuple[str, str]:
        """The forms in the order in which they are tried."""
        first = self.form or signatures.RFC9421
        return first, next(form for form in signatures.FORMS if form != first)

    def wants_other(self, status: int) -> bool:
        """Whether an answer may mean that the form was not understood."""
        return status == 401 or (status in UNREADABLE and not self.form and self.kind == RSA)


def peer(session: Session, host: str) -> Peer | None:
    """None for a host that is not on the list."""
    query = sa.select(Partner.id, Partner.host, Partner.state, Partner.form, Actor.document, Actor.uri).where(Partner.host == host)
    row = session.execute(query.join(Actor, Actor.id == Partner.organisation_id)).one_or_none()
    return Peer(*row[:4], ED25519 if (row.document or {}).get(ap.PROTOCOL_TERM) else RSA, row.uri) if row else None


def speaks_fedcollab(session: Session, organisation_id: str) -> bool:
    """Whether an organisation's node says that it speaks our protocol: it reads Ed25519, and gives proofs."""
    document = session.execute(sa.select(Actor.document).where(Actor.id == organisation_id)).scalar_one_or_none()
    return bool((document or {}).get(ap.PROTOCOL_TERM))


def remember(session: Session, partner_id: str, form: str) -> None:
    """Keeps the form that a partner has accepted."""
    session.execute(sa.update(Partner).where(Partner.id == partner_id, Partner.form != form).values(form=form))


def own_signer(session: Session, kernel: Kernel, kind: str = RSA) -> Signer:
    """Our Organization's key of this type."""
    return keys.signer(session, kernel.node, actors.own(session, kernel.node).id, kind)


def signing(kernel: Kernel, signer: Signer, form: str, extra: Mapping[str, str] = NOTHING) -> Sign:
    """Signs each request with this key at its own time, `extra` header fields with it."""

    def sign(method: str, url: str, body: bytes) -> Mapping[str, str]:
        return signatures.sign(signer, method, url, body, kernel.node.now(), form=form, extra=extra)

    return sign


async def post(kernel: Kernel, to: Peer, url: str, body: bytes, signer: Signer, extra: Mapping[str, str] = NOTHING) -> Answer:
    """Delivers a body to a partner and answers whatever status came back in the end; `to.form` is what was accepted.

    Raises Unreachable where nobody answered."""
    first, second = to.forms()
    answer = await _post(kernel, to, url, body, signing(kernel, signer, first, extra))
    if to.wants_other(answer.status):
        first, answer = second, await _post(kernel, to, url, body, signing(kernel, signer, second, extra))
    if answer.status < 300:
        to.form = first
    return answer


async def _post(kernel: Kernel, to: Peer, url: str, body: bytes, sign: Sign) -> Answer:
    return await kernel.fetcher.post(url, body, permit=lambda asked: asked == to.host, content_type=ap.MEDIA_TYPE, sign=sign)


async def get(kernel: Kernel, uri: str) -> dict[str, Any]:
    """The document at an address of an admitted partner, asked for by our Organization. Raises Unreachable where the host is none, or
    what it answers is no document."""
    return read(await ask(kernel, uri))


async def ask(kernel: Kernel, uri: str, extra: Mapping[str, str] = NOTHING) -> Answer:
    """What an admitted partner answers to our Organization, with `extra` header fields signed.

    Raises Unreachable where the host is none, or it answers with an error."""
    host = kernel.fetcher.check(uri)
    to = await kernel.database.read(peer, host)
    if to is None or to.state != ADMITTED:
        raise Unreachable("refused: not one of our partners")
    signer, before = await kernel.database.read(own_signer, kernel, to.kind), to.form
    answer = await _ask(kernel, to, uri, signer, extra)
    if before != to.form:
        await kernel.database.write(remember, to.id, to.form)
    return answer


async def load(kernel: Kernel, uri: str, most: int, take: Take) -> None:
    """Has a file of an admitted partner handed to `take`, asked for by our Organization. Raises Unreachable, and what `take` raises."""
    host = kernel.fetcher.check(uri)
    to = await kernel.database.read(peer, host)
    if to is None or to.state != ADMITTED:
        raise Unreachable("refused: not one of our partners")
    signer, before = await kernel.database.read(own_signer, kernel, to.kind), to.form
    for form in to.forms():
        sign = signing(kernel, signer, form)
        try:
            await kernel.fetcher.load(uri, permit=lambda asked: asked == host, most=most, take=take, sign=sign)
        except Unreachable as error:
            if form == to.forms()[0] and to.wants_other(error.answer or 0):
                continue
            raise
        if form != before:
            await kernel.database.write(remember, to.id, form)
        return


async def ask_stranger(kernel: Kernel, uri: str, signer: Signer) -> Answer:
    """What somebody answers who is on no list, asked with an RSA key of ours. Raises Unreachable."""
    return await _ask(kernel, Peer("", kernel.fetcher.check(uri), "", "", RSA), uri, signer)


async def _ask(kernel: Kernel, to: Peer, uri: str, signer: Signer, extra: Mapping[str, str] = NOTHING) -> Answer:
    """A signed GET in either form; `to.form` is what was accepted."""
    form, other = to.forms()
    try:
        answer = await _get(kernel, to, uri, signing(kernel, signer, form, extra))
    except Unreachable as error:
        if not to.wants_other(error.answer or 0):
            raise
        form, answer = other, await _get(kernel, to, uri, signing(kernel, signer, other, extra))
    to.form = form
    return answer


async def _get(kernel: Kernel, to: Peer, uri: str, sign: Sign) -> Answer:
    return await kernel.fetcher.get(uri, permit=lambda asked: asked == to.host, accept=ACCEPT, sign=sign)


async def is_there(kernel: Kernel, to: Peer, nobody: Container[int]) -> bool:
    """Whether a partner's node answers when it is asked who it is: with anything but the statuses that mean `nobody`."""
    signer = await kernel.database.read(own_signer, kernel, to.kind)
    try:
        await _ask(kernel, to, to.uri, signer)
    except Unreachable as error:
        return error.answer is not None and error.answer not in nobody
    return True


def read(answer: Answer) -> dict[str, Any]:
    """The document in an answer. Raises Unreachable where it is of another media type, or can't be read."""
    if not is_activity(answer.content_type):
        raise Unreachable("answered with another media type than ActivityPub's", answer=200)
    try:
        found = loads(answer.body)
    except BadRequest as error:
        raise Unreachable(f"answered with an unreadable document: {error.reason}", answer=200) from None
    if not isinstance(found, dict):
        raise Unreachable("answered with something else than a document", answer=200)
    return found
