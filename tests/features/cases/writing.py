"""Writes entries on the pages of a case as people do: opens the form, fills it in, sends it."""

from typing import Any

from fedcollab.base.clock import DAY, iso, system_clock
from tests.web import Visitor

from .browser import Filled, Sent

IN_SPRING = iso(system_clock() + 150 * DAY)[:10]  # a day that is not far, for what lapses within a year


async def opened(by: Visitor, path: str) -> Sent:
    """The fields of a form's page, as it shows them."""
    status, page = await by.get(path)
    assert status == 200, (path, page)
    main = page.split("<main", 1)[1]
    return Filled(main.split('<form method="post">', 1)[1].split("</form>", 1)[0]).sent


async def write(visitor: Visitor, path: str, **over: str | list[str]) -> tuple[int, str, str]:
    """Sends the form of a page with these fields filled in; (status, Location, page)."""
    return await send(visitor, path, await opened(visitor, path), **over)


async def send(visitor: Visitor, path: str, sent: Sent, **over: str | list[str]) -> tuple[int, str, str]:
    """The same for a page that was opened before."""
    filled = sent | {name.replace("_", "-") if name.startswith("instead_") else name: _list(said) for name, said in over.items()}
    pairs: Any = [(name, value) for name, said in filled.items() for value in said]
    status, headers, page = await visitor.ask("POST", path, pairs)
    return status, headers.get("Location", ""), page


def _list(said: str | list[str]) -> list[str]:
    return [said] if isinstance(said, str) else said
