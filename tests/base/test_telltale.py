"""What in a text may tell who somebody is."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base import telltale

HOLDS = {
    "call her on +33 6 12 34 56 78 tonight": [("phone", "+33 6 12 34 56 78")],
    "الرقم ٠٧٧١٢٣٤٥٦٧٨ فقط": [("phone", "٠٧٧١٢٣٤٥٦٧٨")],
    "write to mina.k@example.org": [("mail", "mina.k@example.org")],
    "her page was https://social.example/mina_k and @mina.kh": [("address", "https://social.example/mina_k"), ("address", "@mina.kh")],
    "passport N1234567 was taken": [("paper", "N1234567")],
    "she left on 4 March 2024": [("date", "4 March 2024")],
    "elle est partie le 12 juillet": [("date", "12 juillet")],
    "salió el 3 de abril de 2023": [("date", "3 de abril de 2023")],
    "born 1999-04-30": [("date", "1999-04-30")],
    "held at 14, Mill Road for weeks": [("place", "14, Mill Road")],
    "the house at 11.5564, 104.9282": [("place", "11.5564, 104.9282")],
    "then Sokha Prak told us": [("name", "Sokha Prak")],
}


@pytest.mark.parametrize(("text", "found"), HOLDS.items())
def test_what_gives_somebody_away_is_marked(text: str, found: list[tuple[str, str]]) -> None:
    assert [(mark.kind, text[mark.start : mark.end]) for mark in telltale.find(text)] == found


@pytest.mark.parametrize(
    "text",
    [
        "She worked for 18 months in three houses. Nobody asked. They owed her 4500.",
        "In 2024 we met 140 people. The Ministry said nothing.",
        "Elle avait peur. Personne ne venait.",
        "عملت في المنزل لأشهر طويلة",
    ],
)
def test_a_text_that_names_nobody_has_no_mark(text: str) -> None:
    assert telltale.find(text) == []


@given(st.text(max_size=400))
def test_marks_lie_in_the_text_in_order_and_none_over_another(text: str) -> None:
    last = 0
    for mark in telltale.find(text):
        assert last <= mark.start < mark.end <= len(text)
        last = mark.end


@pytest.mark.parametrize("piece", ["1 ", "(-", "A", "Ab ", "a@", "1.", "rue ", "@a", "https://"])
def test_no_text_makes_it_slow(piece: str) -> None:
    started = time.process_time()
    telltale.find(piece * (100_000 // len(piece)))
    assert time.process_time() - started < 2
