"""Decides the commands about trust: words and keys of partners, what they may do, pauses, vouching, and our own keys."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from .console import AsJson, command, say, with_kernel

partner_app = typer.Typer(no_args_is_help=True, help="Partner organisations.")
key_app = typer.Typer(no_args_is_help=True, help="The keys that this node signs with.")


def standing(partner: Any, *, new_keys: bool = False, does_not_follow: bool = False) -> str:
    """What an admin should know of a partner beside its state."""
    words = [partner.last_error, "" if partner.checked_at else "words never compared", "paused" if partner.paused_at else ""]
    words += ["does not follow us"] * does_not_follow + ["new keys: partner accept-keys"] * new_keys
    return ", ".join(filter(None, [*words, "other keys: compare the words" if partner.suspended_for == "keys" else ""]))


def _look(url: str, again: bool = False) -> Any:
    from fedcollab.admin import trust
    from fedcollab.admin.look import look

    async def work(kernel: Any) -> Any:
        found = await kernel.database.read(look, kernel.node, url)
        if again and found.differs:
            await trust.look(kernel, url)
            found = await kernel.database.read(look, kernel.node, url)
        return found

    return with_kernel(work)


def _do(act: Callable[..., None], url: str, *more: Any) -> Any:
    """Does something to a partner; answers it as it is afterwards."""
    from fedcollab.federation import partners

    async def work(kernel: Any) -> Any:
        await kernel.database.write(act, kernel.node, None, url, *more)
        return await kernel.database.read(partners.find, url)

    return with_kernel(work)


@partner_app.command("words")
def partner_words(url: str, as_json: AsJson = False) -> None:
    """The words that both admins read to each other, and the same as digits."""
    found = _look(url, again=True)
    spoken, partner = found.spoken(), found.partner
    data = {
        "host": partner.host,
        "words": spoken.words,
        "digits": spoken.digits,
        "keys": found.keys,
        "checked_at": partner.checked_at,
        "other_keys": found.differs,
    }
    then = "recheck" if found.differs else "checked"
    words = f"{' '.join(spoken.words)}\n{' '.join(spoken.digits)}\n"
    if found.differs:
        words += "Their node shows other keys than those you know; the words are made from the other ones.\n"
    words += "Read them to each other on the phone, by a number that you already had. Do they match? Then:\n"
    words += f"  {_next(f'partner {then}', url)}"
    say(as_json, data, words)


def still_to_compare(partner: Any) -> str:
    """What comes next for a partner that was admitted before the words were compared; else nothing."""
    if partner.state != "admitted" or partner.checked_at:
        return ""
    return f"\nThe words were never compared. Call their admin and read them to each other:\n  {_next('partner words', partner.host)}"


def _next(words: str, url: str) -> str:
    return command(f"{words} {url}")


@partner_app.command("checked")
def partner_checked(url: str, as_json: AsJson = False) -> None:
    """Records that both admins have read the same words."""
    from fedcollab.admin import trust

    found = _do(trust.check, url)
    say(as_json, found._asdict(), f"{found.name} ({found.host}): the words were compared.")


@partner_app.command("accept-keys")
def partner_accept_keys(url: str, as_json: AsJson = False) -> None:
    """Says yes to new keys of a partner which its old ones have signed."""
    from fedcollab.admin import trust

    found = _do(trust.accept_keys, url)
    say(as_json, found._asdict(), f"{found.name} ({found.host}): the new keys are accepted.")


@partner_app.command("recheck")
def partner_recheck(url: str, as_json: AsJson = False) -> None:
    """Believes other keys of a partner, after both admins have read the words again."""
    from fedcollab.admin import trust

    found = _do(trust.recheck, url)
    say(as_json, found._asdict(), f"{found.name} ({found.host}) is {found.state}, with its new keys.")


@partner_app.command("allow")
def partner_allow(
    url: str,
    feature: Annotated[list[str] | None, typer.Option("--feature", help="What it may take part in; once for each.")] = None,
    as_json: AsJson = False,
) -> None:
    """Says what a partner may take part in."""
    from fedcollab.admin import permissions

    if set(feature or []) - set(permissions.ALL):
        raise typer.BadParameter(f"a partner can be allowed: {', '.join(permissions.ALL)}", param_hint="--feature")
    found = _do(permissions.allow, url, feature or [])
    say(as_json, found._asdict(), f"{found.name} ({found.host}) takes part in: {', '.join(found.allows) or 'nothing'}.")


@partner_app.command("pause")
def partner_pause(url: str, as_json: AsJson = False) -> None:
    """Sends a partner nothing for now; what it sends is read."""
    from fedcollab.admin import trust

    found = _do(trust.pause, url)
    say(as_json, found._asdict(), f"{found.name} ({found.host}) is sent nothing until: {_next('partner resume', url)}")


@partner_app.command("resume")
def partner_resume(url: str, as_json: AsJson = False) -> None:
    """Sends again, beginning with what waited."""
    from fedcollab.admin import trust

    found = _do(trust.resume, url)
    say(as_json, found._asdict(), f"{found.name} ({found.host}) is sent to again.")


@partner_app.command("vouch")
def partner_vouch(url: str, back: Annotated[bool, typer.Option("--back", help="Take it back.")] = False, as_json: AsJson = False) -> None:
    """Vouches for a partner and its keys towards all others."""
    from fedcollab.admin import trust

    found = _do(trust.unvouch if back else trust.vouch, url)
    say(as_json, found._asdict(), f"You {'no longer vouch' if back else 'vouch'} for {found.name} ({found.host}).")


def _day(micros: int | None) -> str:
    return datetime.fromtimestamp((micros or 0) // 1_000_000, UTC).strftime("%d %B %Y, %H:%M UTC")


def _say_status(found: Any, as_json: bool, first: str = "") -> None:
    lines = [first] if first else []
    lines.append(f"Keys in use: {found.keys}")
    if found.successor:
        lines += [f"New keys: {found.successor}"]
        lines += [f"They take over once all partners have accepted them, at the latest on {_day(found.until)}."]
        lines += [f"  {host:30} accepted" for host in found.accepted] + [f"  {host:30} not yet" for host in found.missing]
    say(as_json, asdict(found), "\n".join(lines))


@key_app.command("status")
def key_status(as_json: AsJson = False) -> None:
    """The keys in use, new ones that wait, and which partners have accepted them."""
    from fedcollab.federation import succession

    _say_status(with_kernel(lambda kernel: kernel.database.read(succession.status, kernel.node)), as_json)


@key_app.command("rotate")
def key_rotate(
    grace: Annotated[int, typer.Option(help="Days, 1 to 90, until the new keys take over whoever has not accepted them.")] = 14,
    as_json: AsJson = False,
) -> None:
    """Publishes new keys, signed by those in use; they take over once all partners have accepted them."""
    from fedcollab.federation import succession

    found = with_kernel(lambda kernel: kernel.database.write(succession.rotate, kernel.node, None, grace))
    _say_status(found, as_json, "New keys are published. Ask your partners' admins to accept them on your organisation's page.")


@key_app.command("new")
def key_new(
    lost: Annotated[bool, typer.Option("--lost", help="Yes: the old keys are lost, or somebody else has them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Makes new keys at once, without the old ones' signature: for keys that are lost or that somebody else has."""
    from fedcollab.base.errors import Misconfigured
    from fedcollab.federation import succession

    if not lost:
        raise Misconfigured("Partners will suspend you until their admins compared the words with you. If that has to be: key new --lost")
    found = with_kernel(lambda kernel: kernel.database.write(succession.start_anew, kernel.node, None))
    _say_status(
        found,
        as_json,
        "New keys are in use, and the old ones are gone. Partners will find other keys than they know and suspend you; nothing is lost.\n"
        "Call each partner's admin: both read the words (partner words), and they say on their side that these match (partner recheck).",
    )
