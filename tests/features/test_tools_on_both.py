"""Shows that the second factor and members' own tools work the same on SQLite and on PostgreSQL."""

import asyncio
from pathlib import Path

from tests.web import site

from .test_client_api import article, tool
from .test_second_factor_pages import give, half_way, switch_on


async def test_a_recovery_code_sent_twice_at_once_signs_in_once_and_a_tool_writes_and_reads_in_pages(
    tmp_path: Path, database_url: str
) -> None:
    settings = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with site(tmp_path, **settings) as here:
        admin, daan = await here.member("ilse", "admin", "member"), await here.member("daan")
        _, codes = await switch_on(daan)
        browsers = [await half_way(here, "daan") for _ in range(2)]
        answers = await asyncio.gather(*(give(browser, codes[0]) for browser in browsers))
        assert sorted(status for status, _, _ in answers) == [303, 422]
        group = here.kernel.node.settings.uri(f"/groups/{await here.group(admin, 'leads', 'TLP:GREEN')}")
        writer, reader = await tool(admin), await tool(daan)
        for number in range(52):
            made = await writer.post(article(group, name=f"Number {number}"))
            assert made.status == 201
        first = (await reader.ask("GET", (await reader.ask("GET", reader.person + "/inbox")).body["first"])).body
        second = (await reader.ask("GET", first["next"])).body
        names = [one["object"]["name"] for page in (first, second) for one in page["orderedItems"]]
        assert names == [f"Number {number}" for number in reversed(range(52))]
        own = (await writer.ask("GET", writer.person + "/outbox?page=1")).body
        rest = (await writer.ask("GET", own["next"])).body
        assert (len(own["orderedItems"]), len(rest["orderedItems"]), "next" in rest) == (50, 2, False)
