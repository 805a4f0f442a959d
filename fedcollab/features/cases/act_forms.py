"""Decides what hiding, removing, erasing, withdrawing and ending a hold say: of which entry, what in its place, and what each can't do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fedcollab.base.errors import Gone, N_

from . import forms
from .acts import ERASE, LIFT, MASK, REDACT, UNMASK, WITHDRAW, acts
from .asked import Ask, Asked
from .asked_sharing import ALL
from .checking import Wrong, checked
from .choosing import choices
from .desk import Desk
from .entry_forms import who
from .forms import Field, Form
from .hiding import ERASED, REDACTED
from .kinds import KINDS
from .mending import CORRECTED, Erased, Masking, Redaction, Unmasking
from .people import OfPerson
from .record import Entry, Hold, HoldLifted
from .sharing import Consent, Withdrawn
from .shown import PersonShown, Shown
from .work import Contact, File, Step

SAYS: dict[str, type[Entry]] = {
    MASK: Masking,
    UNMASK: Unmasking,
    REDACT: Redaction,
    ERASE: Erased,
    WITHDRAW: Withdrawn,
    LIFT: HoldLifted,
}
COPIES = N_(
    "It reaches every organisation on this case. It does not reach what somebody has printed, copied or remembers, nor a copy that a "
    "partner may have kept outside this program."
)
CANNOT = {
    MASK: N_("It is hidden, not gone: it is still stored at every organisation on this case, and whoever has read it knows it."),
    REDACT: COPIES,
    ERASE: COPIES,
    WITHDRAW: N_("Whoever was given something on it is asked to erase it. What they have read they know."),
}
NOT_NOW = N_("This can’t be done by you, or not any more. Look at the case again.")
INSTEAD = Ask(
    N_("Something may still be read in its place"),
    N_("The same without what has to go, such as the name of somebody who has nothing to do with it. Everybody on this case reads it."),
)
INNER, MOST = "instead-", 100  # before the names of the fields of what may be read; ids that one entry names


@dataclass(frozen=True, repr=False)
class Act:
    """What somebody is about to do: to one entry, or (erasure) to all that is kept of a person."""

    name: str
    of: tuple[str, ...]
    item: Shown | None = None
    person: str = ""

    @property
    def words(self) -> Asked:
        return ALL[SAYS[self.name].KIND]

    @property
    def cannot(self) -> str:
        return CANNOT.get(self.name, "")


def begun(desk: Desk, name: str, shown: Shown) -> Act:
    """An act on an entry. Raises Gone where whoever asks may not, or not any more."""
    if name not in acts(desk.case, who(desk), shown):
        raise Gone(NOT_NOW)
    return Act(name, (shown.hidden_by if name == UNMASK else shown.id,), shown)


def begun_of(desk: Desk, person: PersonShown) -> Act:
    """The erasure of all that is kept of a person. Raises Gone where nothing is."""
    kept = [shown.id for shown in desk.case.timeline if shown.state not in (REDACTED, ERASED) and _about(shown, person.code)]
    if not kept:
        raise Gone(NOT_NOW)
    return Act(ERASE, tuple(kept[:MOST]), person=person.code)


def _about(shown: Shown, code: str) -> bool:
    """What is of this person alone; an entry about several people is erased by itself."""
    kind, entry = KINDS.get(shown.kind), shown.entry
    if kind is not None and issubclass(kind, OfPerson | File) and shown.person:
        return shown.person == code
    if isinstance(entry, OfPerson | Step | Consent):
        return entry.person == code
    return isinstance(entry, Contact) and entry.people == (code,)


def fields(desk: Desk, act: Act, values: Form) -> list[Field]:
    """The act's own fields, and those of what may be read in the place of what is removed."""
    kind = SAYS[act.name]
    found = forms.form(kind, values, choices(desk), ("of", "instead"))
    if (inner := _inner(act)) is not None:
        found.append(Field("instead", "tick", INSTEAD, False, tuple(values.get("instead", ()))))
        within = {name.removeprefix(INNER): said for name, said in values.items() if name.startswith(INNER)}
        found += [_renamed(one) for one in forms.form(inner, within, choices(desk))]
    return found


def _inner(act: Act) -> type[Entry] | None:
    kind = KINDS.get(act.item.kind) if act.item else None
    return kind if act.name == REDACT and kind in CORRECTED and act.item is not None and act.item.entry is not None else None


def _renamed(one: Field) -> Field:
    return replace(one, name=INNER + one.name)


def values(act: Act, filled: Form) -> dict[str, list[str]]:
    """What the form shows before anybody has typed: what is to go, to be shortened."""
    return {INNER + name: list(said) for name, said in filled.items()} if _inner(act) is not None else {}


def names(act: Act) -> Sequence[str]:
    """The names of all its fields."""
    inner = _inner(act)
    return [*act.words.fields, *(["instead", *(INNER + name for name in ALL[inner.KIND].fields)] if inner is not None else [])]


def made(desk: Desk, act: Act, typed: Form) -> Entry:
    """The entry that says it. Raises Wrong."""
    known: dict[str, object] = {"of": act.of if act.name in (MASK, REDACT, ERASE) else act.of[0]}
    if act.name == REDACT:
        known["instead"] = _instead(desk, act, typed) if typed.get("instead", [""])[:1] == ["yes"] else None
    return checked(SAYS[act.name], typed, desk.look.now, **known)


def _instead(desk: Desk, act: Act, typed: Form) -> Entry | None:
    inner = _inner(act)
    if inner is None or act.item is None or act.item.entry is None:
        return None
    within: Mapping[str, Sequence[str]] = {name.removeprefix(INNER): said for name, said in typed.items() if name.startswith(INNER)}
    try:
        return checked(inner, forms.coded(inner, within), act.item.entry.at)
    except Wrong as error:
        raise Wrong(INNER + error.field, error.text, **error.values) from None


def holds(desk: Desk, act: Act) -> list[Shown]:
    """The holds that keep what is to be erased: whoever asks sees who ordered them and why (P21)."""
    found = []
    for hold in desk.case.holds:
        of = hold.entry.of if isinstance(hold.entry, Hold) else ()
        if not of or set(of) & set(act.of):
            found.append(hold)
    return found


def is_anothers(desk: Desk, act: Act) -> bool:
    """Whether some of it is another organisation's, which has seven days to hold it back."""
    others = {shown.id for shown in desk.case.timeline if shown.organisation != desk.look.organisation}
    return act.name == ERASE and not others.isdisjoint(act.of)
