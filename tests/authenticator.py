"""Gives tests a security key in software: it makes passkeys and answers with them, truly or, where a test says so, falsely."""

import hashlib
import json
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from os import urandom
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, MAKES = 0x01, 0x04, 0x40


def text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw(said: str) -> bytes:
    return urlsafe_b64decode(said + "=" * (-len(said) % 4))


@dataclass
class Authenticator:
    """One device with one passkey. `origin` is the page's, as the browser says it; `counts` by how much it counts on with each use."""

    origin: str
    counts: int = 1
    counter: int = 0
    flags: int = PRESENT | VERIFIED
    id: bytes = field(default_factory=lambda: urandom(20))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, options: dict[str, Any], **false: Any) -> str:
        """What a browser sends after a passkey was made for `options`."""
        data = self._client("webauthn.create", options["challenge"], false)
        numbers = self.key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        credential = bytes(16) + struct.pack(">H", len(self.id)) + self.id + cose
        said = self._said(false.get("rp", options["rp"]["id"]), MAKES) + credential
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": said})
        return self._sent({"clientDataJSON": text(data), "attestationObject": text(made)})

    def answer(self, options: dict[str, Any], **false: Any) -> str:
        """What a browser sends after the passkey has answered `options`. `false`: the `challenge`, `type` or `rp` in it, where wrong."""
        data = self._client("webauthn.get", options["challenge"], false)
        said = self._said(false.get("rp", options["rpId"]), 0)
        signed = self.key.sign(said + hashlib.sha256(data).digest(), ec.ECDSA(SHA256()))
        return self._sent({"clientDataJSON": text(data), "authenticatorData": text(said), "signature": text(signed)})

    def _client(self, kind: str, challenge: str, false: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said | {name: value for name, value in false.items() if name in said}).encode()

    def _said(self, rp: str, more: int) -> bytes:
        self.counter += self.counts
        return hashlib.sha256(rp.encode()).digest() + bytes([self.flags | more]) + struct.pack(">I", self.counter)

    def _sent(self, response: dict[str, str]) -> str:
        return json.dumps(
            {"id": text(self.id), "rawId": text(self.id), "type": "public-key", "response": response, "clientExtensionResults": {}}
        )
