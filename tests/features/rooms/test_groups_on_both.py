"""Shows that what is beside a group's posts lives alike on SQLite and PostgreSQL: files, their marking, the record, a copy, the end."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.features.rooms import ending
from fedcollab.features.rooms.models import GroupNamed
from tests.features.cases.desks import office
from tests.features.cases.filed import take
from tests.features.rooms.offices import QUESTION, begun, files, send

TEXT = b"what she wrote down\n" * 20_000  # 400 kB
SAID = {"title": QUESTION, "text": "The same picture.", "act": "send"}


@pytest.mark.rule("P10", "P23")
async def test_files_the_record_a_copy_and_the_end_of_a_group(tmp_path: Path, database_url: str) -> None:
    more: dict[str, Any] = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with office(tmp_path, **more) as at:
        group, noor = await begun(at), at["noor"]
        for name in ("one.txt", "two.txt"):
            assert (await send(noor, f"{group}/start", TEXT, name, **SAID))[0] == 303
        (first, *_), (second, *_) = await files(at)
        assert (await take(noor, f"{group}/files/{first}"))[2] == TEXT
        mark = f"{group}/files/{second}/mark"
        assert (await noor.post(mark, at=mark))[0] == 303
        assert (await take(noor, f"{group}/files/{second}"))[0] == 410
        assert "marked a file: nobody opens or hands it out again." in (await noor.get(f"{group}/record"))[1]
        form = {"token": await noor.token(f"{group}/export"), "files": "yes"}
        status, _, body = await noor.ask("POST", f"{group}/export", form)
        assert (status, "one.txt" in body, "two.txt" in body) == (200, True, False)
        day = sa.update(GroupNamed).values(retention="2020-01-01")
        await at.site.write(lambda session, _node: session.execute(day) and None)
        await at.site.write(ending.end_due)
        await at.site.write(ending.forget_gone)
        assert "Ended by us." in (await noor.get("/sealed/ended"))[1]
        assert await at.sql("SELECT count(*) FROM group_entry") == [(0,)]
