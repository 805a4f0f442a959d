"""Words by which people compare keys."""

from fedcollab.federation.wordlist import WORDS
from fedcollab.sealing import boxes, pairs, words

ANNA, BORA = "https://a.example/people/anna", "https://b.example/people/bora"
ONE, OTHER = pairs.generate().public, pairs.generate().public


def test_both_people_see_the_same_words_of_their_two_keys() -> None:
    said = words.of_two((ANNA, ONE), (BORA, OTHER))
    assert said == words.of_two((BORA, OTHER), (ANNA, ONE))
    assert len(said.words) == 8
    assert set(said.words) <= set(WORDS)


def test_another_key_another_owner_or_one_key_alone_has_other_words() -> None:
    third = pairs.generate().public
    mixed = pairs.PersonPublic(ONE.raw, OTHER.signing)
    all_said = [
        words.of_two((ANNA, ONE), (BORA, OTHER)),
        words.of_two((ANNA, OTHER), (BORA, ONE)),
        words.of_two((ANNA, ONE), (BORA, third)),
        words.of_two((ANNA, mixed), (BORA, OTHER)),
        words.of_one(ANNA, ONE),
        words.of_one(BORA, ONE),
        words.of_one(ANNA, mixed),
        words.of_one(ANNA, boxes.Public(ONE.raw)),
    ]
    assert len({said.words for said in all_said}) == len(all_said)
    assert words.of_one(ANNA, ONE) == words.of_one(ANNA, pairs.published(ONE.document()))
