"""What a partner's composer says of newcomers is what the group's host has decided: both nodes say the same."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from fedcollab.features.discussions import reading
from tests import nodes
from tests.nodes import Here, until


async def history(here: Here, uri: str) -> bool | None:
    """Whether organisations admitted later see what came before, as this node says before sending; None while it knows no such group."""

    def read(session: Any) -> bool | None:
        return next((g.history for g in reading.groups(session, here.viewer) if g.actor.uri == uri), None)

    found: bool | None = await here.read(read)
    return found


@pytest.mark.parametrize("opened", [True, False])
async def test_a_partner_is_told_whether_newcomers_see_what_came_before(tmp_path: Path, opened: bool) -> None:
    ports = (nodes.free_port(), nodes.free_port())
    made = [await nodes.start(tmp_path, port=port, peers=ports, name=f"Node {port}") for port in ports]
    host, partner = made
    try:
        await nodes.befriend(host, partner)
        group = await host.group("leads", history=opened)

        async def known() -> bool:
            return await history(partner, group.uri) is not None

        await until("the group is known", known)
        assert await history(host, group.uri) is opened
        assert await history(partner, group.uri) is opened
    finally:
        await asyncio.gather(*(one.stop() for one in made))
