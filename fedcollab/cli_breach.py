"""Decides the command that says, within the hour, whom an account, a partner's node or this node has touched."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from .console import AsJson, say, with_kernel

breach_app = typer.Typer(no_args_is_help=True, help="What to know when an account or a node is in the wrong hands.")
BACK = re.compile(r"(\d{1,4})([hd])")


@breach_app.command("report")
def breach_report(
    user: Annotated[str, typer.Option(help="A member's name to sign in with.")] = "",
    partner: Annotated[str, typer.Option(help="A partner's host or address.")] = "",
    since: Annotated[str, typer.Option(help="A day (2026-11-30), or how far back: 12h, 7d. Else from the beginning.")] = "",
    as_json: AsJson = False,
) -> None:
    """Which people, partners and sealed rooms an account or a partner's node touched; without either, this whole node."""
    from fedcollab.admin import breach

    async def work(kernel: Any) -> dict[str, Any]:
        begin = _since(since, kernel.node.now())
        return await kernel.database.write(breach.report, kernel.node, None, user=user, partner=partner, since=begin)  # type: ignore[no-any-return]

    found = with_kernel(work)
    say(as_json, found, "\n".join(lines(found)))


def _since(said: str, now: int) -> int:
    """From when on, in microseconds. Raises BadParameter for neither a day nor a number of hours or days."""
    from fedcollab.base.clock import DAY, HOUR

    if not said:
        return 0
    if back := BACK.fullmatch(said):
        return max(0, now - int(back[1]) * (HOUR if back[2] == "h" else DAY))
    try:
        return int(datetime.fromisoformat(said).replace(tzinfo=UTC).timestamp()) * 1_000_000
    except ValueError:
        raise typer.BadParameter("Write --since as a day (2026-11-30), or as 12h or 7d.") from None


def lines(found: dict[str, Any]) -> list[str]:
    """The same in words."""
    said = [_head(found), f"made {found['made_at']}, since {found['since'] or 'the beginning'}", ""]
    said += [f"{len(found['rooms'])} sealed rooms", *(line for room in found["rooms"] for line in _room(room)), ""]
    said += [f"{len(found['people'])} people on the same rooms", *(f"  {_named(one)}" for one in found["people"]), ""]
    said += [
        f"{len(found['partners'])} organisations touched",
        *(f"  {_named(one)}: {one['rooms']} rooms, {one['sent']} activities sent to it" for one in found["partners"]),
        "",
    ]
    said += [f"{len(found['guests'])} guests on the same rooms", *(f"  {one['name']}, {one['works_for']}" for one in found["guests"]), ""]
    said += [f"{len(found['referrals'])} referrals", *(_referral(one) for one in found["referrals"]), ""]
    said += [
        f"{len(found['sessions'])} sessions and tools today",
        *(f"  {one['kind']}: {one['name']}, since {one['since']}, last used {one['last_used'] or 'never'}" for one in found["sessions"]),
        "",
    ]
    said += [f"boxes that open today: {', '.join(f'{name} {count}' for name, count in found['boxes'].items()) or 'none'}"]
    said += [f"taken along as files: {found['downloads']}", *([f"came from it: {found['arrived']}"] if not found["user"] else []), ""]
    said += ["on record", *(f"  {act['action']:24} {act['times']:6}  {act['first']} to {act['last']}" for act in found["acts"])]
    return said


def _head(found: dict[str, Any]) -> str:
    if (user := found["user"]) is not None:
        state = "account has ended" if user["disabled_at"] else "access locked" if user["access_locked"] else "ACCOUNT IS OPEN"
        keeps = ", keeper: could open all rooms of ours that are not for people by name" if user["holds_organisation_key"] else ""
        return f"{user['name']} ({user['username']}): {state}{keeps}"
    if (partner := found["partner"]) is not None:
        return f"{partner['name']} ({partner['host']}): {partner['state']}"
    return "This whole node"


def _named(one: dict[str, Any]) -> str:
    return f"{one['name'] or 'unknown'} <{one['id']}>"


def _room(room: dict[str, Any]) -> list[str]:
    how = " (could be opened as a keeper)" if room["as_keeper"] else ""
    inside = "; ".join(_inside(one) for one in room["members"])
    numbers = (
        f"{room['messages']} messages, {room['messages_by_them']} by them, {room['files']} files, {room['boxes_handed']} keys handed out"
    )
    return [
        f"  {room['kind']} {room['id']} {room['label']} {room['state']}, begun {room['begun_at']}{how}",
        f"    access managed by {room['led_by']['name']}; inside: {inside}",
        f"    of ours: {', '.join(one['name'] for one in room['ours']) or 'nobody'}; {numbers}",
    ]


def _inside(one: dict[str, Any]) -> str:
    person = f", {one['person']['name']}" if one["person"] else ""
    return f"{one['organisation']['name'] or one['organisation']['id']}{person} ({one['state']})"


def _referral(one: dict[str, Any]) -> str:
    way = "to" if one["sent"] else "from"
    return f"  {one['id']} {way} {one['organisation']['name']}: {one['state']}, {one['at']}"
