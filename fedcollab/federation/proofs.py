"""Decides how a document proves its author without the connection it came by: FEP-8b32 with eddsa-jcs-2022."""

import hashlib
from collections.abc import Mapping
from typing import Any

from fedcollab.actors.keys import ED25519, Signer, verifies
from fedcollab.base.canonical import canonical
from fedcollab.base.clock import iso, parse_iso, system_clock
from fedcollab.base.crypto import base58, unbase58
from fedcollab.base.errors import BadRequest

CRYPTOSUITE = "eddsa-jcs-2022"
PROOFS = 8  # of a list so many are looked at


def prove(document: dict[str, Any], signer: Signer, now: int) -> dict[str, Any]:
    """The document with a proof by `signer`, in the place of one that it had. The proof carries the document's @context: other software
    refuses it otherwise."""
    assert signer.kind == ED25519
    options = {
        "@context": document["@context"],
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "verificationMethod": signer.uri,
        "proofPurpose": "assertionMethod",
        "created": _shortest(iso(now)),
    }
    value = "z" + base58(signer.sign(_digest(document, options)))
    return document | {"proof": options | {"proofValue": value}}


def _shortest(stamp: str) -> str:
    """A time without zeros at its end. Others read the time and write it anew before they hash it, and it has to come out the same."""
    return stamp.removesuffix("Z").rstrip("0").removesuffix(".") + "Z" if "." in stamp else stamp


def key_uris(document: Mapping[str, Any]) -> list[str]:
    """The keys that a document says to be proved by: several where it carries a list of proofs, none where none is of our kind."""
    return [proof["verificationMethod"] for proof in _usable(document)]


def key_uri(document: Mapping[str, Any]) -> str:
    """The first key that a document says to be proved by; empty where there is no proof of our kind."""
    return next(iter(key_uris(document)), "")


def created(document: Mapping[str, Any]) -> int | None:
    """When a document says that it was proved, in microseconds since the epoch: of several times the first; None where it does not."""
    proof = document.get("proof")
    listed = proof[:PROOFS] if isinstance(proof, list) else [proof]
    times = [parse_iso(one.get("created")) for one in listed if isinstance(one, Mapping)]
    return min((time for time in times if time is not None), default=None)


def proved(document: Mapping[str, Any], by: Mapping[str, tuple[str, str]], now: int = 0) -> bool:
    """Whether one of the document's proofs is by one of these keys, {uri: (kind, public)}, and has not ended; `now` is in microseconds
    since the epoch, 0 for the system's clock. Others beside it say nothing.

    Raises BadRequest where a proof by one of them can't be read at all."""
    known = [proof for proof in _usable(document) if proof["verificationMethod"] in by]
    return any(_holds(document, proof, *by[proof["verificationMethod"]], now) for proof in known)


def _usable(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The proofs of our kind; of a list no more than a few are looked at."""
    proof = document.get("proof")
    listed = proof[:PROOFS] if isinstance(proof, list) else [proof]
    return [one for one in listed if isinstance(one, Mapping) and _is_ours(one)]


def _is_ours(proof: Mapping[str, Any]) -> bool:
    ours = proof.get("type") == "DataIntegrityProof" and proof.get("cryptosuite") == CRYPTOSUITE
    return ours and proof.get("proofPurpose") == "assertionMethod" and isinstance(proof.get("verificationMethod"), str)


def _holds(document: Mapping[str, Any], proof: Mapping[str, Any], kind: str, public: str, now: int) -> bool:
    """Whether this proof of the document is by this key, and has not ended."""
    if "expires" in proof and (parse_iso(proof["expires"]) or 0) <= (now or system_clock()):
        return False
    value = proof.get("proofValue")
    try:
        signature = unbase58(value[1:]) if isinstance(value, str) and value.startswith("z") else b""
        digest = _digest(document, {name: part for name, part in proof.items() if name != "proofValue"})
    except ValueError as error:
        raise BadRequest(reason=f"the proof can't be read: {error}") from None
    return kind == ED25519 and len(signature) == 64 and verifies(kind, public, signature, digest)


def _digest(document: Mapping[str, Any], options: Mapping[str, Any]) -> bytes:
    """Hash of the options, then of the document without its proof and without a Linked-Data signature beside it."""
    bare = {name: value for name, value in document.items() if name not in ("proof", "signature")}
    return hashlib.sha256(canonical(dict(options))).digest() + hashlib.sha256(canonical(bare)).digest()
