"""Shows the second factor as a service: which codes are taken and how often, who has to have one, what it ends, how it is taken away."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pyotp
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base.clock import HOUR, MICROSECONDS, MINUTE
from fedcollab.base.crypto import unseal
from fedcollab.base.errors import Misconfigured
from fedcollab.base.session import Session
from fedcollab.features.members import factor, service, sessions
from tests.rows import START, Hands, home, memory, node, quick_keys, refused

STEP = factor.STEP * MICROSECONDS
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@dataclass
class Room:
    """A node in earnest with an admin, ilse, and a member, daan."""

    session: Session
    node: Node
    clock: Hands

    def viewer(self, name: str) -> Viewer:
        found = service.find(self.session, name)
        return Viewer(person_id=found.person_id, roles=frozenset(found.roles))

    def start(self, name: str) -> str:
        return sessions.start_session(self.session, self.node, self.viewer(name).person_id, "a browser")

    def signed_in(self, token: str) -> sessions.SignedIn | None:
        return sessions.signed_in(self.session, self.node, token)

    def switched_on(self, name: str, keep: str = "") -> tuple[pyotp.TOTP, list[str]]:
        """An app that holds the person's secret, and the recovery codes; the clock has moved on past the first code."""
        viewer = self.viewer(name)
        factor.offer(self.session, self.node, viewer.person_id)
        app = pyotp.TOTP(factor.state(self.session, self.node, viewer.person_id).offered)
        codes = factor.confirm(self.session, self.node, viewer, self.code(app), keep)
        self.clock.at += 2 * STEP
        return app, codes

    def code(self, app: pyotp.TOTP, steps: int = 0) -> str:
        return app.at(self.clock.at // MICROSECONDS + steps * factor.STEP)

    def takes(self, name: str, code: str) -> bool:
        return factor.takes(self.session, self.node, self.viewer(name).person_id, code)


@pytest.fixture
def room() -> Iterator[Room]:
    clock = Hands()
    with memory() as session, quick_keys():
        made = Room(session, node(clock), clock)
        home(session, made.node)
        for name, roles in (("ilse", ["admin", "member"]), ("daan", ["member"])):
            service.add_member(session, made.node, None, username=name, name=name.title(), roles=roles, password_hash="h")
        yield made


@given(at=st.integers(START, START + 400 * 24 * HOUR), off=st.integers(-6, 6), last=st.integers(-6, 6))
def test_a_code_is_good_within_one_step_of_the_clock_and_later_than_the_last_one_taken(at: int, off: int, last: int) -> None:
    present = at // STEP
    code = pyotp.TOTP(SECRET).at(at // MICROSECONDS + off * factor.STEP)
    others = {pyotp.TOTP(SECRET).at(at // MICROSECONDS + near * factor.STEP) for near in (-1, 0, 1) if near != off}
    expected = present + off if abs(off) <= 1 and off > last else 0
    if code not in others:  # two steps that happen to have one code
        assert factor.step_of(SECRET, code, at, present + last) == expected


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-2, 2)), max_size=30))
def test_no_step_is_ever_taken_twice_whatever_is_tried_in_whichever_order(tries: list[tuple[int, int]]) -> None:
    at, last, taken = START, 0, []
    for wait, off in tries:
        at += wait * STEP
        step = factor.step_of(SECRET, pyotp.TOTP(SECRET).at(at // MICROSECONDS + off * factor.STEP), at, last)
        if step:
            taken.append(step)
            last = step
    assert taken == sorted(set(taken))


@given(st.text(max_size=12).filter(lambda said: not factor.is_app_code(said)))
def test_what_is_no_code_is_never_taken_for_one(said: str) -> None:
    assert factor.step_of(SECRET, said, START, 0) == 0


def test_a_code_may_be_typed_with_a_blank_or_in_the_digits_of_ones_own_script() -> None:
    code = pyotp.TOTP(SECRET).at(START // MICROSECONDS)
    arabic = code.translate({ord("0") + digit: 0x660 + digit for digit in range(10)})
    for said in (code, f"{code[:3]} {code[3:]}", f" {code[:3]}-{code[3:]} ", arabic):
        assert factor.is_app_code(said)
        assert factor.step_of(SECRET, said, START, 0) == START // STEP


@pytest.mark.rule("AUTH-01")
def test_a_code_signs_in_once_and_nobody_by_it_a_second_time(room: Room) -> None:
    app, _ = room.switched_on("daan")
    daan = room.viewer("daan").person_id
    half = sessions.sign_in(room.session, room.node, daan, "h", "a")
    other = sessions.sign_in(room.session, room.node, daan, "h", "a")
    assert isinstance(half, sessions.OwesCode)
    assert room.signed_in(half) is None, "no session before the code"
    code = room.code(app)
    assert sessions.finish(room.session, room.node, half, "000000" if code != "000000" else "000001", "a") == ""
    token = sessions.finish(room.session, room.node, half, code, "a")
    assert room.signed_in(token) is not None
    assert sessions.finish(room.session, room.node, other, code, "a") == "", "replayed"
    assert sessions.finish(room.session, room.node, half, room.code(app, 1), "a") == "", "that browser owes nothing any more"
    room.clock.at += STEP
    assert sessions.finish(room.session, room.node, other, room.code(app), "a") != ""


def test_a_browser_owes_its_code_for_ten_minutes_and_not_after_the_password_changed_or_the_account_ended(room: Room) -> None:
    app, codes = room.switched_on("daan")
    daan = room.viewer("daan").person_id

    def begun() -> str:
        return sessions.sign_in(room.session, room.node, daan, "h", "a")

    late = begun()
    room.clock.at += 10 * MINUTE - 1
    assert sessions.owes_code(room.session, room.node, late) == daan
    room.clock.at += 1
    assert sessions.finish(room.session, room.node, late, room.code(app), "a") == ""
    before = begun()
    service.set_password(room.session, room.node, daan, "h")
    assert sessions.finish(room.session, room.node, before, room.code(app), "a") == ""
    linked = begun()
    link = service.make_link(room.session, room.node, None, "daan")
    assert sessions.finish(room.session, room.node, linked, room.code(app), "a") == ""
    opened = service.use_link(room.session, room.node, link, "a")
    assert isinstance(opened, sessions.OwesCode), "a link does not stand in for the second factor"
    signed = room.signed_in(sessions.finish(room.session, room.node, opened, room.code(app), "a"))
    assert signed is not None
    assert signed.new_password_due
    last = begun()
    service.disable(room.session, room.node, None, "daan")
    assert sessions.finish(room.session, room.node, last, codes[0], "a") == ""
    for table in ("second_factor", "recovery_code", "half_login"):
        assert room.session.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one() == 0


def test_a_recovery_code_works_once_as_it_is_printed_or_typed_and_for_its_owner_alone(room: Room) -> None:
    _, codes = room.switched_on("daan")
    room.switched_on("ilse")
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}", code) for code in codes)
    assert not room.takes("ilse", codes[0])
    assert room.takes("daan", codes[0])
    assert not room.takes("daan", codes[0])
    assert room.takes("daan", codes[1].replace("-", " ").upper().replace("0", "O").replace("1", "I"))
    assert factor.state(room.session, room.node, room.viewer("daan").person_id).codes == 8
    new = factor.renew_codes(room.session, room.node, room.viewer("daan"))
    assert not room.takes("daan", codes[2])
    assert room.takes("daan", new[2])
    assert [e.action for e in audit.newest(room.session)][:4] == [
        "member.recovery_code", "member.recovery_codes", "member.recovery_code", "member.recovery_code",
    ]  # fmt: skip


def test_the_secret_is_sealed_under_the_nodes_key_for_this_person_and_no_code_lies_in_the_database(room: Room) -> None:
    app, codes = room.switched_on("daan")
    daan, ilse = room.viewer("daan").person_id, room.viewer("ilse").person_id
    sealed = room.session.execute(sa.text("SELECT sealed FROM second_factor")).scalar_one()
    assert unseal(room.node.master_key, sealed, f"second factor of {daan}") == app.secret.encode()
    for key, person in ((room.node.master_key, ilse), (b"x" * 32, daan)):
        with pytest.raises(Misconfigured):
            unseal(key, sealed, f"second factor of {person}")
    names = room.session.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
    everything = repr([room.session.execute(sa.text(f'SELECT * FROM "{name}"')).all() for name in names])
    assert not [word for word in (app.secret, *codes, *(c.replace("-", "") for c in codes)) if word in everything]


def test_a_secret_counts_once_a_code_has_proved_it_within_the_hour_and_the_old_one_counts_until_then(room: Room) -> None:
    daan = room.viewer("daan")
    old, _ = room.switched_on("daan")
    factor.offer(room.session, room.node, daan.person_id)
    new = pyotp.TOTP(factor.state(room.session, room.node, daan.person_id).offered)
    assert "does not fit" in refused(room.session, factor.confirm, room.session, room.node, daan, room.code(old), "")
    assert not room.takes("daan", room.code(new))
    assert room.takes("daan", room.code(old))
    room.clock.at += HOUR
    assert "good for an hour" in refused(room.session, factor.confirm, room.session, room.node, daan, room.code(new), "")
    factor.offer(room.session, room.node, daan.person_id)
    factor.withdraw(room.session, daan.person_id)
    assert factor.state(room.session, room.node, daan.person_id).offered == ""
    assert room.takes("daan", room.code(old)), "an offer withdrawn takes nothing away"
    newest, _ = room.switched_on("daan")
    assert not room.takes("daan", room.code(old))
    assert room.takes("daan", room.code(newest))


def test_switching_on_and_off_ends_all_other_sessions_and_admins_cannot_switch_off(room: Room) -> None:
    mine, other = room.start("daan"), room.start("daan")
    room.switched_on("daan", mine)
    assert (room.signed_in(mine) is not None, room.signed_in(other)) == (True, None)
    other = room.start("daan")
    factor.switch_off(room.session, room.node, room.viewer("daan"), mine)
    assert (room.signed_in(mine) is not None, room.signed_in(other)) == (True, None)
    assert not isinstance(sessions.sign_in(room.session, room.node, room.viewer("daan").person_id, "h", "a"), sessions.OwesCode)
    room.switched_on("ilse")
    assert "cannot do without" in refused(room.session, factor.switch_off, room.session, room.node, room.viewer("ilse"), "")
    assert [e.action for e in audit.newest(room.session)][:3] == ["member.factor_on", "member.factor_off", "member.factor_on"]


@pytest.mark.parametrize("role", ["admin", "moderator"])
def test_who_is_given_a_role_that_needs_it_owes_it_from_the_next_page_on(room: Room, role: str) -> None:
    def due(token: str) -> bool:
        signed = room.signed_in(token)
        assert signed is not None
        return signed.factor_due

    token = room.start("daan")
    assert not due(token)
    service.set_roles(room.session, room.node, None, "daan", ["member", role])
    assert due(token)
    room.switched_on("daan", token)
    assert not due(token)
    service.set_roles(room.session, room.node, None, "daan", ["member"])
    assert not due(token)


def test_a_reset_ends_the_sessions_tells_the_person_and_the_admins_and_leaves_the_password(room: Room) -> None:
    app, codes = room.switched_on("daan")
    old = room.start("daan")
    assert "no second factor" in refused(room.session, service.reset_factor, room.session, room.node, None, "ilse")
    service.reset_factor(room.session, room.node, room.viewer("ilse"), "daan")
    assert room.signed_in(old) is None
    assert not room.takes("daan", room.code(app))
    assert not room.takes("daan", codes[0])
    token = sessions.sign_in(room.session, room.node, room.viewer("daan").person_id, "h", "a")
    for one in (token, room.start("ilse")):
        signed = room.signed_in(one)
        assert signed is not None
        assert signed.notices == ["Daan"]
    newest = audit.newest(room.session)[0]
    assert (newest.action, newest.actor) == ("member.factor_reset", room.viewer("ilse").person_id)
