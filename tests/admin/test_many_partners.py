"""Shows that the list of partners asks as many questions, and takes as long a line, however many partners and servers outside there are."""

import time

import sqlalchemy as sa

from fedcollab.admin.status import status
from fedcollab.federation.models import OUTSIDE, Partner
from tests.rows import home, memory, node, partner, quick_keys


def test_the_list_costs_the_same_a_line_with_many_partners_and_many_servers_outside() -> None:
    with memory() as session, quick_keys():
        at = node()
        home(session, at)
        statements, costs = [0], []
        sa.event.listen(session.connection(), "before_cursor_execute", lambda *_: statements.__setitem__(0, statements[0] + 1))
        for start in (0, 20):
            for number in range(start, start * 20 or 20):
                partner(session, at, f"p{number}.example")
                there = partner(session, at, f"o{number}.example")
                session.execute(sa.update(Partner).where(Partner.id == there.id).values(state=OUTSIDE))
            statements[0] = 0
            began = time.process_time()
            lines = status(session)["partners"]
            costs.append((time.process_time() - began) / len(lines))
            asked = statements[0] - len([one for one in lines if one["state"] != OUTSIDE])  # the queue's own line
            assert asked < 30
        assert costs[1] < 4 * costs[0]
