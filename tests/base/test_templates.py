"""Shows that pages escape as Jinja2 does, though with less work, and that marks are the same for whoever looks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.exceptions import UndefinedError
from markupsafe import Markup, escape

from fedcollab.base.templates import Templates, shown

TEMPLATES = Templates()
HOSTILE = '<b title="it\'s">&amp;'


@given(st.one_of(st.text(), st.text().map(Markup), st.integers(), st.none(), st.lists(st.text())))
def test_a_value_stands_on_the_page_as_escape_would_write_it(value: object) -> None:
    assert str(shown(value)) == str(escape(value))


class Sly(str):
    """A text that says it was escaped already."""

    __slots__ = ()

    def __html__(self) -> str:
        return "<i>"


def test_only_what_is_plainly_text_or_markup_takes_the_short_way() -> None:
    assert shown(Sly("x")) == "<i>"


def test_templates_are_compiled_with_it() -> None:
    template = TEMPLATES._environment.from_string("{{ a }}{% macro m(x) %}<u>{{ x }}</u>{% endmacro %}{{ m(a) }}{{ a|upper }}")
    assert "environment.shown(" in TEMPLATES._environment.compile("{{ a }}", raw=True)
    assert template.render(a=HOSTILE) == f"{escape(HOSTILE)}<u>{escape(HOSTILE)}</u>{escape(HOSTILE.upper())}"


def test_macros_and_functions_are_called_with_what_stands_in_the_template_and_no_more() -> None:
    macro = "{% macro m(x, y=0) %}{{ x }}-{{ y }}{{ caller() if caller is defined else '' }};{% endmacro %}"
    loop = "{% for x in [1, 2] %}{{ m(x, y=double(x)) }}{% endfor %}{% call m(3) %}called{% endcall %}"
    template = TEMPLATES._environment.from_string(f"{macro}{{% block b scoped %}}{loop}{{% endblock %}}")
    assert template.render(double=lambda x: 2 * x) == "1-2;2-4;3-0called;"


def test_what_nobody_has_given_is_an_error_and_not_an_empty_place() -> None:
    with pytest.raises(UndefinedError):
        TEMPLATES._environment.from_string("{{ nothing }}").render()


@pytest.mark.parametrize("mark", ["initials", "stamp", "icon"])
def test_marks_escape_and_are_the_same_each_time(mark: str) -> None:
    made = [TEMPLATES._environment.from_string(f"{{{{ marks.{mark}(a) }}}}{{{{ a|{mark} }}}}").render(a=HOSTILE) for _ in range(2)]
    assert made[0] == made[1]
    assert HOSTILE[:3] not in made[0]
    assert "&lt;" in made[0]
