"""Shows that what was deleted, withdrawn or kept to ourselves after a backup is so again where that one comes back."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from fedcollab.backup import erasures
from fedcollab.features.resources import notes, service
from fedcollab.features.resources.erased import ERASURES
from fedcollab.features.resources.models import CountryNote, Version
from fedcollab.federation.models import Activity, Receipt
from tests import rows
from tests.features.test_library_records import GUIDE, Shelf


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with rows.memory() as session:
        yield Shelf(session)


def restored(shelf: Shelf, happens: Callable[[], object]) -> int:
    """Something happens after a backup, which then comes back. How much was taken away again."""
    with shelf.session.connection().begin_nested() as later:
        happens()
        noted = ERASURES.listed(shelf.session, shelf.clock.at - 1)
        later.rollback()
    return erasures.replay(shelf.session, shelf.node, [ERASURES], {"resources": noted})


@pytest.mark.rule("P11")
def test_a_deleted_record_is_deleted_again_and_its_revision_goes_on(shelf: Shelf) -> None:
    found = shelf.add()
    before = shelf.row(found).revision
    shelf.clock.at += 10**9
    assert restored(shelf, lambda: service.delete(shelf.session, shelf.node, shelf.ilse, found)) == 1
    row = shelf.row(found)
    assert (row.title, row.html, row.deleted_at is not None, row.revision > before) == ("", "", True, True)
    assert shelf.seen_by(shelf.ilse) == [""], "its ids alone"


@pytest.mark.rule("P11")
def test_a_withdrawn_record_is_withdrawn_again_with_its_reason_and_a_narrowed_one_is_ours_alone(shelf: Shelf) -> None:
    found, narrowed = shelf.add(), shelf.add()

    def happens() -> None:
        shelf.clock.at += 10**9
        service.withdraw(shelf.session, shelf.node, shelf.ilse, found, reason="The law has changed.")
        service.relabel(shelf.session, shelf.node, shelf.ilse, narrowed, "TLP:AMBER+STRICT")

    shelf.clock.at += 1
    assert restored(shelf, happens) == 2
    assert (shelf.row(found).state, shelf.row(found).reason) == ("withdrawn", "The law has changed.")
    assert shelf.session.scalar(sa.select(Version.state).where(Version.resource_id == found)) == "withdrawn"
    assert shelf.row(narrowed).label == "TLP:AMBER+STRICT"
    began = shelf.row(found).revision
    service.edit(shelf.session, shelf.node, shelf.mara, found, GUIDE.__class__(title="Later", kind="Guide"), revision=began)
    assert shelf.sent()[-1]["object"]["fc:record"]["revision"] > began, "partners take the next change"


@pytest.mark.rule("P11")
def test_a_record_that_was_public_and_is_for_partners_since_is_not_public_again_nor_what_was_said_of_it(shelf: Shelf) -> None:
    narrowed, widened = shelf.add(label="TLP:CLEAR"), shelf.add()
    for found in (narrowed, widened):
        notes.add(shelf.session, shelf.node, shelf.ilse, found, country="FR", text="Ask in writing.")

    def happens() -> None:
        shelf.clock.at += 10**9
        service.relabel(shelf.session, shelf.node, shelf.ilse, narrowed, "TLP:GREEN")
        service.relabel(shelf.session, shelf.node, shelf.noor, widened, "TLP:CLEAR", reason="It is on the web.")

    assert restored(shelf, happens) == 1
    assert [shelf.row(found).label for found in (narrowed, widened)] == ["TLP:GREEN", "TLP:GREEN"]
    assert set(shelf.session.scalars(sa.select(CountryNote.label))) == {"TLP:GREEN"}


@pytest.mark.rule("P11")
def test_a_deleted_note_is_deleted_again_and_what_stood_before_stays(shelf: Shelf) -> None:
    found = shelf.add()
    kept, gone = (
        notes.add(shelf.session, shelf.node, shelf.ilse, found, country=country, text="Ask in writing.") for country in ("FR", "NL")
    )
    shelf.clock.at += 10**9
    assert restored(shelf, lambda: notes.delete(shelf.session, shelf.node, shelf.ilse, gone)) == 1
    said = dict(shelf.session.execute(sa.select(CountryNote.id, CountryNote.html)).all())
    assert (said[gone], said[kept]) == ("", "<p>Ask in writing.</p>")
    bodies = "".join(shelf.session.scalars(sa.select(Activity.body).where(Activity.object_uri.contains(gone))))
    assert bodies == "", "nor do its words wait in what is sent"


@pytest.mark.rule("P8", "P11")
@pytest.mark.parametrize("label", ["TLP:GREEN", "TLP:AMBER+STRICT"])
def test_a_narrowed_record_and_what_was_said_of_it_do_not_come_back_wider(shelf: Shelf, label: str) -> None:
    found, other = shelf.add(label="TLP:CLEAR"), shelf.add(label="TLP:CLEAR")
    for one in (found, other):
        notes.add(shelf.session, shelf.node, shelf.ilse, one, country="FR", text="Ask in writing.")

    def happens() -> None:
        shelf.clock.at += 10**9
        service.relabel(shelf.session, shelf.node, shelf.ilse, found, label)

    shelf.clock.at += 1
    assert restored(shelf, happens) == 1
    said = dict(shelf.session.execute(sa.select(CountryNote.resource_id, CountryNote.label)).all())
    assert (shelf.row(found).label, said[found]) == (label, label)
    assert (shelf.row(other).label, said[other]) == ("TLP:CLEAR", "TLP:CLEAR")


def versions(shelf: Shelf, found: str) -> list[tuple[int, str, str]]:
    query = sa.select(Version.number, Version.state, Version.reason).where(Version.resource_id == found)
    return [tuple(row) for row in shelf.session.execute(query.order_by(Version.number))]


@pytest.mark.rule("P11", "P12")
def test_an_older_version_that_was_withdrawn_alone_is_so_again_and_each_partner_was_asked_to_confirm_it(shelf: Shelf) -> None:
    found, other = shelf.add(), shelf.add()
    for one in (found, other):
        service.new_version(shelf.session, shelf.node, shelf.ilse, one, link="https://guides.example/2")
    asked = service.about_version(shelf.row(found).uri, 1)
    receipts_of: list[str] = []

    def happens() -> None:
        shelf.clock.at += 10**9
        service.withdraw(shelf.session, shelf.node, shelf.ilse, found, reason="It names a person.", number=1)
        query = sa.select(Receipt.organisation_uri).where(Receipt.object_uri == asked)
        receipts_of.extend(shelf.session.scalars(query))

    shelf.clock.at += 1
    assert restored(shelf, happens) == 1
    assert receipts_of == ["https://tamarind.example/actor"]
    assert versions(shelf, found) == [(1, "withdrawn", "It names a person."), (2, "current", "")]
    assert versions(shelf, other) == [(1, "replaced", ""), (2, "current", "")]
    row = shelf.row(found)
    assert (row.state, row.reason, row.label) == ("current", "", "TLP:GREEN")
    assert row.revision > shelf.row(other).revision, "partners take the next change"


@pytest.mark.rule("P11")
def test_a_version_that_was_replaced_and_withdrawn_since_is_not_what_a_record_of_then_offers(shelf: Shelf) -> None:
    found = shelf.add()

    def happens() -> None:
        shelf.clock.at += 10**9
        service.new_version(shelf.session, shelf.node, shelf.ilse, found, link="https://guides.example/2")
        service.withdraw(shelf.session, shelf.node, shelf.ilse, found, reason="It names a person.", number=1)

    shelf.clock.at += 1
    assert restored(shelf, happens) == 1
    assert versions(shelf, found) == [(1, "withdrawn", "It names a person.")]
    assert (shelf.row(found).state, shelf.row(found).reason) == ("withdrawn", "It names a person.")
    with shelf.session.connection().begin_nested():
        again = ERASURES.listed(shelf.session, 0)
    assert erasures.replay(shelf.session, shelf.node, [ERASURES], {"resources": again}) == 0, "it is so already"


@pytest.mark.rule("P11")
def test_a_record_withdrawn_before_a_backup_and_current_since_stays_withdrawn_where_its_new_version_did_not_come_back(shelf: Shelf) -> None:
    found = shelf.add(label="TLP:CLEAR")
    service.withdraw(shelf.session, shelf.node, shelf.ilse, found, reason="The law has changed.")

    def happens() -> None:
        shelf.clock.at += 10**9
        service.new_version(shelf.session, shelf.node, shelf.ilse, found, link="https://guides.example/2")
        service.relabel(shelf.session, shelf.node, shelf.ilse, found, "TLP:GREEN")

    shelf.clock.at += 1
    assert restored(shelf, happens) == 1
    row = shelf.row(found)
    assert (row.state, row.reason, row.label) == ("withdrawn", "The law has changed.", "TLP:GREEN")
