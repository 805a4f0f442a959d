"""Decides the command line: a contract, each command with --json and --help; refusals say what to do and exit with 1."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from fedcollab import __version__
from fedcollab.base.errors import FedcollabError, Misconfigured

from .cli_backup import backup_app, restore
from .cli_breach import breach_app
from .cli_database import database_app
from .cli_doctor import doctor
from .cli_people import token_app, user_reset_factor
from .cli_queue import federation_app
from .cli_running import maintenance_app
from .cli_search import search_app
from .cli_trust import key_app, partner_app, standing, still_to_compare
from .cli_verify import audit_verify, verify
from .console import CHOSEN, AsJson, command, progress, say, with_kernel

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="One organisation's node, federated by signed activities.",
)
user_app = typer.Typer(no_args_is_help=True, help="Members of this node.")
group_app = typer.Typer(no_args_is_help=True, help="Groups for discussions.")
audit_app = typer.Typer(no_args_is_help=True, help="The record of what was done.")
for name, part in (
    ("user", user_app),
    ("partner", partner_app),
    ("group", group_app),
    ("federation", federation_app),
    ("key", key_app),
    ("audit", audit_app),
    ("token", token_app),
    ("backup", backup_app),
    ("database", database_app),
    ("maintenance", maintenance_app),
    ("search", search_app),
    ("breach", breach_app),
):
    app.add_typer(part, name=name)

user_app.command("reset-factor")(user_reset_factor)
app.command("restore")(restore)
app.command("doctor")(doctor)
app.command("verify")(verify)
audit_app.command("verify")(audit_verify)

Role = Annotated[
    list[str] | None, typer.Option("--role", help="admin, moderator, member, caseworker, triager, analyst; may be given several times.")
]


def main() -> None:
    """The entrance; errors of ours end as one line of words, never as a trace."""
    try:
        app()
    except FedcollabError as error:
        fail(error)
    except OSError as error:  # a disk that is full, a file that another user owns
        if not error.filename:
            fail(Misconfigured("The command could not go on (%(error)s).", error=error.strerror or str(error)))
        words = "%(path)s can't be read or written (%(error)s). Make room there, or let this user in."
        fail(Misconfigured(words, path=error.filename, error=error.strerror))


def fail(error: FedcollabError) -> NoReturn:
    words = error.in_words()
    if error.reason and error.reason not in words:
        words = f"{words} ({error.reason})"
    print(f"fedcollab: {words}", file=sys.stderr)
    raise SystemExit(1)


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def choose(
    directory: Annotated[Path, typer.Option("-C", "--directory", help="The node's directory.")] = Path(),
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """One organisation's node, federated by signed activities."""
    CHOSEN["directory"] = directory


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="Where the node will live; new or empty.")],
    name: Annotated[str, typer.Option(help="The organisation's name.")],
    base_url: Annotated[str, typer.Option(help="The address by which everybody reaches it.")],
    listen: Annotated[str, typer.Option(help="HOST:PORT to listen on.")] = "127.0.0.1:8000",
    database_url: Annotated[str, typer.Option(help="Empty for SQLite, else postgresql://...")] = "",
    ring_url: Annotated[str, typer.Option(help="The same for the key ring: a database for it alone.")] = "",
    trial: Annotated[bool, typer.Option("--trial", help="Plain http on loopback, to try things out.")] = False,
    loopback_peer: Annotated[list[str] | None, typer.Option(help="Trial only: HOST:PORT of a partner on this machine.")] = None,
    as_json: AsJson = False,
) -> None:
    """Makes a node: settings, keys, database, organisation."""
    from fedcollab.setup import init as make

    written: dict[str, object] = {"name": name, "base_url": base_url.rstrip("/"), "listen": listen}
    optional = {"database_url": database_url, "ring_url": ring_url, "trial": trial, "loopback_peers": tuple(loopback_peer or ())}
    settings = make(directory, written | {key: value for key, value in optional.items() if value})
    words = (
        f"{name} is set up in {directory}. Keep a copy of {directory}/node.key apart from all backups. Next:\n"
        f"  fedcollab -C {directory} user add YOU --role admin\n  fedcollab -C {directory} serve"
    )
    say(as_json, {"directory": str(directory), "base_url": settings.base_url, "actor": settings.uri("/actor")}, words)


@app.command()
def serve(as_json: AsJson = False) -> None:
    """Runs the node; prints "ready URL" once it answers."""
    from fedcollab.serve import run

    run(CHOSEN["directory"], as_json=as_json)


