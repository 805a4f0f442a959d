"""Decides the commands about a node at work: closing it while somebody works on it, and opening it again."""

from typing import Annotated, Any

import typer

from .console import AsJson, command, say, with_kernel

maintenance_app = typer.Typer(no_args_is_help=True, help="Closes the node while somebody works on it.")


@maintenance_app.command("on")
def maintenance_on(
    until: Annotated[str, typer.Option(help="About when it is back: 21:30 (in the node's time zone), 20m or 2h.")] = "",
    words: Annotated[str, typer.Option(help="What members read beside that, in one or two sentences.")] = "",
    as_json: AsJson = False,
) -> None:
    """Closes the node: members read when it is back, partners try again by themselves, admins still get in."""
    from fedcollab.running import closing

    async def work(kernel: Any) -> Any:
        node = kernel.node
        return await closing.close(kernel, None, closing.when(until, node.now(), node.settings.time_zone), words)

    made = with_kernel(work)
    say(
        as_json,
        {"since": made.since, "until": made.until, "words": made.words},
        f"The node is closed. Open it again: {command('maintenance off')}",
    )


@maintenance_app.command("off")
def maintenance_off(as_json: AsJson = False) -> None:
    """Opens the node again; what waited for partners is sent."""
    from fedcollab.running import closing

    with_kernel(lambda kernel: closing.open_again(kernel, None))
    say(as_json, {"since": None}, "The node is open.")
