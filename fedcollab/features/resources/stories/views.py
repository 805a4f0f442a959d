"""Decides what our people see of stories: the list, the form, the sheet for the person, the check; and the page where a code is shown."""

from typing import Any

from aiohttp import web
from multidict import MultiDict, MultiDictProxy

from fedcollab.access.models import CLEAR, GREEN, STRICT
from fedcollab.access.policy import is_wider, may_widen
from fedcollab.access.viewer import Viewer
from fedcollab.actors.node import Node
from fedcollab.base import telltale
from fedcollab.base.clock import new_id
from fedcollab.base.errors import FedcollabError, Refused
from fedcollab.base.session import Session
from fedcollab.base.web import check_form, read_fields, read_form, redirect, words_of
from fedcollab.feature import came_back, member_of, page
from fedcollab.features.resources import forms
from fedcollab.features.resources.checking import Wrong
from fedcollab.federation.kernel import KERNEL

from . import code, consent, ending, telling, words
from .shelf import Draft
from .telling import Agreed, StoryData

Fields = MultiDictProxy[str]
LISTS: dict[str, Any] = {
    "USES": words.USES,
    "CHANNELS": words.CHANNELS,
    "TOLD": words.TOLD,
    "AGREED_BY": words.AGREED_BY,
    "AGREED_HOW": words.AGREED_HOW,
    "CHECKS": words.CHECKS,
}


async def list_stories(request: web.Request) -> web.Response:
    viewer, kernel = member_of(request), request.app[KERNEL]
    found = await kernel.database.read(telling.listed, viewer)
    return page(request, "stories/list.html", stories=found, soon=kernel.node.now() + consent.SOON, **LISTS)


async def new_story(request: web.Request) -> web.Response:
    """The form for a story, and keeping it: then the sheet for the person, which is shown once."""
    return await _form(request, "")


async def edit_story(request: web.Request) -> web.Response:
    """Other words for a story, which somebody else checks before they count."""
    return await _form(request, request.match_info["id"])


async def _form(request: web.Request, story_id: str) -> web.Response:
    fields = await read_fields(request) if request.method == "POST" else None
    viewer, kernel = member_of(request), request.app[KERNEL]
    story = await kernel.database.read(telling.one, viewer, story_id) if story_id else None
    errors, status = dict[str, str](), 200
    try:
        if fields is not None and not came_back(request, fields):
            draft = _draft(fields)
            if story is not None:
                await kernel.database.write(telling.change, kernel.node, viewer, story_id, draft)
                return redirect(f"/stories/{story_id}")
            agreed, once = _agreed(request, fields), fields.get("once", "")
            made, secret = await kernel.database.write(telling.write, kernel.node, viewer, draft, agreed, once=once)
            if not secret:
                return redirect(f"/stories/{made}")
            return page(request, "stories/sheet.html", story_id=made, code=code.spaced(secret))
    except FedcollabError as error:
        errors, status = {error.field if isinstance(error, Wrong) else "text": error.in_words(words_of(request))}, error.status
    values = await _values(request, viewer, fields, story)
    shown = dict(story=story, values=values, given=_pairs(fields) if fields is not None else set(), errors=errors, once=new_id())
    return page(request, "stories/form.html", status=status, topics=words.topics(), **shown, **LISTS)


async def _values(request: web.Request, viewer: Viewer, fields: Fields | None, story: StoryData | None) -> dict[str, Any]:
    if fields is not None:
        many = {"topics": fields.getall("topics", []), "countries": fields.get("countries", "")}
        return {name: fields.get(name, "") for name in ("title", "text", "language", "told", "by", "how", "on")} | many
    draft = Draft("", "", words_of(request).language)
    if story is not None and story.draft is not None:
        draft = story.draft
    elif story is not None:
        draft = await request.app[KERNEL].database.read(telling.published, viewer, story)
    said: dict[str, Any] = dict(title=draft.title, text=draft.text, topics=draft.topics)
    said |= forms.where(draft.language, draft.countries, words_of(request))
    return said | {"told": "OwnWords", "by": "Person", "how": "Written", "on": ""}


def _draft(fields: Fields) -> Draft:
    where = forms.language_of(fields.get("language", "")), forms.countries_of(fields.get("countries", ""))
    return Draft(fields.get("title", ""), fields.get("text", ""), *where, tuple(fields.getall("topics", [])))


def _agreed(request: web.Request, fields: Fields) -> Agreed:
    on = words_of(request).day(fields.get("on", "")) or 0
    return Agreed(fields.get("told", ""), fields.get("by", ""), fields.get("how", ""), on, tuple(sorted(_pairs(fields))))


def _pairs(fields: Fields) -> set[tuple[str, str]]:
    """The ticked uses, each as "Use/Channel"."""
    found = (value.partition("/") for value in fields.getall("use", []))
    return {(use, channel) for use, _, channel in found}


async def show_story(request: web.Request) -> web.Response:
    """A story with what was agreed; where words of it wait, with what in them may give somebody away, and the list to tick."""
    return await _show(request, member_of(request), {})


