"""Shows that imports, files, feeds and harvests say the same on SQLite and on PostgreSQL."""

from pathlib import Path
from urllib.parse import quote

from fedcollab.base import xmldoc
from fedcollab.features.resources import service
from tests.features.conftest import House
from tests.web import site

from .shelf import HIDDEN, PUBLIC, fill
from .test_feed import titles
from .test_importing import BIBLIOGRAPHY, library, report, run
from .test_oai import harvested, identifiers


async def test_a_bibliography_comes_in_and_what_is_public_goes_out(tmp_path: Path, database_url: str) -> None:
    settings: dict[str, object] = {"database_url": database_url} if database_url.startswith("postgresql") else {}
    async with site(tmp_path, oai=True, **settings) as here:
        house = House(here, await here.member("ilse", "admin", "member"))
        place = await run(house.admin, BIBLIOGRAPHY)
        assert [line[2] for line in (await report(house.admin, place))[1:]].count("Added to the library") == 44
        assert len(await library(house)) == 44
        again = await run(house.admin, BIBLIOGRAPHY.replace("@book{b02", "@book{b02new, title={One more}, year={1999}}\n@book{b02"))
        assert [line[2] for line in (await report(house.admin, again))[1:]].count("Added to the library") == 1
        made = await fill(house)
        stranger = here.stranger()
        _, text = await stranger.get("/library/export?format=bibtex&topic=Shelter&type=Guide")
        assert "accueil" in text
        assert not [word for word in HIDDEN if word in text]
        assert titles(xmldoc.read((await stranger.get("/library/feed"))[1])) == [PUBLIC.title]
        await here.write(service.relabel, house.admin.viewer, made["public"], "TLP:GREEN")
        uri = here.kernel.node.settings.uri
        assert identifiers(await harvested(house)) == {uri(f"/library/{made['withdrawn']}"): False, uri(f"/library/{made['public']}"): True}
        one = quote(uri(f"/library/{made['withdrawn']}"))
        assert "The law changed." in (await stranger.get(f"/oai?verb=GetRecord&metadataPrefix=oai_dc&identifier={one}"))[1]
        reports = await harvested(house, "verb=ListIdentifiers&metadataPrefix=oai_dc&set=topic:Health")
        assert list(identifiers(reports)) == [uri(f"/library/{made['withdrawn']}")]
