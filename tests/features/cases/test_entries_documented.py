"""The page for those who write another node names each kind of entry and its members, and none that is not there."""

import re

from fedcollab.features.cases.kinds import ALL
from fedcollab.features.cases.reading import members
from tests.documents import ROOT

PAGE = ROOT / "docs" / "developers" / "case-entries.md"


def test_the_page_has_each_kind_with_its_members_and_shows_which_are_needed() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", PAGE.read_text(), re.MULTILINE))
    assert list(rows) == [kind.KIND for kind in ALL]
    for kind in ALL:
        said = re.findall(r"(\*\*)?(\w+)(?:\*\*)? \(", rows[kind.KIND])
        assert [(name, bool(bold)) for bold, name in said] == [(member.name, member.needed) for member in members(kind)], kind.KIND
