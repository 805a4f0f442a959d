"""Decides what becomes of what a person typed into the form of an entry: the entry, or a word on the field that is not as it has to be."""

from collections.abc import Mapping, Sequence
from typing import Any

from fedcollab.base.errors import N_, Refused

from .entries import Kind, document, entry_in, members

FILL_IN = N_("This has to be filled in.")


class Wrong(Refused):
    """One field of a form is not as it has to be; `field` says which."""

    def __init__(self, field: str, text: str, **values: Any) -> None:
        super().__init__(text, **values)
        self.field = field


def checked(kind: type[Kind], form: Mapping[str, Sequence[str]], at: int, missing: Mapping[str, str], **known: Any) -> Kind:
    """An entry of a kind from what somebody typed, written at `at` (microseconds); `missing` is what is said of a needed field that is
    empty. `known` is what the page knows of itself and no form may say. Raises Wrong, and BadRequest where a page knows something that
    is no value."""
    entry = kind(at=at, **{name: known.get(name, _typed(name, spec, form)) for name, spec, _needed in members(kind)})
    for name, spec, needed in members(kind):
        if needed and getattr(entry, name) == spec.empty:
            raise Wrong(name, missing.get(name, FILL_IN))
    for field, text in entry.problems():
        raise Wrong(field, text)
    entry_in(document(entry), {kind.KIND: kind})  # nothing is sealed that others could not read
    return entry


def _typed(name: str, spec: Any, form: Mapping[str, Sequence[str]]) -> Any:
    """A field that no form sends is empty."""
    try:
        return spec.typed(form.get(name, ()))
    except Refused as error:
        raise Wrong(name, error.text, **error.values) from None
