"""What is sealed under a key of 32 bytes; HKDF by RFC 5869's own figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.sealing.locked import derive, lock, unlock
from fedcollab.sealing.shut import Shut

from .envelopes import never_opens

KEY = bytes(range(32))

VECTORS = [  # RFC 5869, A.1 to A.3
    (
        "0b" * 22,
        "000102030405060708090a0b0c",
        "f0f1f2f3f4f5f6f7f8f9",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        bytes(range(0x50)).hex(),
        bytes(range(0x60, 0xB0)).hex(),
        bytes(range(0xB0, 0x100)).hex(),
        (
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
            "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
        ),
    ),
    ("0b" * 22, "", "", "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
]


@pytest.mark.parametrize(("secret", "salt", "info", "known"), VECTORS)
def test_keys_are_derived_as_the_standard_says(secret: str, salt: str, info: str, known: str) -> None:
    assert derive(*map(bytes.fromhex, (secret, salt, info)), len(known) // 2).hex() == known


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.text(max_size=20))
def test_what_was_locked_opens_under_its_key_for_its_purpose(key: bytes, plain: bytes, purpose: str) -> None:
    locked = lock(key, plain, purpose)
    assert unlock(key, locked, purpose) == plain
    for other, meant in [(bytes([key[0] ^ 1]) + key[1:], purpose), (key, purpose + "x")]:
        with pytest.raises(Shut):
            unlock(other, locked, meant)


def test_locked_with_any_byte_changed_stays_shut() -> None:
    never_opens(lambda locked: unlock(KEY, locked, "by password"), lock(KEY, bytes(100), "by password"))


def test_the_same_locked_twice_differs_in_all_but_its_form() -> None:
    one, other = lock(KEY, bytes(64), "x"), lock(KEY, bytes(64), "x")
    assert one[0] == other[0]
    assert not {one[at : at + 8] for at in range(1, len(one) - 7, 8)} & {other[at : at + 8] for at in range(1, len(other) - 7, 8)}


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33)])
def test_a_key_of_another_size_is_a_mistake_of_ours(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        lock(key, b"", "x")
