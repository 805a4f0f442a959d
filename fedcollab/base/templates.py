"""Decides how pages are made: Jinja2 with autoescape, no undefined names, texts by gettext for each reader."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.compiler import CodeGenerator
from jinja2.runtime import Context
from markupsafe import Markup, escape

from .i18n import Words
from .paths import shipped

MARKS = ("icon", "initials", "plate", "stamp")
SPECIAL = re.compile("[&<>'\"]").search


def shown(value: object) -> object:
    """What stands on the page for a value: as `escape` answers it, but at once where there is nothing to escape."""
    if type(value) is Markup or (type(value) is str and not SPECIAL(value)):
        return value
    return escape(value)


class _Writer(CodeGenerator):
    """Compiles templates so that they escape by `shown`. Should Jinja2 ask for this otherwise one day, then `escape` does it again."""

    def _output_child_pre(self, *_: object) -> None:
        self.write("environment.shown(")


class _Values(Context):
    """Calls what templates call as it is: macros, and functions and methods of ours, none of which asks for the template's context."""

    def call(self, called: Callable[..., Any], *args: Any, _block_vars: object = None, _loop_vars: object = None, **kwargs: Any) -> Any:
        return called(*args, **kwargs)


class _Pages(Environment):
    code_generator_class = _Writer
    context_class = _Values
    shown = staticmethod(shown)


class Templates:
    """All templates of the house, compiled once."""

    def __init__(self) -> None:
        self._environment = _Pages(
            loader=FileSystemLoader(shipped("templates")),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )
        self._environment.filters["safe_html"] = Markup
        module = self._environment.get_template("base/marks.html").module
        marks = {name: _kept(getattr(module, name)) for name in MARKS}
        self._environment.globals["marks"] = marks
        self._environment.filters.update(marks)

    def render(self, name: str, words: Words, **values: Any) -> str:
        """One page; `words` gives language, direction, dates and numbers."""
        texts = {"_": words.text, "gettext": words.text, "ngettext": words.texts}
        return self._environment.get_template(name).render(words=words, **texts, **values)


def _kept(mark: Callable[[str], Markup]) -> Callable[[str], Markup]:
    """A mark made once for each text: it depends on nothing else, so it is the same for whoever looks."""
    return lru_cache(2000)(lambda text: mark(text))  # noqa: PLW0108  # a macro would be taken for a function of the template's
