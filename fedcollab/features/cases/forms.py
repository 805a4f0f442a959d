"""Decides which form a kind of entry has: a field for each member that is asked for, by what it may hold; how it is filled and read.

Countries and languages are shown and typed by their names. What a page knows by itself (the code of a person, what a new entry replaces)
is in no form.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from multidict import MultiDict, MultiDictProxy

from fedcollab.base.called import country, language
from fedcollab.base.i18n import Words

from .asked import Ask
from .asked_sharing import ALL
from .checking import Wrong, typed
from .fields import CLOCK, COUNTRIES, LANGUAGES, Code, Day, Flag, Line, Named, Pattern, Several, Spec, Text, Uri
from .reading import members
from .record import TEXT, Entry

Form = Mapping[str, Sequence[str]]
FEW = 7  # so many choices stand one below the other; more of them fold
COMMA = re.compile("[,;،؛]")
# How a country or a language is called, and read back.
NAMES: dict[Pattern, tuple[Callable[[Words, str], str], Callable[[str], str]]] = {
    COUNTRIES: (Words.country_name, country),
    LANGUAGES: (Words.language_name, language),
}
WIDGETS: dict[type, str] = {Uri: "select", Named: "radios", Flag: "tick", Day: "day", Line: "line", Text: "text"}


@dataclass(frozen=True)
class Option:
    """A choice; `text` is a message id unless it is somebody's or something's own name, `more` one that stands beside it."""

    value: str
    text: str
    own: bool = False
    more: str = ""


@dataclass(frozen=True, repr=False)
class Field:
    """A field of a page. `widget` is "line", "text", "day", "time", "tick", "radios", "select" or "boxes"; `typed` is what stands in it,
    for boxes all that are ticked; `quiet` that every field of its form may stay empty, which is said once."""

    name: str
    widget: str
    ask: Ask
    needed: bool
    typed: tuple[str, ...] = ()
    most: int = 0
    options: tuple[Option, ...] = ()
    quiet: bool = False

    @property
    def value(self) -> str:
        return self.typed[0] if self.typed else ""

    @property
    def may_stay_empty(self) -> bool:
        """Whether it is said so beside it."""
        return not self.needed and not self.ask.depends and not self.quiet

    @property
    def is_long(self) -> bool:
        return self.most >= TEXT

    @property
    def folds(self) -> bool:
        return self.widget == "boxes" and len(self.options) > FEW


Choices = Mapping[str, Sequence[Option]]  # of the fields that name people, organisations or entries


def form(
    kind: type[Entry], values: Form, choices: Choices, known: Sequence[str] = (), fields: Mapping[str, Ask] | None = None
) -> list[Field]:
    """The fields that are asked for, in the order of the words, less those that the page knows."""
    specs = {member.name: member for member in members(kind)}
    wanted = ALL[kind.KIND].fields if fields is None else fields
    found = [
        _field(name, specs[name].spec, specs[name].needed, ask, tuple(values.get(name, ())), choices.get(name, ()))
        for name, ask in wanted.items()
        if name not in known
    ]
    return [replace(one, quiet=True) for one in found] if all(one.may_stay_empty for one in found) else found


def _field(name: str, spec: Spec, needed: bool, ask: Ask, typed: tuple[str, ...], choices: Sequence[Option]) -> Field:
    found = Field(name, _widget(spec, needed), ask, needed, typed, 0 if isinstance(spec, Several) else getattr(spec, "most", 0))
    return replace(found, options=_options(spec, typed, choices)) if found.widget in ("radios", "select", "boxes") else found


def _one(spec: Spec) -> Spec:
    return spec.one if isinstance(spec, Several) else spec


def _widget(spec: Spec, needed: bool) -> str:
    one = _one(spec)
    if isinstance(spec, Several) and isinstance(one, Code | Named | Uri):
        return "boxes"
    if isinstance(one, Code):
        return "radios" if needed and len(one.of) <= FEW else "select"
    return next((widget for kind, widget in WIDGETS.items() if isinstance(one, kind)), "time" if one == CLOCK else "line")


def _options(spec: Spec, typed: tuple[str, ...], choices: Sequence[Option]) -> tuple[Option, ...]:
    """All that can be chosen, and what was chosen before though it is no choice any more (an organisation that has left)."""
    one = _one(spec)
    if isinstance(one, Code):
        return tuple(Option(code, text) for code, text in one.of.items())
    there = {option.value for option in choices}
    return (*choices, *(Option(value, value, own=True) for value in typed if value and value not in there))


def filled(entry: Entry, words: Words) -> dict[str, list[str]]:
    """An entry as its form shows it."""
    found = typed(entry)
    for name, spec, _needed in members(type(entry)):
        if name in found:
            said = [_called(_one(spec), value, words) for value in found[name]]
            found[name] = [", ".join(said)] if isinstance(spec, Several) and spec.commas else said
    return found


def _called(spec: Spec, value: str, words: Words) -> str:
    """A country or language by its name, where that name leads back to it."""
    if not isinstance(spec, Pattern) or spec not in NAMES:
        return value
    told, read = NAMES[spec]
    name = told(words, value)
    return name if read(name) == value and not COMMA.search(name) else value


def sent(kind: type[Entry], fields: MultiDictProxy[str] | MultiDict[str], wanted: Mapping[str, Ask] | None = None) -> dict[str, list[str]]:
    """What a form has sent for the fields that are asked for, as it was typed."""
    return {name: fields.getall(name, []) for name in (ALL[kind.KIND].fields if wanted is None else wanted)}


def coded(kind: type[Entry], values: Form) -> dict[str, list[str]]:
    """The same with countries and languages by their codes; what is neither stays as it was typed, and is wrong when it is checked."""
    found = {name: list(said) for name, said in values.items()}
    for name, spec, _needed in members(kind):
        one = _one(spec)
        if isinstance(one, Pattern) and one in NAMES and name in found:
            parts = [part for said in found[name] for part in (COMMA.split(said) if isinstance(spec, Several) else [said])]
            found[name] = [NAMES[one][1](part) or part for part in parts if part.strip()]
    return found


def of_this_case(kind: type[Entry], values: Form, choices: Choices) -> None:
    """Raises Wrong for a person who is none of this case."""
    for name, spec, _needed in members(kind):
        one, there = _one(spec), {option.value for option in choices.get(name, ())}
        if isinstance(one, Named) and not {value for value in values.get(name, ()) if value} <= there:
            raise Wrong(name, one.wrong)
