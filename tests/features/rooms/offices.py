"""Gives tests two offices with one sealed group that Noor is in at both, and sends files into it as a browser without script does."""

import contextlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from fedcollab.access.models import AMBER
from fedcollab.features.rooms import acting
from tests.features.cases.desks import Office, partners
from tests.nodes import until
from tests.web import Visitor

NAME, QUESTION = "Coalition on the river", "Has anybody seen this advert?"


@dataclass
class Shared:
    """Meridian leads a group that Kivuli is in. `group` is its address at Meridian, `there` at Kivuli."""

    one: Office
    other: Office
    group: str
    there: str


async def begun(at: Office, label: str = AMBER, by: str = "noor", **more: str) -> str:
    """A group of Noor's; its address."""
    status, to, page = await at[by].post("/sealed/new", at="/sealed/new", **({"name": NAME, "about": "Adverts", "label": label} | more))
    assert status == 303, page
    return to.removesuffix("/people")


async def let_in(at: Office, group: str, name: str, by: str = "noor") -> None:
    person = at[name].viewer.person_id
    assert (await at[by].post(f"{group}/people", at=f"{group}/people", act="assign", person=person))[0] == 303


async def joined(one: Office, other: Office, group: str, *, history: str = "") -> str:
    """The other office is invited and says yes; the group's address there."""
    room = group.rpartition("/")[2]
    await one.unlocked("noor", acting.invite, room, other.me, history)
    asked = "SELECT room_id FROM room_member WHERE state = 'invited' AND organisation = :me"
    [(there,)] = await until("they are asked", lambda: other.sql(asked, me=other.me))
    await other.unlocked("noor", acting.answer, there, [other["noor"].viewer.person_id], yes=True)
    await until("they are in", lambda: other.sql("SELECT 1 FROM room WHERE id = :id AND state = 'open'", id=there))
    await other.keys_come(some=True)
    return f"/sealed/{there}"


@contextlib.asynccontextmanager
async def shared(root: Path) -> AsyncIterator[Shared]:
    async with partners(root) as (one, other):
        group = await begun(one)
        yield Shared(one, other, group, await joined(one, other, group))


async def send(
    visitor: Visitor, path: str, content: bytes | None, name: str = "notes.txt", *, token: str = "", **fields: str
) -> tuple[int, str, str]:
    """(status, Location, page) of a page's form with a file."""
    form = aiohttp.FormData(default_to_multipart=True, quote_fields=False)
    form.add_field("token", token or await visitor.token(path))
    for field, value in fields.items():
        form.add_field(field, value)
    if content is not None:
        form.add_field("file", io.BytesIO(content), filename=name, content_type="text/plain")
    else:
        form.add_field("file", b"", filename="", content_type="application/octet-stream")  # as browsers send none
    status, headers, text = await visitor.ask("POST", path, form)  # type: ignore[arg-type]
    return status, headers.get("Location", ""), text


async def files(at: Office) -> list[Any]:
    return await at.sql("SELECT id, state, reason FROM sealed_file ORDER BY at, id")
