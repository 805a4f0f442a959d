"""Decides how an admin reads the record: by person, kind and day, a page at a time; checks its chain, and takes a copy along."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from aiohttp import web

from fedcollab.access import audit
from fedcollab.access.viewer import Viewer
from fedcollab.actors.models import Actor
from fedcollab.actors.node import Node
from fedcollab.base.clock import iso
from fedcollab.base.errors import BadRequest, N_
from fedcollab.base.i18n import Words
from fedcollab.base.session import Session
from fedcollab.base.web import read_form, redirect, words_of
from fedcollab.feature import admin_of, page, read_grave_form
from fedcollab.features.members import service as members
from fedcollab.federation import partners
from fedcollab.federation.kernel import KERNEL

from .views import ACTIONS

SHOWN = 50
NEWEST = 1000  # entries whose chain is checked each time that somebody looks
NOBODY = "-"  # in an address: the command line, or the node itself
FORMULA = ("=", "+", "-", "@", "\t", "\r")
KINDS = {
    "post": N_("Posts"),
    "thread": N_("Conversations"),
    "resource": N_("Resources"),
    "note": N_("Notes on resources"),
    "list": N_("Reading lists"),
    "story": N_("Stories"),
    "flag": N_("Reports"),
    "file": N_("Files"),
    "room": N_("Sealed rooms"),
    "case": N_("Cases"),
    "referral": N_("Referrals"),
    "consent": N_("Consents"),
    "sealed": N_("Sealed groups"),
    "group": N_("Groups"),
    "member": N_("Members"),
    "token": N_("Tokens"),
    "partner": N_("Partners"),
    "organisation": N_("Blocked organisations"),
    "queue": N_("Deliveries"),
    "key": N_("Keys of this node"),
    "guest": N_("Guests"),
    "keeper": N_("Keepers"),
    "sheets": N_("Sheets of the organisation's key"),
    "node": N_("The node"),
    "audit": N_("The record"),
}
COLUMNS = ("seq", "at", "actor_id", "action", "subject", "prev", "hash")


@dataclass(frozen=True)
class Choice:
    """What an admin has asked for, as it stands in the address."""

    who: str = ""
    kind: str = ""
    since: str = ""
    until: str = ""

    @property
    def query(self) -> str:
        """The address's query for the same choice."""
        return urlencode({name: value for name, value in vars(self).items() if value})

    def wanted(self, words: Words) -> audit.Wanted:
        """The same for `audit`; days are the reader's, and the last one is meant with all its hours."""
        actor = None if not self.who else "" if self.who == NOBODY else self.who
        return audit.Wanted(actor, self.kind, words.day(self.since), words.day(self.until, 1))


def choice(fields: Any) -> Choice:
    """From an address or a form; what is none of the kinds is all of them."""
    kind = fields.get("kind", "")
    return Choice(fields.get("who", "")[:36], kind if kind in KINDS else "", fields.get("since", "")[:10], fields.get("until", "")[:10])


@dataclass(frozen=True)
class Shown:
    """A page of the record, with the names of those whose ids stand in it."""

    entries: list[audit.Entry]
    older: int | None
    names: dict[str, str]
    people: list[tuple[str, str]]
    verdict: audit.Verdict
    last: audit.Entry | None


def look(session: Session, wanted: audit.Wanted, before: int | None) -> Shown:
    """The newest entries of a choice, or those before a number."""
    found = audit.newest(session, SHOWN + 1, wanted=wanted, before=before)
    entries = found[:SHOWN]
    ids = {one.actor for one in entries if one.actor} | {one.subject for one in entries}
    names = {row.id: row.name for row in session.execute(sa.select(Actor.id, Actor.name).where(Actor.id.in_(ids)))}
    people = [(one.person_id, one.name) for one in members.listed(session)]
    people += [(one.organisation_id, one.name) for one in partners.listed(session)]
    older = entries[-1].seq if len(found) > SHOWN else None
    return Shown(entries, older, names, people, audit.verify(session, newest=NEWEST), audit.last_verified(session))


async def show_audit(request: web.Request) -> web.Response:
    """The record, newest first, and whether its chain holds there."""
    admin_of(request)
    asked, number = choice(request.query), request.query.get("before", "")
    before = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None
    found = await request.app[KERNEL].database.read(look, asked.wanted(words_of(request)), before)
    checked = min(NEWEST, found.verdict.entries)
    return page(request, "admin/audit.html", found=found, choice=asked, checked=checked, actions=ACTIONS, kinds=KINDS, before=before)


async def verify(request: web.Request) -> web.Response:
    """Reads the whole record, and puts on it that this was done."""
    viewer, kernel = admin_of(request), request.app[KERNEL]
    await read_form(request)
    verdict = await kernel.database.read(audit.verify)
    await kernel.database.write(_verified, kernel.node, viewer, verdict)
    return redirect("/admin/audit")


def _verified(session: Session, node: Node, viewer: Viewer, verdict: audit.Verdict) -> None:
    """Puts on record that the whole chain was read, and what was found."""
    subject = f"{verdict.entries}" if verdict.broken_at is None else f"{verdict.entries} broken at {verdict.broken_at}"
    audit.record(session, node.now(), viewer, "audit.verify", subject)


async def export(request: web.Request) -> web.StreamResponse:
    """The entries of a choice as a file, oldest first, each with its links in the chain: ids, and no names. On record before it begins."""
    viewer, fields, kernel = admin_of(request), await read_grave_form(request), request.app[KERNEL]
    form, asked = fields.get("form", ""), choice(fields)
    if form not in FORMS:
        raise BadRequest(N_("Choose in which form to export the record."))
    await kernel.database.write(_exported, kernel.node, viewer, form)
    kind, write = FORMS[form]
    name = f'attachment; filename="record.{form}"'
    answer = web.StreamResponse(headers={"Content-Type": kind, "Content-Disposition": name})
    await answer.prepare(request)
    wanted, after = asked.wanted(words_of(request)), 0
    await answer.write(HEADS[form].encode())
    while entries := await kernel.database.read(audit.page, wanted, after):
        await answer.write(write(entries).encode())
        after = entries[-1].seq
    await answer.write_eof()
    return answer


def _exported(session: Session, node: Node, viewer: Viewer, form: str) -> None:
    audit.record(session, node.now(), viewer, "audit.export", form)


def as_csv(entries: Sequence[Any]) -> str:
    """Lines for a table; what a table would take for a formula begins with an apostrophe (a host may begin with anything)."""
    out = io.StringIO()
    rows = ([entry.seq, iso(entry.at), *(_plain(getattr(entry, name)) for name in COLUMNS[2:])] for entry in entries)
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _plain(value: str | None) -> str:
    text = value or ""
    return "'" + text if text.startswith(FORMULA) else text


def as_jsonl(entries: Sequence[Any]) -> str:
    """One JSON object a line with the values as they are; times in microseconds."""
    return "".join(json.dumps({name: getattr(entry, name) for name in COLUMNS}, ensure_ascii=False) + "\n" for entry in entries)


FORMS: dict[str, tuple[str, Callable[[Sequence[Any]], str]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "jsonl": ("application/jsonl; charset=utf-8", as_jsonl),
}
HEADS = {"csv": ",".join(COLUMNS) + "\r\n", "jsonl": ""}
ROUTES = (web.get("/admin/audit", show_audit), web.post("/admin/audit/verify", verify), web.post("/admin/audit/export", export))
