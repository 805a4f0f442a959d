"""Decides what all commands have in common: the node's directory, one answer in words or JSON, its kernel beside a running server."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

T = TypeVar("T")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of words.")]
CHOSEN = {"directory": Path()}


def say(as_json: bool, data: object, words: str) -> None:
    """One answer, for machines or for people."""
    print(json.dumps(data, ensure_ascii=False, indent=1) if as_json else words)


def command(words: str) -> str:
    """A command of this node, as its admin has to give it next."""
    from fedcollab.base.paths import command_of

    return f"{command_of(CHOSEN['directory'])} {words}"


def progress(as_json: bool) -> Any:
    """Says on a terminal how far it is, on one line."""
    shown = sys.stderr.isatty() and not as_json

    def tell(what: str, done: int, of: int) -> None:
        if shown:
            print(f"\r{what}: {done * 100 // max(of, 1)} %   ", end="\n" if done == of else "", file=sys.stderr, flush=True)

    return tell


def with_kernel(work: Callable[[Any], Awaitable[T]]) -> T:
    """Runs one piece of work on the node in the chosen directory, beside a running server if there is one."""
    from fedcollab.app import make_kernel
    from fedcollab.base import config
    from fedcollab.base.migrate import RING, check
    from fedcollab.base.paths import NodeFiles

    kernel = make_kernel(config.load(CHOSEN["directory"]), NodeFiles(CHOSEN["directory"]), patient=True)

    async def run() -> T:
        try:
            return await work(kernel)
        finally:
            await kernel.fetcher.close()

    try:
        check(kernel.database.engine)
        check(kernel.node.ring.engine, RING)
        return asyncio.run(run())
    finally:
        kernel.database.close()
        kernel.node.ring.close()


def posing(line: dict[str, Any]) -> str:
    """A warning for a host whose name looks like a partner's."""
    return f"; looks like {line['resembles']} and is another one" if line["resembles"] else ""
