"""Shows that each setting is read, that the environment wins, and that a wrong one is named with the line to write."""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base.config import SAMPLE, Settings, line, load, parse
from fedcollab.base.errors import Misconfigured

GOOD: dict[str, object] = {"name": "Meridian Outreach", "base_url": "https://node.example.org"}
TRIAL: dict[str, object] = {"name": "M", "base_url": "http://127.0.0.1:8001", "trial": True}
WRONG: list[tuple[str, object]] = [
    ("name", " "),
    ("name", "x" * 201),
    ("name", "two\nlines"),
    ("name", "\ud800"),
    ("name", 7),
    ("base_url", "node.example.org"),
    ("base_url", "https://node.example.org/"),
    ("base_url", "https://user@node.example.org"),
    ("base_url", "https://node.example.org?x"),
    ("base_url", "https://[::1"),
    ("base_url", "https://node.example.org:99999"),
    ("base_url", "https://10.0.0.1"),
    ("base_url", "https://node example"),
    ("base_url", "http://node.example.org"),
    ("base_url", "http://127.0.0.1:8001"),
    ("listen", "8000"),
    ("listen", "127.0.0.1:0x1f"),
    ("listen", "127.0.0.1:99999"),
    ("listen", 8000),
    ("database_url", "mysql://x"),
    ("database_url", "node.db"),
    ("language", "tlh"),
    ("time_zone", "Europe/Atlantis"),
    ("time_zone", "../zone"),
    ("time_zone", ""),
    ("trial", "yes"),
    ("trial", 1),
    ("loopback_peers", ["127.0.0.1:8002"]),
    ("loopback_peers", "127.0.0.1:8002"),
    ("loopback_peers", [8002]),
    ("log_level", "loud"),
    ("trusted_proxy", "no"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_setting_is_named_with_a_line_that_would_be_right(name: str, value: object) -> None:
    with pytest.raises(Misconfigured) as caught:
        parse(GOOD | {name: value}, {}, where="node.toml")
    words = caught.value.in_words()
    assert words.startswith("node.toml: " + name)
    written = tomllib.loads(words[words.rindex(f"{name} =") :])
    parse((TRIAL if written.get("loopback_peers") else GOOD) | written, {})


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.0.0.1:80", "example.org:80", "127.0.0.1:80/x"])
def test_a_trial_nodes_peers_are_exact_loopback_addresses(peer: str) -> None:
    with pytest.raises(Misconfigured, match="exact loopback"):
        parse(TRIAL | {"loopback_peers": [peer]}, {})
    assert parse(TRIAL | {"loopback_peers": ["127.0.0.1:8002"]}, {}).loopback_peers == ("127.0.0.1:8002",)


def test_a_trial_node_neither_listens_nor_lives_beyond_loopback() -> None:
    with pytest.raises(Misconfigured, match="loopback"):
        parse(TRIAL | {"listen": "0.0.0.0:8001"}, {})
    with pytest.raises(Misconfigured, match="https"):
        parse(TRIAL | {"base_url": "http://node.example.org"}, {})


@pytest.mark.parametrize("name", [f.name for f in fields(Settings) if f.name in ("name", "base_url")])
def test_a_setting_that_lacks_is_named_with_its_line(name: str) -> None:
    with pytest.raises(Misconfigured, match=f'lacks the setting {name}. Add a line such as: {name} = "'):
        parse({key: value for key, value in GOOD.items() if key != name}, {})


def test_an_unknown_setting_is_named_with_those_that_exist() -> None:
    with pytest.raises(Misconfigured, match=r"unknown setting nmae\. Known are: name, base_url"):
        parse(GOOD | {"nmae": "x"}, {})


def test_the_environment_wins_over_what_is_written() -> None:
    environ = {
        "FEDCOLLAB_NAME": "From outside",
        "FEDCOLLAB_TRIAL": "yes",
        "FEDCOLLAB_BASE_URL": "http://127.0.0.1:8009",
        "FEDCOLLAB_LOOPBACK_PEERS": "127.0.0.1:1, 127.0.0.1:2",
        "FEDCOLLAB_CRASH_AT": "no setting",
    }
    found = parse(GOOD | {"language": "fr"}, environ)
    assert (found.name, found.trial, found.language) == ("From outside", True, "fr")
    assert found.loopback_peers == ("127.0.0.1:1", "127.0.0.1:2")
    with pytest.raises(Misconfigured, match="FEDCOLLAB_TRIAL must be true or false"):
        parse(GOOD, {"FEDCOLLAB_TRIAL": "maybe"})


@pytest.mark.parametrize("about", fields(Settings), ids=lambda about: about.name)
def test_each_settings_example_is_a_right_value_of_it(about: object) -> None:
    name, example = about.name, about.metadata["example"]  # type: ignore[attr-defined]
    base = TRIAL if name == "loopback_peers" else GOOD
    more = {"base_url": "http://127.0.0.1:1"} if name == "trial" else {}
    found = parse(base | more | tomllib.loads(line(name, example)), {})
    assert getattr(found, name) in (example, tuple(example) if isinstance(example, list) else example)
    assert about.metadata["doc"]  # type: ignore[attr-defined]


@pytest.mark.rule("OPS-01")
@pytest.mark.parametrize("token", [SAMPLE, "short", "with a blank in it", "x" * 201, "zeile\numbruch-und-mehr"])
def test_a_token_that_everybody_knows_or_can_guess_is_refused(token: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        parse(GOOD | {"metrics_token": token}, {})
    assert token == SAMPLE or token not in raised.value.in_words()
    assert parse(GOOD | {"metrics_token": "0123456789abcdef"}, {}).metrics_token == "0123456789abcdef"


@pytest.mark.rule("OPS-01")
def test_figures_are_never_open_to_other_machines_without_a_token() -> None:
    for open_to_all in ("0.0.0.0:9100", "10.0.0.5:9100", "[::]:9100", "node.example.org:9100"):
        with pytest.raises(Misconfigured, match="metrics_token"):
            parse(GOOD | {"metrics_listen": open_to_all}, {})
        assert parse(GOOD | {"metrics_listen": open_to_all, "metrics_token": "0123456789abcdef"}, {}).metrics_listen == open_to_all
    for here in ("127.0.0.1:9100", "localhost:9100", "[::1]:9100"):
        assert parse(GOOD | {"metrics_listen": here}, {}).metrics_listen == here


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@given(st.one_of(TEXTS, st.booleans(), st.lists(TEXTS, max_size=4)))
def test_whatever_is_written_as_a_line_reads_as_the_same_value(value: object) -> None:
    assert tomllib.loads(line("x", value)) == {"x": value}


@given(
    st.dictionaries(st.sampled_from([f.name for f in fields(Settings)]), st.one_of(TEXTS, st.booleans(), st.lists(TEXTS), st.integers()))
)
def test_whatever_is_written_is_either_read_or_refused_in_words(written: dict[str, object]) -> None:
    def words() -> str:
        try:
            return parse(GOOD | written, {}).name + " name"
        except Misconfigured as error:
            return error.in_words()

    said = words()
    assert any(f.name in said for f in fields(Settings))


def test_a_file_that_is_missing_or_no_toml_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="fedcollab init"):
        load(tmp_path, {})
    for content in (b"name = ", b"\xff"):
        (tmp_path / "node.toml").write_bytes(content)
        with pytest.raises(Misconfigured, match="not valid TOML"):
            load(tmp_path, {})
    (tmp_path / "node.toml").write_text("".join(line(name, value) + "\n" for name, value in GOOD.items()))
    assert load(tmp_path, {}).host == "node.example.org"
