"""Shows that members read who else can read what is stored on the machine, and that strangers don't learn it."""

from pathlib import Path

from tests.web import site

from .conftest import House

WORDS = "The machine itself is run by"


async def test_members_read_who_runs_the_machine_and_strangers_do_not(tmp_path: Path) -> None:
    async with site(tmp_path, machine_run_by="Harbour <b>Network</b>") as here:
        member = await here.member("daan")
        for path in ("/", "/settings", "/nowhere"):
            page = (await member.get(path))[1]
            assert WORDS in page, path
            assert "Harbour &lt;b&gt;Network&lt;/b&gt;" in page, path
        for path in ("/login", "/nowhere"):
            assert "Harbour" not in (await here.stranger().get(path))[1], path


async def test_a_machine_of_ones_own_is_no_news(house: House) -> None:
    assert WORDS not in (await house.admin.get("/"))[1]
