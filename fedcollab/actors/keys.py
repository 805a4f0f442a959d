"""Decides how actors' keys are made, sealed, found and used: RSA-2048 for everybody's software, Ed25519 between our own nodes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key

from fedcollab.base.clock import new_id
from fedcollab.base.crypto import base58, seal, unbase58, unseal
from fedcollab.base.errors import BadRequest, Refused
from fedcollab.base.session import Session
from fedcollab.base.statements import prepared

from .models import CURRENT, NEXT, OLD, ActorKey
from .node import Node
from .sample_keys import is_everybodys

RSA, ED25519 = "rsa", "ed25519"
FRAGMENTS = {RSA: "#main-key", ED25519: "#ed25519-key"}
Keys = dict[str, tuple[str, str]]  # {key's id: (kind, public)}
MULTICODEC = b"\xed\x01"  # ed25519-pub, as FEP-521a's Multikey wants it
ED25519_BEGINS = "z6Mk"  # base58 of the two bytes before 32 others
PrivateKey = RSAPrivateKey | Ed25519PrivateKey


class PublicKey(NamedTuple):
    """A key to verify with: whose, of which type; the algorithm follows from the type, never from what a sender says. `state` and `until`
    as in ActorKey."""

    uri: str
    kind: str
    public: str
    actor_id: str
    actor_uri: str
    state: str = CURRENT
    until: int | None = None

    def ended(self, now: int) -> bool:
        """Whether it is believed no more."""
        return self.state == OLD or (self.until is not None and self.until <= now)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        return verifies(self.kind, self.public, signature, message)


@dataclass(frozen=True)
class Signer:
    """A private key of ours at hand."""

    uri: str
    kind: str
    key: PrivateKey

    def sign(self, message: bytes) -> bytes:
        """RSASSA-PKCS1-v1_5 with SHA-256, or Ed25519."""
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(message)


def make(session: Session, node: Node, actor_id: str, actor_uri: str, state: str = CURRENT) -> None:
    """Gives an actor of ours two key pairs: its first ones, or, with `NEXT`, their successors under ids of their own."""
    rsa = generate_private_key(65537, 2048)
    pem = rsa.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    ed = Ed25519PrivateKey.generate()
    for kind, key, public in ((RSA, rsa, pem), (ED25519, ed, multibase(ed.public_key().public_bytes_raw()))):
        private = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        uri = actor_uri + FRAGMENTS[kind] + (f"-{hashlib.sha256(public.encode()).hexdigest()[:8]}" if state == NEXT else "")
        sealed = seal(node.master_key, private, uri)
        row = dict(
            id=new_id(node.now()), actor_id=actor_id, uri=uri, kind=kind, public=public, sealed_private=sealed, created_at=node.now()
        )
        session.execute(sa.insert(ActorKey).values(**row, state=state))


def turn(session: Session, actor_id: str) -> bool:
    """The successors take over: what was current is old, and a private half of it is gone. False, with no effect, where there are none."""
    waiting = sa.select(ActorKey.id).where(ActorKey.actor_id == actor_id, ActorKey.state == NEXT)
    if not session.scalars(waiting).all():
        return False
    mine = sa.update(ActorKey).where(ActorKey.actor_id == actor_id)
    session.execute(mine.where(ActorKey.state == CURRENT).values(state=OLD, sealed_private=None))
    session.execute(mine.where(ActorKey.state == NEXT).values(state=CURRENT, until=None))
    return True


def in_state(session: Session, actor_id: str, state: str = CURRENT) -> Keys:
    """An actor's keys that are in one state."""
    query = sa.select(ActorKey.uri, ActorKey.kind, ActorKey.public).where(ActorKey.actor_id == actor_id, ActorKey.state == state)
    return {row.uri: (row.kind, row.public) for row in session.execute(query.order_by(ActorKey.id))}


def fingerprint(keys: Keys) -> str:
    """SHA-256 over a set of public keys, hexadecimal: the same whatever their ids, their order and the spelling of a PEM."""
    raw = sorted(f"{kind} {hashlib.sha256(_raw(load_public(kind, public))).hexdigest()}" for kind, public in keys.values())
    return hashlib.sha256("\n".join(raw).encode()).hexdigest()


