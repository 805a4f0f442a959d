"""Shows that the other organisations on a case see who is inside as a guest, before and while a guest writes, and that it is over."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from fedcollab.features.cases.membership import seen
from fedcollab.sealing import key_asking
from tests.features.cases.shared import Shared, shared
from tests.nodes import asked, until

from .test_guests import comes, let_in, link_for, row


async def said(two: Shared, text: str) -> str:
    """The page of the case at the other organisation, once it has this."""

    async def look() -> str:
        await two.other.site.kernel.database.write(lambda session: session.execute(sa.text("UPDATE key_request SET next_at = 0")) and None)
        await asked(key_asking.lanes(two.other.site.kernel))
        _, page = await two.other["noor"].get(f"/cases/{two.there}")
        return page if text in page else ""

    return await until(f"{text} is there", look)  # type: ignore[no-any-return]


@pytest.mark.rule("P5")
async def test_members_elsewhere_see_a_guest_inside_before_they_write_and_read_nothing_of_theirs_after_their_end(tmp_path: Path) -> None:
    async with shared(tmp_path) as two:
        before = seen(await two.other.desk("noor", two.there))
        sara = await comes(two.one, await link_for(two.one, two.case))
        assert (await two.other.desk("noor", two.there)).access.guests == (), "asked is not inside"
        assert (await let_in(two.one, two.case))[0] == 303
        page = await said(two, "A guest was let in")
        assert "1 guest reads it too" in page
        assert "Sara Lind, Police of Xanten" in page.split('id="readers"')[1]
        assert seen(await two.other.desk("noor", two.there)) != before, "whoever sends has seen the list with the guest on it"
        assert (await sara.post(f"/cases/{two.case}/say/message", at=f"/cases/{two.case}", text="We have opened a file."))[0] == 303
        page = await said(two, "We have opened a file.")
        assert "<bdi>Sara Lind, Police of Xanten</bdi> · Guest of" in page
        epoch = (await two.one.sql("SELECT epoch FROM room WHERE id = :id", id=two.case))[0][0]
        end = f"/cases/{two.case}/guests/{(await row(two.one)).id}/end"
        assert (await two.one["noor"].post(end, at=f"/cases/{two.case}/guests"))[0] == 303
        await two.one["noor"].get(f"/cases/{two.case}")
        page = await said(two, "A guest has ended")
        assert "guest reads it too" not in page
        assert "We have opened a file." in page, "what was written stays"
        assert (await two.one.sql("SELECT epoch FROM room WHERE id = :id", id=two.case))[0][0] > epoch


async def test_nobody_elsewhere_lets_a_guest_in_on_our_word_or_ends_ours(tmp_path: Path) -> None:
    async with shared(tmp_path) as two:
        sara = await comes(two.one, await link_for(two.one, two.case))
        assert (await let_in(two.one, two.case))[0] == 303
        await said(two, "A guest was let in")
        guest = (await row(two.one)).id
        for path in (f"guests/{guest}", f"guests/{guest}/end"):
            assert (await two.other["noor"].post(f"/cases/{two.there}/{path}", at=f"/cases/{two.there}/guests"))[0] == 404

        assert (await sara.get(f"/cases/{two.case}"))[0] == 200
