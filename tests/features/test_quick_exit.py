"""Every page on which something sealed is read, or its keys are spoken of, has the quick way out, and a title that says nothing of it."""

import re

import pytest

from fedcollab.base.paths import shipped

TEMPLATES = shipped("templates")
PLACES = ("cases", "guests", "keeping", "referrals", "rooms")
ALSO = ("flows/leaving", "members/again", "members/keys", "members/unlock", "members/waiting", "members/words")
WHOLE = '{% extends "base/frame.html" %}'
PAGES = [path for place in PLACES for path in sorted((TEMPLATES / place).glob("*.html")) if WHOLE in path.read_text()]
PAGES += [TEMPLATES / f"{name}.html" for name in ALSO]
TITLE = re.compile(r"\{% block title %\}(.*?)\{% endblock %\}", re.DOTALL)


@pytest.mark.rule("P4", "P18")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_a_sensitive_page_has_a_quick_way_out_and_a_title_of_fixed_words(page: object) -> None:
    text = page.read_text()  # type: ignore[attr-defined]
    assert "{{ leave() }}" in text
    title = TITLE.search(text)
    assert title is not None
    assert re.fullmatch(r'\{\{ _\("[^"%]*"\) \}\}', title[1])