async def _show(
    request: web.Request, viewer: Viewer, errors: dict[str, str], fields: Fields | None = None, status: int = 200
) -> web.Response:
    kernel = request.app[KERNEL]
    story = await kernel.database.read(telling.one, viewer, request.match_info["id"])
    stands = await kernel.database.read(telling.stands_under, story)
    labels = _choices(kernel.node, viewer, story, stands)
    marked = marked_text(story.draft.text) if story.draft else []
    widens = bool(stands) and any(is_wider(label, stands) for label in labels)
    typed = fields if fields is not None else MultiDictProxy(MultiDict[str]())
    said = dict(ticked=typed.getall("check", []), chosen=typed.get("label", stands), reason=typed.get("reason", ""))
    shown = dict(story=story, labels=labels, widens=widens, marked=marked, errors=errors, soon=kernel.node.now() + consent.SOON, **said)
    return page(request, "stories/story.html", status=status, **shown, **LISTS)


def _choices(node: Node, viewer: Viewer, story: StoryData, stands: str) -> list[str]:
    """The labels that the consent allows, widest first; without those that are wider than the story stands under, for whom may not widen
    it."""
    widest = consent.widest(story.uses, node.now())
    labels = [label for label in (CLEAR, GREEN, STRICT) if widest and not is_wider(label, widest)]
    may = not stands or may_widen(viewer, viewer.organisation_id, story.writer_id)
    return [label for label in labels if may or not is_wider(label, stands)]


def marked_text(text: str) -> list[tuple[str, str]]:
    """The text in pieces: (piece, what it may tell), empty for what tells nothing."""
    pieces, at = list[tuple[str, str]](), 0
    for mark in telltale.find(text):
        pieces += [(text[at : mark.start], ""), (text[mark.start : mark.end], mark.kind)]
        at = mark.end
    return [piece for piece in [*pieces, (text[at:], "")] if piece[0]]


async def check_story(request: web.Request) -> web.Response:
    fields, viewer, kernel, story_id = await read_fields(request), member_of(request), request.app[KERNEL], request.match_info["id"]
    said = (tuple(fields.getall("check", [])), fields.get("label", ""))
    try:
        if came_back(request, fields):
            return await _show(request, viewer, {}, fields)
        more = {"reason": fields.get("reason", "")}
        resource_id = await kernel.database.write(telling.check, kernel.node, viewer, story_id, *said, **more)
    except FedcollabError as error:
        about = "reason" if isinstance(error, Wrong) and error.field == "reason" else "check"
        return await _show(request, viewer, {about: error.in_words(words_of(request))}, fields, error.status)
    return redirect(f"/library/{resource_id}")


async def renew_story(request: web.Request) -> web.Response:
    """The person was asked again; whatever goes wrong, what was ticked stays."""
    fields = await read_fields(request) if request.method == "POST" else None
    viewer, kernel, story_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    story = await kernel.database.read(telling.one, viewer, story_id)
    errors, status = dict[str, str](), 200
    values = {"told": story.told, "by": story.agreed_by, "how": story.agreed_how, "on": ""}
    given = {(use.use, use.channel) for use in story.uses}
    if fields is not None:
        values, given = {name: fields.get(name, "") for name in values}, _pairs(fields)
        try:
            if not came_back(request, fields):
                await kernel.database.write(telling.ask_again, kernel.node, viewer, story_id, _agreed(request, fields))
                return redirect(f"/stories/{story_id}")
        except FedcollabError as error:
            errors, status = {error.field if isinstance(error, Wrong) else "on": error.in_words(words_of(request))}, error.status
    shown = dict(story=story, values=values, given=given, errors=errors)
    return page(request, "stories/renew.html", status=status, **shown, **LISTS)


async def new_code(request: web.Request) -> web.Response:
    """Another sheet, for a person who has lost theirs."""
    viewer, kernel, story_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    await read_form(request)
    made = await kernel.database.write(telling.new_code, kernel.node, viewer, story_id)
    return page(request, "stories/sheet.html", story_id=story_id, code=code.spaced(made))


async def withdraw_story(request: web.Request) -> web.Response:
    viewer, kernel, story_id = member_of(request), request.app[KERNEL], request.match_info["id"]
    if request.method == "GET":
        return page(request, "stories/withdraw.html", story=await kernel.database.read(telling.one, viewer, story_id))
    await read_form(request)
    await kernel.database.write(ending.withdraw, kernel.node, viewer, story_id)
    return redirect("/stories")


async def take_back(request: web.Request) -> web.Response:
    """Where a person shows their code, from any telephone, without an account: what stands, and taking it back. It says nothing of what was
    told."""
    if request.method == "GET":
        return page(request, "stories/code.html", errors={}, typed="")
    fields, kernel = await read_fields(request), request.app[KERNEL]
    typed = fields.get("code", "")
    try:
        check_form(request, fields)
        hashed = code.read(typed)
        if fields.get("act") == "take":
            await kernel.database.read(_look, kernel.node, hashed)  # who guesses codes keeps no writer busy
            kept = _pairs(fields) if fields.get("which") == "some" else set()
            standing = await kernel.database.write(ending.take_back, kernel.node, hashed, kept)
        else:
            standing = await kernel.database.read(_look, kernel.node, hashed)
    except Refused as error:
        shown = {"code": error.in_words(words_of(request))}
        return page(request, "stories/code.html", status=error.status, errors=shown, typed=typed[:200])
    return page(request, "stories/standing.html", standing=standing, typed=typed, took=fields.get("act") == "take", **LISTS)


def _look(session: Session, node: Any, hashed: str) -> ending.Standing:
    return ending.look(session, node, hashed)
