"""What becomes of a record by what its organisation's members do: added, changed, versions, withdrawn, deleted, under which label."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access import policy
from fedcollab.access.viewer import Viewer, partner
from fedcollab.actors import service as actors
from fedcollab.actors.models import PERSON
from fedcollab.actors.node import Node
from fedcollab.base.session import Session
from fedcollab.features.resources import sending, service, shelves
from fedcollab.features.resources.models import Resource, Version
from fedcollab.features.resources.record import Record
from fedcollab.federation.models import ACCEPTED, Activity, Delivery, Follow
from tests import rows

GUIDE = Record(title="How to read a contract", kind="Guide", summary="Eleven *questions*.", source="https://guides.example/contract")


class Shelf:
    """A node with two members, one of whom moderates, and a partner that follows it."""

    def __init__(self, session: Session) -> None:
        self.session, self.clock = session, rows.Hands()
        self.node: Node = rows.node(self.clock)
        self.me = rows.home(session, self.node)
        with rows.quick_keys():
            people = [actors.create_own(session, self.node, PERSON, username=name, name=name.title()) for name in ("ilse", "mara", "noor")]
        self.ilse, self.mara, noor = (Viewer(self.me.id, one.id, frozenset({"member"}), one.name) for one in people)
        self.noor = replace(noor, roles=frozenset({"moderator"}))
        self.partner = rows.partner(session, self.node, "tamarind.example").organisation_id
        shelves.admit_partner(session, self.node, self.partner)
        row = dict(id="f", uri="https://tamarind.example/f", follower_id=self.partner, target_id=self.me.id)
        session.execute(sa.insert(Follow).values(**row, state=ACCEPTED, created_at=0))

    def add(self, record: Record = GUIDE, *, label: str = "TLP:GREEN", **more: Any) -> str:
        return service.add(self.session, self.node, self.ilse, record, label=label, **more).id

    def row(self, resource_id: str) -> Any:
        return self.session.execute(sa.select(*Resource.__table__.columns).where(Resource.id == resource_id)).one()

    def sent(self) -> list[dict[str, Any]]:
        """What goes to the partner, in its order."""
        query = sa.select(Activity.body).join(Delivery, Delivery.activity_id == Activity.id).where(Delivery.state == "waiting")
        return [json.loads(body) for body in self.session.scalars(query.order_by(Delivery.seq))]

    def seen_by(self, viewer: Viewer) -> list[str]:
        return list(self.session.scalars(sa.select(Resource.title).where(policy.visible(Resource, viewer)).order_by(Resource.title)))


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with rows.memory() as session:
        yield Shelf(session)


def test_a_record_goes_to_partners_under_green_and_stays_here_under_strict(shelf: Shelf) -> None:
    shelf.add()
    shelf.add(replace(GUIDE, title="For us alone"), label="TLP:AMBER+STRICT")
    assert [(one["type"], one["object"]["name"]) for one in shelf.sent()] == [("Create", GUIDE.title)]
    assert shelf.seen_by(shelf.mara) == ["For us alone", GUIDE.title]
    assert shelf.seen_by(partner(shelf.partner)) == [GUIDE.title]
    assert shelf.seen_by(Viewer()) == []


def test_a_form_sent_twice_adds_once(shelf: Shelf) -> None:
    once = "01890000-0000-7000-8000-000000000000"
    assert shelf.add(once=once) == shelf.add(once=once) == once
    assert len(shelf.sent()) == 1


def test_two_people_who_edit_one_record_lose_nothing(shelf: Shelf) -> None:
    found = shelf.add()
    began = shelf.row(found).revision
    service.edit(shelf.session, shelf.node, shelf.mara, found, replace(GUIDE, publisher="Tamarind"), revision=began)
    with pytest.raises(service.Changed) as changed:
        service.edit(shelf.session, shelf.node, shelf.ilse, found, replace(GUIDE, summary="Twelve."), revision=began)
    assert changed.value.theirs.publisher == "Tamarind"
    both = replace(changed.value.theirs, summary="Twelve.")
    service.edit(shelf.session, shelf.node, shelf.ilse, found, both, revision=changed.value.revision)
    assert sending.record_of(shelf.row(found)) == both
    revisions = [one["object"]["fc:record"]["revision"] for one in shelf.sent()]
    assert revisions == sorted(set(revisions))


def test_a_new_version_takes_the_place_of_the_one_before_and_ends_a_withdrawal(shelf: Shelf) -> None:
    found = shelf.add()
    service.withdraw(shelf.session, shelf.node, shelf.ilse, found, reason="The law has changed.")
    assert (shelf.row(found).state, shelf.sent()[-1]["object"]["fc:record"]["reason"]) == ("withdrawn", "The law has changed.")
    service.new_version(shelf.session, shelf.node, shelf.mara, found, link="https://guides.example/2", note="New law.")
    assert shelf.row(found).state == "current"
    said = [(row.number, row.state) for row in shelf.session.execute(sa.select(Version).order_by(Version.number))]
    assert said == [(1, "withdrawn"), (2, "current")]
    service.new_version(shelf.session, shelf.node, shelf.mara, found, link="https://guides.example/3", number=3)
    service.new_version(shelf.session, shelf.node, shelf.mara, found, link="https://guides.example/3", number=3)
    assert [row.state for row in shelf.session.execute(sa.select(Version).order_by(Version.number))] == ["withdrawn", "replaced", "current"]


def test_only_its_adder_or_a_moderator_withdraws_and_deletes(shelf: Shelf) -> None:
    found = shelf.add()
    assert "moderator" in rows.refused(shelf.session, service.withdraw, shelf.session, shelf.node, shelf.mara, found, reason="Dislike.")
    assert "moderator" in rows.refused(shelf.session, service.delete, shelf.session, shelf.node, shelf.mara, found)
    service.delete(shelf.session, shelf.node, shelf.noor, found)
    assert (shelf.row(found).title, shelf.row(found).deleted_at) == ("", shelf.clock.at)
    assert [one["type"] for one in shelf.sent()] == ["Delete"]  # the Create has not gone yet, and never goes


@pytest.mark.rule("P8")
def test_a_label_is_widened_by_its_author_or_a_moderator_with_a_reason_alone_and_narrowed_by_any_member(shelf: Shelf) -> None:
    found = shelf.add()
    change = (shelf.session, shelf.node)
    assert "moderator" in rows.refused(shelf.session, service.relabel, *change, shelf.mara, found, "TLP:CLEAR", reason="It is good.")
    assert "Say why" in rows.refused(shelf.session, service.relabel, *change, shelf.noor, found, "TLP:CLEAR")
    assert "Say why" in rows.refused(shelf.session, service.relabel, *change, shelf.ilse, found, "TLP:CLEAR", reason=" \n")
    service.relabel(*change, shelf.ilse, found, "TLP:CLEAR", reason="Its authors ask for it.")
    assert shelf.seen_by(Viewer()) == [GUIDE.title]
    service.relabel(*change, shelf.mara, found, "TLP:AMBER+STRICT")
    assert shelf.seen_by(Viewer()) == shelf.seen_by(partner(shelf.partner)) == []
    assert shelf.sent()[-1]["object"]["type"] == ["Tombstone", "fc:Resource"]
    service.relabel(*change, shelf.noor, found, "TLP:GREEN", reason="We were wrong.")
    last = shelf.sent()[-1]
    assert last["type"] == "Create"
    assert last["object"]["fc:record"]["revision"] > shelf.sent()[-2]["object"]["fc:record"]["revision"]


@pytest.mark.parametrize("label", ["TLP:AMBER", "TLP:RED", "TLP:WHITE"])
def test_a_label_that_needs_sealing_is_refused(shelf: Shelf, label: str) -> None:
    rows.refused(shelf.session, service.add, shelf.session, shelf.node, shelf.ilse, GUIDE, label=label)
    assert shelf.sent() == []
