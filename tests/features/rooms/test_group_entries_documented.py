"""The page for those who write another node names each kind of entry of a group and its members, and none that is not there."""

import re

from fedcollab.features.rooms.entries import KINDS
from fedcollab.sealing.entries import members
from tests.documents import ROOT

PAGE = ROOT / "docs" / "developers" / "group-entries.md"


def test_the_page_has_each_kind_with_its_members_and_shows_which_are_needed() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", PAGE.read_text(), re.MULTILINE))
    assert list(rows) == list(KINDS)
    for name, kind in KINDS.items():
        said = re.findall(r"(\*\*)?(\w+)(?:\*\*)? \(", rows[name])
        found = {(member, bool(bold)) for bold, member in said}
        assert found == {(member.name, member.needed) for member in members(kind)}, name
