"""Decides what the page of a form knows by itself: which entry is written, about whom, in the place of what; and what it makes of what
was typed.

What a new entry replaces is what the page showed, not what stands by then: where two people write at once, neither takes the other's words
away, and both are shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fedcollab.base.errors import Forbidden, Gone, N_, NotFound
from fedcollab.base.i18n import Words

from . import borders, codes, contact_rules, forms, permission
from .acts import CHANGE, RENEW, Who, acts
from .asked import Asked
from .asked_sharing import ALL, BECAUSE
from .checking import Wrong, checked
from .choosing import choices
from .desk import Desk
from .forms import Field, Form
from .handles import person_at
from .kinds import KINDS
from .mending import CORRECTED, Correction
from .partners import Candidate
from .people import OfPerson, Part, Person, Suspicion
from .record import NOTE, SEEN, Closed, Entry, Hold, Standing, StatusChanged, Terms
from .sharing import Consent, Share
from .shown import THERE, PersonShown, Shown
from .work import Contact, Decision, Message, Progress, Step, Task

Kind = TypeVar("Kind", bound=Entry)
# What a page of its own adds; whom it is about is chosen there, or stands in its address.
NEW: dict[str, type[Entry]] = {kind.KIND: kind for kind in (Message, Decision, Contact, Task, Step, Progress, Hold, Share, Consent)}
NEW |= {kind.KIND: kind for kind in (Terms, StatusChanged, Closed, Person)} | {kind.KIND: kind for kind in Part.__subclasses__()}
NOT_LEADING = N_("Only the organisation that leads the case, or manages access to it, sets its terms and its status.")
CHANGED = N_("This can’t be changed by you, or not any more: somebody may have hidden or replaced it meanwhile. Look at the case again.")
NOT_YOU = N_("Choose yourself or your organisation too: else you could not read again what you write here.")
RENEW_IT = N_("Renew this consent")
CARRIES_ON = N_(
    "The person was asked again and agrees to the same for longer. Nothing stops in between at the recipient. If they agree to something "
    "else by now, note a new consent instead."
)
BECAUSE_FIELD, SURE = "because", "sure"


@dataclass(frozen=True, repr=False)
class Page:
    """A form as its page knows it: the kind, what it knows by itself, the ids that stand in that place and may be read; the entries they
    are (the one that fills the form first); what is corrected, or what a new entry is about; whom it is about; what an empty form
    begins with."""

    kind: type[Entry]
    known: Mapping[str, Any] = field(default_factory=dict)
    seen: tuple[str, ...] = ()
    stands: tuple[Entry, ...] = ()
    corrects: Shown | None = None
    of: Shown | None = None
    person: str = ""
    begins: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> Asked:
        words = ALL[self.kind.KIND]
        return words._replace(title=RENEW_IT, about=CARRIES_ON, button=RENEW_IT) if self.known.get("renews") else words


def new(desk: Desk, kind: type[Entry], person: str = "", of: Shown | None = None) -> Page:
    """A new entry of a kind; `person` is the handle of whoever it is about, `of` the entry that it is about. Raises NotFound where these
    don't belong together, Forbidden."""
    code = person_at(desk.case, desk.id, person).code if person else ""
    if issubclass(kind, (Terms, StatusChanged, Closed)):
        return _of_the_case(desk, kind)
    if kind is Progress:
        return _progress(desk, of)
    if kind is Hold:
        return Page(kind, {"of": (of.id,) if of else ()}, of=of)
    if kind is Person:
        return Page(kind, {"person": codes.fresh()})
    if issubclass(kind, Part):
        return _part(desk, kind, person_at(desk.case, desk.id, person))
    begins = {"on": desk.look.today} if kind is Contact else {"who": desk.viewer.name} if kind is Decision else {}
    return Page(kind, person=code, begins=begins | ({"person": code, "people": code, "who": code} if code else {}))


def _of_the_case(desk: Desk, kind: type[Entry]) -> Page:
    """The label stays: it is the room's, which is sealed to those inside."""
    if not desk.leads:
        raise Forbidden(NOT_LEADING)
    if kind is Terms:
        now = desk.case.terms
        return Page(kind, {"label": desk.opened.label}, desk.case.terms_ids, (now,) if now else ())
    return Page(kind, seen=desk.case.status_ids)


def _progress(desk: Desk, of: Shown | None) -> Page:
    work = next((one for one in (*desk.case.tasks, *desk.case.plan) if of is not None and one.item.id == of.id), None)
    if work is None:
        raise NotFound
    return Page(Progress, {"of": work.item.id}, work.ids, of=work.item, begins={"state": work.progress})


def _part(desk: Desk, kind: type[Part], person: PersonShown) -> Page:
    """A part as it stands, to be replaced; of a suspect one more thing that is said. Who may not read what stands adds beside it."""
    known: dict[str, Any] = {"person": person.code}
    if kind is Suspicion:
        return Page(kind, known | {"code": codes.fresh()}, person=person.code)
    there = [part for part in person.parts if part.part == kind.PART]
    return _standing(desk, kind, known, there[0].ids if there else (), person.code)


