"""Case codes: random, sayable, nothing in them looks like something else or comes from anything."""

import pytest

from fedcollab.features.cases import codes

LOOK_ALIKE = set("dijlnqvxyc0123456789")


@pytest.mark.rule("P4")
def test_codes_are_random_and_say_nothing() -> None:
    made = {codes.fresh() for _ in range(2000)}
    assert len(made) > 1990
    assert all(codes.CODE.fullmatch(code) for code in made)
    assert not any(LOOK_ALIKE & set(code) for code in made)


def test_a_code_that_would_hurt_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    syllables = iter(["ra", "pe", "ta", "ba", "bo", "bu", "gu", "po", "ta", "ba", "bo", "bu"])
    monkeypatch.setattr(codes, "_syllable", lambda: next(syllables))
    assert codes.fresh() == "gupota-babobu"


def test_a_code_is_read_however_it_is_typed() -> None:
    code = codes.fresh()
    for typed in (code, code.upper(), code.replace("-", " "), f"  {code.replace('-', '')} "):
        assert codes.read(typed) == code
    for other in ("", "bafuko", "bafuko-tezarx", "bafuko-tezara-bafuko", "çafuko-tezara"):
        assert codes.read(other) == ""
