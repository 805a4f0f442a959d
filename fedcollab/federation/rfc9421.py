"""Decides how requests are signed and read by RFC 9421, with the body's digest by RFC 9530: our required components, our own keys.

http-message-signatures reads every shape that the grammar allows. The one shape that nearly all software sends (one label, plain
names, plain parameters) is read here with one expression, at a sixth of the cost (docs/decisions/0011-two-forms-of-signatures.md);
tests hold the two to each other. So most nodes never load the library (`every_shape`).
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fedcollab.actors.keys import ED25519, RSA, Signer
from fedcollab.base.clock import MICROSECONDS
from fedcollab.base.errors import Unauthorized

from .claims import Claim, Incoming, Read, check_age, check_end

ALGORITHMS = {RSA: "rsa-v1_5-sha256", ED25519: "ed25519"}
KINDS = {name: kind for kind, name in ALGORITHMS.items()}
COVERED_GET = ("@method", "@target-uri")
COVERED_POST = (*COVERED_GET, "content-digest")
LABEL = "sig1"
DIGESTS = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}

KEY = r"[a-z*][a-z0-9_.*-]*"
INPUT = re.compile(rf'({KEY})=(\(("[a-z0-9@-]+"(?: "[a-z0-9@-]+")*)\)((?:;[a-z]+=(?:0|[1-9][0-9]{{0,14}}|"[ !#-\[\]-~]*"))*))')
PARAMETER = re.compile(r';([a-z]+)=(?:([0-9]+)|"([^"]*)")')
VALUE = re.compile(rf"({KEY})=:([A-Za-z0-9+/]+={{0,2}}):")


def digest_of(body: bytes) -> str:
    """The Content-Digest field of a body (RFC 9530 with SHA-256)."""
    return "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"


def sign(signer: Signer, method: str, url: str, body: bytes, now: int, extra: Mapping[str, str]) -> dict[str, str]:
    """The header fields that sign a request: Signature-Input, Signature, Content-Digest where it has a body, and the `extra` ones."""
    headers: dict[str, str] = {} if method == "GET" else {"Content-Digest": digest_of(body)}
    headers |= extra
    values = {"@method": method, "@target-uri": url} | {name.lower(): value for name, value in headers.items()}
    names = " ".join(f'"{name}"' for name in values)
    said = f'({names});created={now // MICROSECONDS};keyid="{signer.uri}";alg="{ALGORITHMS[signer.kind]}"'
    signature = base64.b64encode(signer.sign(_base(values.items(), said))).decode()
    return headers | {"Signature-Input": f"{LABEL}={said}", "Signature": f"{LABEL}=:{signature}:"}


def claims(incoming: Incoming, headers: Mapping[str, str], base_url: str, now: int) -> list[Claim]:
    """What each of the request's good signatures says, all checked that needs no key, in their order. Raises Unauthorized, with the
    reason of the first one that is not good, where none is."""
    found: list[Claim] = []
    wrong: Unauthorized | None = None
    for read in _signatures(incoming, headers, base_url):
        try:
            found.append(_claim(incoming, headers, read, now))
        except Unauthorized as error:
            wrong = wrong or error
    if not found:
        raise wrong or Unauthorized(reason="no signature that can be read")
    return found


def _claim(incoming: Incoming, headers: Mapping[str, str], read: Read, now: int) -> Claim:
    covered, parameters, message, signature = read
    bodiless = incoming.method == "GET" and not incoming.body
    missing = set(COVERED_GET if bodiless else COVERED_POST) - set(covered)
    if missing:
        raise Unauthorized(reason="the signature does not cover " + ", ".join(sorted(missing)))
    key_uri, algorithm = parameters.get("keyid"), parameters.get("alg")
    if not isinstance(key_uri, str) or type(parameters.get("created")) is not int or type(parameters.get("expires", 0)) is not int:
        raise Unauthorized(reason="the signature does not say when it was made, or by whom")
    if algorithm is not None and algorithm not in KINDS:
        raise Unauthorized(reason="unknown signature algorithm")
    check_age(parameters["created"] * MICROSECONDS, now)
    if "expires" in parameters:
        check_end(parameters["expires"], now)
    if "content-digest" in covered:
        check_digest(headers["content-digest"], incoming.body)
    fields = {name: headers[name] for name in covered if not name.startswith("@")}
    return Claim(key_uri, message, signature, fields, KINDS[algorithm] if algorithm else "")


def check_digest(field: str, body: bytes) -> None:
    """Raises Unauthorized unless the digests are of this body: at least one that we know, and none of them wrong."""
    if field == digest_of(body):
        return
    members = [VALUE.fullmatch(part.strip(" \t")) for part in field.split(",")]
    known = {m[1]: m[2] for m in members if m and m[1] in DIGESTS}
    try:
        right = all(base64.b64decode(value, validate=True) == DIGESTS[name](body).digest() for name, value in known.items())
    except binascii.Error:
        right = False
    if not known or not right or not all(members) or len({m[1] for m in members if m}) != len(members):
        raise Unauthorized(reason="the Content-Digest does not match the body")


def _signatures(incoming: Incoming, headers: Mapping[str, str], base_url: str) -> Iterator[Read]:
    """Each label's own components, parameters and signature: they are never mixed."""
    plain = _plain(incoming, headers, base_url)
    if plain is not None:
        yield plain
        return
    from .every_shape import READER

    try:
        yield from READER.read(incoming, headers, base_url)
    except Unauthorized:
        raise
    except Exception as error:  # noqa: BLE001  # whatever the library makes of a stranger's field, it is no good signature
        raise Unauthorized(reason=f"the signature can't be read: {type(error).__name__}") from None


def _plain(incoming: Incoming, headers: Mapping[str, str], base_url: str) -> Read | None:
    """The shape that nearly everybody sends; None for any other, which is the library's to read."""
    said, value = INPUT.fullmatch(headers.get("signature-input", "")), VALUE.fullmatch(headers.get("signature", ""))
    if said is None or value is None or said[1] != value[1]:
        return None
    names = said[3][1:-1].split('" "')
    found = PARAMETER.findall(said[4])
    parameters = {name: int(number) if number else text for name, number, text in found}
    if len(parameters) != len(found) or len(set(names)) != len(names):
        return None
    try:
        message = _base([(name, _value(name, incoming, headers, base_url)) for name in names], said[2])
        return names, parameters, message, base64.b64decode(value[2], validate=True)
    except (KeyError, ValueError):
        return None


def _base(values: Any, said: str) -> bytes:
    """What is signed. Raises ValueError where it is not ASCII."""
    return ("".join([f'"{name}": {value}\n' for name, value in values]) + f'"@signature-params": {said}').encode("ascii")


def _value(name: str, incoming: Incoming, headers: Mapping[str, str], base_url: str) -> str:
    """A component's value. Raises KeyError for one that is not there, or that is the library's to make."""
    if name == "@method":
        return incoming.method
    if name == "@target-uri":
        return base_url + incoming.target
    if name == "@authority":
        return base_url.split("://", 1)[1]
    value = headers[name]
    if not value.isprintable():
        raise KeyError(name)
    return value
