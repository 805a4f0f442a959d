"""Decides the commands for people's second factor and the tokens of their tools."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from .console import AsJson, command, say, with_kernel

token_app = typer.Typer(no_args_is_help=True, help="Tokens of members' own tools (docs/members/client-api.md).")


def user_reset_factor(name: str, as_json: AsJson = False) -> None:
    """Takes a member's second factor away, for a phone that is lost with all recovery codes."""
    from fedcollab.features.members import service

    with_kernel(lambda k: k.database.write(service.reset_factor, k.node, None, name))
    words = f"{name} signs in with the password alone; all sessions and tokens have ended. The person and all admins are told."
    say(as_json, {"reset": name}, words)


@token_app.command("create")
def token_create(
    name: Annotated[str, typer.Argument(help="The name that the member signs in with.")],
    scope: Annotated[list[str] | None, typer.Option("--scope", help="read or write; may be given several times.")] = None,
    days: Annotated[int, typer.Option(help="For how many days, at most 365.")] = 90,
    purpose: Annotated[str, typer.Option("--for", help="What it is for, in words.")] = "a tool",
    as_json: AsJson = False,
) -> None:
    """Makes a token for a member's own tool and prints it, this once; the member and all admins are told."""
    from fedcollab.features.members import service, tokens

    async def work(kernel: Any) -> tuple[str, str]:
        words = dict(purpose=purpose, scopes=scope or [tokens.READ], days=days)
        made = await kernel.database.write(tokens.create, kernel.node, None, name, **words)
        person = await kernel.database.read(service.find, name)
        return made, kernel.node.settings.uri(f"/people/{person.person_id}")

    token, person = with_kernel(work)
    say(as_json, {"token": token, "actor": person, "inbox": f"{person}/inbox", "outbox": f"{person}/outbox"}, token)


@token_app.command("list")
def token_list(as_json: AsJson = False) -> None:
    """All tokens that are good: whose, what for, what they may do, until when."""
    from fedcollab.base.clock import iso
    from fedcollab.features.members import tokens

    found = with_kernel(lambda k: k.database.read(tokens.listed, k.node))
    lines = [
        f"{t.id}  {t.username:20} {'+'.join(t.scopes):10} until {iso(t.expires_at)[:10]}, "
        f"{'last used ' + iso(t.used_at)[:10] if t.used_at else 'never used'}: {t.purpose}"
        for t in found
    ]
    say(
        as_json,
        [asdict(t) for t in found],
        "\n".join(lines) or f"No tokens. Make one: {command('token create NAME')}",
    )


@token_app.command("revoke")
def token_revoke(
    token: Annotated[str, typer.Argument(help="The token's id, as `token list` prints it.")],
    as_json: AsJson = False,
) -> None:
    """Ends a token at once."""
    from fedcollab.features.members import tokens

    with_kernel(lambda k: k.database.write(tokens.revoke, k.node, None, token))
    say(as_json, {"revoked": token}, f"Token {token} is good no more.")
