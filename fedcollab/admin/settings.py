"""Decides what an admin sees of the node itself on one page: whether it is well, disk and backups, what is kept, what node.toml says; and
which few lines of it are changed there."""

import os
import platform
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from fedcollab import __version__
from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.backup import keeping, printed, runs
from fedcollab.backup.models import VERIFIED
from fedcollab.base import config, rewriting
from fedcollab.base.clock import MINUTE
from fedcollab.base.errors import BadRequest, FedcollabError, Misconfigured, N_, Refused
from fedcollab.base.i18n import time_zones
from fedcollab.base.migrate import head
from fedcollab.base.paths import for_backups
from fedcollab.base.session import Session
from fedcollab.base.web import read_form, redirect, words_of
from fedcollab.feature import admin_of, page
from fedcollab.federation.kernel import KERNEL
from fedcollab.running import closing, disk, health
from fedcollab.running.kept import kept

SAID_ONCE = ("language", "time_zone")  # written even where they are as they come: then somebody has thought of them
LEVELS, FORMS = ("debug", "info", "warning", "error"), ("json", "text")
MINUTES = (15, 30, 60, 120, 240)
CHECKS = {
    "database": N_("The database answers"),
    "schema": N_("The database fits this program"),
    "writer": N_("What is written is stored"),
    "workers": N_("Deliveries and arrivals are worked on"),
    "disk": N_("There is room on the disk"),
    "maintenance": N_("The node is open"),
}


WRONG = {
    "language": N_("Choose one of the languages."),
    "time_zone": N_("Choose one of the time zones."),
    "outside_servers": N_("Choose whether servers outside are let in."),
    "backup_keep": N_("Write a number of days from 1 to 3650."),
    "disk_reserve": N_("Write a number of megabytes from 0 to 1,000,000."),
    "sealed_quota": N_("Write a number of megabytes from 0 to 100,000,000."),
    "sealed_room_quota": N_("Write a number of megabytes from 0 to 100,000,000."),
    "log_level": N_("Choose how much goes into the log."),
    "log_format": N_("Choose how the log is written."),
}  # what can be changed here, and what is said of a value that is none


@dataclass(frozen=True)
class Line:
    """One setting: its value as it may be shown (None for a secret that is set), what it means, where it comes from ("environment",
    "file" or "default"), and whether node.toml says another value by now."""

    name: str
    value: object
    doc: str
    source: str
    waits: bool


def written(node: Node) -> dict[str, object]:
    """What node.toml says by now; nothing where it can't be read."""
    try:
        said = tomllib.loads(node.files.settings.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}


def lines(node: Node, said: Mapping[str, object], environ: Mapping[str, str]) -> list[Line]:
    """All settings as the node runs by them, beside what the file says."""
    found = []
    for one in fields(config.Settings):
        value = getattr(node.settings, one.name)
        source = "environment" if "FEDCOLLAB_" + one.name.upper() in environ else "file" if one.name in said else "default"
        shown = None if one.metadata["secret"] and value else value
        waits = source != "environment" and bool(said) and said.get(one.name, one.default) != value
        found.append(Line(one.name, shown, one.metadata["doc"], source, waits))
    return found


@dataclass(frozen=True)
class State:
    """What stands in the database of the node itself."""

    disk: disk.Disk
    backup: runs.Run | None
    newest: runs.Run | None
    engine: str


def state(session: Session, node: Node) -> State:
    """The disk, the newest good backup and the newest attempt, and which database this is."""
    good, newest = runs.newest(session, VERIFIED), runs.newest(session)
    postgres = session.connection().dialect.name == "postgresql"
    version = session.execute(sa.text("SHOW server_version" if postgres else "SELECT sqlite_version()")).scalar_one()
    return State(disk.look(session, node), good, newest, f"{'PostgreSQL' if postgres else 'SQLite'} {version}")


def printed_key(node: Node) -> str:
    """The name of the printed key that opens backups; empty for none."""
    try:
        return printed.name(keeping.read(node.files, node.master_key).public)
    except FedcollabError:
        return ""


async def show(request: web.Request) -> web.Response:
    """The page."""
    admin_of(request)
    return await _page(request)


