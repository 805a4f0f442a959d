"""Shows that another node's person's key is pinned at first sight, followed by the signature of the one before, and used no more when it
changes without one, until somebody here confirms the words."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import INTRODUCED, OWN, PARTNER, PERSON, Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import new_id
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.sealing import pairs, people, pinned
from fedcollab.sealing.pairs import PersonPrivate
from fedcollab.sealing.person_models import PersonKeyRow
from tests.rows import START, memory, node, organisation, refused

URI = "https://far.example/people/1"
VIEWER = Viewer("home", "", frozenset({"member"}))


@dataclass
class Far:
    """A person of a partner's, as their documents come in."""

    session: Session
    at: Node = field(default_factory=node)
    id: str = field(default_factory=lambda: new_id(START))

    def __post_init__(self) -> None:
        org = organisation(self.session, "far.example")
        row = dict(id=self.id, uri=URI, kind=PERSON, username="zoe", name="Zoe", host="far.example", organisation_id=org, inbox=URI)
        self.session.execute(sa.insert(Actor).values(**row, known=PARTNER, document={}, created_at=START, updated_at=START))

    def said(self, said: object, known: str = PARTNER) -> None:
        """A document has come in that says this of the key; None: nothing."""
        document = {} if said is None else {ap.PERSON_KEY: said}
        self.session.execute(sa.update(Actor).where(Actor.id == self.id).values(document=document, known=known))
        self.at.named(self.session, self.id)

    def key(self, private: PersonPrivate, by: PersonPrivate | None = None, known: str = PARTNER) -> None:
        self.said(people.said(URI, private.public, by), known)

    @property
    def current(self) -> str:
        found = people.current(self.session, self.id)
        return found.kid if found else ""

    @property
    def states(self) -> list[str]:
        return [key.state for key in people.listed(self.session, self.id)]

    def confirm(self, kid: str) -> None:
        pinned.confirm(self.session, self.at, VIEWER, self.id, kid)


def kid(private: PersonPrivate) -> str:
    return private.public.kid


@pytest.mark.rule("P14")
def test_the_first_key_is_pinned_and_the_same_one_again_changes_nothing() -> None:
    with memory() as session:
        far, one = Far(session), pairs.generate()
        far.said(None)
        assert far.states == []
        for _ in range(2):
            far.key(one)
            assert (far.current, far.states) == (kid(one), ["current"])


def test_a_key_signed_by_the_one_in_use_follows_it_and_one_signed_by_an_older_one_does_not() -> None:
    with memory() as session:
        far, one, two, three = Far(session), pairs.generate(), pairs.generate(), pairs.generate()
        far.key(one)
        far.key(two, by=one)
        assert (far.current, far.states) == (kid(two), ["current", "old"])
        far.key(three, by=one)
        assert (far.current, far.states) == ("", ["waiting", "old", "old"]), "whoever has read an old key makes no new one"
        far.key(three, by=two)
        assert far.current == "", "and it is for people to say now"


UNSIGNED: dict[str, Callable[[dict[str, Any], PersonPrivate], dict[str, Any]]] = {
    "no signature": lambda said, one: {"key": said["key"]},
    "named, not signed": lambda said, one: {"key": said["key"], "prev": kid(one)},
    "another's signature": lambda said, one: people.said(URI, pairs.published(said["key"]), pairs.generate()) | {"prev": kid(one)},
    "for another person": lambda said, one: people.said(URI + "0", pairs.published(said["key"]), one),
    "no text": lambda said, one: said | {"signature": 7},
    "another's key signed": lambda said, one: people.said(URI, pairs.generate().public, one) | {"key": said["key"]},
}


@pytest.mark.rule("P15")
@pytest.mark.parametrize("change", list(UNSIGNED.values()), ids=list(UNSIGNED))
def test_a_key_that_the_one_in_use_has_not_signed_stops_the_use_of_both_until_somebody_confirms_it(change: Any) -> None:
    with memory() as session:
        far, one, two = Far(session), pairs.generate(), pairs.generate()
        far.key(one)
        far.said(change(people.said(URI, two.public, one), one))
        assert far.current == ""
        if far.states == ["old"]:  # what is no key at all
            return
        assert far.states == ["waiting", "old"]
        assert "another key meanwhile" in refused(session, far.confirm, kid(one))
        far.confirm(kid(two))
        assert (far.current, far.states) == (kid(two), ["current", "old"])


