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
from .kinds import KINDS
from .mending import CORRECTED, Erased, Masking, Redaction, Unmasking
from .record import Entry, Hold, HoldLifted
from .sharing import Withdrawn
from .shown import ConsentShown, Shown

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
NOTHING = N_("Tick what is to be erased. Nothing was changed.")
INSTEAD = Ask(
    N_("Something may still be read in its place"),
    N_("The same without what has to go, such as the name of somebody who has nothing to do with it. Everybody on this case reads it."),
)
INNER = "instead-"  # before the names of the fields of what may be read in its place


@dataclass(frozen=True, repr=False)
class Act:
    """What somebody is about to do to one entry."""

    name: str
    of: tuple[str, ...]
    item: Shown | None = None

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


def chain(desk: Desk, act: Act) -> tuple[str, ...]:
    """The consents that end with a withdrawal: what is withdrawn, and what it has renewed."""
    found = (one.chain for one in desk.case.consents if act.name == WITHDRAW and one.item.id == act.of[0])
    return next(found, ())


def others(desk: Desk, act: Act) -> list[ConsentShown]:
    """The other consents in force of the same person for the same recipient, which stay."""
    there = {one.item.id: one for one in desk.case.in_force}
    mine = there.get(act.of[0]) if act.name == WITHDRAW else None
    if mine is None or mine.entry is None:
        return []
    whose = (mine.entry.person, mine.entry.to, mine.entry.to_name)
    found = (one for of, one in there.items() if of != act.of[0] and one.entry)
    return [one for one in found if one.entry and (one.entry.person, one.entry.to, one.entry.to_name) == whose]


def holds(desk: Desk, ids: Sequence[str]) -> list[Shown]:
    """The holds that keep what is to be erased: whoever asks sees who ordered them and why (P21)."""
    found = []
    for hold in desk.case.holds:
        of = hold.entry.of if isinstance(hold.entry, Hold) else ()
        if not of or set(of) & set(ids):
            found.append(hold)
    return found


def is_anothers(desk: Desk, ids: Sequence[str]) -> bool:
    """Whether some of it is another organisation's, which has seven days to hold it back."""
    others = {shown.id for shown in desk.case.timeline if shown.organisation != desk.look.organisation}
    return not others.isdisjoint(ids)
