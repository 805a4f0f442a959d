"""Shows what a word is, in many scripts, and what a question means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.search import query, words
from fedcollab.search.query import Question, Term


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The DEPOSIT, twice.", ["the", "deposit", "twice"]),
        ("L’exploitation des enfants à Évry", ["l", "exploitation", "des", "enfants", "a", "evry"]),
        ("Straße İstanbul Ærø", ["strasse", "istanbul", "ærø"]),
        ("مُكافَحةُ الاتّجارِ بالأشخاص", ["مكافحه", "اتجار", "اشخاص"]),
        ("العربـــية", ["عربيه"]),
        ("قانون ٢٠٢٤ و ۱۳۹۹", ["قانون", "2024", "و", "1399"]),
        ("贩卖人口", ["贩卖人", "卖人口", "人口", "口"]),
        ("ราคา 500 บาท", ["ราค", "าคา", "คา", "า", "500", "บาท", "าท", "ท"]),
        ("नेपाली भाषा", ["नेपाली", "भाषा"]),
        ("кафе Ёлка", ["кафе", "елка"]),
        ("foo_bar--baz @qux", ["foo", "bar", "baz", "qux"]),
        ("ﬁle ① ½", ["file", "1", "12"]),
        ("\ue000_aabc _c", ["aabc", "c"]),
    ],
)
def test_words_are_the_same_however_they_are_written(text: str, expected: list[str]) -> None:
    assert words.tokens(text) == expected


def test_where_lines_may_break_is_no_part_of_a_khmer_word() -> None:
    assert words.tokens("ការជួញដូរ\u200bមនុស្ស") == words.tokens("ការជួញដូរមនុស្ស")


@given(st.text())
def test_tokens_are_letters_and_digits_and_never_a_mark_of_the_index(text: str) -> None:
    found = words.tokens(text)
    assert all(token and not set(token) & set("_'\"\\ *:^-+(){}\0&|!<>") and len(token) <= words.LONGEST for token in found)
    assert len(found) <= words.MOST


@given(st.text(max_size=300))
def test_nothing_typed_becomes_anything_but_terms_of_such_tokens(text: str) -> None:
    parsed = query.parse(text)
    assert all(token.replace("_", "") == token and token for term in parsed.wanted + parsed.unwanted for token in term.tokens)
    assert len(parsed.wanted) <= query.MOST
    assert len(parsed.unwanted) <= query.MOST


@pytest.mark.parametrize(
    ("typed", "wanted", "unwanted"),
    [
        ("two words", [Term(("two",)), Term(("words",))], []),
        ('"two words" -visa', [Term(("two", "words"))], [Term(("visa",))]),
        ("“two words” «deux mots»", [Term(("two", "words")), Term(("deux", "mots"))], []),
        ('"never closed', [Term(("never", "closed"))], []),
        ("recruit*", [Term(("recruit",), begins=True)], []),
        ("rec*", [Term(("rec",))], []),
        ("e-mail", [Term(("e", "mail"))], []),
        ("贩卖", [Term(("贩卖",), begins=True)], []),
        ("贩卖人口", [Term(("贩卖人", "卖人口"))], []),
        ("a a a", [Term(("a",))], []),
        ('-"" * ** "" - " ', [], []),
        ("audience:x NEAR(a b) OR ^c", [Term(("audience", "x")), Term(("near", "a")), Term(("b",)), Term(("or",)), Term(("c",))], []),
    ],
)
def test_a_question_is_words_phrases_beginnings_and_what_must_not_be_there(typed: str, wanted: list[Term], unwanted: list[Term]) -> None:
    assert query.parse(typed) == Question(tuple(wanted), tuple(unwanted))


def test_the_last_word_may_not_be_typed_out_yet() -> None:
    assert query.parse("labour recru").open == Question((Term(("labour",)), Term(("recru",), begins=True)))
    assert [query.parse(typed).open for typed in ("re", "", '"labour recru"', "recru*", "贩卖")] == [None] * 5


def test_the_threes_of_a_name_are_those_of_its_words_in_any_order() -> None:
    assert words.near("Sokha Prak") == words.near("PRAK, Sokhā")
    assert len(words.near("Sokha") & words.near("Sohka")) >= 2


@given(st.text(st.characters(max_codepoint=127), max_size=300))
def test_the_short_way_for_plain_texts_makes_the_same_words_as_the_long_one(text: str) -> None:
    assert words.tokens(text) == [part for run in words.runs(text) for part, _ in run.parts]
