"""Decides how requests are signed and read by draft-cavage-http-signatures-12: httpsig's grammar, our required headers, our own keys.

httpsig 1.3.0 gives the header grammar alone. Its own verify can be forged (HMAC with the public key as the secret passes) and checks
neither Date nor Digest, so signing and verifying are done here, with the algorithm of the key's type.
"""

import base64
import binascii
import hashlib
import sys
import types
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from fedcollab.actors.keys import Signer
from fedcollab.base.clock import MICROSECONDS, http_date
from fedcollab.base.errors import Unauthorized

from .claims import Claim, Incoming, check_age, check_end


def _stand_ins() -> dict[str, types.ModuleType]:
    """What httpsig imports and we have no use for: setuptools' pkg_resources, of which it asks its own version, and PycryptoDome, which
    takes 2 MiB for keys that it never gets (`cryptography` signs and verifies here)."""

    class DistributionNotFound(Exception):
        pass

    def get_distribution(name: str) -> None:
        raise DistributionNotFound(name)

    holds: dict[str, dict[str, object]] = {
        "pkg_resources": {"DistributionNotFound": DistributionNotFound, "get_distribution": get_distribution},
        "Crypto": {},
        "Crypto.Hash": dict.fromkeys(("HMAC", "SHA", "SHA256", "SHA512")),
        "Crypto.PublicKey": {"RSA": None},
        "Crypto.Signature": {"PKCS1_v1_5": None},
    }
    made = {name: types.ModuleType(name) for name in holds if name not in sys.modules}
    for name, module in made.items():
        vars(module).update(holds[name])
    return made


_made = _stand_ins()
sys.modules.update(_made)
import httpsig  # noqa: E402  # after the stand-ins
from httpsig.utils import (  # noqa: E402
    CaseInsensitiveDict,
    build_signature_template,
    generate_message,
    parse_http_list,
    parse_signature_header,
)

for _name in _made:
    del sys.modules[_name]

ALGORITHMS = {"rsa": "rsa-sha256", "ed25519": "hs2019"}
ACCEPTED = ("rsa-sha256", "hs2019", "ed25519", "")
COVERED_GET = ("(request-target)", "host", "date")
COVERED_POST = (*COVERED_GET, "digest")


class RequestSigner(httpsig.HeaderSigner):  # type: ignore[misc]  # httpsig has no types
    """httpsig's signer with our key in the place of its own."""

    def __init__(self, signer: Signer, headers: Sequence[str]) -> None:
        self.signer = signer
        self.headers = list(headers)
        self.sign_header = "signature"
        self.signature_template = build_signature_template(signer.uri, ALGORITHMS[signer.kind], self.headers, "signature")

    def headers_for(self, values: dict[str, str], method: str, path: str) -> str:
        message = generate_message(self.headers, values, method=method, path=path)
        return str(self.signature_template % base64.b64encode(self.signer.sign(message)).decode())


def digest_of(body: bytes) -> str:
    """The Digest field of a body (RFC 3230 with SHA-256)."""
    return "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()


def sign(signer: Signer, method: str, url: str, body: bytes, now: int, extra: Mapping[str, str]) -> dict[str, str]:
    """The header fields that sign a request: Host, Date, Signature, Digest where it has a body, and the `extra` ones, covered too."""
    parts = urlsplit(url)
    headers = {"Host": parts.netloc, "Date": http_date(now)}
    if method != "GET":
        headers["Digest"] = digest_of(body)
    headers |= extra
    covered = (*(COVERED_GET if method == "GET" else COVERED_POST), *(name.lower() for name in extra))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers["Signature"] = RequestSigner(signer, covered).headers_for(headers, method, path)
    return headers


def claim(incoming: Incoming, headers: dict[str, str], now: int) -> Claim:
    """Checks all of a signed request that needs no key, its host apart. Raises Unauthorized with its reason."""
    parsed, covered = _read(headers["signature"])
    bodiless = incoming.method == "GET" and not incoming.body
    missing = set(COVERED_GET if bodiless else COVERED_POST) - set(covered)
    if missing:
        raise Unauthorized(reason="the signature does not cover " + ", ".join(sorted(missing)))
    if parsed.get("algorithm", "").lower() not in ACCEPTED:
        raise Unauthorized(reason="unknown signature algorithm")
    check_age(_time(headers.get("date", "")), now)
    if parsed.get("expires", "").isdecimal():
        check_end(int(parsed["expires"][:15]), now)
    if "digest" in covered:
        _check_digest(headers.get("digest", ""), incoming.body)
    try:
        message = generate_message(covered, CaseInsensitiveDict(headers), method=incoming.method, path=incoming.target)
        signature = base64.b64decode(parsed["signature"], validate=True)
        fields = {name: headers[name] for name in covered if not name.startswith("(")}
        return Claim(parsed["keyId"], message, signature, fields)
    except Exception as error:  # noqa: BLE001  # httpsig raises bare Exception for a header that is covered and not there
        raise Unauthorized(reason=f"the signature can't be read: {type(error).__name__}") from None


def _read(field: str) -> tuple[dict[str, str], list[str]]:
    """The parameters of a Signature field and the names that it covers."""
    named = [part.partition("=")[0].strip().lower() for part in parse_http_list(field)]
    if len(named) != len(set(named)):
        raise Unauthorized(reason="a parameter of the signature stands twice")
    parsed = parse_signature_header(field)
    covered = [name.lower() for name in parsed.get("headers", "").split(" ")]
    if len(covered) != len(set(covered)):
        raise Unauthorized(reason="a header is covered twice")
    return parsed, covered


def _time(date: str) -> int:
    try:
        return round(parsedate_to_datetime(date).timestamp() * MICROSECONDS)
    except (TypeError, ValueError, IndexError, OverflowError):
        raise Unauthorized(reason="no readable Date") from None


def _check_digest(field: str, body: bytes) -> None:
    found = [part for part in field.split(",") if part.strip().upper().startswith("SHA-256=")]
    try:
        right = len(found) == 1 and base64.b64decode(found[0].strip()[8:], validate=True) == hashlib.sha256(body).digest()
    except binascii.Error:
        right = False
    if not right:
        raise Unauthorized(reason="the Digest does not match the body")
