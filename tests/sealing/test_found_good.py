"""Shows that a message's signature is checked once in a process, and that nothing passes for what was not found good."""

import hashlib
from dataclasses import replace

import pytest

from fedcollab.sealing import messages
from fedcollab.sealing.found_good import FoundGood
from fedcollab.sealing.locked import decrypt, derive, encrypt
from fedcollab.sealing.pairs import PersonPublic
from fedcollab.sealing.shut import Shut

from .envelopes import CONTENT, PERSON, SECRET, message


def test_what_was_found_good_is_known_by_all_of_it() -> None:
    good = FoundGood()
    key, signature, digest = bytes(32), bytes(64), bytes(64)
    good.add(good.name(key, signature, digest))
    assert good.has(good.name(key, signature, digest))
    for other in ((b"\1" * 32, signature, digest), (key, b"\1" * 64, digest), (key, signature, b"\1" * 64)):
        assert not good.has(good.name(*other))


def test_no_more_is_kept_than_twice_the_most_and_what_is_asked_for_stays() -> None:
    good = FoundGood(most=10)
    names = [hashlib.sha256(bytes([number])).digest() for number in range(100)]
    good.add(names[0])
    for name in names[1:]:
        good.add(name)
        assert good.has(names[0])
        assert len(good._now) + len(good._before) <= 20
    assert not good.has(names[50])


def test_a_signature_is_checked_once_and_another_text_under_it_stays_shut(monkeypatch: pytest.MonkeyPatch) -> None:
    checked, signed = list[bytes](), PersonPublic.signed

    def counted(self: PersonPublic, signature: bytes, purpose: str, text: bytes) -> bool:
        checked.append(signature)
        return signed(self, signature, purpose, text)

    monkeypatch.setattr(PersonPublic, "signed", counted)
    sealed, keys = message(), [PERSON.public]
    assert [messages.open_sealed(sealed, SECRET, keys).content for _ in range(3)] == [CONTENT] * 3
    assert len(checked) == 1
    key = derive(SECRET.raw, sealed.salt, sealed.head)  # somebody inside keeps the signature and says something else
    plain = decrypt(key, sealed.ct, sealed.head)
    forged = encrypt(key, plain.replace(b"safe", b"here"), sealed.head)
    for _ in range(2):
        with pytest.raises(Shut):
            messages.open_sealed(replace(sealed, ct=forged), SECRET, keys)
    assert len(checked) == 3, "what was not found good is checked each time"
    assert messages.open_sealed(sealed, SECRET, keys).content == CONTENT
