"""Decides how harvesters ask and are answered: OAI-PMH 2.0 with Dublin Core, only where the admin has turned it on."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from aiohttp import web
from markupsafe import Markup
from multidict import MultiMapping

from fedcollab.actors.node import Node
from fedcollab.base.clock import MICROSECONDS, iso, parse_iso
from fedcollab.base.errors import NotFound
from fedcollab.base.session import Session
from fedcollab.base.web import read_fields
from fedcollab.base.xmldoc import element, written
from fedcollab.features.resources.words import KINDS, TOPICS
from fedcollab.federation.kernel import KERNEL

from . import dublin, exporting, harvest
from .choosing import LAST
from .harvest import Header, Wanted
from .rows import STORY

SPACE = "http://www.openarchives.org/OAI/2.0/"
SCHEMA = f"{SPACE} {SPACE}OAI-PMH.xsd"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
PREFIX, TOKEN = "oai_dc", "resumptionToken"
MEDIA_TYPE = "text/xml; charset=utf-8"
DAY, SECOND = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII), re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
Query = MultiMapping[str]
LISTS = ("from", "until", "set")
ALLOWED = {  # of each verb what it needs and what it may have
    "Identify": ((), ()),
    "ListMetadataFormats": ((), ("identifier",)),
    "ListSets": ((), (TOKEN,)),
    "ListIdentifiers": (("metadataPrefix",), (*LISTS, TOKEN)),
    "ListRecords": (("metadataPrefix",), (*LISTS, TOKEN)),
    "GetRecord": (("identifier", "metadataPrefix"), ()),
}


class Fault(Exception):
    """An answer of the protocol's own to what was asked wrongly; `code` as the protocol calls it."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class Asked(NamedTuple):
    """One question: its arguments, and whose node it is asked of."""

    session: Session
    node: Node
    args: Mapping[str, str]


async def answer(request: web.Request) -> web.Response:
    """Any question, by GET or by POST. Where it is not turned on there is nothing here."""
    kernel = request.app[KERNEL]
    if not kernel.node.settings.oai:
        raise NotFound()
    exporting.take_turn(request)
    query = await read_fields(request) if request.method == "POST" else request.query
    text = await kernel.database.read(document, kernel.node, query)
    return web.Response(body=text.encode("utf-8", "replace"), headers={"Content-Type": MEDIA_TYPE, "Cache-Control": "no-cache"})


def document(session: Session, node: Node, query: Query) -> str:
    """The whole answer."""
    base, said = node.settings.uri("/oai"), {name: value for name, value in query.items() if name.isidentifier()}
    try:
        verb = _verb(query)
        parts = [VERBS[verb](Asked(session, node, _arguments(verb, query)))]
    except Fault as error:
        if error.code in ("badVerb", "badArgument"):
            said = {}
        parts = [element("error", error.text, code=error.code)]
    asked = element("request", base, **said)
    about = {"xmlns": SPACE, "xmlns__xsi": INSTANCE, "xsi__schemaLocation": SCHEMA}
    return written(element("OAI-PMH", element("responseDate", stamp(node.now())), asked, *parts, **about))


def _verb(query: Query) -> str:
    verbs = query.getall("verb", [])
    if len(verbs) != 1 or verbs[0] not in ALLOWED:
        raise Fault("badVerb", "Ask with one verb of OAI-PMH 2.0.")
    return verbs[0]


def _arguments(verb: str, query: Query) -> dict[str, str]:
    """The arguments but the verb. Raises Fault for one too many, one too few, or one twice."""
    needed, allowed = ALLOWED[verb]
    names = set(query) - {"verb"}
    if names - {*needed, *allowed} or any(len(query.getall(name)) > 1 for name in names):
        raise Fault("badArgument", "An argument is unknown to this verb, or stands there twice.")
    found = {name: query[name] for name in names}
    if TOKEN in found:
        if len(found) > 1:
            raise Fault("badArgument", "A resumptionToken goes alone.")
    elif set(needed) - set(found):
        raise Fault("badArgument", f"{verb} needs {' and '.join(needed)}.")
    return found


def stamp(micros: int) -> str:
    """A time to the second, as the protocol writes it."""
    return iso(micros)[:19] + "Z"


def _identify(asked: Asked) -> Markup:
    settings = asked.node.settings
    return element(
        "Identify",
        element("repositoryName", settings.name),
        element("baseURL", settings.uri("/oai")),
        element("protocolVersion", "2.0"),
        element("adminEmail", f"postmaster@{settings.host.partition(':')[0]}"),
        element("earliestDatestamp", stamp(harvest.earliest(asked.session, asked.node))),
        element("deletedRecord", "transient"),
        element("granularity", "YYYY-MM-DDThh:mm:ssZ"),
    )


def _formats(asked: Asked) -> Markup:
    if "identifier" in asked.args:
        _header(asked)
    parts = [element("metadataPrefix", PREFIX), element("schema", dublin.SCHEMA), element("metadataNamespace", dublin.SPACE)]
    return element("ListMetadataFormats", element("metadataFormat", *parts))


