"""Decides what becomes of what a person typed: an entry, or a word on the field that is not as it has to be."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from fedcollab.base.clock import iso
from fedcollab.base.errors import N_
from fedcollab.sealing import typed as typed_in
from fedcollab.sealing.typed import Wrong, in_words

from .reading import members
from .record import Entry, Hold, held_until

__all__ = ["Wrong", "checked", "in_words", "typed"]
Kind = TypeVar("Kind", bound=Entry)
PASSED = N_("This day has passed. Choose a later one.")
TOO_FAR = N_("Choose a day within the next year, by which somebody looks at this again.")
NEEDED = {
    "purpose": N_("Write what this case is kept for. A case opens only with a purpose."),
    "basis": N_("Choose the lawful basis."),
    "condition": N_("Choose the condition for sensitive data (Art. 9)."),
    "label": N_("Choose who may see this case."),
    "lead": N_("Choose the organisation that leads the case."),
    "review": N_("Choose the day by which this is looked at again."),
    "retention": N_("Choose until when this case is kept."),
    "status": N_("Choose how the case stands."),
    "outcome": N_("Write how the case came out."),
    "by": N_("Write the name of the person who ordered it."),
    "reason": N_("Write the reason."),
    "text": N_("Write something first."),
    "why": N_("Write why."),
    "who": N_("Write who."),
    "how": N_("Choose how."),
    "on": N_("Choose the day."),
    "reached": N_("Choose what came of it."),
    "what": N_("Write what."),
    "person": N_("Choose the person whom it is about."),
    "support": N_("Choose which support."),
    "role": N_("Choose the person's role in this case."),
    "ground": N_("Choose on which ground data on a suspect may be kept here."),
    "law": N_("Write which law, and which part of it."),
    "until": N_("Choose until when the consent holds."),
    "capacity": N_("Choose whether the person can decide this."),
    "decided_by": N_("Choose who decided."),
    "out_of": N_("Choose the country that this is shared from."),
    "into": N_("Choose the country that this goes to."),
}
AHEAD = {
    "opened": ("review", "retention"),
    "terms": ("review", "retention"),
    "hold": ("review",),
    "consent": ("until",),
    "closed": ("retention",),
}


def checked(kind: type[Kind], form: Mapping[str, Sequence[str]], at: int, **known: Any) -> Kind:
    """An entry of a kind from what somebody typed, written at `at` (microseconds). `known` is what the page knows of itself (the code of
    a new case, what a new entry replaces, a file's secret) and no form may say. Raises Wrong, and BadRequest
    where a page knows something that is no value."""
    entry = typed_in.checked(kind, form, at, NEEDED, **known)
    for field in AHEAD.get(kind.KIND, ()):
        if getattr(entry, field) < iso(at)[:10]:
            raise Wrong(field, PASSED)
    if isinstance(entry, Hold) and entry.review > held_until(entry, at):
        raise Wrong("review", TOO_FAR)
    return entry


def typed(entry: Entry) -> dict[str, list[str]]:
    """An entry as its form is filled with, to be changed and sent again; what no form may say is left out."""
    found: dict[str, list[str]] = {}
    for name, spec, _needed in members(type(entry)):
        value = getattr(entry, name)
        if value != spec.empty and spec.typed(()) is not None:
            found[name] = [str(one) for one in value] if isinstance(value, tuple) else ["yes" if value is True else str(value)]
    return found
