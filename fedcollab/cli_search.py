"""Decides the commands about search: how far the index has come, and making it anew."""

import asyncio
from typing import Annotated, Any

import typer

from .console import AsJson, progress, say, with_kernel

search_app = typer.Typer(no_args_is_help=True, help="The index that search finds in.")


@search_app.command("status")
def search_status(as_json: AsJson = False) -> None:
    """How many things can be found, and what of the stored is not in the index yet."""
    from fedcollab.app import STOCKS
    from fedcollab.search import filling

    found = with_kernel(lambda kernel: kernel.database.read(filling.look, STOCKS))
    waiting = ", ".join(f"{name} ({number} so far)" for name, number in found.waiting)
    words = f"{found.entries} things can be found." + (f" Still being put in: {waiting}." if waiting else "")
    say(as_json, {"entries": found.entries, "waiting": dict(found.waiting), "deleted_since": found.deleted_since}, words)


@search_app.command("rebuild")
def search_rebuild(
    clear: Annotated[bool, typer.Option("--clear", help="Keep the index; only clear deleted words out of its pages now.")] = False,
    as_json: AsJson = False,
) -> None:
    """Makes the index anew, newest first, beside a running node; until it is done older things are not found."""
    from fedcollab.app import STOCKS
    from fedcollab.search import filling

    tell = progress(as_json)

    async def work(kernel: Any) -> int:
        database, node = kernel.database, kernel.node
        stored = await database.read(filling.stored)
        if not clear:
            await database.write(filling.begin_anew, node)
        while await database.write(filling.clear_now if clear else filling.fill, node, STOCKS):
            found = await database.read(filling.look, STOCKS)
            tell("The index", min(found.entries, stored), max(stored, 1))
            await asyncio.sleep(0)
        entries: int = (await database.read(filling.look, STOCKS)).entries
        return entries

    entries = with_kernel(work)
    say(as_json, {"entries": entries}, f"The index is whole: {entries} things can be found.")
