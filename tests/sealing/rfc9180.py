"""A second reader of boxes, written from RFC 9180 and the definition of MLKEM768-X25519 (X-Wing) alone."""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

SUITE_ID = b"HPKE" + bytes.fromhex("647a00010003")
QUANTUM = 1088  # bytes of ML-KEM's ciphertext
LABEL = rb"\.//^\ ".strip()


def open_box(quantum: MLKEM768PrivateKey, curve: X25519PrivateKey, box: bytes, info: bytes) -> bytes:
    enc, ct = box[: QUANTUM + 32], box[QUANTUM + 32 :]
    shared = quantum.decapsulate(enc[:QUANTUM]), curve.exchange(X25519PublicKey.from_public_bytes(enc[QUANTUM:]))
    ours = curve.public_key().public_bytes_raw()
    secret = hashlib.sha3_256(b"".join(shared) + enc[QUANTUM:] + ours + LABEL).digest()
    context = b"\0" + _extract(b"", b"psk_id_hash", b"") + _extract(b"", b"info_hash", info)
    schedule = _extract(secret, b"secret", b"")
    return ChaCha20Poly1305(_expand(schedule, b"key", context, 32)).decrypt(_expand(schedule, b"base_nonce", context, 12), ct, b"")


def _extract(salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt, b"HPKE-v1" + SUITE_ID + label + ikm, "sha256")


def _expand(secret: bytes, label: bytes, context: bytes, length: int) -> bytes:
    info = length.to_bytes(2) + b"HPKE-v1" + SUITE_ID + label + context
    return hmac.digest(secret, info + b"\1", "sha256")[:length]
