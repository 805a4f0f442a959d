"""Decides how a document proves its author without the connection it came by: FEP-8b32 with eddsa-jcs-2022."""

import hashlib
from collections.abc import Mapping
from typing import Any

from fedcollab.actors.keys import ED25519, Signer, verifies
from fedcollab.base.canonical import canonical
from fedcollab.base.clock import iso, parse_iso
from fedcollab.base.crypto import base58, unbase58
from fedcollab.base.errors import BadRequest

CRYPTOSUITE = "eddsa-jcs-2022"


def prove(document: dict[str, Any], signer: Signer, now: int) -> dict[str, Any]:
    """The document with a proof by `signer`. The proof carries the document's @context: other software refuses it otherwise."""
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


def key_uri(document: Mapping[str, Any]) -> str:
    """The key that a document says to be proved by; empty where there is no proof of our kind."""
    proof = document.get("proof")
    if not isinstance(proof, Mapping) or proof.get("type") != "DataIntegrityProof" or proof.get("cryptosuite") != CRYPTOSUITE:
        return ""
    method = proof.get("verificationMethod")
    return method if isinstance(method, str) and proof.get("proofPurpose") == "assertionMethod" else ""


def created(document: Mapping[str, Any]) -> int | None:
    """When a document says that it was proved, in microseconds since the epoch; None where it does not."""
    proof = document.get("proof")
    return parse_iso(proof.get("created")) if isinstance(proof, Mapping) else None


def proved_by(document: Mapping[str, Any], kind: str, public: str) -> bool:
    """Whether the document's proof is by this key. Raises BadRequest where the proof can't be read at all."""
    proof = document["proof"]
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