def _standing(desk: Desk, kind: type[Entry], known: dict[str, Any], ids: Sequence[str], person: str) -> Page:
    items = {shown.id: shown for shown in desk.case.timeline}
    read = [(of, items[of].entry) for of in ids if of in items and items[of].state == THERE]
    stands = tuple(entry for _of, entry in read if isinstance(entry, kind))
    return Page(kind, known, tuple(of for of, _entry in read), stands, person=person)


def change(desk: Desk, shown: Shown) -> Page:
    """A correction, or a new entry in the place of one of a person's record. Raises Gone where it can't be changed (any more)."""
    kind, entry = KINDS.get(shown.kind), shown.entry
    if kind is None or entry is None or CHANGE not in acts(desk.case, who(desk), shown):
        raise Gone(CHANGED)
    if kind in CORRECTED:
        return Page(kind, stands=(entry,), seen=_corrections(desk, shown), corrects=shown)
    if isinstance(entry, Terms):
        return _of_the_case(desk, Terms)
    if not isinstance(entry, OfPerson):
        raise Gone(CHANGED)
    known = {"person": entry.person} | ({"code": entry.code} if isinstance(entry, Suspicion) else {})
    return _standing(desk, kind, known, _place(desk, shown), entry.person)


def _corrections(desk: Desk, shown: Shown) -> tuple[str, ...]:
    """Those that stand: a new one replaces them all."""
    return tuple(of for of in shown.versions if of != shown.id)[-SEEN:]


def _place(desk: Desk, shown: Shown) -> tuple[str, ...]:
    """What stands where this does."""
    places = (ids for person in desk.case.people for ids in (person.ids, *(part.ids for part in person.parts)))
    return next((ids for ids in places if shown.id in ids), (shown.id,))


def renewal(desk: Desk, shown: Shown) -> Page:
    """A consent as it was given before, until a later day. Raises Gone where there is none that can be renewed (any more)."""
    entry = shown.entry
    if not isinstance(entry, Consent) or RENEW not in acts(desk.case, who(desk), shown):
        raise Gone(CHANGED)
    known = dict(person=entry.person, to=entry.to, to_name=entry.to_name, what=entry.what, parts=entry.parts, renews=shown.id)
    begins = dict(capacity=entry.capacity, decided_by=entry.decided_by, decider=entry.decider)
    return Page(Consent, known, of=shown, person=entry.person, begins=begins)


def who(desk: Desk) -> Who:
    return Who(desk.look, desk.viewer.is_keeper, desk.leads)


def fields(desk: Desk, page: Page, values: Form, recipients: Sequence[Candidate] = ()) -> list[Field]:
    """The form's fields as they stand on the page; `recipients` as in `choices`."""
    found = forms.form(page.kind, values, choices(desk, recipients), tuple(page.known))
    if page.corrects is not None:
        found.append(Field(BECAUSE_FIELD, "text", BECAUSE, False, tuple(values.get(BECAUSE_FIELD, ())), NOTE))
    return found


def values(desk: Desk, page: Page, words: Words) -> dict[str, list[str]]:
    """What the form shows before anybody has typed."""
    if page.stands:
        return forms.filled(page.stands[0], words) | ({"why": []} if page.kind is Terms else {})
    return {name: [said] for name, said in page.begins.items()} | (borders.begin(desk, "", {}, words) if page.kind is Share else {})


def made(desk: Desk, page: Page, typed: Form, seen: Sequence[str], *, sure: bool = False) -> Entry:
    """The entry that was typed; `seen` are the ids that its page showed. Raises Wrong, once more where `sure` has to be said."""
    coded = forms.coded(page.kind, {name: said for name, said in typed.items() if name not in page.known})
    forms.of_this_case(page.kind, coded, choices(desk))
    replaces = tuple(dict.fromkeys(of for of in seen if of in {shown.id for shown in desk.case.timeline}))[:SEEN]
    known = dict(page.known) | ({"replaces": replaces} if issubclass(page.kind, Standing) else {})
    at = page.corrects.entry.at if page.corrects and page.corrects.entry else desk.look.now
    entry = checked(page.kind, coded, at, **known)
    _right(desk, entry, sure)
    if page.corrects is None:
        return entry
    try:
        said = {"why": list(typed.get(BECAUSE_FIELD, ()))}
        return checked(Correction, said, desk.look.now, of=page.corrects.id, entry=entry, replaces=replaces)
    except Wrong as error:
        raise Wrong(BECAUSE_FIELD, error.text, **error.values) from None


def _right(desk: Desk, entry: Entry, sure: bool) -> None:
    if isinstance(entry, Contact) and not sure:
        contact_rules.check(entry, desk.case)
    if isinstance(entry, Share):
        permission.check(entry, desk.case)
    if isinstance(entry, Consent) and entry.renews:
        permission.check_renewal(entry, desk.case)
    if isinstance(entry, Part) and entry.only and not {desk.look.person, desk.look.organisation} & set(entry.only):
        raise Wrong("only", NOT_YOU)
