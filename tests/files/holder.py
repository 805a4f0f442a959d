"""Gives tests a feature that holds files, and a member's browser that uploads them."""

import contextlib
import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

import fedcollab.app as house
from fedcollab.access.viewer import Viewer
from fedcollab.feature import Feature
from fedcollab.files.models import File
from fedcollab.files.receiving import OFFSET, PARTIAL, TOKEN
from tests.web import Site, Visitor, site

ANYBODY = "anybody"
PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"


@dataclass
class Holder:
    """A feature whose things are named here: {file id: the organisations that read it, or ANYBODY}."""

    things: dict[str, set[str]] = field(default_factory=dict)

    def holds(self, viewer: Viewer | None) -> "sa.Select[str]":
        mine = {ANYBODY, viewer.organisation_id} if viewer is not None and viewer.organisation_id else {ANYBODY}
        ids = [file_id for file_id, readers in self.things.items() if viewer is None or readers & mine]
        return sa.select(File.id).where(File.id.in_(ids))


@contextlib.asynccontextmanager
async def library(root: Path, monkeypatch: pytest.MonkeyPatch, **settings: object) -> AsyncIterator[tuple[Site, Holder]]:
    """A node with the holder among its features."""
    holder = Holder()
    monkeypatch.setattr(house, "FEATURES", (*house.FEATURES, Feature("holder", holds=holder.holds)))
    async with site(root, **settings) as here:
        yield here, holder


@dataclass
class Sender:
    """A member's browser with script."""

    visitor: Visitor
    token: str = ""

    async def ask(self, method: str, path: str, data: Any = None, **headers: str) -> tuple[int, "aiohttp.typedefs.LooseHeaders", Any]:
        """(status, headers, JSON or nothing)."""
        self.token = self.token or await self.visitor.token("/settings")
        sent = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.visitor.cookies.items()), TOKEN: self.token} | headers
        url = self.visitor.site.url + path
        data = io.BytesIO(data) if isinstance(data, bytes) and len(data) > 1 << 20 else data
        async with aiohttp.request(method, url, data=data, headers=sent, allow_redirects=False) as answer:
            told = await (answer.json() if answer.content_type == "application/json" else answer.read())
            return answer.status, answer.headers, told

    async def begin(self, name: str, size: int) -> tuple[int, Any]:
        self.token = self.token or await self.visitor.token("/settings")
        status, _, told = await self.ask("POST", "/uploads", {"name": name, "size": str(size), "token": self.token})
        return status, told

    async def part(self, upload_id: str, at: int, data: Any) -> tuple[int, Any, Any]:
        return await self.ask("PATCH", f"/uploads/{upload_id}", data, **{OFFSET: str(at), "Content-Type": PARTIAL})

    async def upload(self, name: str = "guide.pdf", data: bytes = PDF) -> str:
        """The id of a file that was taken."""
        status, begun = await self.begin(name, len(data))
        assert status == 201, begun
        status, _, told = await self.part(begun["id"], 0, data)
        assert status == 201, told
        return str(told["id"])

    async def form(self, name: str, data: bytes, *, token: str | None = None, path: str = "/files?next=/settings") -> tuple[int, str, str]:
        """(status, Location, text) of the form without script."""
        self.token = self.token or await self.visitor.token("/settings")
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("token", self.token if token is None else token)
        form.add_field("file", io.BytesIO(data), filename=name, content_type="application/octet-stream")
        sent = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.visitor.cookies.items())}
        async with aiohttp.request("POST", self.visitor.site.url + path, data=form, headers=sent, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("Location", ""), await answer.text()


def stored(here: Site) -> list[Path]:
    """All bytes that lie in the node's directory for files, whole or not."""
    files = here.kernel.node.files
    return sorted(path for place in (files.uploads, files.arriving, files.cache) for path in _all(place))


def _all(place: Path) -> Iterator[Path]:
    return (path for path in place.rglob("*") if path.is_file())


async def rows(here: Site) -> dict[str, int]:
    """Rows of the tables of files."""

    def count(session: Any) -> dict[str, int]:
        names = ("file", "upload", "gone_bytes", "audit_entry")
        return {name: session.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}

    return await here.kernel.database.read(count)
