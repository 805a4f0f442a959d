"""Shows how our actors are addressed and found, and that a name or address of another node's never passes for ours."""

from fedcollab.actors import service as actors
from fedcollab.actors.models import GROUP, PERSON
from tests.rows import home, memory, node, organisation, quick_keys

HERE = node()


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
