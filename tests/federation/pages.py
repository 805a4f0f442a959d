"""Opens a node's pages as somebody who has not signed in."""

import aiohttp

from tests.nodes import Here


async def page_of(here: Here, path: str) -> str:
    """The page at a path; it has to be there."""
    async with aiohttp.request("GET", here.url + path) as answer:
        assert answer.status == 200, (path, answer.status)
        return await answer.text()


async def opened(here: Here, kind: str) -> list[str]:
    """The pages of all threads (or posts) that are public."""
    rows = await here.sql(f"SELECT id FROM {kind} WHERE label = 'TLP:CLEAR' ORDER BY id")
    return [await page_of(here, f"/{kind}s/{row_id}") for (row_id,) in rows]
