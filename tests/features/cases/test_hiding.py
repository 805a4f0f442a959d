"""What is masked, redacted, erased or held: for whom, by whom, and what comes back."""

import time
from typing import Any

import pytest

from fedcollab.base.clock import DAY
from fedcollab.features.cases.arriving import Arrived
from fedcollab.features.cases.folding import fold
from fedcollab.features.cases.header import header
from fedcollab.features.cases.mending import Correction, Erased, Hiding, Masking, Redaction, Suspected, Unmasking
from fedcollab.features.cases.people import Health, Identity, Person
from fedcollab.features.cases.record import Hold, HoldLifted
from fedcollab.features.cases.shown import Case, Shown
from fedcollab.features.cases.work import File, Message, Task
from fedcollab.sealing.chunks import FileSecret

from .entries import CONSENT, EVERYTHING, NOW, OPENED, A, B, P, arrived, look, uri, words

OURS, THEIRS = arrived("a", Message(at=NOW, text="CANARY of ours")), arrived("b", Message(at=NOW, text="CANARY of theirs"), B)


def case(*found: Arrived, **more: Any) -> Case:
    return fold([arrived("opened", OPENED), *found], look(*EVERYTHING, **more))


def shown(found: Case, name: str) -> Shown:
    return next(one for one in found.timeline if one.id == uri(name))


def says(found: Case) -> bool:
    return any("CANARY" in text for text in words(found))


def by(kind: type[Hiding], of: str, organisation: str = A, name: str = "h", at: int = NOW + 1, **more: Any) -> Arrived:
    return arrived(name, kind(at=at, of=(uri(of),), **more), organisation)


@pytest.mark.parametrize("kind", [Masking, Redaction, Erased])
def test_nothing_is_left_of_what_was_hidden(kind: type[Hiding]) -> None:
    fixed = arrived("c", Correction(at=NOW + 1, of=uri("a"), entry=Message(at=NOW + 1, text="CANARY, corrected")))
    assert says(case(OURS, fixed))
    found = case(OURS, fixed, by(kind, "a"))
    assert not says(found)
    assert shown(found, "a").state == shown(found, "c").state != "there"
    assert shown(found, "a").hidden_by == uri("h")


def test_masking_is_undone_by_who_masked_or_leads_and_redaction_by_nobody() -> None:
    def undone(organisation: str, masker: str = A) -> bool:
        masked = by(Masking, "a" if masker == A else "b", masker)
        return says(case(OURS if masker == A else THEIRS, masked, arrived("u", Unmasking(at=NOW + 2, of=uri("h")), organisation)))

    assert undone(A)
    assert not undone(B)
    assert undone(B, masker=B)
    assert undone(A, masker=B)
    assert not says(case(OURS, by(Redaction, "a"), arrived("u", Unmasking(at=NOW + 2, of=uri("h")))))


def test_who_leads_masks_others_words_and_redacts_only_its_own() -> None:
    assert not says(case(THEIRS, by(Masking, "b", A)))
    assert says(case(OURS, by(Masking, "a", B)))
    assert says(case(THEIRS, by(Redaction, "b", A)))
    assert says(case(OURS, by(Redaction, "a", B)))


def test_what_is_redacted_may_have_other_words_in_its_place_and_is_to_be_destroyed() -> None:
    found = case(OURS, by(Redaction, "a", instead=Message(at=NOW, text="She is well.")))
    assert (shown(found, "a").state, shown(found, "a").entry) == ("redacted", Message(at=NOW, text="She is well."))
    assert found.gone == {uri("a")}
    assert not says(found)
    odd = case(OURS, by(Redaction, "a", instead=Task(at=NOW, what="Another kind")))
    assert shown(odd, "a").entry is None
    twice = case(OURS, by(Redaction, "a", instead=Message(at=NOW, text="CANARY again")), by(Redaction, "h", name="h2"))
    assert not says(twice)


def test_what_was_redacted_reads_the_same_once_its_bytes_are_destroyed() -> None:
    redacted = by(Redaction, "a", instead=Message(at=NOW, text="She is well."))
    after = case(Arrived(OURS.id, OURS.author, A, OURS.at, None, "erased"), redacted)
    assert (shown(after, "a").state, shown(after, "a").entry) == ("redacted", Message(at=NOW, text="She is well."))


