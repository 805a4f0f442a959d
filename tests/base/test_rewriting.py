"""A line of node.toml is changed and nothing else: comments, order, mode; or nothing at all."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.config import line
from fedcollab.base.errors import Refused
from fedcollab.base.rewriting import change, rewritten

WRITTEN = """# Our node. Ask Ilse before you change anything.
name = "Meridian \\"Outreach\\""
base_url = "https://node.example.org"

language = "en"   # most of us
backup_keep=14
# backup_keep = 99
outside_servers = false
"""
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUES = st.one_of(st.booleans(), st.integers(0, 10**9), TEXT)
NAMES = st.sampled_from(["language", "backup_keep", "outside_servers", "time_zone", "log_level"])


def test_one_line_changes_and_its_comment_stays() -> None:
    after = rewritten(WRITTEN, {"language": "fr", "backup_keep": 30, "outside_servers": True, "time_zone": "Europe/Vienna"})
    assert (
        after
        == WRITTEN.replace('"en"   #', '"fr"   #')
        .replace("backup_keep=14", "backup_keep = 30")
        .replace("outside_servers = false", "outside_servers = true")
        + 'time_zone = "Europe/Vienna"\n'
    )


@given(st.dictionaries(NAMES, VALUES, max_size=4), st.dictionaries(NAMES, VALUES, max_size=4))
def test_whatever_stands_there_the_rest_is_as_it_was_or_all_is(before: dict[str, object], changes: dict[str, object]) -> None:
    text = "# begin\n" + "".join(line(name, value) + "  # why\n" for name, value in before.items())
    assert tomllib.loads(rewritten(text, changes)) == before | changes


@pytest.mark.parametrize(
    "odd",
    [
        "language = '''\nx\n'''\n",
        'loopback_peers = [\n  "127.0.0.1:1",\n]\n[language]\nx = 1\n',
        'about = """\nlanguage = "en"\n"""\n',
        '"language" = "en"\n',
        "language = 'en'\n",
    ],
)
def test_a_file_that_is_written_otherwise_is_left_alone(tmp_path: Path, odd: str) -> None:
    file = tmp_path / "node.toml"
    file.write_text(odd)
    with pytest.raises(Refused, match="by hand"):
        change(file, {"language": "fr"})
    assert file.read_text() == odd
    assert [path.name for path in tmp_path.iterdir()] == ["node.toml"]


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_the_file_is_readable_by_whom_it_was(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "node.toml"
    file.write_text(WRITTEN)
    file.chmod(mode)
    (tmp_path / "node.half").write_text("left behind by a stop")
    change(file, {"language": "es"})
    assert file.stat().st_mode & 0o777 == mode
    assert tomllib.loads(file.read_text())["language"] == "es"
    assert [path.name for path in tmp_path.iterdir()] == ["node.toml"]


def test_a_folder_that_takes_no_file_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(Refused) as raised:
        change(tmp_path / "none" / "node.toml", {"language": "fr"})
    assert "by hand" in raised.value.in_words()
