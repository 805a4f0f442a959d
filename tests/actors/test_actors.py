"""Shows how our actors are addressed and found, and that a name or address of another node's never passes for ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.actors import service as actors
from fedcollab.actors.models import GROUP, PERSON
from fedcollab.actors.uris import row_id, thing_uri
from tests.rows import home, memory, node, organisation, quick_keys

HERE = node()


@given(st.uuids().map(str), st.sampled_from(["people", "groups", "threads", "posts"]))
def test_an_address_of_ours_reads_back_as_its_row(made: str, folder: str) -> None:
    uri = thing_uri(HERE, folder, made)
    assert row_id(HERE, uri, folder) == made
    assert HERE.owns(uri)
    for other in (uri + "/", uri + "/x", uri[:-1], uri.replace("home.example", "home.example.evil.example"), "http" + uri[5:], uri.upper()):
        assert row_id(HERE, other, folder) is None
    assert row_id(HERE, uri, folder + "x") is None


@pytest.mark.parametrize("uri", ["https://home.example.evil.example/actor", "https://home.example", "http://home.example/actor", ""])
def test_a_similar_address_is_not_of_our_making(uri: str) -> None:
    assert not HERE.owns(uri)


def test_people_and_groups_are_found_by_name_address_and_row_and_belong_to_us() -> None:
    with memory() as session, quick_keys():
        me = home(session, HERE)
        assert actors.own(session, HERE) == me
        for kind, name in ((PERSON, "ilse"), (GROUP, "leads")):
            made = actors.create_own(session, HERE, kind, username=name, name=name.title())
            assert made == actors.by_username(session, HERE, name) == actors.by_uri(session, made.uri) == actors.by_id(session, made.id)
            assert (made.organisation_id, made.known, made.host) == (me.id, "own", "home.example")
            assert made.uri.startswith(f"https://home.example/{'people' if kind == PERSON else 'groups'}/")
        organisation(session, "partner.example")
        assert actors.by_username(session, HERE, "organisation") == me
        assert actors.by_username(session, HERE, "nobody") is None
