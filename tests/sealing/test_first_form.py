"""What was sealed in the first form opens in every later version, and by a second reader that knows FEDERATION.md alone."""

import hashlib
import json
from base64 import b64decode, urlsafe_b64decode
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fedcollab.sealing import boxes, casekeys, casesecrets, chunks, messages, pairs, papers
from fedcollab.sealing.locked import unlock

from .rfc9180 import open_box

KNOWN: dict[str, Any] = json.loads((Path(__file__).parent / "first_form.json").read_text())


def raw(name: str) -> bytes:
    return b64decode(KNOWN[name])


def bytes_of(text: str) -> bytes:
    assert text.startswith("u")
    return urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))


PERSON, ROOM_KEY = pairs.PersonPrivate.from_bytes(raw("person")), boxes.Private.from_bytes(raw("room_key"))


def test_a_person_s_key_has_the_name_that_it_was_published_under() -> None:
    assert PERSON.public.document() == KNOWN["published"]
    assert pairs.published(KNOWN["published"]) == PERSON.public


def test_a_case_key_comes_out_of_its_box_and_a_message_and_a_file_open() -> None:
    document = casekeys.parse(KNOWN["case_key"])
    secret = casesecrets.opened(document, ROOM_KEY, raw("box"))
    assert (document.ck, secret.raw) == (KNOWN["ck"], raw("case_key_raw"))
    message = messages.parse(KNOWN["message"])
    assert messages.kept(raw("kept"), message.id) == message
    assert messages.open_sealed(message, secret, [PERSON.public]).content == KNOWN["content"]
    opener = chunks.Opener(chunks.parse(KNOWN["file_key"]))
    assert opener.update(raw("file")) == b"A file of the first form."
    opener.finish()


def test_the_papers_still_open_what_they_opened() -> None:
    assert unlock(papers.code_key(papers.read_code(KNOWN["code"])), raw("by_code"), "by code") == PERSON.to_bytes()
    held = {pair: b64decode(box) for pair, box in KNOWN["sheet_boxes"].items()}
    one, two, three = map(papers.read_sheet, KNOWN["sheets"])
    for first, second in [(one, two), (one, three), (three, two)]:
        assert papers.open_with_sheets(held, KNOWN["recovery_kid"], first, second).to_bytes() == raw("recovery")


def derived(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt, info).derive(secret)


def name_of(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def test_a_second_reader_opens_the_box_of_a_case_key() -> None:
    said, key = KNOWN["case_key"], raw("room_key")[1:]
    assert name_of(rfc8785.dumps(said)) == bytes_of(KNOWN["ck"])
    info = {
        "box": 1,
        "suite": "HPKE-647a-0001-0003",
        "of": f"ck:{said['room']}:1",
        "bound": {"ck": KNOWN["ck"]},
        "to": said["members"][0]["mk"],
    }
    halves = MLKEM768PrivateKey.from_seed_bytes(key[:64]), X25519PrivateKey.from_private_bytes(key[64:])
    opened = open_box(*halves, raw("box"), rfc8785.dumps(info))
    commit = derived(opened, b"", rfc8785.dumps({"commit": 1, "room": said["room"], "epoch": 1}))
    assert (opened, commit) == (raw("case_key_raw"), bytes_of(said["commit"]))


def test_a_second_reader_opens_a_message_and_checks_who_wrote_it() -> None:
    said, key = KNOWN["message"], KNOWN["published"]
    head = rfc8785.dumps({name: value for name, value in said.items() if name != "ct"})
    cipher = ChaCha20Poly1305(derived(raw("case_key_raw"), bytes_of(said["salt"]), head))
    plain = cipher.decrypt(bytes(12), bytes_of(said["ct"]), head)
    length = int.from_bytes(plain[:4])
    content, kid, signature = plain[4 : length - 92], plain[length - 92 : length - 60], plain[length - 60 : length + 4]
    assert kid == bytes_of(key["kid"]) == name_of(key["suite"].encode() + bytes_of(key["box"]) + bytes_of(key["signing"]))
    signed = b"fedcollab sealed message 1\0" + name_of(head) + name_of(content)
    Ed25519PublicKey.from_public_bytes(bytes_of(key["signing"])).verify(signature, signed)
    assert content == rfc8785.dumps(KNOWN["content"])
    assert not plain[length + 4 :].strip(b"\0")


def test_a_second_reader_opens_a_file() -> None:
    said, sealed = KNOWN["file_key"], raw("file")
    clear = ChaCha20Poly1305(bytes_of(said["key"])).decrypt(bytes(11) + b"\1", sealed, b"fedcollab sealed file 1")
    assert clear[: said["size"]] == b"A file of the first form."
    assert (len(clear), name_of(sealed)) == (4096, bytes_of(said["digest"]))
