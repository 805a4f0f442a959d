"""Decides how pages are made: Jinja2 with autoescape, no undefined names, texts by gettext for each reader."""

from typing import Any

import jinja2
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from .i18n import Words
from .paths import shipped


class Templates:
    """All templates of the house, compiled once."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(shipped("templates")),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=["jinja2.ext.i18n"],
            cache_size=-1,
        )
        self._environment.install_gettext_callables(_text, _texts, newstyle=True)  # type: ignore[attr-defined]  # added by the extension
        self._environment.filters["safe_html"] = Markup

    def render(self, name: str, words: Words, **values: Any) -> str:
        """One page; `words` gives language, direction, dates and numbers."""
        return self._environment.get_template(name).render(words=words, **values)


@jinja2.pass_context
def _text(context: jinja2.runtime.Context, message: str) -> str:
    return str(context["words"].gettext(message))


@jinja2.pass_context
def _texts(context: jinja2.runtime.Context, one: str, many: str, number: int) -> str:
    return str(context["words"].ngettext(one, many, number))
