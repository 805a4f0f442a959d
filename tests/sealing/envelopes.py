"""What the tests of sealing begin with: people, a room of two organisations, its case key, a message; and how bytes are spoilt."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import strategies as st

from fedcollab.sealing import boxes, pairs
from fedcollab.sealing.casekeys import MEMBER, OWNER, ROLES, CaseKey, Member
from fedcollab.sealing.casesecrets import CaseSecret, made
from fedcollab.sealing.messages import Place, Sealed, seal
from fedcollab.sealing.shut import Shut
from fedcollab.sealing.texts import written

A, B = "https://a.example", "https://b.example"
ROOM, ANNA = A + "/rooms/1", A + "/people/anna"
ROOM_KEYS = {A: boxes.generate(), B: boxes.generate()}
PERSON = pairs.generate()
PLACE = Place(A + "/messages/1", ANNA, {B: written(bytes(32))})
CONTENT = {"text": "She is safe in the house on the hill.", "numbers": [1, 2.5, None, True], "sœur": {"ع": "نص"}}


def plan(epoch: int = 1, prev: str = "") -> CaseKey:
    inside = (
        Member(A + "/actor", "", OWNER, ROOM_KEYS[A].public.kid, 1),
        Member(B + "/actor", "", MEMBER, ROOM_KEYS[B].public.kid, epoch),
    )
    return CaseKey(ROOM, epoch, prev, A + "/actor", inside, (B + "/actor",), "")


DOCUMENT, SECRET = made(plan())


def another() -> tuple[CaseKey, CaseSecret]:
    """The case key of the epoch after it."""
    return made(plan(2, DOCUMENT.ck))


def message(secret: CaseSecret = SECRET, place: Place = PLACE) -> Sealed:
    return seal(secret, PERSON, CONTENT, place)


def spoilt(data: bytes) -> Iterator[bytes]:
    """The bytes with each of them changed in one bit, cut short anywhere, with something behind or before them."""
    for at in range(len(data)):
        yield data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
        yield data[:at]
    yield data + b"\0"
    yield b"\0" + data


def never_opens(opening: Callable[[bytes], object], data: bytes) -> None:
    """Everything that was spoilt stays shut, and what was not opens."""
    opening(data)
    for other in spoilt(data):
        with pytest.raises(Shut):
            opening(other)


hashes = st.binary(min_size=32, max_size=32).map(written)
uris = st.from_regex(r"\Ahttps://[a-z]{1,8}\.example/[a-z0-9]{1,8}\Z")
json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-(2.0**52), 2.0**52) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def case_keys(draw: st.DrawFn) -> CaseKey:
    """Any case key that a well-behaved node could issue."""
    epoch = draw(st.integers(1, 2**40))
    names = draw(st.lists(st.tuples(uris, st.just("") | uris), min_size=1, max_size=5, unique=True))
    owner = names[0][0]
    roles = [OWNER if organisation == owner else draw(st.sampled_from(ROLES[1:])) for organisation, _ in names]
    inside = tuple(Member(*name, role, draw(hashes), draw(st.integers(1, epoch))) for name, role in zip(names, roles, strict=True))
    deputies = tuple(draw(st.lists(st.sampled_from(sorted({name[0] for name in names})), max_size=3, unique=True)))
    issuer = draw(st.sampled_from([owner, *deputies]))
    later = epoch > 1
    heals = tuple(draw(st.lists(hashes, min_size=2, max_size=4, unique=True))) if later and draw(st.booleans()) else ()
    return CaseKey(draw(uris), epoch, draw(hashes) if later else "", issuer, inside, deputies, draw(hashes), heals)


def moved(secret: CaseSecret, **where: str | int) -> CaseSecret:
    """The same 32 bytes, said to be of another place."""
    return replace(secret, **where)