@user_app.command("add")
def user_add(
    name: Annotated[str, typer.Argument(help="The name to sign in with.")],
    role: Role = None,
    shown: Annotated[str, typer.Option("--shown", help="The name that others see.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read a password from standard input; else use login-link.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Makes a member."""
    from fedcollab.base.passwords import hash_password
    from fedcollab.features.members import service

    hashed = ""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
        service.check_password(password, name)
        hashed = hash_password(password)
    roles, username = role or ["member"], name.lower()  # as at sign-in: Ilse signs in as ilse, and is shown as Ilse
    made = with_kernel(
        lambda k: k.database.write(
            service.add_member, k.node, None, username=username, name=shown or name, roles=roles, password_hash=hashed
        )
    )
    more = "" if hashed else f" Next: {command(f'login-link {username}')}"
    say(as_json, asdict(made), f"{made.username} can sign in as {', '.join(made.roles)}.{more}")


@user_app.command("list")
def user_list(as_json: AsJson = False) -> None:
    """All members."""
    from fedcollab.features.members import service

    found = with_kernel(lambda k: k.database.read(service.listed))
    lines = [f"{m.username:20} {','.join(m.roles):24} {m.name}{' (disabled)' if m.disabled_at else ''}" for m in found]
    say(as_json, [asdict(m) for m in found], "\n".join(lines) or "No members yet.")


@user_app.command("disable")
def user_disable(name: str, as_json: AsJson = False) -> None:
    """Ends an account at once: its sessions and links die with it."""
    from fedcollab.features.members import service

    with_kernel(lambda k: k.database.write(service.disable, k.node, None, name))
    say(as_json, {"disabled": name}, f"{name} is disabled; all sessions have ended.")


@app.command("login-link")
def login_link(name: str, as_json: AsJson = False) -> None:
    """Makes a one-time link that signs a member in within 15 minutes, to choose a new password."""
    from fedcollab.features.members import service

    async def work(kernel: Any) -> str:
        token = await kernel.database.write(service.make_link, kernel.node, None, name)
        return str(kernel.node.settings.uri(f"/link/{token}"))

    link = with_kernel(work)
    say(as_json, {"link": link}, link)


@app.command()
def invite(role: Role = None, as_json: AsJson = False) -> None:
    """Makes a link by which one person joins, within 7 days."""
    from fedcollab.features.members import service

    async def work(kernel: Any) -> str:
        token = await kernel.database.write(service.invite, kernel.node, None, role or ["member"])
        return str(kernel.node.settings.uri(f"/join/{token}"))

    link = with_kernel(work)
    say(as_json, {"link": link}, link)


@app.command()
def migrate(as_json: AsJson = False) -> None:
    """Brings the database and the key ring to the shape that this program needs."""
    from fedcollab.base import config
    from fedcollab.base.database import open_database
    from fedcollab.base.migrate import RING
    from fedcollab.base.migrate import migrate as bring
    from fedcollab.base.paths import NodeFiles
    from fedcollab.sealing.ring import open_ring

    settings, files = config.load(CHOSEN["directory"]), NodeFiles(CHOSEN["directory"])
    database, ring = open_database(settings.database_url or f"sqlite:///{files.database}", patient=True), open_ring(settings, files)
    try:
        before, after = bring(database.engine, progress(as_json))
        ring_before, ring_after = bring(ring.engine, progress(as_json), RING)
    finally:
        database.close()
        ring.close()
    data = {"from": before, "to": after, "ring": {"from": ring_before, "to": ring_after}}
    say(as_json, data, f"{_at('database', before, after)}\n{_at('key ring', ring_before, ring_after)}")


def _at(what: str, before: str, after: str) -> str:
    return f"The {what} is at step {after}." + ("" if before == after else f" It was at {before or 'none'}.")


@app.command()
def demo(
    nodes: Annotated[int, typer.Option(help="How many organisations, 2 to 8.")] = 3,
    port: Annotated[int, typer.Option(help="The first port; 0 takes free ones.")] = 0,
    keep: Annotated[Path | None, typer.Option(help="Keep the nodes in this directory.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Post on each node, see it on the others, and stop.")] = False,
    as_json: AsJson = False,
) -> None:
    """Several organisations on loopback, with sample members and a conversation that really travels."""
    from fedcollab.base.logs import set_up
    from fedcollab.demo import run

    def progress(words: str) -> None:
        if not as_json:
            print(words, flush=True)

    def answer(data: object) -> None:
        if as_json:
            print(json.dumps(data, ensure_ascii=False, indent=1), flush=True)

    set_up("error")
    run(nodes, port, keep, check, progress, answer)


@partner_app.command("add")
def partner_add(
    url: str, approve: Annotated[bool, typer.Option("--approve", help="Admit it at once.")] = False, as_json: AsJson = False
) -> None:
    """Lists an organisation, by its actor's id or its node's address."""
    from fedcollab.admin import partners

    found = with_kernel(lambda kernel: partners.add(kernel, None, url, approve=approve))
    words = f"{found.name} ({found.host}) is {found.state}.{still_to_compare(found)}"
    if found.state == "applied":
        words = (
            f"{found.name} ({found.host}) is on the list, not approved yet. Call their admin and compare the words, then approve:\n"
            f"  {command(f'partner words {found.host}')}\n"
            f"  {command(f'partner approve {found.host}')}"
        )
    say(as_json, found._asdict(), words)


@partner_app.command("list")
def partner_list(as_json: AsJson = False) -> None:
    """All partners with their state and last success."""
    from fedcollab.admin.status import standings

    found = with_kernel(lambda kernel: kernel.database.read(standings))
    say(
        as_json,
        [p._asdict() | more for p, more in found],
        "\n".join(f"{p.state:10} {p.host:30} {p.name}  {standing(p, **more)}".rstrip() for p, more in found) or "No partners yet.",
    )


def _change(verb: str, url: str, as_json: bool) -> None:
    from fedcollab.admin import partners as acts
    from fedcollab.federation import partners

    async def work(kernel: Any) -> Any:
        await kernel.database.write(acts.change, kernel.node, None, url, acts.STATES[verb])
        return await kernel.database.read(partners.find, url)

    found = with_kernel(work)
    say(as_json, found._asdict(), f"{found.name} ({found.host}) is {found.state}.{still_to_compare(found)}")


@partner_app.command("approve")
def partner_approve(url: str, as_json: AsJson = False) -> None:
    """Admits a listed partner: it is heard, followed, and inside our groups."""
    _change("approve", url, as_json)


@partner_app.command("suspend")
def partner_suspend(url: str, as_json: AsJson = False) -> None:
    """Stops talking with a partner for now; what waits for it is kept."""
    _change("suspend", url, as_json)


@partner_app.command("block")
def partner_block(url: str, as_json: AsJson = False) -> None:
    """Hides what an organisation's people wrote, here; a partner is no longer talked with either."""
    from fedcollab.admin import partners

    with_kernel(lambda kernel: kernel.database.write(partners.block, kernel.node, None, url))
    say(as_json, {"blocked": url}, f"{url} is blocked.")


@partner_app.command("unblock")
def partner_unblock(url: str, as_json: AsJson = False) -> None:
    """Shows an organisation's words again; a partner has to be approved anew."""
    from fedcollab.admin import partners

    with_kernel(lambda kernel: kernel.database.write(partners.unblock, kernel.node, None, url))
    say(as_json, {"unblocked": url}, f"{url} is no longer blocked.")


@partner_app.command("remove")
def partner_remove(url: str, as_json: AsJson = False) -> None:
    """Ends a partnership."""
    _change("remove", url, as_json)


@partner_app.command("follow")
def partner_follow(url: str, as_json: AsJson = False) -> None:
    """Follows a group of an admitted partner that runs other software, by the group's address."""
    from fedcollab.admin import partners

    found = with_kernel(lambda kernel: partners.follow_group(kernel, None, url))
    say(as_json, {"id": found.id, "uri": found.uri, "name": found.name}, f"{found.name} ({found.host}) is followed.")


@group_app.command("add")
def group_add(
    slug: str,
    name: Annotated[str, typer.Option(help="The group's name.")],
    label: Annotated[str, typer.Option(help="TLP:CLEAR, TLP:GREEN or TLP:AMBER+STRICT.")] = "TLP:GREEN",
    history: Annotated[bool, typer.Option("--history", help="Organisations admitted later see what came before.")] = False,
    as_json: AsJson = False,
) -> None:
    """Makes a group of ours."""
    from fedcollab.access.viewer import ADMIN, Viewer
    from fedcollab.features.discussions import groups

    console = Viewer(roles=frozenset({ADMIN}))
    made = with_kernel(lambda k: k.database.write(groups.create, k.node, console, slug=slug, name=name, label=label, history=history))
    say(as_json, {"id": made.id, "uri": made.uri, "slug": slug, "label": label}, f"{made.name}: {made.uri}")


@app.command()
def post(
    group: Annotated[str, typer.Argument(help="Slug of a group of ours, or any group's uri.")],
    author: Annotated[str, typer.Option("--as", help="The member who writes.")],
    text: Annotated[str, typer.Option(help="Markdown.")],
    title: Annotated[str, typer.Option(help="The conversation's title; not for a reply.")] = "",
    reply_to: Annotated[str, typer.Option(help="The uri of a post to answer.")] = "",
    as_json: AsJson = False,
) -> None:
    """Trial nodes only: posts in a member's name and prints the post's uri."""
    from fedcollab.trial import post as write

    made = with_kernel(lambda kernel: write(kernel, group, author, title, text, reply_to))
    say(as_json, {"uri": made.uri, "thread": made.thread_id}, made.uri)
