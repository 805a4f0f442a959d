"""Shows that a file's whole life, ours and a partner's, is the same on SQLite and on PostgreSQL."""

from pathlib import Path

import pytest

from fedcollab.files import quotas, service, sweeping, taken_away
from fedcollab.files.holding import HOLDS
from fedcollab.files.shelves import SHELVES

from .holder import PDF, Sender, library, rows, stored
from .test_fetching import WORDS, pair
from .test_going import later


async def test_a_members_file_comes_is_held_and_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    more = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with library(tmp_path, monkeypatch, files_quota=1, **more) as (here, holder):
        ilse = Sender(await here.member("ilse"))
        held, loose = await ilse.upload(), await ilse.upload("Prüfliste.pdf")
        await here.write(service.attachable, ilse.visitor.viewer, held)
        holder.things[held] = {"anybody"}
        assert await here.kernel.database.read(quotas.own_bytes) == 2 * len(PDF)
        assert (await ilse.begin("a.pdf", 999_990))[0] == 507
        _, begun = await ilse.begin("a.pdf", len(PDF))
        assert (await ilse.part(begun["id"], 0, PDF[:9]))[0] == 204
        await later(here)
        await sweeping.sweep(here.kernel, here.runner.app[SHELVES], here.runner.app[HOLDS])
        assert [(await ilse.ask("GET", f"/files/{one}"))[0] for one in (held, loose)] == [200, 404]
        assert (len(stored(here)), (await rows(here))["upload"]) == (1, 0)
        assert await here.kernel.database.read(taken_away.listed, 0) == sorted([loose, begun["id"]])
        await here.write(taken_away.take_again, held)
        await sweeping.sweep(here.kernel, here.runner.app[SHELVES], here.runner.app[HOLDS])
        assert ((await ilse.ask("GET", f"/files/{held}"))[0], stored(here)) == (410, [])
        await here.write(taken_away.begin_anew, 0)


async def test_a_partners_file_comes_is_refused_evicted_and_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    more = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with pair(tmp_path, monkeypatch, cache_quota=1, cache_share=100, **more) as two:
        first = await two.learn("a.txt", WORDS * 8000)
        assert (await two.open(first))[2] == WORDS * 8000
        wrong = await two.learn("b.txt", WORDS, sha256="0" * 64)
        assert (await two.open(wrong))[0] == 502
        assert (await two.open(await two.learn("c.txt", WORDS * 8000 + b"c")))[0] == 200
        assert [await two.state(one) for one in (first, wrong)] == [("away", ""), ("refused", "hash")]
        assert (await two.open(first))[0] == 200
        assert await two.here.kernel.database.read(quotas.cached_bytes) == len(WORDS) * 8000