def _sets(asked: Asked) -> Markup:
    if TOKEN in asked.args:
        raise Fault("badResumptionToken", "The list of sets comes in one piece.")
    named = [(f"{harvest.KIND}:{code}", name) for code, name in KINDS.items() if code != STORY]
    named += [(f"{harvest.TOPIC}:{code}", name) for code, name in TOPICS.items()]
    return element("ListSets", *(element("set", element("setSpec", spec), element("setName", name)) for spec, name in named))


def _header(asked: Asked) -> Header:
    found = harvest.one(asked.session, asked.node, asked.args["identifier"])
    if found is None:
        raise Fault("idDoesNotExist", "There is no public record of this identifier.")
    return found


def _get(asked: Asked) -> Markup:
    header = _header(asked)
    _check_prefix(asked.args["metadataPrefix"])
    return element("GetRecord", _record(header, harvest.items(asked.session, [header]), asked.node))


def _check_prefix(prefix: str) -> None:
    if prefix != PREFIX:
        raise Fault("cannotDisseminateFormat", "Records are to be had as oai_dc.")


def _identifiers(asked: Asked) -> Markup:
    found, more = _listed(asked)
    return element("ListIdentifiers", *map(_head, found), more)


def _records(asked: Asked) -> Markup:
    found, more = _listed(asked)
    items = harvest.items(asked.session, found)
    return element("ListRecords", *(_record(header, items, asked.node) for header in found), more)


def _listed(asked: Asked) -> tuple[list[Header], Markup | None]:
    """A page of headers, and the token for the next one; an empty token ends a list that came in pages."""
    wanted = _resumed(asked.args[TOKEN]) if TOKEN in asked.args else _wanted(asked.args)
    found = harvest.headers(asked.session, asked.node, wanted)
    if not found:
        if TOKEN in asked.args:
            raise Fault("badResumptionToken", "There is nothing more after this token.")
        raise Fault("noRecordsMatch", "No record is as you ask for.")
    page = found[: harvest.PAGE]
    if len(found) > harvest.PAGE:
        return page, element(TOKEN, _token(wanted._replace(at=page[-1].stamp, last=page[-1].id)))
    return page, element(TOKEN) if TOKEN in asked.args else None


def _wanted(args: Mapping[str, str]) -> Wanted:
    _check_prefix(args["metadataPrefix"])
    since, until = (_moment(args.get(name, ""), name) for name in ("from", "until"))
    if since and until and len(args["from"]) != len(args["until"]):
        raise Fault("badArgument", "from and until have to be of one granularity.")
    if since and until and since >= until:
        raise Fault("badArgument", "from lies after until.")
    name, _, code = args.get("set", "").partition(":")
    if "set" in args and code not in {harvest.KIND: KINDS, harvest.TOPIC: TOPICS}.get(name, {}):
        raise Fault("noRecordsMatch", "There is no such set.")
    return Wanted(since or 0, until or LAST, name, code)


def _moment(text: str, name: str) -> int:
    """A day or a second, in microseconds; of `until` its end. 0 for none. Raises Fault."""
    if not text:
        return 0
    whole = text if SECOND.fullmatch(text) else f"{text}T00:00:00Z" if DAY.fullmatch(text) else ""
    found = parse_iso(whole) if whole else None
    if found is None or found < 0:
        raise Fault("badArgument", f"{name} is no day and no second.")
    if name == "from":
        return found
    return found + (MICROSECONDS if len(text) > 10 else 24 * 3600 * MICROSECONDS)


def _token(wanted: Wanted) -> str:
    """Where a list goes on. It holds what was asked and the last place that was shown, and nothing of it is kept here."""
    return base64.urlsafe_b64encode("!".join(map(str, wanted)).encode()).decode().rstrip("=")


def _resumed(token: str) -> Wanted:
    """What a token of ours says. Raises Fault for anything else."""
    try:
        text = base64.b64decode(token[:400] + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode("ascii")
        since, until, name, code, at, last = text.split("!")
        found = Wanted(_number(since), _number(until), name, code, _number(at), last)
    except (ValueError, binascii.Error):
        raise Fault("badResumptionToken", "This token is none of ours.") from None
    known = {"": {"": ""}, harvest.KIND: KINDS, harvest.TOPIC: TOPICS}
    if code not in known.get(name, {}) or not re.fullmatch(r"[0-9a-f-]{36}", last):
        raise Fault("badResumptionToken", "This token is none of ours.")
    return found


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > LAST:
        raise ValueError(text)
    return int(text)


def _head(header: Header) -> Markup:
    specs = [f"{harvest.KIND}:{header.kind}"] * (header.kind in KINDS) + [f"{harvest.TOPIC}:{code}" for code in header.topics]
    parts = [element("identifier", header.uri), element("datestamp", stamp(header.stamp)), *(element("setSpec", one) for one in specs)]
    return element("header", *parts, status="deleted" if header.gone else None)


def _record(header: Header, items: Mapping[str, object], node: Node) -> Markup:
    item = items.get(header.id)
    metadata = element("metadata", dublin.element_of(item, node.settings)) if item is not None and not header.gone else None  # type: ignore[arg-type]
    return element("record", _head(header if metadata else header._replace(gone=True, kind="", topics=())), metadata)


VERBS: dict[str, Callable[[Asked], Markup]] = {
    "Identify": _identify,
    "ListMetadataFormats": _formats,
    "ListSets": _sets,
    "ListIdentifiers": _identifiers,
    "ListRecords": _records,
    "GetRecord": _get,
}
