"""Shows when a thing has the id of the form that made it."""

from fedcollab.actors.models import Actor
from fedcollab.base.clock import new_id
from fedcollab.base.once import ID, row_id
from tests.rows import START, memory, organisation


def test_a_forms_id_is_taken_once_and_nothing_else_that_it_says() -> None:
    with memory() as session:
        once = new_id(START)
        assert row_id(session, Actor, once, START) == once
        there = organisation(session, "there.example")
        for said in (there, "", "../x", once.upper(), once + "0", "%"):
            made = row_id(session, Actor, said, START)
            assert made != said
            assert ID.fullmatch(made)
