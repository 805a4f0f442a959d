"""Decides the commands that check what is on record: a node's own and its rooms', and a case in a file, which needs nothing else."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .console import AsJson, say, with_kernel

if TYPE_CHECKING:
    from .sealing.bundle_check import Findings

HOLDS, WRONG, NO_BUNDLE = 0, 1, 2
UNREADABLE = "it cannot be read, or the folder for its files is there already or cannot be written"


def verify(
    bundle: Annotated[Path, typer.Argument(help="The file, as the page of a case or a group gave it.", show_default=False)],
    files: Annotated[Path | None, typer.Option("--files", help="A new folder, for the files in it, in clear, by numbers.")] = None,
    as_json: AsJson = False,
) -> None:
    """Checks a case or a sealed group that was taken along as a file, on any computer: says what is proved and by whom, and what is not.
    Ends with 0 where all of it holds, 1 where something does not, 2 where it is no such file."""
    from .sealing import bundle_check, bundle_words
    from .sealing.bundles import NoBundle

    try:
        with bundle.open("rb") as file:
            if files is not None:
                files.mkdir(mode=0o700)
            found = bundle_check.check(file, files)
    except (OSError, NoBundle) as error:
        where = f"line {error.line}: {error.reason}" if isinstance(error, NoBundle) else UNREADABLE
        say(as_json, {"holds": None, "wrong": [where]}, f"This is no case in a file that this program can check: {where}.")
        raise typer.Exit(NO_BUNDLE) from None
    end = "All that is in the file holds." if not found.wrong else "NOT EVERYTHING IN THIS FILE HOLDS. Do not rely on it."
    say(as_json, _data(found), "\n".join([*bundle_words.said(found), "", end]))
    raise typer.Exit(WRONG if found.wrong else HOLDS)


def _data(found: "Findings") -> dict[str, object]:
    """For machines."""
    countersigned = {by: one.seq for by, one in found.vouched.items()}
    return {
        "holds": not found.wrong,
        "room": found.room,
        "node": found.node,
        "at": found.at,
        "entries": sum(found.proved.values()),
        "stated": sum(found.stated.values()),
        "left_out": dict(found.left_out),
        "files": {f"{number:04d}": name for number, name in found.files.items()},
        "record": {"from": found.begins.seq + 1, "to": found.ends.seq, "countersigned": countersigned},
        "wrong": found.wrong,
    }


def audit_verify(as_json: AsJson = False) -> None:
    """Reads the whole record, and that of each sealed room, and says whether the chains hold; exits with 1 where one doesn't."""
    from .access import audit
    from .sealing import room_chain

    async def work(kernel: Any) -> Any:
        found = await kernel.database.read(audit.verify)
        every = await kernel.database.read(room_chain.rooms)
        checked = {room: await kernel.database.read(room_chain.verify, kernel.node, room) for room in every}
        return found, len(every), {room: seq for room, seq in checked.items() if seq is not None}

    found, rooms, broken = with_kernel(work)
    at = found.broken_at
    lines = [f"{found.entries} entries, the chain holds." if at is None else f"The chain is broken at entry {at}."]
    lines += [f"The records of {rooms} sealed rooms were read as well."] if rooms else []
    lines += [f"The record of the sealed room {room} is broken at entry {seq}." for room, seq in broken.items()]
    good = at is None and not broken
    lines += [] if good else ["Somebody has changed the record; keep a copy of the database."]
    say(as_json, asdict(found) | {"rooms": rooms, "rooms_broken_at": broken}, " ".join(lines))
    raise typer.Exit(HOLDS if good else WRONG)
