"""Decides in which forms requests are signed and read: RFC 9421, and draft-cavage for those who know nothing else."""

from collections.abc import Mapping

from fedcollab.actors.keys import Signer
from fedcollab.base.errors import Unauthorized

from . import cavage, rfc9421
from .claims import Claim, Incoming, single

RFC9421, CAVAGE = "rfc9421", "cavage"
FORMS = (RFC9421, CAVAGE)  # in the order in which somebody whom we don't know is tried


def sign(
    signer: Signer, method: str, url: str, body: bytes, now: int, *, form: str = CAVAGE, extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The header fields that sign a request in one of `FORMS`; `extra` fields are sent and covered beside what we always cover."""
    make = rfc9421.sign if form == RFC9421 else cavage.sign
    return make(signer, method, url, body, now, extra or {})


def claims(incoming: Incoming, base_url: str, now: int) -> list[Claim]:
    """What a request says of its signers, at least one; all is checked that needs no key. `base_url` is this node's own.

    Raises Unauthorized (or BadRequest for repeated fields) with its reason."""
    headers = single(incoming.headers)
    if "signature" not in headers:
        raise Unauthorized(reason="no Signature header")
    if headers.get("host") != base_url.split("://", 1)[1]:
        raise Unauthorized(reason="signed for another host")
    if "signature-input" in headers:
        return rfc9421.claims(incoming, headers, base_url, now)
    return [cavage.claim(incoming, headers, now)]


def accepted(host: str) -> dict[str, str]:
    """The header fields of a 401 that say what would be accepted (RFC 9421, 5.1; draft-cavage-http-signatures-12, 3.1)."""
    components = " ".join(f'"{name}"' for name in rfc9421.COVERED_POST)
    listed = " ".join(cavage.COVERED_POST)
    return {
        "Accept-Signature": f"{rfc9421.LABEL}=({components});created",
        "WWW-Authenticate": f'Signature realm="{host}",headers="{listed}"',
    }


__all__ = ["CAVAGE", "FORMS", "RFC9421", "Claim", "Incoming", "accepted", "claims", "sign"]
