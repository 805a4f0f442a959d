"""Decides who everybody is whom a page of a case may name, colleagues on it who have said nothing yet too."""

from fedcollab.sealing.naming import Named, Names

from .desk import Desk


def everybody(desk: Desk) -> Names:
    """{uri: who that is}, as `Desk.names`, and all of ours who are on the case."""
    me = desk.access.me.host
    return Names({**desk.names, **{one.uri: Named(one.uri, one.name, me, one.person_id) for one in desk.access.ours}})
