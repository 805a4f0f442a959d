"""Shows that one run of Argon2id gives a verifier and an unlock key that say nothing of each other, that old forms let people in and are
replaced by another salt, and that nobody's name costs less than somebody's."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher
from hypothesis import example, given
from hypothesis import strategies as st

from fedcollab.base import crypto, passwords
from fedcollab.base.passwords import Cost

PEPPER, OTHER = b"p" * 32, b"o" * 32
CHEAP = Cost(8, 1, 1)  # kibibytes: what is shown here does not hang on the cost
OLD = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
WORDS = st.text(max_size=60)


@pytest.fixture(autouse=True, scope="module")
def _cheap() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "COST", CHEAP)
        yield


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The costs of the runs of Argon2id that are made, of whichever form."""
    made: list[tuple[int, ...]] = []
    real, real_old = crypto.argon, crypto.argon_matches

    def argon(password: bytes, salt: bytes, cost: tuple[int, int, int], length: int) -> bytes:
        made.append(tuple(cost))
        return real(password, salt, cost, length)

    def old(hashed: str, password: bytes) -> bool:
        made.append(tuple(int(number) for number in re.findall(r"[mtp]=(\d+)", hashed)))
        return real_old(hashed, password)

    monkeypatch.setattr(crypto, "argon", argon)
    monkeypatch.setattr(crypto, "argon_matches", old)
    return made


@given(WORDS, WORDS)
@example("\ud800", "\udfff")
@example("ﬁve plain words", "five plain words")
def test_a_password_opens_its_own_form_by_the_same_key_each_time_and_another_one_nothing(password: str, other: str) -> None:
    made = passwords.make(password, PEPPER)
    tried = passwords.tried(made.hashed, password, PEPPER)
    assert (tried.good, tried.unlock, tried.renewed, tried.lasting) == (True, made.unlock, None, made.unlock)
    if unicodedata.normalize("NFKC", other) != unicodedata.normalize("NFKC", password):
        wrong = passwords.tried(made.hashed, other, PEPPER)
        assert (wrong.good, wrong.unlock, wrong.renewed, wrong.lasting) == (False, None, None, None)


@given(st.text(min_size=1, max_size=40))
@example("contraseña número uno")
@example("Ångström ﬁnal")
def test_one_password_typed_on_two_kinds_of_keyboard_is_the_same(password: str) -> None:
    forms = [unicodedata.normalize(form, password) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    made = passwords.make(forms[0], PEPPER)
    assert {passwords.tried(made.hashed, one, PEPPER).unlock for one in forms} == {made.unlock}


@pytest.mark.rule("P14")
def test_what_is_stored_holds_neither_the_key_nor_the_root_and_the_pepper_is_needed_for_the_key() -> None:
    made = passwords.make("four plain words here", PEPPER)
    salt, verifier = (passwords._read(part) for part in made.hashed.split("$")[-2:])
    root = crypto.argon(b"four plain words here", salt, CHEAP, 32)
    assert len({verifier, root, made.unlock}) == 3
    assert crypto.hkdf(root, PEPPER, b"fedcollab unlock 1") == made.unlock, "the one way to it"
    assert passwords.tried(made.hashed, "four plain words here", OTHER).unlock not in (None, made.unlock), "another node's key"
    assert passwords.pepper(b"k" * 32) != passwords.pepper(b"l" * 32)
    for shown in (made, passwords.tried(made.hashed, "four plain words here", PEPPER)):
        for secret in (made.unlock.hex(), repr(made.unlock), made.hashed):
            assert secret not in repr(shown)


@pytest.mark.rule("P14")
@given(st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable()))
def test_an_old_form_lets_its_person_in_and_is_replaced_by_another_salt_and_root(password: str) -> None:
    before = OLD.hash(password)
    tried = passwords.tried(before, password, PEPPER)
    assert (tried.good, tried.unlock) == (True, None)
    assert tried.renewed is not None
    salt, root = before.split("$")[-2:]
    assert salt not in tried.renewed.hashed, "the old form shows the old root"
    assert root not in tried.renewed.hashed
    again = passwords.tried(tried.renewed.hashed, password, PEPPER)
    assert (again.good, again.unlock, again.renewed) == (True, tried.renewed.unlock, None)
    wrong = passwords.tried(before, password + "x", PEPPER)
    assert (wrong.good, wrong.renewed) == (False, None)


def test_a_form_of_another_cost_lets_its_person_in_and_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = passwords.make("four plain words here", PEPPER)
    monkeypatch.setattr(passwords, "COST", Cost(16, 1, 1))
    tried = passwords.tried(before.hashed, "four plain words here", PEPPER)
    assert tried.unlock == before.unlock, "what was sealed under it opens yet"
    assert tried.renewed is not None
    assert tried.renewed.hashed.startswith("$fc1$m=16,")
    assert tried.lasting == tried.renewed.unlock != before.unlock


@given(st.text(max_size=120))
@example("")
@example(passwords.NOBODY)
@example("$argon2id$v=19$m=8,t=1,p=1$AAAA")
@example("$fc1$m=0,t=0,p=0$" + "A" * 22 + "$" + "A" * 43 + "\n")
def test_what_is_no_form_lets_nobody_in(stored: str) -> None:
    assert not passwords.tried(stored, "four plain words here", PEPPER).good


@pytest.mark.rule("AUTH-01")
def test_a_wrong_password_costs_one_run_whether_the_account_is_there_or_not(runs: list[tuple[int, ...]], monkeypatch: Any) -> None:
    monkeypatch.setattr(passwords, "COST", Cost(*crypto.ARGON))
    new, old = (
        passwords.make("four plain words here", PEPPER).hashed,
        PasswordHasher(crypto.ARGON[1], crypto.ARGON[0], crypto.ARGON[2]).hash("x"),
    )
    runs.clear()
    for stored in (new, old, "", passwords.NOBODY, "junk"):
        assert not passwords.tried(stored, "another one", PEPPER).good
    assert runs == [crypto.ARGON] * 5
    runs.clear()
    assert passwords.tried(new, "four plain words here", PEPPER).good
    assert runs == [crypto.ARGON], "one run serves the login and the key"


def test_the_form_alone_is_made_for_an_account_without_its_person() -> None:
    hashed = passwords.hash_password("four plain words here")
    assert passwords.FORM.fullmatch(hashed)
    assert passwords.tried(hashed, "four plain words here", PEPPER).good
