"""Decides what becomes of what a person typed into the form of an entry: the entry, or a word on the field that is not as it has to be."""

from collections.abc import Mapping, Sequence
from typing import Any

from fedcollab.base.errors import FedcollabError, N_, Reader, Refused

from .entries import Kind, document, entry_in, members

FILL_IN = N_("This has to be filled in.")


class Wrong(Refused):
    """One field of a form is not as it has to be; `field` says which, `rest` are those of the same form that are not either."""

    def __init__(self, field: str, text: str, **values: Any) -> None:
        super().__init__(text, **values)
        self.field = field
        self.rest: tuple[Wrong, ...] = ()


def checked(kind: type[Kind], form: Mapping[str, Sequence[str]], at: int, missing: Mapping[str, str], **known: Any) -> Kind:
    """An entry of a kind from what somebody typed, written at `at` (microseconds); `missing` is what is said of a needed field that is
    empty. `known` is what the page knows of itself and no form may say. Raises Wrong, and BadRequest where a page knows something that
    is no value."""
    values, wrong = dict[str, Any](), list[Wrong]()
    for name, spec, needed in members(kind):
        try:
            values[name] = known[name] if name in known else spec.typed(form.get(name, ()))
            if needed and values[name] == spec.empty:
                raise Wrong(name, missing.get(name, FILL_IN))
        except Refused as error:
            wrong.append(error if isinstance(error, Wrong) else Wrong(name, error.text, **error.values))
    together(wrong)
    entry = kind(at=at, **values)
    together([Wrong(field, text) for field, text in entry.problems()])  # of what is there: what is lacking would only mislead here
    entry_in(document(entry), {kind.KIND: kind})  # nothing is sealed that others could not read
    return entry


def together(wrong: Sequence[Wrong]) -> None:
    """Raises them as one, so that nobody mends a form field by field."""
    if wrong:
        wrong[0].rest = tuple(wrong[1:])
        raise wrong[0]


def in_words(error: FedcollabError, reader: Reader, at: str = "") -> dict[str, str]:
    """{the field, with `at` before it: what is wrong with it}; of what is no field's, "" stands for it."""
    if not isinstance(error, Wrong):
        return {"": error.in_words(reader)}
    found = dict[str, str]()
    for one in (error, *error.rest):
        found.setdefault(at + one.field, one.in_words(reader))
    return found
