"""Shows what an older backup does not give back to whoever had it taken away: an account, a role, an old password, an old second factor."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from fedcollab.backup import erasures
from fedcollab.base.session import Session
from fedcollab.base.statements import put
from fedcollab.features.members import service as members
from fedcollab.features.members.models import Member, SecondFactor
from fedcollab.features.members.taken_away import ERASURES
from tests.rows import START, home, memory, node

AT = node()
People = dict[str, str]


def people(session: Session) -> People:
    """Four people as the older backup has them: their ids by name."""
    home(session, AT)
    roles = {"ilse": ["admin", "member"], "daan": ["admin", "member"], "noor": ["moderator"], "zoe": ["member"]}
    made = {
        name: members.add_member(session, AT, None, username=name, name=name, roles=some, password_hash=f"old {name}").person_id
        for name, some in roles.items()
    }
    put(session, SecondFactor, *(dict(person_id=made[name], sealed=b"old", on_at=START) for name in ("daan", "noor")))
    return made


def stands(session: Session, person_id: str) -> tuple[list[str], str, int]:
    """(roles, password, second factors)."""
    row = session.execute(sa.select(Member.roles, Member.password_hash).where(Member.person_id == person_id)).one()
    number = sa.select(sa.func.count()).select_from(SecondFactor).where(SecondFactor.person_id == person_id)
    return list(row.roles), row.password_hash, session.scalar(number) or 0


def restored(session: Session, happens: Callable[[People], object]) -> tuple[People, int]:
    """The four after something has happened, a newer backup has noted it, and the older one was restored; how much was taken away again."""
    ids = people(session)
    with session.connection().begin_nested() as later:
        happens(ids)
        noted = ERASURES.listed(session, START)
        later.rollback()
    return ids, erasures.replay(session, AT, [ERASURES], {"members": noted})


@pytest.mark.rule("P11", "P28")
def test_a_role_that_was_taken_away_does_not_come_back_and_none_is_given() -> None:
    def happens(ids: People) -> None:
        members.set_roles(session, AT, None, ids["daan"], ["member"])
        members.set_roles(session, AT, None, ids["noor"], ["member"])
        members.set_roles(session, AT, None, ids["zoe"], ["admin", "member"])

    with memory() as session:
        ids, taken = restored(session, happens)
        assert taken == 2
        assert {name: stands(session, one)[0] for name, one in ids.items()} == {
            "ilse": ["admin", "member"],
            "daan": ["member"],
            "noor": ["member"],
            "zoe": ["member"],
        }


@pytest.mark.rule("P11", "P28")
def test_a_password_and_a_second_factor_that_were_changed_open_nothing_again() -> None:
    with memory() as session:
        ids, taken = restored(session, lambda ids: members.set_password(session, AT, ids["noor"], "new noor"))
        assert taken == 1
        assert stands(session, ids["noor"]) == (["moderator"], "", 0)
        assert stands(session, ids["daan"]) == (["admin", "member"], "old daan", 1), "whoever changed nothing signs in as before"


@pytest.mark.rule("P11", "P28")
def test_an_account_that_was_ended_ends_again_whatever_else_happened_to_it() -> None:
    def happens(ids: People) -> None:
        members.set_password(session, AT, ids["zoe"], "new zoe")
        members.disable(session, AT, None, ids["zoe"])

    with memory() as session:
        ids, taken = restored(session, happens)
        assert taken == 1
        assert members.find(session, ids["zoe"]).disabled_at is not None
        assert len(members.admins(session)) == 2


def test_the_node_keeps_an_admin_and_what_nobody_knows_is_passed_over() -> None:
    with memory() as session:
        ids = people(session)
        noted = [f"roles {ids['ilse']} member", f"roles {ids['daan']} member", "roles nobody member", "ways-in nobody", "nobody", ""]
        assert erasures.replay(session, AT, [ERASURES], {"members": noted}) == 1
        assert [one.name for one in members.admins(session)] == ["daan"]
