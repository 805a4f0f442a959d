"""Shows that what one node posts, changes and deletes is found on its partner's node just so."""

from pathlib import Path
from typing import Any

import pytest

from fedcollab.access.viewer import ANYBODY
from fedcollab.features.discussions import groups, service
from fedcollab.search.finding import Asked, find
from tests import nodes
from tests.nodes import Here, until


async def found(here: Here, q: str, viewer: Any = None) -> list[str]:
    """The titles that are found there."""
    page = await here.kernel.database.read(find, viewer or here.viewer, Asked(q))
    return ["".join(piece.text for piece in hit.title) for hit in page.rows]


@pytest.mark.rule("P10")
async def test_a_post_is_found_at_its_partner_as_it_stands_and_not_once_it_is_deleted(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Host", "B") as (host, b):
        group = await host.group()
        await nodes.befriend(host, b)
        opener = await host.write(service.post_thread, host.viewer, group.id, title="Who knows them?", text="an oldword")

        async def there(q: str, wanted: list[str]) -> None:
            async def so() -> bool:
                return await found(b, q) == wanted

            await until(f"{q} is found so", so)

        await there("oldword", ["Who knows them?"])
        await host.write(service.edit, host.viewer, opener.post_id, text="a newword")
        await there("newword", ["Who knows them?"])
        assert await found(b, "oldword") == []
        assert await found(b, "leads") == [group.name]
        await host.write(service.delete, host.viewer, opener.post_id)
        await there("newword", [])
        assert await found(b, "who knows") == []
        assert await found(host, "newword") == []


@pytest.mark.rule("CONF-04")
async def test_a_public_group_that_its_host_narrows_is_found_by_no_visitor_of_a_partner_any_more(tmp_path: Path) -> None:
    async with nodes.running(tmp_path, "Host", "B") as (host, b):
        await nodes.befriend(host, b)
        group = await host.group("open", "TLP:CLEAR")
        await host.write(service.post_thread, host.viewer, group.id, title="Public question", text="publicword")

        async def public() -> bool:
            return await found(b, "publicword", ANYBODY) == ["Public question"]

        async def narrowed() -> bool:
            return await found(b, "publicword", ANYBODY) == []

        await until("it is found by anybody", public)
        await host.write(groups.narrow, host.viewer, group.id)
        await until("it is found by nobody outside", narrowed)
        assert await found(b, "publicword") == ["Public question"]
