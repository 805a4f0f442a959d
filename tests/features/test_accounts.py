"""Shows how accounts come and end: roles, the last admin, invitations and links that run out, sessions that do, guesses that wait."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.clock import DAY, HOUR, MICROSECONDS, MINUTE
from fedcollab.base.errors import Refused, TooMany
from fedcollab.base.session import Session
from fedcollab.features.members import service, sessions, tokens
from fedcollab.features.members.throttle import Throttle
from tests.rows import Hands, home, memory, node, quick_keys, refused


@dataclass
class Room:
    """A node with one admin, ilse."""

    session: Session
    node: Node
    clock: Hands

    def add(self, name: str, *roles: str) -> service.MemberData:
        return service.add_member(self.session, self.node, None, username=name, name=name.title(), roles=list(roles or ("member",)))

    def start(self, name: str) -> str:
        return sessions.start_session(self.session, self.node, service.find(self.session, name).person_id, "a browser")

    def signed_in(self, token: str) -> str:
        """The name behind a session; empty for none."""
        found = sessions.signed_in(self.session, self.node, token)
        return found.viewer.name if found else ""


@pytest.fixture
def room() -> Iterator[Room]:
    clock = Hands()
    with memory() as session, quick_keys():
        made = Room(session, node(clock), clock)
        home(session, made.node)
        made.add("ilse", "admin", "member")
        yield made


def test_a_member_has_the_roles_given_and_a_signed_document(room: Room) -> None:
    made = room.add("daan", "moderator", "member", "member")
    assert (made.roles, made.name, made.disabled_at) == (["member", "moderator"], "Daan", None)
    person = actors.by_id(room.session, made.person_id)
    assert person.username == "daan"
    signed = sessions.signed_in(room.session, room.node, room.start("daan"))
    assert signed
    assert (signed.viewer.moderates, signed.viewer.is_admin, signed.viewer.organisation_id) == (True, False, person.organisation_id)
    assert [m.username for m in service.listed(room.session)] == ["daan", "ilse"]


@pytest.mark.parametrize(
    ("name", "roles", "words"),
    [
        ("daan", [], "Choose at least one of the roles"),
        ("daan", ["owner"], "Choose at least one of the roles"),
        ("ilse", ["member"], "This name is taken"),
        ("organisation", ["member"], "This name is taken"),
        ("Daan", ["member"], "small letters a to z"),
        ("../x", ["member"], "small letters a to z"),
        ("", ["member"], "small letters a to z"),
        ("d" * 41, ["member"], "at most 40"),
    ],
)
def test_a_wrong_name_or_role_is_refused_in_words_and_makes_nobody(room: Room, name: str, roles: list[str], words: str) -> None:
    said = refused(room.session, service.add_member, room.session, room.node, None, username=name, name="x", roles=roles)
    assert words in said
    assert len(service.listed(room.session)) == 1


def test_the_last_admin_cannot_be_disabled_but_one_of_two_can(room: Room) -> None:
    assert "last admin" in refused(room.session, service.disable, room.session, room.node, None, "ilse")
    room.add("daan", "admin")
    token = room.start("ilse")
    service.disable(room.session, room.node, None, "ilse")
    assert room.signed_in(token) == ""
    assert "last admin" in refused(room.session, service.disable, room.session, room.node, None, "daan")
    assert [(m.username, m.disabled_at is None) for m in service.listed(room.session)] == [("daan", True), ("ilse", False)]
    assert "account is disabled" in refused(room.session, service.make_link, room.session, room.node, None, "ilse")
    assert sessions.credentials(room.session, "ilse") == ("", "")


def test_the_last_admin_stays_one_and_other_roles_count_from_the_next_page_on(room: Room) -> None:
    assert "last admin" in refused(room.session, service.set_roles, room.session, room.node, None, "ilse", ["member"])
    daan = room.add("daan")
    token = room.start("daan")
    service.set_roles(room.session, room.node, None, daan.person_id, ["admin"])
    signed = sessions.signed_in(room.session, room.node, token)
    assert signed
    assert signed.viewer.is_admin
    service.set_roles(room.session, room.node, None, "ilse", ["member"])
    assert [m.username for m in service.admins(room.session)] == ["daan"]
    for roles in ([], ["root"]):
        assert "Choose at least one" in refused(room.session, service.set_roles, room.session, room.node, None, "ilse", roles)


@pytest.mark.rule("AUTH-05")
def test_an_invitation_is_good_once_and_for_seven_days(room: Room) -> None:
    def join(token: str, name: str) -> str:
        return service.join(room.session, room.node, token, username=name, name=name, password_hash="h", language="fr", agent="a")

    token = service.invite(room.session, room.node, None, ["moderator"])
    assert room.signed_in(join(token, "noor")) == "noor"
    assert (service.find(room.session, "noor").roles, service.find(room.session, "noor").language) == (["moderator"], "fr")
    assert "used already or is too old" in refused(room.session, join, token, "amal")
    late = service.invite(room.session, room.node, None, ["member"])
    room.clock.at += 7 * DAY - 1
    assert "name is taken" in refused(room.session, join, late, "noor"), "refused, it stays good"
    assert service.invitation(room.session, room.node, late) == ["member"]
    room.clock.at += 1
    assert "too old" in refused(room.session, join, late, "amal")
    assert "too old" in refused(room.session, join, "made up", "amal")
    assert "Choose at least one of the roles" in refused(room.session, service.invite, room.session, room.node, None, ["root"])


@pytest.mark.rule("AUTH-05")
def test_a_login_link_is_good_once_for_fifteen_minutes_ends_sessions_and_tells_the_person_and_admins(room: Room) -> None:
    room.add("daan")
    old, mine = room.start("daan"), room.start("ilse")
    first = service.make_link(room.session, room.node, None, "daan")
    token = service.make_link(room.session, room.node, None, "daan")
    assert (room.signed_in(old), room.signed_in(mine)) == ("", "Ilse")
    assert "older than 15 minutes" in refused(room.session, service.use_link, room.session, room.node, first, "a"), (
        "a newer one took its place"
    )
    started = service.use_link(room.session, room.node, token, "a")
    for one, due in ((started, True), (mine, False)):
        signed = sessions.signed_in(room.session, room.node, one)
        assert signed
        assert (signed.notices, signed.new_password_due) == (["Daan"], due)
    assert "used already" in refused(room.session, service.use_link, room.session, room.node, token, "a")
    late = service.make_link(room.session, room.node, None, "daan")
    room.clock.at += 15 * MINUTE
    assert "older than 15 minutes" in refused(room.session, service.use_link, room.session, room.node, late, "a")
    assert [e.action for e in audit.newest(room.session)][:4] == ["member.link", "member.link_used", "member.link", "member.link"]


def test_a_session_ends_after_twelve_idle_hours_or_thirty_days(room: Room) -> None:
    token = room.start("ilse")
    for _ in range(10):
        room.clock.at += 12 * HOUR - 1
        assert room.signed_in(token) == "Ilse"
        sessions.touch(room.session, room.node, token)
    room.clock.at += 12 * HOUR
    assert room.signed_in(token) == ""
    token, began = room.start("ilse"), room.clock.at
    while room.clock.at < began + 30 * DAY - 11 * HOUR:
        room.clock.at += 11 * HOUR
        sessions.touch(room.session, room.node, token)
    room.clock.at = began + 30 * DAY
    assert room.signed_in(token) == ""


def test_what_has_run_out_is_forgotten_and_nothing_else(room: Room) -> None:
    room.add("daan")

    def held() -> list[int]:
        kinds = ("login_session", "login_link", "invitation")
        return [room.session.execute(sa.text(f"SELECT count(*) FROM {kind}")).scalar_one() for kind in kinds]

    link = service.make_link(room.session, room.node, None, "daan")
    invitation = service.invite(room.session, room.node, None, ["member"])
    token = room.start("ilse")
    began = room.clock.at
    for after, left in ((15 * MINUTE - 1, [1, 1, 1]), (15 * MINUTE, [1, 0, 1]), (12 * HOUR, [0, 0, 1]), (7 * DAY, [0, 0, 0])):
        room.clock.at = began + after
        service.forget_ended(room.session, room.node)
        assert held() == left
    assert room.signed_in(token) == ""
    assert "older than 15 minutes" in refused(room.session, service.use_link, room.session, room.node, link, "a")
    assert "is too old" in refused(room.session, service.invitation, room.session, room.node, invitation)


def test_a_new_password_ends_all_other_sessions_and_the_tokens_of_tools(room: Room) -> None:
    room.add("daan")
    for name in ("ilse", "daan"):
        tokens.create(room.session, room.node, None, name, purpose="a script", scopes=["read"], days=9)
    mine, other = room.start("ilse"), room.start("ilse")
    assert len(sessions.listed(room.session, service.find(room.session, "ilse").person_id)) == 2
    service.set_password(room.session, room.node, service.find(room.session, "ilse").person_id, "new hash", mine)
    assert (room.signed_in(mine), room.signed_in(other)) == ("Ilse", "")
    assert sessions.credentials(room.session, "ilse")[1] == "new hash"
    assert [one.username for one in tokens.listed(room.session, room.node)] == ["daan"]


def test_no_token_lies_in_the_database_as_it_is(room: Room) -> None:
    tokens = [
        room.start("ilse"),
        service.invite(room.session, room.node, None, ["member"]),
        service.make_link(room.session, room.node, None, "ilse"),
    ]
    names = room.session.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
    everything = repr([room.session.execute(sa.text(f'SELECT * FROM "{name}"')).all() for name in names])
    assert not [token for token in tokens if token in everything]


@pytest.mark.parametrize(
    ("password", "good"), [("four plain words here", True), ("a" * 20, False), ("short", False), ("x1y2z3" * 40, False)]
)
def test_a_password_is_long_and_no_name(password: str, good: bool) -> None:
    if good:
        service.check_password(password, "ilse")
        with pytest.raises(Refused, match="easy to guess"):
            service.check_password(password, password.upper())
    else:
        with pytest.raises(Refused, match=r"Four words|at least 10"):
            service.check_password(password)


def test_a_profile_is_kept_and_a_wrong_one_refused(room: Room) -> None:
    viewer = Viewer(person_id=service.find(room.session, "ilse").person_id)

    def change(**over: str) -> None:
        values = {"name": "Ilse V.", "summary": "one <b>\n\ntwo", "language": "ar", "time_zone": "Europe/Vienna"} | over
        service.set_profile(room.session, room.node, viewer, **values)

    change()
    found = service.find(room.session, "ilse")
    assert (found.name, found.language, found.time_zone) == ("Ilse V.", "ar", "Europe/Vienna")
    assert "&lt;b&gt;" in actors.by_id(room.session, viewer.person_id).summary
    assert "languages listed" in refused(room.session, change, language="tlh")
    assert "time zones listed" in refused(room.session, change, time_zone="../zone")
    assert "name that others see" in refused(room.session, change, name=" \u200b ")
    assert service.find(room.session, "ilse") == found


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["1.1.1.1", "2.2.2.2"])), min_size=5, max_size=40))
def test_guessing_makes_only_the_guesser_wait_and_never_more_than_fifteen_minutes(guesses: list[tuple[str, str]]) -> None:
    for name in "abc":
        clock = Hands()
        throttle = Throttle(clock)
        for guess in guesses:
            throttle.failed(*guess)
        throttle.check(name, "9.9.9.9")
        if guesses.count((name, "1.1.1.1")) >= 5:
            with pytest.raises(TooMany) as caught:
                throttle.check(name, "1.1.1.1")
            assert 1 <= (caught.value.retry_after or 0) <= 15 * 60
            clock.at += (caught.value.retry_after or 0) * MICROSECONDS
        throttle.check(name, "1.1.1.1")
        throttle.succeeded(name, "1.1.1.1")
        throttle.check(name, "1.1.1.1")
