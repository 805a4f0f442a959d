"""Decides what a case in a file proves, and by whose keys: without a node, a database or the network; nothing in it is trusted but what is
signed, and nothing of it names a place on this machine."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from fedcollab.actors.models import ORGANIZATION, PERSON
from fedcollab.base.addresses import host_of
from fedcollab.base.errors import BadRequest, Refused
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import profiles, proofs

from . import bundles, chains, heads, messages, pairs, texts
from .bundle_files import Files
from .bundles import Line, NoBundle
from .casekeys import parse as parse_case_key
from .chains import START, Place
from .facts import organisations
from .heads import Head, Signed
from .pairs import SIGNATURE, PersonPublic
from .reading import members, one_of, uri

PROBLEMS, ACTS, KEYS = 100, 200, 50  # the most: problems that are told, kinds of acts that are counted, keys of a person
Keys = Mapping[str, tuple[str, str]]


@dataclass
class Organisation:
    """An organisation whose keys are in the file. `own` are those that stand in its own signed document, `more` those that the node which
    made the file says it had."""

    uri: str
    name: str
    own: Keys
    more: Keys


@dataclass
class Writer:
    """A person whose messages are in the file: {name of a key: (key, whether their organisation's signed document vouches for it)}."""

    uri: str
    name: str
    organisation: str
    keys: dict[str, tuple[PersonPublic, bool]]


class Inside(NamedTuple):
    """Who was inside by a case key's list, by their hosts, and whether whoever has issued it has signed that."""

    epoch: int
    hosts: frozenset[str]
    proved: bool


@dataclass
class Findings:
    """What was found. `first` is the first line; `entries` how many of the record are there, behind `begins`; `heads` {member: where
    its own ends}, `vouched` what others have countersigned of the record in the file; `named` how many files the entries name, `files`
    {number: name} those that are in it and whole; `wrong` what does not hold."""

    first: Mapping[str, Any] = field(default_factory=dict)
    room: str = ""
    node: str = ""
    organisations: dict[str, Organisation] = field(default_factory=dict)
    people: dict[str, Writer] = field(default_factory=dict)
    case_keys: dict[str, Inside] = field(default_factory=dict)
    proved: Counter[str] = field(default_factory=Counter)
    stated: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    begins: Place = START
    ends: Place = START
    entries: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    heads: dict[str, Head] = field(default_factory=dict)
    signed: list[Signed] = field(default_factory=list)
    vouched: dict[str, Signed] = field(default_factory=dict)
    named: int = 0
    files: dict[int, str] = field(default_factory=dict)
    at: int = 0
    sealed: bool = False
    wrong: list[str] = field(default_factory=list)

    def says(self, what: str) -> None:
        if len(self.wrong) < PROBLEMS:
            self.wrong.append(what)


def check(file: BinaryIO, into: Path | None = None) -> Findings:
    """Reads a whole bundle, a line at a time; its files go in clear into the folder `into`. Raises NoBundle for what is none; what is one
    and does not hold stands in `wrong`."""
    found = _Check(into)
    for line in bundles.lines(file):
        try:
            found.take(line)
        except NoBundle:
            raise
        except Refused as error:
            found.found.says(f"line {line.number} ({line.kind}) is not as this program writes it ({error.reason})")
    found.finish()
    return found.found


class _Check:
    def __init__(self, into: Path | None) -> None:
        self.found = Findings()
        self.files = Files(self.found.says, into)
        self.wanted: dict[int, list[Signed | Head]] = {}
        self.ids: set[bytes] = set()
        self.broken = False
        self.takes: dict[str, Callable[[Any], None]] = {
            bundles.FIRST: self._first,
            bundles.ORGANISATION: self._organisation,
            bundles.PERSON: self._person,
            bundles.CASE_KEY: self._case_key,
            bundles.HEAD: self._head,
            bundles.COUNTERSIGNED: self._countersigned,
            bundles.CHECKPOINT: self._checkpoint,
            bundles.ENTRY: self._entry,
            bundles.MESSAGE: self._message,
            bundles.PIECE: self.files.piece,
        }

    def take(self, line: Line) -> None:
        if line.kind == bundles.END:
            self._end(line)
        else:
            self.takes[line.kind](line.value)

    def finish(self) -> None:
        found = self.found
        self.files.end()
        found.named, found.files = len(self.files.named), self.files.whole
        for seq, all_of_it in self.wanted.items():
            for one in all_of_it:
                who = one.by if isinstance(one, Signed) else one.node
                if seq > found.begins.seq:
                    found.says(f"{who} has signed entry {seq} of the record, which is not in the file")
                elif seq == found.begins.seq and one.hash != found.begins.hash:
                    found.says(f"{who} has signed another record than the one in the file, at entry {seq}")
        if not found.sealed:
            found.says("the last line, by which the node that made the file signs all of it, is missing: something may have been cut off")

    def _first(self, value: Any) -> None:
        self.found.first = value
        self.found.room, self.found.node = uri(value.get("room")), uri(value.get("node"))

    def _organisation(self, value: Any) -> None:
        """Its keys: by its own document, proved by itself, or on the word of the node that made the file."""
        said = members(value, {"id", "name", "keys"}, frozenset({"document"}))
        own: Keys = {}
        if "document" in said:
            profile = profiles.parse(said["document"], expected=uri(said["id"]))
            if profile.kind != ORGANIZATION or not proofs.proved(said["document"], profile.keys):
                raise BadRequest(reason="sealing: an organisation's document that it has not signed")
            own = profile.keys
        more = {uri(one["id"]): ("ed25519", str(one["public"])) for one in _dicts(said["keys"], {"id", "public"})}
        if any(host_of(key) != host_of(said["id"]) for key in more):
            raise BadRequest(reason="sealing: a key of somebody else")
        self.found.organisations[said["id"]] = Organisation(said["id"], str(said["name"]), own, more)

    def _by(self, document: Any, organisation: str) -> bool:
        """Whether a document is proved by a key of an organisation."""
        known = self.found.organisations.get(organisation)
        return known is not None and isinstance(document, dict) and proofs.proved(document, {**known.more, **known.own})

    def _person(self, value: Any) -> None:
        said = members(value, {"id", "name", "organisation", "keys"}, frozenset({"document"}))
        vouched: set[str] = set()
        if host_of(uri(said["id"])) != host_of(uri(said["organisation"])):
            raise BadRequest(reason="sealing: a person of another organisation")
        if "document" in said and self._by(said["document"], said["organisation"]):
            profile = profiles.parse(said["document"], expected=said["id"])
            key = said["document"].get(ap.PERSON_KEY)
            if profile.kind == PERSON and profile.organisation_uri == said["organisation"] and isinstance(key, dict):
                vouched = {str(key.get("prev"))} | ({pairs.published(key["key"]).kid} if "key" in key else set())
        keys = [pairs.published(one["key"]) for one in _dicts(said["keys"], {"key"}, {"prev", "signature"})]
        known = {key.kid: (key, key.kid in vouched) for key in keys}
        self.found.people[said["id"]] = Writer(said["id"], str(said["name"]), said["organisation"], known)

    def _case_key(self, value: Any) -> None:
        said = members(value, {"document"}, frozenset({"activity"}))
        key, activity = parse_case_key(said["document"]), said.get("activity")
        obj = activity.get("object") if isinstance(activity, dict) else None
        same = isinstance(obj, dict) and obj.get(ap.SAID) == said["document"]
        proved = same and self._by(activity, key.issuer)
        if activity is not None and not proved:
            self.found.says(f"the list of who was inside at step {key.epoch} is not signed by {key.issuer}")
        if key.room != self.found.room:
            raise BadRequest(reason="sealing: a case key of another room")
        self.found.case_keys[key.ck] = Inside(key.epoch, frozenset(map(host_of, organisations(key))), proved)

    def _head(self, value: Any) -> None:
        head = heads.read_head(value)
        self._check_statement(value, head, head.node, "where its record ends")
        if head.node == self.found.node:
            self.wanted.setdefault(head.seq, []).append(head)
        self.found.heads[head.node] = head

    def _countersigned(self, value: Any) -> None:
        said = heads.read_signed(value)
        self._check_statement(value, said, said.by, "what it has countersigned")
        self.found.signed.append(said)
        if said.node == self.found.node:
            self.wanted.setdefault(said.seq, []).append(said)

    def _check_statement(self, document: Any, said: Head | Signed, by: str, what: str) -> None:
        if said.room != self.found.room:
            raise BadRequest(reason="sealing: a statement of another room")
        if not self._by(document, by):
            raise BadRequest(reason=f"sealing: {what} is not signed by who says so")

    def _checkpoint(self, value: Any) -> None:
        head = heads.read_head(value)
        self._check_statement(value, head, self.found.node, "the checkpoint")
        self.found.begins = self.found.ends = head.place

    def _entry(self, value: Any) -> None:
        entry, found = chains.parse(value), self.found
        if self.broken:
            return
        try:
            found.ends = chains.check([entry], found.ends, found.room, found.node)
        except chains.Broken as error:
            self.broken = True
            found.says(f"the record is broken at entry {error.seq}: something was changed, left out or put in")
            return
        found.entries += 1
        if entry.action in found.acts or len(found.acts) < ACTS:
            found.acts[entry.action] += 1
        for one in self.wanted.pop(entry.seq, []):
            who = one.by if isinstance(one, Signed) else one.node
            if one.hash != entry.hash:
                found.says(f"{who} has signed another record than the one in the file, at entry {one.seq}")
            elif isinstance(one, Signed):
                found.vouched[one.by] = one

    def _message(self, value: Any) -> None:
        if isinstance(value, dict) and "why" in value:
            members(value, {"id", "author", "why"})
            self._once(uri(value["id"]))
            self.found.left_out[one_of(value["why"], bundles.WHY)] += 1
            return
        said = members(value, {"head", "content", "kid", "signature"})
        head, signature = messages.header(said["head"]), texts.read(said["signature"], SIGNATURE, SIGNATURE)
        self._once(head.id)
        writer = self.found.people.get(head.author)
        key, vouched = writer.keys.get(texts.named(said["kid"]), (None, False)) if writer else (None, False)
        if not isinstance(said["content"], dict) or key is None or not messages.proves(head, said["content"], key, signature):
            self.found.says(f"the entry {head.id} is not signed by whom it names: it was changed, or is somebody else's")
            return
        self._check_inside(head)
        self.files.name(head.id, said["content"])
        (self.found.proved if vouched else self.found.stated)[head.author] += 1

    def _once(self, message: str) -> None:
        name = hashlib.sha256(message.encode()).digest()[:16]
        if name in self.ids:
            self.found.says(f"the entry {message} stands twice in the file")
        self.ids.add(name)

    def _check_inside(self, head: messages.Sealed) -> None:
        """The message belongs to this room, and its author's organisation was inside by the list that it names."""
        key = self.found.case_keys.get(head.ck)
        if head.room != self.found.room:
            self.found.says(f"the entry {head.id} is of another case")
        elif key is None:
            self.found.says(f"the list of who was inside that the entry {head.id} names is not in the file")
        elif key.epoch != head.epoch or host_of(head.author) not in key.hosts:
            self.found.says(f"the author of the entry {head.id} was not inside by the list that it names")

    def _end(self, line: Line) -> None:
        names = {"v", "room", "node", "at", "lines", "digest"}
        said, found = members(line.value, names), self.found
        if ap.types(line.value) != [ap.CASE_EXPORT] or (said["room"], said["node"]) != (found.room, found.node):
            raise BadRequest(reason="sealing: an end of another file")
        if (said["lines"], said["digest"]) != (line.number - 1, line.before):
            found.says("the file is not as it was signed: something was changed, left out or put in after it was made")
        if not self._by(line.value, found.node):
            found.says(f"the file as a whole is not signed by {found.node}")
        if type(said["at"]) is int:
            found.at = said["at"]
        found.sealed = True


def _dicts(value: object, needed: set[str], may: set[str] | None = None) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or len(value) > KEYS:
        raise BadRequest(reason="sealing: no list, or one that is too long")
    return [members(one, needed, frozenset(may or set())) for one in value]
