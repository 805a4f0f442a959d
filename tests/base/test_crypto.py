"""Shows that seals open under their own key and purpose alone, that keys and tokens are kept as they should, passwords in their turn."""

import asyncio
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base import crypto
from fedcollab.base.errors import Misconfigured, Unavailable
from fedcollab.base.paths import NodeFiles

KEY, OTHER = b"k" * 32, b"o" * 32


@given(st.binary(), st.text(max_size=40))
def test_what_is_sealed_opens_under_its_key_and_purpose_alone(plain: bytes, purpose: str) -> None:
    sealed = crypto.seal(KEY, plain, purpose)
    assert crypto.unseal(KEY, sealed, purpose) == plain
    for key, wrong in ((OTHER, purpose), (KEY, purpose + "x")):
        with pytest.raises(Misconfigured, match="belongs to another node"):
            crypto.unseal(key, sealed, wrong)


@given(st.binary(max_size=40), st.data())
def test_a_seal_that_was_changed_or_cut_does_not_open(plain: bytes, data: st.DataObject) -> None:
    sealed = crypto.seal(KEY, plain, "p")
    at = data.draw(st.integers(0, len(sealed) - 1))
    flipped = sealed[:at] + bytes([sealed[at] ^ data.draw(st.integers(1, 255))]) + sealed[at + 1 :]
    for broken in (flipped, sealed[:at]):
        with pytest.raises(Misconfigured):
            crypto.unseal(KEY, broken, "p")


@given(st.binary(max_size=100))
def test_base58_reads_back_what_it_wrote(data: bytes) -> None:
    assert crypto.unbase58(crypto.base58(data)) == data


def test_base58_agrees_with_the_drafts_own_examples() -> None:
    assert crypto.base58(b"Hello World!") == "2NEpo7TZRRrLZSi2U"
    assert crypto.base58(bytes.fromhex("0000287fb4cd")) == "11233QC4"


@given(st.text(min_size=1))
def test_base58_refuses_other_letters_with_a_value_error(text: str) -> None:
    if set(text) - set(crypto.ALPHABET) or len(text) > 200:
        with pytest.raises(ValueError):  # the one error that callers look for
            crypto.unbase58(text)


def test_keys_for_two_purposes_differ_and_are_always_the_same() -> None:
    assert crypto.derive(KEY, "web") == crypto.derive(KEY, "web")
    assert len({crypto.derive(KEY, "web"), crypto.derive(KEY, "other"), crypto.derive(OTHER, "web"), KEY}) == 4


def test_a_token_is_stored_so_that_its_reader_cannot_use_it() -> None:
    token = crypto.new_token()
    assert len(token) == 32
    assert token not in crypto.stored(token)
    assert crypto.stored(token) == crypto.stored(token) != crypto.stored(crypto.new_token())


def test_the_master_key_is_made_once_and_for_its_user_alone(tmp_path: Path) -> None:
    files = NodeFiles(tmp_path)
    made = crypto.make_master_key(files)
    assert crypto.read_master_key(files) == made
    assert files.key.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        crypto.make_master_key(files)
    assert crypto.read_master_key(files) == made


@pytest.mark.parametrize("content", [b"", b"short", b"0" * 64, b"xyzw" * 16, b"\xff" * 64, b"0123456789abcdef" * 5])
def test_a_file_that_holds_no_key_says_to_bring_back_the_right_one(tmp_path: Path, content: bytes) -> None:
    files = NodeFiles(tmp_path)
    with pytest.raises(Misconfigured, match=r"node\.key can't be read .*Bring it back"):
        crypto.read_master_key(files)
    files.key.write_bytes(content)
    files.key.chmod(0o600)
    with pytest.raises(Misconfigured, match="Bring"):
        crypto.read_master_key(files)


async def test_passwords_wait_in_a_queue_of_fifty_and_who_comes_after_is_told_to_come_back() -> None:
    gate = threading.Event()
    running = [asyncio.create_task(crypto.in_turn(gate.wait, 30)) for _ in range(crypto.AT_ONCE + crypto.WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable) as caught:
        await crypto.in_turn(gate.wait, 30)
    assert (caught.value.status, caught.value.retry_after) == (503, 10)
    running[-1].cancel()
    await asyncio.gather(running[-1], return_exceptions=True)
    running[-1] = asyncio.create_task(crypto.in_turn(gate.wait, 30))
    gate.set()
    assert all(await asyncio.gather(*running))
    assert await crypto.in_turn(crypto.argon_matches, "", b"x") is False