def test_a_redacted_part_of_a_person_brings_back_no_older_text() -> None:
    came = [
        arrived("p", Person(at=NOW, person=P, role="PotentialVictim")),
        arrived("1", Health(at=NOW, person=P, needs="CANARY 1")),
        arrived("2", Health(at=NOW + 1, person=P, needs="CANARY 2", replaces=(uri("1"),))),
    ]
    assert says(case(*came))
    redacted = case(*came, by(Redaction, "2", at=NOW + 2))
    assert not says(redacted)
    assert redacted.gone == {uri("1"), uri("2")}
    assert [(part.state, part.entries) for part in redacted.people[0].parts] == [("redacted", ())]
    masked = case(*came, by(Masking, "2", at=NOW + 2))
    assert [text for text in words(masked) if "CANARY 2" in text] == []
    assert [(part.state, part.entries) for part in masked.people[0].parts] == [("masked", ())]


def test_redacting_a_part_takes_nothing_of_another_part_with_it() -> None:
    came = [
        arrived("1", Identity(at=NOW, person=P, name="CANARY")),
        arrived("2", Health(at=NOW + 1, person=P, needs="x", replaces=(uri("1"),))),
    ]
    found = case(*came, by(Redaction, "2", at=NOW + 2))
    assert (found.gone, says(found)) == ({uri("2")}, True)


def test_what_another_organisation_wrote_before_stands_again() -> None:
    came = [
        arrived("1", Health(at=NOW, person=P, needs="Asthma spray.")),
        arrived("2", Health(at=NOW + 1, person=P, needs="CANARY", replaces=(uri("1"),)), B),
    ]
    redacted = by(Redaction, "2", B, at=NOW + 2)
    found = case(*came, redacted)
    assert not says(found)
    assert [part.entries for part in found.people[0].parts] == [(came_in(came[0]),)]
    destroyed = Arrived(came[1].id, came[1].author, B, came[1].at, None, "erased")
    assert [part.entries for part in case(came[0], destroyed, redacted).people[0].parts] == [(came_in(came[0]),)]


def came_in(one: Arrived) -> object:
    return one.entry


def test_a_redacted_consent_is_in_force_no_more() -> None:
    came = [arrived("c", CONSENT)]
    assert case(*came).in_force
    assert case(*came, by(Redaction, "c")).in_force == ()


def test_a_case_keeps_its_terms_without_their_words_when_these_are_taken_away() -> None:
    found = case(by(Redaction, "opened"))
    assert found.terms is not None
    assert (found.terms.purpose, found.terms.retention, found.status) == ("", OPENED.retention, "Active")
    assert found.gone == frozenset()
    assert OPENED.purpose not in set(words(found))


@pytest.mark.rule("P29")
def test_an_organisations_own_entries_are_erased_at_once_and_others_after_seven_days() -> None:
    assert case(THEIRS, by(Erased, "b", B)).gone == {uri("b")}
    asked = by(Erased, "a", B)
    waits = case(OURS, asked, now=NOW + 7 * DAY)
    assert (waits.gone, shown(waits, "a").asked, says(waits)) == (frozenset(), True, True)
    over = case(OURS, asked, now=NOW + 7 * DAY + 1)
    assert (over.gone, shown(over, "a").asked, says(over)) == ({uri("a")}, False, False)


@pytest.mark.rule("P29")
def test_seven_days_are_counted_from_when_the_asking_came_here() -> None:
    backdated = arrived("h", Erased(at=NOW - 30 * DAY, of=(uri("a"),)), B, at=NOW + 10 * DAY)
    assert case(OURS, backdated, now=NOW + 16 * DAY).gone == frozenset()
    assert case(OURS, backdated, now=NOW + 18 * DAY).gone == {uri("a")}


def hold(organisation: str = A, *of: str, review: str = "2026-12-01") -> Arrived:
    said = Hold(at=NOW, of=tuple(map(uri, of)), by="Sokha Prak", reason="The court asked.", review=review)
    return arrived("hold", said, organisation)


@pytest.mark.rule("P21")
@pytest.mark.parametrize("of", [(), ("a",)])
def test_a_hold_stops_erasure_is_shown_and_lapses_unless_renewed(of: tuple[str, ...]) -> None:
    asked = by(Erased, "a", B)
    held = case(OURS, asked, hold(A, *of), now=NOW + 20 * DAY)
    assert (held.gone, shown(held, "a").held, shown(held, "a").asked) == (frozenset(), True, True)
    assert [one.id for one in held.holds] == [uri("hold")]
    lapsed = case(OURS, asked, hold(A, *of), now=NOW + 100 * DAY)
    assert (lapsed.gone, lapsed.holds) == ({uri("a")}, ())
    lifted = arrived("l", HoldLifted(at=NOW + 1, of=uri("hold"), why="The court is done."))
    assert case(OURS, asked, hold(A, *of), lifted, now=NOW + 20 * DAY).gone == {uri("a")}


