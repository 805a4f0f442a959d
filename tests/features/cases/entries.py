"""What the tests of cases begin with: organisations, people, entries, one with a canary in each of its fields, any entry at all."""

import dataclasses
from collections.abc import Iterator
from datetime import date
from typing import Any

from hypothesis import strategies as st

from fedcollab.base.clock import DAY
from fedcollab.features.cases import codes
from fedcollab.features.cases.arriving import Arrived, Look, read
from fedcollab.features.cases.fields import (
    CLOCK,
    COUNTRIES,
    LANGUAGES,
    Code,
    Day,
    Flag,
    Line,
    Named,
    Pattern,
    Secret,
    Several,
    Spec,
    Text,
    Uri,
)
from fedcollab.features.cases.kinds import ALL, document
from fedcollab.features.cases.mending import CORRECTED, Inner
from fedcollab.features.cases.people import Exploitation, Health, Identity, SafeContact, Suspicion, Where
from fedcollab.features.cases.reading import members
from fedcollab.features.cases.record import Entry, Opened
from fedcollab.features.cases.sharing import Consent, Share
from fedcollab.sealing.chunks import FileSecret
from fedcollab.sealing.entries import LATEST

A, B = "https://a.example/actor", "https://b.example/actor"
ANNA, BORA = "https://a.example/people/anna", "https://b.example/people/bora"
NOW = 1_790_000_000_000_000  # September 2026
P, S = "bafuko-tezara", "zewaro-gasuka"
OPENED = Opened(
    at=NOW,
    code="hagufe-sotaba",
    purpose="Safe housing and legal help.",
    basis=("VitalInterests",),
    condition=("HealthOrSocialCare",),
    label="TLP:AMBER",
    lead=A,
    review="2026-12-01",
    retention="2028-12-01",
)
PARTS: tuple[Any, ...] = (Identity, SafeContact, Where, Exploitation, Health, Suspicion)
EVERYTHING = frozenset(("identity", "contact", "where", "exploitation", "health", "suspicion"))
SHARE = Share(
    at=NOW,
    to=B,
    what="The intake note.",
    why="Beds there.",
    basis="VitalInterests",
    consent=("https://a.example/m/c",),
    out_of="KH",
    into="KH",
)
CONSENT = Consent(at=NOW, to=B, what="The intake note.", person=P, until="2027-01-01", how="Spoken", capacity="Adult", decided_by="Self")


def arrived(name: str, entry: Entry | dict[str, Any], organisation: str = A, *, at: int | None = None) -> Arrived:
    content = document(entry) if isinstance(entry, Entry) else entry
    person = ANNA if organisation == A else BORA
    when = at if at is not None else entry.at if isinstance(entry, Entry) else NOW
    return Arrived(uri(name), person, organisation, when, *read(content, ""))


def uri(name: str) -> str:
    return f"https://a.example/m/{name}"


def look(*knows: str, now: int = NOW + DAY, **more: Any) -> Look:
    return Look(now, frozenset({A}), knows=frozenset(knows), **more)


def canary(name: str) -> str:
    return f"CANARY-{name}"


def filled(kind: Any, **known: Any) -> Any:
    """An entry with a canary in each field that holds words or ids, and something in each other one."""
    values = {name: _marked(f"{kind.KIND}.{name}", spec) for name, spec, _needed in members(kind)}
    return kind(at=NOW, **(values | known))


def _marked(name: str, spec: Spec) -> Any:
    match spec:
        case Text():
            return canary(name)
        case Uri():
            return "https://c.example/" + canary(name)
        case Code():
            return list(spec.of)[-1]
        case Several():
            return (_marked(name, spec.one),)
        case Pattern() if type(spec) is Pattern:
            return {COUNTRIES: "KH", LANGUAGES: "km", CLOCK: "14:30"}.get(spec, P)
        case _:
            return {"Day": "2027-01-01", "Named": P}.get(type(spec).__name__, spec.empty)


def words(shown: Any) -> Iterator[str]:
    """Every text in what is given to pages, however deep, whatever repr says of it."""
    if isinstance(shown, str):
        yield shown
    elif dataclasses.is_dataclass(shown) and not isinstance(shown, type):
        for field in dataclasses.fields(shown):
            yield from words(getattr(shown, field.name))
    elif isinstance(shown, dict):
        for pair in shown.items():
            yield from words(pair)
    elif isinstance(shown, tuple | list | set | frozenset):
        for one in shown:
            yield from words(one)


LETTERS = st.characters(
    exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
PLAIN = st.characters(exclude_categories=("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"), exclude_characters=",;،؛")  # as a form leaves it
texts = st.text(LETTERS | st.just("\n"), min_size=1, max_size=40).filter(str.strip)
lines = st.text(PLAIN, min_size=1, max_size=30).map(str.strip).filter(bool)
uris = st.sampled_from([uri(str(number)) for number in range(12)] + [A, B, ANNA, BORA])
days = st.dates(min_value=date(1900, 1, 1), max_value=date(2199, 12, 31)).map(str)
secrets = st.builds(FileSecret, st.binary(min_size=32, max_size=32), st.integers(0, LATEST), st.binary(min_size=32, max_size=32))
names = st.sampled_from([P, S, codes.fresh()])


def values(spec: Any) -> st.SearchStrategy[Any]:
    """Any value that a kind of field may hold, empty ones aside."""
    if isinstance(spec, Several):
        return st.lists(values(spec.one), min_size=1, max_size=3, unique=True).map(tuple)
    if isinstance(spec, Code):
        return st.sampled_from(sorted(spec.of))
    if isinstance(spec, Inner):
        return entries(CORRECTED)
    if spec == CLOCK:
        return st.times().map(lambda time: f"{time:%H:%M}")
    if isinstance(spec, Pattern) and not isinstance(spec, Day | Named):
        return st.just("KH") if spec == COUNTRIES else names if spec.looks is codes.CODE else st.sampled_from(["km", "pt-BR"])
    known = {Line: lines, Text: texts, Uri: uris, Day: days, Named: names, Flag: st.just(True), Secret: secrets}
    return known[type(spec)]


@st.composite
def entries(draw: st.DrawFn, kinds: Any = ALL) -> Entry:
    """Any entry of these kinds that is one."""
    kind = draw(st.sampled_from(kinds))
    found = {name: draw(values(spec)) for name, spec, needed in members(kind) if needed or draw(st.booleans())}
    return draw(st.just(kind(at=draw(st.integers(0, LATEST)), **found)).filter(lambda entry: not list(entry.problems())))


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=8), inside, max_size=4),
    max_leaves=12,
)
