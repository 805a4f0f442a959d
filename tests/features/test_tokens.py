"""Shows how tokens of members' tools come and end, and how fast a tool may ask."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, MICROSECONDS
from fedcollab.base.errors import TooMany
from fedcollab.base.session import Session
from fedcollab.features.members import factor, service, tokens
from fedcollab.features.members.models import Notice
from fedcollab.features.members.rate import EACH, MOST, STOCK, Rate
from fedcollab.federation import profiles
from tests.rows import Hands, home, memory, node, quick_keys, refused


@dataclass
class Room:
    """A node in earnest with an admin, ilse, and a member, daan."""

    session: Session
    node: Node
    clock: Hands

    def make(self, name: str = "daan", *scopes: str, days: int = 90, purpose: str = "a script") -> str:
        self.clock.at += 1000  # ids of one millisecond are in no order
        return tokens.create(self.session, self.node, None, name, purpose=purpose, scopes=scopes or ("read",), days=days)

    def bearer(self, token: str) -> tokens.Bearer | None:
        return tokens.bearer(self.session, self.node, token)


@pytest.fixture
def room() -> Iterator[Room]:
    clock = Hands()
    with memory() as session, quick_keys():
        made = Room(session, node(clock), clock)
        home(session, made.node)
        for name, roles in (("ilse", ["admin", "member"]), ("daan", ["member"])):
            service.add_member(session, made.node, None, username=name, name=name.title(), roles=roles, password_hash="h")
        yield made


def test_a_token_is_its_owners_with_the_scopes_given_and_none_of_their_roles(room: Room) -> None:
    factor.offer(room.session, room.node, service.find(room.session, "ilse").person_id)
    room.session.execute(sa.text("UPDATE second_factor SET on_at = 1"))
    found = room.bearer(room.make("ilse", "write", "read"))
    assert found is not None
    assert found.viewer.person_id == service.find(room.session, "ilse").person_id
    assert (found.viewer.is_admin, found.viewer.moderates, found.owes) == (False, False, False)
    assert found.scopes == {"read", "write"}
    only = room.bearer(room.make())
    assert only is not None
    assert only.scopes == {"read"}
    assert room.bearer("made up") is None


@pytest.mark.rule("AUTH-05")
def test_a_token_is_long_and_good_until_its_last_day_and_no_longer(room: Room) -> None:
    other, token = room.make(days=1), room.make(days=365)
    assert other != token
    assert token.startswith("fedcollab_")
    assert len(token) == len("fedcollab_") + 32, "192 bits"
    room.clock.at += 365 * DAY - 1
    assert room.bearer(token)
    assert room.bearer(other) is None
    room.clock.at += 1
    assert room.bearer(token) is None
    service.forget_ended(room.session, room.node)
    assert room.session.execute(sa.text("SELECT count(*) FROM client_token")).scalar_one() == 0


@pytest.mark.rule("AUTH-02")
def test_a_token_dies_with_the_account_with_a_one_time_link_and_when_it_is_revoked(room: Room) -> None:
    gone, kept = room.make(), room.make()
    first = tokens.listed(room.session, room.node)[-1]
    assert "no such token" in refused(
        room.session, tokens.revoke, room.session, room.node, None, first.id, service.find(room.session, "ilse").person_id
    )
    tokens.revoke(room.session, room.node, None, first.id)
    assert (room.bearer(gone), room.bearer(kept) is not None) == (None, True)
    service.make_link(room.session, room.node, None, "daan")
    assert room.bearer(kept) is None
    last = room.make()
    service.disable(room.session, room.node, None, "daan")
    assert room.bearer(last) is None
    assert "no member of this name" in refused(room.session, room.make)
    assert [e.action for e in audit.newest(room.session)][:5] == [
        "member.disable", "token.create", "member.link", "token.revoke", "token.create",
    ]  # fmt: skip


def test_whose_owner_has_something_to_do_first_opens_nothing(room: Room) -> None:
    token = room.make("ilse")
    found = room.bearer(token)
    assert found is not None
    assert found.owes, "an admin without a second factor"
    service.set_roles(room.session, room.node, None, service.add_member(
        room.session, room.node, None, username="noor", name="Noor", roles=["admin"]
    ).person_id, ["admin"])  # fmt: skip
    service.set_roles(room.session, room.node, None, "ilse", ["member"])
    found = room.bearer(token)
    assert found is not None
    assert not found.owes


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"days": 0}, "1 to 365 days"),
        ({"days": 366}, "1 to 365 days"),
        ({"purpose": " \u200b"}, "what the token is for"),
        ({"scopes": ()}, "read, write or both"),
        ({"scopes": ("read", "admin")}, "read, write or both"),
    ],
)
def test_a_wrong_wish_is_refused_in_words_and_makes_no_token(room: Room, more: dict[str, object], words: str) -> None:
    wish = {"purpose": "a script", "scopes": ("read",), "days": 90} | more
    assert words in refused(room.session, tokens.create, room.session, room.node, None, "daan", **wish)
    assert tokens.listed(room.session, room.node) == []


def test_twenty_tokens_are_enough_and_each_is_listed_for_its_owner_alone_without_its_secret(room: Room) -> None:
    made = [room.make(purpose=f"script {number}") for number in range(20)]
    assert "Revoke one" in refused(room.session, room.make)
    room.make("ilse")
    daan = service.find(room.session, "daan").person_id
    found = tokens.listed(room.session, room.node, daan)
    assert [t.purpose for t in found] == [f"script {number}" for number in reversed(range(20))]
    names = room.session.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
    everything = repr([room.session.execute(sa.text(f'SELECT * FROM "{name}"')).all() for name in names])
    assert not [token for token in made if token in everything or token.removeprefix("fedcollab_") in everything]


@given(st.lists(st.integers(0, 3 * EACH), min_size=1, max_size=400))
def test_over_any_time_a_tool_gets_its_stock_and_what_has_refilled_and_never_more(waits: list[int]) -> None:
    clock = Hands()
    rate, began, taken = Rate(clock), clock.at, 0
    for wait in waits:
        clock.at += wait
        try:
            rate.take("a")
        except TooMany:
            continue
        taken += 1
        assert taken <= STOCK + (clock.at - began) // EACH + 1
    rate.take("b")


def test_who_waits_as_long_as_told_gets_the_next_one_and_memory_stays_bounded() -> None:
    clock = Hands()
    rate = Rate(clock)
    for _ in range(STOCK):
        rate.take("a")
    with pytest.raises(TooMany) as told:
        rate.take("a")
    clock.at += (told.value.retry_after or 0) * MICROSECONDS
    rate.take("a")
    for number in range(MOST + 50):
        rate.take(f"other {number}")
    assert len(rate._full_at) <= MOST


def test_whose_document_is_from_before_there_was_an_outbox_gets_one_with_the_first_token(room: Room) -> None:
    daan = service.find(room.session, "daan").person_id
    old = {name: part for name, part in (profiles.stored_document(room.session, daan) or {}).items() if name != "outbox"}
    room.session.execute(sa.update(Actor).where(Actor.id == daan).values(document=old))
    room.make()
    document = profiles.stored_document(room.session, daan) or {}
    assert document["outbox"] == document["id"] + "/outbox"
    assert document["proof"] != old["proof"]
    room.make()
    assert profiles.stored_document(room.session, daan) == document


def test_a_token_that_somebody_else_makes_for_a_member_is_told_to_them_and_to_all_admins(room: Room) -> None:
    daan, ilse = (service.find(room.session, name).person_id for name in ("daan", "ilse"))
    me = Viewer("o", daan, frozenset({"member"}), "Daan")
    tokens.create(room.session, room.node, me, daan, purpose="a script of mine", scopes=["write"], days=9)
    told = sa.select(Notice.person_id, Notice.about_id).order_by(Notice.person_id)
    assert room.session.execute(told).all() == [], "their own is no news"
    room.make("daan", "write")
    assert sorted(map(tuple, room.session.execute(told))) == sorted([(daan, daan), (ilse, daan)])
