"""Puts files into a running node as members do, without a browser."""

from typing import Any

from fedcollab.access.viewer import Viewer
from fedcollab.files import uploading
from fedcollab.files.service import FileData
from fedcollab.files.shelves import SHELVES
from tests.files.made import PDF


async def placed(here: Any, viewer: Viewer, name: str = "guide.pdf", content: bytes = PDF) -> FileData:
    """A file that `viewer` has uploaded; `here` is a node with `kernel`, `runner` and `write`."""
    shelves = here.runner.app[SHELVES]
    upload = await here.write(uploading.begin, viewer, name=name, size=len(content))
    growing = shelves.arriving.growing(upload.key)
    await growing.begin()
    await growing.add(content)
    try:
        return await uploading.finish(here.kernel, shelves, viewer, upload, growing)
    finally:
        growing.close()
