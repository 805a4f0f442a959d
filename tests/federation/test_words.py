"""Shows the words that admins compare: the same on both sides, others for every other key, each unlike the rest to the ear."""

import itertools
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fedcollab.actors import keys
from fedcollab.admin.look import look
from fedcollab.base.session import Session
from fedcollab.federation.wordlist import WORDS
from fedcollab.federation.words import spoken
from tests import nodes

SOUNDS = (
    *(("ph", "f"), ("gh", "g"), ("kn", "n"), ("wr", "r"), ("ck", "k"), ("qu", "kw"), ("sch", "sk"), ("ch", "C"), ("sh", "S"), ("th", "T")),
    *(("c", "k"), ("x", "ks"), ("z", "s"), ("ee", "i"), ("ea", "i"), ("oo", "u"), ("ai", "e"), ("ay", "e"), ("oa", "o"), ("ou", "u")),
    *(("ow", "o"), ("y", "i")),
)


def sound(word: str) -> str:
    """A word as a listener may write it down, roughly."""
    for spelt, heard in SOUNDS:
        word = word.replace(spelt, heard)
    return re.sub(r"e$", "", re.sub(r"(.)\1+", r"\1", word))


def slipped(one: str, other: str) -> bool:
    """Whether one sound more, less, other or exchanged with its neighbour turns one into the other."""
    if abs(len(one) - len(other)) > 1:
        return False
    short, long = sorted((one, other), key=len)
    same = next((at for at, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[same:] == long[same + 1 :]
    swapped = short[same : same + 2][::-1] == long[same : same + 2] and short[same + 2 :] == long[same + 2 :]
    return short[same + 1 :] == long[same + 1 :] or swapped


def confused(words: tuple[str, ...]) -> list[tuple[str, str]]:
    """Pairs that one slip turns into each other."""
    heard = [(word, sound(word)) for word in words]
    return [(a, b) for (a, one), (b, other) in itertools.combinations(heard, 2) if slipped(one, other)]


def test_there_are_1024_short_words_of_plain_letters() -> None:
    assert len(set(WORDS)) == len(WORDS) == 1024
    assert [word for word in WORDS if not re.fullmatch(r"[a-z]{3,7}", word)] == []


def test_no_word_becomes_another_by_one_slip_of_the_ear() -> None:
    assert confused(WORDS) == []
    assert confused(("sail", "bread", "sale")) == [("sail", "sale")]
    assert confused(("bear", "pear", "peach")) == [("bear", "pear"), ("pear", "peach")]
    assert confused(("cork", "coal", "crok", "corker")) == [("cork", "crok")]


def test_both_sides_have_the_same_words_and_any_other_key_gives_others() -> None:
    prints = [str(number) * 64 for number in range(4)]
    assert spoken(prints[0], prints[1]) == spoken(prints[1], prints[0])
    every = [spoken(a, b) for a, b in itertools.combinations(prints, 2)]
    assert len({one.words for one in every}) == len({one.digits for one in every}) == 6
    assert {(len(one.words), len("".join(one.digits))) for one in every} == {(8, 25)}


def test_the_digits_say_the_same_as_the_words() -> None:
    one = spoken("a" * 64, "b" * 64)
    number = sum(WORDS.index(word) << 10 * place for place, word in enumerate(reversed(one.words)))
    assert int("".join(one.digits)) == number


def test_a_fingerprint_is_of_the_keys_and_not_of_how_they_are_written() -> None:
    ed = keys.multibase(Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    pem = PEM.strip()
    one = {"https://a.example/actor#rsa": ("rsa", pem), "https://a.example/actor#ed": ("ed25519", ed)}
    other = {"https://a.example/actor#x": ("ed25519", ed), "https://a.example/actor#y": ("rsa", pem.replace("\n", "\r\n") + "\n")}
    assert keys.fingerprint(one) == keys.fingerprint(other)
    assert keys.fingerprint(one) != keys.fingerprint({"k": ("ed25519", ed)})


PEM = """
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0m59l2u9iDnMbrXHfqkO
rn2dVQ3vfBJqcDuFUK03d+1PZGbVlNCqnkpIJ8syFppW8ljnWweP7+LiWpRoz0I7
fYb3d8TjhV86Y997Fl4DBrxgM6KTJOuE/uxnoDhZQ14LgOU2ckXjOzOdTsnGMKQB
LCl0vpcXBtFLMaSbpv1ozi8h7DJyVZ6EnFQZUWGdgTMhDrmqevfx95U/16c5WBDO
kqwIn7Glry9n9Suxygbf8g5AzpWcusZgDLIIZ7JTUldBb8qU2a0Dl4mvLZOn4wPo
jfj9Cw2QICsc5+Pwf21fP+hzf+1WSRHbnYv8uanRO0gZ8ekGaghM/2H6gqJbo2nI
JwIDAQAB
-----END PUBLIC KEY-----
"""


async def test_two_nodes_show_the_same_words_to_their_admins_and_a_third_shows_others(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "A", "B", "C") as (a, b, c):
        await nodes.befriend(a, b)
        await nodes.befriend(a, c)

        async def words(here: nodes.Here, other: nodes.Here) -> tuple[str, ...]:
            def read(session: Session) -> tuple[str, ...]:
                return look(session, here.kernel.node, other.url).spoken().words

            found: tuple[str, ...] = await here.read(read)
            return found

        assert await words(a, b) == await words(b, a) != await words(a, c) == await words(c, a)
