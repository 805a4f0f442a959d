"""Decides the commands about the talk with partners: how it goes, send again, try now and wait, pause, ask for what was missed."""

import sys
from typing import Annotated, Any

import typer

from .console import AsJson, command, posing, say, with_kernel

federation_app = typer.Typer(no_args_is_help=True, help="How the talk with partners goes.")
Host = Annotated[str, typer.Argument(help="A partner's host or address; nothing for all.")]


@federation_app.command("status")
def federation_status(as_json: AsJson = False) -> None:
    """Each partner's line: what waits and since when, what was given up, the next try, the last error; and who knocked."""
    from fedcollab.admin.status import status
    from fedcollab.base.clock import iso

    found = with_kernel(lambda kernel: kernel.database.read(status))
    more = {line["id"]: line for line in found["queue"]}
    lines = []
    for p in found["partners"]:
        numbers = f"waiting {p['waiting']}, parked {p['parked']}, refused {p['refused']}"
        lines.append(f"{p['host']:30} {p['state']:10} {numbers} {p['last_error']}".rstrip())
        line = more.get(p["id"], {})
        tried = line.get("oldest_at") and p["state"] == "admitted" and not line["paused_at"]
        said = [
            *([f"suspended for: {line['suspended_for']}"] if line.get("suspended_for") else []),
            *([f"paused since {iso(line['paused_at'])}"] if line.get("paused_at") else []),
            *([f"oldest of {iso(line['oldest_at'])}"] if line.get("oldest_at") else []),
            *([f"next try {iso(line['next_try_at'])}"] if tried else []),
            *(["does not follow us"] if p["does_not_follow"] else []),
            *(["new keys: partner accept-keys"] if p["new_keys"] else []),
            *([f"asking for what was missed: {line['resync_error'] or 'now'}"] if line.get("resync_at") else []),
        ]
        lines += ["    " + "; ".join(said)] if said else []
    lines += [f"{a['host']:30} asks to be a partner ({a['times']} times){posing(a)}" for a in found["applications"]]
    say(as_json, found, "\n".join(lines) or "No partners yet.")


def _do(verb: str, host: str) -> Any:
    """One of the page's acts, from the command line."""
    from fedcollab.admin.queue import ACTS, Chosen
    from fedcollab.federation import partners

    async def work(kernel: Any) -> Any:
        there = await kernel.database.read(partners.find, host) if host else None
        chosen = Chosen(there.id, there.host) if there else Chosen()
        return await kernel.database.write(ACTS[verb], kernel.node, None, chosen)

    return with_kernel(work)


@federation_app.command("retry")
def federation_retry(host: Host = "", as_json: AsJson = False) -> None:
    """Sends again what was parked for a partner, or for all; without a partner also what came in and was parked here."""
    sent = _do("retry", host)
    arrived = 0 if host else _do("retry-arrived", "")
    words = f"{sent} deliveries and {arrived} arrivals are tried again."
    nothing = f"Nothing is parked. What waits is tried by itself; to have it tried at once: {_next('drain', host)}"
    say(as_json, {"deliveries": sent, "arrived": arrived}, words if sent or arrived else nothing)


def _next(words: str, host: str) -> str:
    return command(f"federation {words} {host}").rstrip()


@federation_app.command("drain")
def federation_drain(
    host: Host = "",
    still: Annotated[float, typer.Option(help="Seconds after which it ends where nothing has moved.")] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Tries what waits at once and waits until all is sent; ends with 1 where nothing moves any more. The node has to be running."""
    from fedcollab.admin.draining import drain
    from fedcollab.federation import partners

    def progress(words: str) -> None:
        print(words, file=sys.stderr, flush=True)

    async def work(kernel: Any) -> Any:
        partner_id = (await kernel.database.read(partners.find, host)).id if host else ""
        return await drain(kernel, partner_id, progress, still=still)

    left = with_kernel(work).left
    words = "\n".join(f"{number} still wait for {name}. See: {_next('status', '')}" for name, number in left.items())
    say(as_json, {"left": left}, words or "Nothing waits any more.")
    raise typer.Exit(1 if left else 0)


@federation_app.command("pause")
def federation_pause(host: Host = "", as_json: AsJson = False) -> None:
    """Sends a partner, or all, nothing for now; what is published meanwhile waits."""
    _do("pause", host)
    say(as_json, {"paused": host or "all"}, f"Nothing is sent to {host or 'anybody'} until: {_next('resume', host)}")


@federation_app.command("resume")
def federation_resume(host: Host = "", as_json: AsJson = False) -> None:
    """Sends a partner, or all, again what waits."""
    _do("resume", host)
    say(as_json, {"resumed": host or "all"}, f"What waits for {host or 'anybody'} is sent again.")


@federation_app.command("resync")
def federation_resync(host: Annotated[str, typer.Argument(help="A partner's host or address.")], as_json: AsJson = False) -> None:
    """Asks a partner for what we may have missed and tries what waits for it; one that was away for 45 days is admitted again."""
    _do("resync", host)
    say(as_json, {"resync": host}, f"{host} is asked for what was missed, by the running node or as soon as it runs.")