@pytest.mark.rule("P21", "P10")
def test_nobody_holds_for_ever_by_naming_a_day_far_away() -> None:
    asked = by(Erased, "a", B)
    held = case(OURS, asked, hold(A, review="2099-12-31"), now=NOW + 360 * DAY)
    assert (held.gone, len(held.holds)) == (frozenset(), 1)
    later = case(OURS, asked, hold(A, review="2099-12-31"), now=NOW + 370 * DAY)
    assert (later.gone, later.holds) == ({uri("a")}, ())
    again = case(OURS, asked, hold(A, review="2099-12-31"), now=NOW + 20 * DAY)
    assert header(again, {A})["retention"] < "2030"


@pytest.mark.rule("P21")
def test_a_hold_keeps_what_was_redacted_from_being_destroyed_but_not_in_sight() -> None:
    held = case(OURS, by(Redaction, "a"), hold(A, "a"))
    assert (held.gone, says(held)) == (frozenset(), False)
    assert case(OURS, by(Redaction, "a"), hold(A, "a"), now=NOW + 100 * DAY).gone == {uri("a")}


def test_nobody_holds_or_lifts_in_anothers_name() -> None:
    own = by(Erased, "b", B)
    assert case(THEIRS, own, hold(A)).gone == frozenset()  # the one that leads may
    assert case(THEIRS, own, hold(B)).gone == frozenset()  # and who wrote it
    assert case(OURS, by(Erased, "a", A), hold(B)).gone == {uri("a")}
    lifted = arrived("l", HoldLifted(at=NOW + 1, of=uri("hold"), why="I want it gone."), B)
    assert case(THEIRS, own, hold(A), lifted).gone == frozenset()


def test_hiding_what_is_not_here_yet_works_when_it_comes() -> None:
    assert case(by(Redaction, "a")).gone == frozenset()
    assert case(by(Redaction, "a"), OURS).gone == {uri("a")}


def test_thousands_of_holds_and_redactions_of_one_long_history_cost_little() -> None:
    """Whoever is in the case may send as many entries as they like."""
    chain = [arrived(f"h{at}", Health(at=NOW + at, person=P, needs="x", replaces=(uri(f"h{at - 1}"),))) for at in range(2500)]
    taken = [arrived(f"r{at}", Redaction(at=NOW + at, of=(uri("h2499"),))) for at in range(2500)]
    holds = [arrived(f"k{at}", Hold(at=NOW, of=(uri(f"h{at}"),), by="S", reason="R", review="2026-12-01")) for at in range(2500)]
    began = time.process_time()
    found = case(*chain, *taken, *holds)
    assert time.process_time() - began < 1
    assert (len(found.holds), found.gone) == (2500, frozenset())
    assert len(case(*chain, *taken, now=NOW + DAY).gone) == 2500


@pytest.mark.rule("P23")
def test_a_suspected_image_is_read_by_nobody_and_destroyed_by_no_entry_whoever_says_what_of_it() -> None:
    secret = FileSecret(b"k" * 32, 9, b"d" * 32)
    file = arrived("f", File(at=NOW, uri=uri("file"), name="CANARY.jpg", secret=secret, about="CANARY"), B)
    assert says(case(file, THEIRS))
    for marker in (A, B):
        marked = by(Suspected, "f", marker)
        found = case(file, marked)
        assert not says(found)
        assert (shown(found, "f").state, shown(found, "f").entry, len(found.files)) == ("suspected", None, 1)
        for more in (
            by(Redaction, "f", B, "r"),
            by(Erased, "f", B, "r"),
            by(Masking, "f", A, "r"),
            arrived("r", Unmasking(at=NOW, of=uri("h"))),
        ):
            after = case(file, marked, more)
            assert (shown(after, "f").state, after.gone) == ("suspected", frozenset())
    assert says(case(THEIRS, by(Suspected, "b")))  # it is of files alone
    assert case(file, by(Erased, "f", B)).gone == {uri("f")}