async def _page(request: web.Request, status: int = 200, errors: dict[str, str] | None = None, typed: Any = None) -> web.Response:
    kernel = request.app[KERNEL]
    node, said = kernel.node, written(kernel.node)
    found, stands = lines(node, said, os.environ), await kernel.database.read(state, node)
    return page(
        request,
        "admin/settings.html",
        status=status,
        checks=await health.ready(kernel, request.app[health.HEALTH]),
        check_words=CHECKS,
        stands=stands,
        key=printed_key(node),
        kept=kept(node.settings.backup_keep),
        lines=found,
        values=_current(node, said) | dict(typed or {}),
        fixed=[one.name for one in found if one.source == "environment"],
        zones=time_zones(),
        levels=LEVELS,
        forms=FORMS,
        minutes=MINUTES,
        versions=(("fedcollab", __version__), ("Python", platform.python_version())),
        step=head(),
        commands=for_backups(node.files.root),
        errors=errors or {},
        saved=request.query.get("saved") == "1",
    )


def _current(node: Node, said: Mapping[str, object]) -> dict[str, object]:
    """What can be changed here, as the file says it: a change begins from that."""
    return {one.name: said.get(one.name, one.default) for one in fields(config.Settings) if one.name in WRONG}


async def save(request: web.Request) -> web.Response:
    """Writes what was changed into node.toml, on record; it counts from the next start on."""
    viewer, form, kernel = admin_of(request), await read_form(request), request.app[KERNEL]
    node, words = kernel.node, words_of(request)
    said = written(node)
    fixed = {one.name for one in lines(node, said, os.environ) if one.source == "environment"}
    typed = {name: value for name, value in _typed(form).items() if name not in fixed}
    errors = {name: words.gettext(WRONG[name]) for name, value in typed.items() if not _right(node, name, value)}
    if errors:
        return await _page(request, 422, errors, typed)
    current = _current(node, said)
    changes = {name: value for name, value in typed.items() if value != current[name] or (name in SAID_ONCE and name not in said)}
    if changes:
        try:
            rewriting.change(node.files.settings, changes)
        except Refused as error:
            return await _page(request, error.status, {"": error.in_words(words)}, typed)
        await kernel.database.write(_changed, node, viewer, ",".join(sorted(changes)))
    return redirect("/admin/settings?saved=1#change")


def _typed(form: Mapping[str, str]) -> dict[str, object]:
    """The form's values in their kinds; a number that is none stays a text, and is wrong."""
    found: dict[str, object] = {name: form.get(name, "") for name in WRONG}
    for name in ("backup_keep", "disk_reserve", "sealed_quota", "sealed_room_quota"):
        text = str(found[name]).strip()
        found[name] = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text
    return found | {"outside_servers": form.get("outside_servers") == "yes"}


def _right(node: Node, name: str, value: object) -> bool:
    """Whether the node would start with it, by the rules of `config` alone."""
    usual = {"name": node.settings.name, "base_url": node.settings.base_url, "trial": node.settings.trial, "listen": node.settings.listen}
    try:
        config.parse(usual | {name: value}, {})
    except Misconfigured:
        return False
    return True


def _changed(session: Session, node: Node, viewer: Viewer, names: str) -> None:
    audit.record(session, node.now(), viewer, "node.settings", names)


async def change_maintenance(request: web.Request) -> web.Response:
    """Closes the node for members and partners, or opens it again."""
    viewer, form, kernel = admin_of(request), await read_form(request), request.app[KERNEL]
    act = form.get("act", "")
    if act not in ("open", "close"):
        raise BadRequest(N_("Choose whether to close the node or to open it."))
    if act == "open":
        await closing.open_again(kernel, viewer)
    else:
        minutes = form.get("minutes", "")
        left = int(minutes) if minutes in {str(one) for one in MINUTES} else 0
        await closing.close(kernel, viewer, kernel.node.now() + left * MINUTE if left else None, form.get("words", ""))
    return redirect("/admin/settings")


ROUTES = (
    web.get("/admin/settings", show),
    web.post("/admin/settings", save),
    web.post("/admin/maintenance", change_maintenance),
)