def _raw(key: RSAPublicKey | Ed25519PublicKey) -> bytes:
    if isinstance(key, Ed25519PublicKey):
        return key.public_bytes_raw()
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def pin(session: Session, node: Node, actor_id: str, keys: Keys, state: str = CURRENT) -> None:
    """Stores the public keys of another node's actor: {uri: (kind, public)}; a key that is there stays as it is.

    Raises Refused for one that another actor holds."""
    known = set(session.scalars(sa.select(ActorKey.uri).where(ActorKey.actor_id == actor_id)))
    others = sa.select(ActorKey.id).where(ActorKey.uri.in_(list(keys)), ActorKey.actor_id != actor_id)
    if session.execute(others.limit(1)).first() is not None:
        raise Refused(reason="a key that another actor holds")
    for uri, (kind, public) in keys.items():
        if uri not in known:
            session.execute(
                sa.insert(ActorKey).values(
                    id=new_id(node.now()), actor_id=actor_id, uri=uri, kind=kind, public=public, created_at=node.now(), state=state
                )
            )


def replace(session: Session, node: Node, actor_id: str, keys: Keys) -> None:
    """Takes these keys in the place of those that a third party had brought."""
    session.execute(sa.delete(ActorKey).where(ActorKey.actor_id == actor_id))
    pin(session, node, actor_id, keys)


def signer(session: Session, node: Node, actor_id: str, kind: str) -> Signer:
    """The private key of an actor of ours."""
    row = prepared(session, _signer_query(), {"actor": actor_id, "kind": kind}).one()
    key = node.keyring.get(row.id)
    if key is None:
        plain = unseal(node.master_key, row.sealed_private, row.uri)
        key = node.keyring[row.id] = serialization.load_der_private_key(plain, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, PrivateKey)
    return Signer(row.uri, kind, key)


@cache
def _signer_query() -> sa.Select[Any]:
    columns: list[Any] = [ActorKey.id, ActorKey.uri, ActorKey.sealed_private]
    query = sa.select(*columns).where(ActorKey.actor_id == sa.bindparam("actor"), ActorKey.kind == sa.bindparam("kind"))
    return query.where(ActorKey.state == CURRENT)


def multibase(raw: bytes) -> str:
    """An Ed25519 public key as a Multikey's publicKeyMultibase."""
    return "z" + base58(MULTICODEC + raw)


def is_ed25519(multikey: Mapping[str, object]) -> bool:
    """Whether a Multikey says to be an Ed25519 key. Others list their RSA keys as Multikeys too: those are no key that we read there."""
    return str(multikey.get("publicKeyMultibase")).startswith(ED25519_BEGINS)


@lru_cache(4096)
def load_public(kind: str, public: str) -> RSAPublicKey | Ed25519PublicKey:
    """The key itself. Raises BadRequest where the text holds none of the stated type, RSA outside 2048 to 4096 bits, an RSA key
    whose exponent is of more than 32 bits (each signature would cost as much as signing), or a key that everybody has."""
    try:
        if kind == ED25519:
            raw = unbase58(public.removeprefix("z"))
            if raw[:2] != MULTICODEC:
                raise ValueError("not an Ed25519 key")
            if is_everybodys(raw[2:]):
                raise ValueError("a key that everybody has")
            return Ed25519PublicKey.from_public_bytes(raw[2:])
        key = serialization.load_pem_public_key(public.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadRequest(reason=f"not a public key: {error}") from None
    if not isinstance(key, RSAPublicKey) or not 2048 <= key.key_size <= 4096 or key.public_numbers().e.bit_length() > 32:
        raise BadRequest(reason="not an RSA key of 2048 to 4096 bits with a usual exponent")
    if is_everybodys(key.public_numbers().n.to_bytes(key.key_size // 8 + 1).lstrip(b"\0")):
        raise BadRequest(reason="not a public key: a key that everybody has")
    return key


def verifies(kind: str, public: str, signature: bytes, message: bytes) -> bool:
    """Whether the signature over the message is by this key, with the algorithm of the key's type."""
    key = load_public(kind, public)
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        else:
            key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
