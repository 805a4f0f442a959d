"""Gives quick tests a database in memory and a node without a network, with actors made from keys that lie ready."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

import fedcollab.app  # all tables
from fedcollab.actors import keys
from fedcollab.actors import service as actors
from fedcollab.actors.models import ORGANIZATION, Actor
from fedcollab.actors.node import Node
from fedcollab.base import config
from fedcollab.base.clock import MICROSECONDS, new_id
from fedcollab.base.model import Model
from fedcollab.base.session import Session
from fedcollab.base.statements import DRIVER, part
from fedcollab.federation import inbox, intake, partners, proofs
from fedcollab.federation.models import ADMITTED, APPLIED, InboxItem

SETTINGS = config.parse({"name": "Meridian Outreach", "base_url": "https://home.example"}, {})
START = 1_772_000_000 * MICROSECONDS


@dataclass
class Hands:
    """A clock that moves when it is told to."""

    at: int = START
    seen: list[int] = field(default_factory=list)

    def __call__(self) -> int:
        return self.at


def node(clock: Hands | None = None) -> Node:
    return Node(SETTINGS, b"k" * 32, clock or Hands(), named=fedcollab.app.named)


@cache
def engine() -> sa.Engine:
    """All tables, made once; the one connection leaves BEGIN to us, as the node's own does."""
    made = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool, connect_args={"isolation_level": None, "check_same_thread": False})
    sa.event.listen(made, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    Model.metadata.create_all(made)
    return made


@contextlib.contextmanager
def memory() -> Iterator[Session]:
    """A session on an empty database, which is empty again afterwards."""
    with engine().connect() as connection:
        connection.begin()
        yield Session(connection, {DRIVER: connection.connection.dbapi_connection})
        connection.rollback()


@contextlib.contextmanager
def session_on(made: sa.Engine) -> Iterator[Session]:
    """A session on a connection of its own; what it does stands only where the connection commits."""
    with made.connect() as connection:
        yield Session(connection)


@cache
def rsa_key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


@contextlib.contextmanager
def quick_keys() -> Iterator[None]:
    """RSA keys are one and the same for all actors: making one takes a tenth of a second."""
    real = keys.generate_private_key
    keys.generate_private_key = lambda _exponent, _size: rsa_key()  # type: ignore[assignment]
    try:
        yield
    finally:
        keys.generate_private_key = real


def refused(session: Session, work: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    """What a unit that has to be refused says; its effect is undone as the database does it."""
    from fedcollab.base.errors import FedcollabError

    try:
        with part(session):
            work(*args, **kwargs)
    except FedcollabError as error:
        return error.in_words() + (f" ({error.reason})" if error.reason else "")
    raise AssertionError("it was not refused")


def home(session: Session, at: Node) -> actors.ActorData:
    """The node's own Organization, as `init` makes it."""
    with quick_keys():
        return actors.create_own(session, at, ORGANIZATION, username="organisation", name=at.settings.name)


def organisation(session: Session, host: str, *, known: str = "partner", path: str = "/actor") -> str:
    """Another organisation's row, without keys; answers its id."""
    actor_id, uri = new_id(START), f"https://{host}{path}"
    row = dict(id=actor_id, uri=uri, kind=ORGANIZATION, username="organisation", name=host.title(), host=host, organisation_id=actor_id)
    session.execute(sa.insert(Actor).values(**row, inbox=uri + "/inbox", known=known, created_at=START, updated_at=START))
    return actor_id


def partner(session: Session, at: Node, host: str, state: str = ADMITTED) -> partners.PartnerData:
    """Another organisation on the list."""
    found, _ = partners.add(session, at, actors.by_id(session, organisation(session, host)), ("discussions",))
    if state != APPLIED:
        partners.move(session, at, None, found, state)
    return partners.find(session, host)


def receive(
    session: Session, at: Node, sender: actors.ActorData, activity: dict[str, Any], sequence: tuple[int, int] | None = None
) -> bool:
    """Takes an activity in as the inbox does, with its epoch and number; whether it is a new one."""

    def there() -> int:
        return int(session.scalar(sa.select(sa.func.count()).select_from(InboxItem)) or 0)

    before = there()
    intake.insert(session, [inbox.row(at, sender, activity, sequence)])
    return there() > before


def ed_signer(uri: str) -> keys.Signer:
    return keys.Signer(uri + "#ed25519-key", keys.ED25519, Ed25519PrivateKey.generate())


def ed_public(signer: keys.Signer) -> str:
    assert isinstance(signer.key, Ed25519PrivateKey)
    return keys.multibase(signer.key.public_key().public_bytes_raw())


def proved_by(document: dict[str, Any], kind: str, public: str, now: int = 0) -> bool:
    """Whether one of the document's proofs is by this key, whatever id the proof says it has."""
    return proofs.proved(document, dict.fromkeys(proofs.key_uris(document), (kind, public)), now)