def test_the_key_that_was_trusted_comes_back_by_itself_and_another_one_does_not() -> None:
    with memory() as session:
        far, one, two = Far(session), pairs.generate(), pairs.generate()
        far.key(one)
        far.said(None)
        assert (far.current, far.states) == ("", ["old"]), "withdrawn"
        far.key(one)
        assert far.current == kid(one)
        far.key(two)
        far.key(one)
        assert (far.current, far.states) == (kid(one), ["current"])
        far.said(None)
        far.key(two)
        assert (far.current, far.states) == ("", ["waiting", "old"]), "not the first that was ever seen"


@pytest.mark.parametrize(
    "broken",
    [7, [], {}, {"key": None}, {"key": {"kid": "u"}}, {"key": {"suite": "x", "kid": "u", "box": "u", "signing": "u"}}],
)
def test_what_is_no_key_is_none(broken: object) -> None:
    with memory() as session:
        far, one = Far(session), pairs.generate()
        far.said(broken)
        assert far.states == []
        far.key(one)
        far.said(broken)
        assert far.states == ["old"]


def test_another_persons_key_published_as_ones_own_is_the_publishers_alone() -> None:
    with memory() as session:
        far, one = Far(session), pairs.generate()
        far.key(one)
        other = Far.__new__(Far)
        other.session, other.at, other.id = session, far.at, new_id(START)
        row = dict(id=other.id, uri=URI + "2", kind=PERSON, username="max", name="Max", host="far.example", inbox=URI)
        org = session.scalar(sa.select(Actor.organisation_id).where(Actor.id == far.id))
        session.execute(sa.insert(Actor).values(**row, organisation_id=org, known=PARTNER, document={}, created_at=1, updated_at=1))
        other.key(one)
        assert (far.current, other.current) == (kid(one), kid(one))


def test_what_a_host_has_brought_counts_no_more_once_their_own_organisation_speaks() -> None:
    with memory() as session:
        far, brought, own = Far(session), pairs.generate(), pairs.generate()
        far.key(brought, known=INTRODUCED)
        found = people.current(session, far.id)
        assert found is not None
        assert not found.first_hand
        far.key(own)
        assert (far.current, far.states) == (kid(own), ["current"])


def test_our_own_people_have_no_key_by_a_document_and_confirming_is_on_record() -> None:
    with memory() as session:
        far, one = Far(session), pairs.generate()
        far.key(one, known=OWN)
        assert far.states == []
        assert "nothing here" in refused(session, far.confirm, kid(one))
        far.key(one)
        far.confirm(kid(one))
        [row] = session.execute(sa.select(PersonKeyRow.state, PersonKeyRow.confirmed_at)).all()
        assert (row.state, row.confirmed_at) == ("current", far.at.now())
        assert session.scalar(sa.text("SELECT action FROM audit_entry ORDER BY seq DESC")) == "key.confirm"


def test_an_older_key_than_the_one_in_use_waits_like_any_other_and_can_be_confirmed() -> None:
    with memory() as session:
        far, one, two = Far(session), pairs.generate(), pairs.generate()
        far.key(one)
        far.confirm(kid(one))
        far.key(two, by=one)
        far.key(one)
        assert (far.current, sorted(far.states)) == ("", ["old", "waiting"]), "their node may have come out of a backup, or lie"
        [waits] = [key for key in people.listed(session, far.id) if key.state == "waiting"]
        assert (waits.kid, waits.confirmed_at) == (kid(one), None), "whoever compared its words once did so for another time"
        far.key(two)
        assert (far.current, far.states) == (kid(two), ["current", "old"]), "and both stay, to check what they have signed"
        far.key(one)
        far.confirm(kid(one))
        assert (far.current, far.states) == (kid(one), ["current", "old"])
        far.key(two)
        assert (far.current, sorted(far.states)) == ("", ["old", "waiting"]), "the one that was confirmed is the one that is trusted"
        far.key(one)
        assert far.current == kid(one)
