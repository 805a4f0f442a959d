"""Shows that a case's file lives alike on SQLite and PostgreSQL: shared, opened, counted, gone; and what a backup means for it."""

from pathlib import Path
from typing import Any

import pytest

from fedcollab.files import quotas, sweeping, taken_away
from fedcollab.files.holding import HOLDS
from fedcollab.sealing import room_sending
from fedcollab.sealing.chunks import sealed_size
from tests.features.cases.desks import office
from tests.features.cases.filed import rows, send, shelves, take

TEXT = b"what she wrote down\n" * 20_000  # 400 kB


@pytest.mark.rule("P10")
async def test_a_file_is_shared_opened_counted_and_gone_with_its_message(tmp_path: Path, database_url: str) -> None:
    more: dict[str, Any] = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with office(tmp_path, files_quota=1, **more) as at:
        case, noor, site = await at.case("noor"), at["noor"], at.site
        for _ in range(2):
            assert (await send(noor, case, TEXT))[0] == 303
        assert await site.kernel.database.read(quotas.own_bytes) == 2 * sealed_size(len(TEXT))
        status, _, page = await send(noor, case, TEXT, about="One too many")
        assert (status, "One too many" in page) == (507, True)
        (first, *_), (second, *_) = await rows(at)
        folder = site.kernel.node.files.uploads
        await site.write(taken_away.begin_anew, 0)  # a backup came back: what its rows name stays
        (folder / "00").mkdir(exist_ok=True)
        (folder / "00" / ("0" * 32)).write_bytes(b"of nobody")
        await site.write(taken_away.begin_anew, 0)
        assert len([path for path in folder.rglob("*") if path.is_file()]) == 2
        query = "SELECT uri FROM sealed_message WHERE id = (SELECT message_id FROM sealed_file WHERE id = :id)"
        await site.write(room_sending.take_back, noor.viewer, (await at.sql(query, id=first))[0][0])
        await sweeping.sweep(site.kernel, shelves(at), site.runner.app[HOLDS])
        assert len([path for path in folder.rglob("*") if path.is_file()]) == 1
        assert (await take(noor, f"/cases/{case}/files/{first}"))[0] in (404, 410)
        assert (await take(noor, f"/cases/{case}/files/{second}"))[2] == TEXT
        assert (await send(noor, case, TEXT))[0] == 303
