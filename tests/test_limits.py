"""docs/admins/limits.md says what the code has: each limit with its figure, and none that is not held here."""

import re

import pytest

from fedcollab.base import config, connections, gate, http, lines, markup, strictjson, web, wire
from fedcollab.base.clock import MICROSECONDS
from fedcollab.features.cases import memory
from fedcollab.features.discussions import activities, service
from fedcollab.features.members import throttle
from fedcollab.features.resources import notes, receiving
from fedcollab.features.resources.exchange import exporting, formats, importing
from fedcollab.federation import lanes, profiles, rates, seeking, workers
from fedcollab.files import fetching, pace, quotas, shelves, uploading
from fedcollab.files import receiving as incoming
from fedcollab.files import wire as attachments
from fedcollab.sealing import consents, room_quotas

from .documents import ROOT, text_of

PAGE = ROOT / "docs" / "admins" / "limits.md"
KB, MB, DAY = 1000, 1_000_000, 86400
FIGURES: dict[str, tuple[object, ...]] = {
    "connections": (config.Settings.connections,),
    "connections of one address": (config.Settings.connections_per_address,),
    "a request's header, in all": (f"{connections.HEADER_BYTES // 1024} kB",),
    "a request's header, one line": (f"{(wire.LINE_BYTES + 2) // 1024} kB",),
    "a request's header, fields": (wire.MOST_HEADERS,),
    "a request's header, time": (f"{connections.HEADER_SECONDS:.0f} s",),
    "a request's body": (f"{web.BODY_BYTES // MB} MB",),
    "a request's body, time": (f"{gate.BODY_SECONDS:.0f} s",),
    f"bodies over {gate.SMALL_BODY // 1024} kB at the same time": (gate.LARGE_AT_ONCE,),
    "a packed body (`Content-Encoding`)": ("none",),
    "an answer that nobody reads": (f"{connections.ANSWER_SECONDS:.0f} s",),
    "an unused connection": (f"{wire.RESTING:.0f} s",),
    "a form": (f"{web.FORM_BYTES // KB} kB, {web.FORM_FIELDS} fields",),
    "another `Host` than the node's own": ("none",),
    f"activities at once, {rates.A_SECOND:.0f} a second after": (rates.BURST,),
    f"signed questions (GET) at once, {rates.A_SECOND:.0f} a second after": (rates.BURST,),
    "an activity": (f"{strictjson.MAX_BYTES // MB} MB",),
    "levels of an activity's document": (strictjson.MAX_DEPTH,),
    "members of an activity's document": (strictjson.MAX_MEMBERS,),
    "a post": (f"{activities.LONGEST} characters of HTML", f"{markup.LONGEST} characters"),
    "a title": (f"{activities.TITLE} characters",),
    "an id": (f"{activities.LONGEST_ID} bytes",),
    "records of one organisation in the library": (receiving.MOST,),
    "notes of one organisation on a record": (notes.OF_ONE,),
    "changes of a post": (service.CHANGES,),
    "changes of a post within an hour": (service.CHANGES_AN_HOUR, service.CHANGES_AN_HOUR),
    "documents fetched for one activity": (workers.FETCHES,),
    "a person's or organisation's document": (f"{profiles.LONGEST} characters",),
    "conversations of one partner that wait for something at the same time": (lanes.PER_HOST,),
    "keys of one partner that are not there, named by one address": (seeking.MISSES,),
    "keys of one partner that are not there, named by all addresses": (seeking.OF_ALL * seeking.MISSES,),
    "an answer, unpacked": (f"{http.MAX_BYTES // MB} MB",),
    "one question with all its redirects": (f"{http.TOTAL_SECONDS} s",),
    "a connection": (f"{lines.CONNECT_SECONDS} s",),
    "redirects": (f"{http.REDIRECTS}, none for signed requests",),
    "questions to one host at once": (f"{http.AT_ONCE['GET']}, and {http.AT_ONCE['POST']} deliveries",),
    "a question that failed at great cost": (f"{http.FAILED_SECONDS} s",),
    "a `Retry-After`": (f"{http.LONGEST_WAIT // DAY} days",),
    "a bibliography that is imported": (f"{formats.BYTES // MB} MB, {formats.ROWS} entries, {formats.SECONDS:.0f} s to read it",),
    "imports of one person": (importing.MOST,),
    "files of the library, feeds and harvests of one person or address in a row": (exporting.AT_ONCE,),
    "failed sign-ins of one address at one account": (throttle.FREE,),
    "failed sign-ins of one address": (throttle.PER_ADDRESS,),
    "seconds without a byte of an upload": (f"{pace.SILENCE:.0f} s",),
    "an upload that comes slowly": (f"{pace.LEAST // 1024} kB in {pace.WINDOW:.0f} s of waiting",),
    "files that come in at the same time": (shelves.SENDERS,),
    "files that one member sends at the same time": (shelves.SENDERS_EACH,),
    "a refused file that is read on, so that a member hears why": (f"{incoming.DRAINED // 2**20} MB, {incoming.DRAIN_TIME:.0f} s",),
    "uploads that one member has begun": (quotas.UPLOADS,),
    "an upload that nobody goes on with": (f"{uploading.KEPT // MICROSECONDS // DAY} day",),
    "partners' files fetched at the same time": (shelves.FETCHES,),
    "partners' files fetched from one host at the same time": (http.AT_ONCE["FILE"],),
    "partners' files of one host that are fetched or wait": (fetching.OF_ONE,),
    "a partner's file of which no size is said": (f"{fetching.UNSAID // MB} MB",),
    "a partner's file that comes slowly": (f"{http.LEAST // 1024} kB in {http.WINDOW} s, {http.FILE_SECONDS // 3600} h in all",),
    "attachments of one document that are read": (attachments.MOST,),
    "sealed texts and files of one organisation, whoever passes them on": (
        f"{config.Settings.sealed_quota} MB ([sealed_quota](settings.md#sealed_quota))",
    ),
    "of that in one case or sealed group": (
        f"{config.Settings.sealed_room_quota} MB ([sealed_room_quota](settings.md#sealed_room_quota))",
    ),
    "entries that rest on one consent in a room": (consents.MOST_NAMED,),
    "of others' that one partner passes on, as who leads a group does": (f"{room_quotas.OTHERS} times both",),
    "open cases kept in memory between two pages, all together": (f"{memory.MOST // 2**20} MB",),
}


def limits(text: str) -> dict[str, tuple[str, ...]]:
    """{what: its figures in the order of the tables} of the page's rows."""
    found: dict[str, tuple[str, ...]] = {}
    for row in re.findall(r"^\| (?!what|---)(.+?) \| (.+?) \| .+ \|$", text, re.MULTILINE):
        found[row[0]] = (*found.get(row[0], ()), row[1])
    return found


def test_every_limit_on_the_page_is_the_codes_and_the_other_way_round() -> None:
    assert limits(text_of(PAGE)) == {what: tuple(str(figure) for figure in figures) for what, figures in FIGURES.items()}


@pytest.mark.parametrize(("old", "new"), [("| 32 kB |", "| 64 kB |"), ("| an id |", "| an idea |")])
def test_a_limit_that_is_wrong_or_unknown_is_found(old: str, new: str) -> None:
    text = text_of(PAGE)
    assert old in text
    assert limits(text.replace(old, new)) != limits(text)


def test_the_settings_among_the_limits_lead_to_their_sections() -> None:
    for name in ("connections", "connections_per_address"):
        assert f"settings.md#{name}" in text_of(PAGE)
