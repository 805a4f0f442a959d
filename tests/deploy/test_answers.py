"""Shows what the installer asks, fewer than six things, and that no slip in a domain gets through."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy._node import answers, naming, reach
from deploy._node.answers import Answers
from deploy._node.layout import Machine
from deploy._node.say import Stop

TYPED = ["Meridian Outreach", "node.meridian.example.org", "node.meridian.example.org", "ilse", ""]


class Typist:
    """Somebody at the terminal; `asked` are the questions that they saw."""

    def __init__(self, *lines: str) -> None:
        self.lines: Iterator[str] = iter(lines)
        self.asked: list[str] = []

    def __call__(self, question: str) -> str:
        self.asked.append(question)
        try:
            return next(self.lines)
        except StopIteration:
            raise EOFError from None


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(reach, "points_to", lambda _: ["127.0.0.1"])
    return Machine(tmp_path)


def ask(machine: Machine, typist: Typist, monkeypatch: pytest.MonkeyPatch, *options: str) -> Answers:
    monkeypatch.setattr("builtins.input", typist)
    return answers.ask(machine, answers.parser().parse_args(options))


def test_a_first_node_takes_five_lines_of_which_one_is_the_domain_again(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    typist = Typist(*TYPED)
    made = ask(machine, typist, monkeypatch)
    assert len(typist.asked) == 5
    usual = str(machine.node("meridian").backups)
    assert made == Answers("meridian", TYPED[0], TYPED[1], "ilse", usual, made.port)
    assert reach.FIRST <= made.port < reach.LAST


def test_another_node_is_also_asked_who_runs_the_machine_and_gets_a_name_and_a_port_of_its_own(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask(machine, Typist(*TYPED), monkeypatch)
    answers.keep(machine.node(first.node), first)
    typist = Typist("Meridian South", *["meridian.example.com"] * 2, "lea", "", "Meridian Outreach")
    second = ask(machine, typist, monkeypatch, "--another")
    assert (second.node, second.run_by) == ("meridian2", "Meridian Outreach")
    assert first.port != second.port
    questions = len(typist.asked) - 1  # the domain is one question, typed twice
    assert questions == 5
    assert answers.known(machine) == [first]


def test_slips_are_said_and_asked_again(machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    typist = Typist(
        "", "Meridian", "https://node.example.org/", "node.example.org", "node.exmaple.org", "node.example.org", "Ilse V", "ilse", ""
    )
    assert ask(machine, typist, monkeypatch).domain == "node.example.org"
    said = capsys.readouterr().out
    for words in (
        "1 to 200 characters",
        "Without https://, the name alone: node.example.org",
        "That is not node.example.org.",
        "Small letters",
    ):
        assert words in said


@pytest.mark.parametrize(
    ("domain", "words"),
    [
        ("https://node.example.org", "Without https://, the name alone: node.example.org"),
        ("http://node.example.org/x", "Without http://"),
        ("node.example.org/", "Without a slash"),
        ("Node.Example.org", "In small letters: node.example.org"),
        ("node", "no dot"),
        ("node.", "no dot"),
        ("node.example.org.", "single dots"),
        ("node.example.org:8443", "Without a port"),
        ("ilse@example.org", "has no @"),
        ("node example.org", "letters a to z"),
        ("-node.example.org", "letters a to z"),
        ("node_1.example.org", "letters a to z"),
        ("192.0.2.7", "That is an address"),
        ("straße.example.org", "xn--"),
        ("a.b" * 90, "letters a to z"),
        ("x" * 56 + ".onion", "onion"),
        ("node.local", ".local"),
        ("", "no dot"),
    ],
)
def test_a_domain_with_a_slip_is_refused_with_what_to_write(domain: str, words: str) -> None:
    assert words in naming.wrong_domain(domain)


@pytest.mark.parametrize("domain", ["node.example.org", "xn--strae-oqa.example.org", "a.co", "meridian-fed.org", "1and1.example.org"])
def test_a_good_domain_is_taken(domain: str) -> None:
    assert naming.wrong_domain(domain) == ""


@pytest.mark.parametrize(
    ("domain", "taken", "name"),
    [
        ("node.meridian.org", (), "meridian"),
        ("www.node.meridian.org.uk", (), "meridian"),
        ("meridian-fed.org", (), "meridian-fed"),
        ("node.org", (), "node"),
        ("1and1.org", (), "node-1and1"),
        ("a" * 60 + ".org", (), "a" * 20),
        ("node.meridian.org", ("meridian", "meridian2"), "meridian3"),
    ],
)
def test_a_short_name_is_the_telling_part_of_the_domain(domain: str, taken: tuple[str, ...], name: str) -> None:
    assert naming.short_name(domain, taken) == name
    assert naming.wrong_short(name) == ""
    assert len(f"fedcollab-{name}") <= 32


@pytest.mark.parametrize("name", ["", "a", "Meridian", "-a", "a-", "9a", "a b", "upgrade", "a" * 23, "../x"])
def test_a_short_name_that_cannot_be_a_users_is_refused(name: str) -> None:
    assert naming.wrong_short(name)


@pytest.mark.parametrize("place", ["backups", "/with blank", "/", "/../x", "/nowhere/at/all", "/tmp/%i", "/tmp/x\n"])
def test_a_place_for_backups_is_a_plain_path_whose_disk_is_there(place: str) -> None:
    assert naming.wrong_place(place)


@pytest.mark.parametrize(
    ("found", "words"),
    [([], "not known in the DNS"), (["198.51.100.7"], "198.51.100.7, which is no address of this machine"), (["127.0.0.1"], "")],
)
def test_a_name_that_points_nowhere_or_elsewhere_is_doubted(found: list[str], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "points_to", lambda _: found)
    doubt = reach.doubt("node.example.org")
    assert words in doubt
    assert bool(words) == bool(doubt)


@pytest.mark.parametrize(("typed", "goes_on"), [("no", False), ("", False), ("y", True), ("yes", True)])
def test_a_doubtful_name_is_taken_only_by_a_yes(typed: str, goes_on: bool, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "points_to", lambda _: ["198.51.100.7"])
    typist = Typist(*TYPED[:3], typed, *TYPED[3:])
    if goes_on:
        assert ask(machine, typist, monkeypatch).domain == TYPED[1]
    else:
        with pytest.raises(Stop, match="Nothing was changed"):
            ask(machine, typist, monkeypatch)


OPTIONS = ["--name", "M", "--domain", "m.example.org", "--domain-again", "m.example.org", "--admin", "ilse", "--yes"]


def test_unattended_nothing_is_asked(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    typist = Typist()
    assert ask(machine, typist, monkeypatch, *OPTIONS).domain == "m.example.org"
    assert typist.asked == []


@pytest.mark.parametrize("lacking", ["--name", "--domain", "--domain-again", "--admin"])
def test_unattended_what_is_missing_is_named(lacking: str, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    at = OPTIONS.index(lacking)
    with pytest.raises(Stop, match=f"{lacking} is missing"):
        ask(machine, Typist(), monkeypatch, *OPTIONS[:at], *OPTIONS[at + 2 :])


def test_unattended_two_domains_that_differ_are_refused(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Stop, match=r"That is not m\.example\.org"):
        ask(
            machine,
            Typist(),
            monkeypatch,
            *[word.replace("m.example.org", "n.example.org") if at == 5 else word for at, word in enumerate(OPTIONS)],
        )


def test_where_nobody_can_be_asked_it_says_how_to_go_on(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Stop, match="Give everything as options, and --yes"):
        ask(machine, Typist(), monkeypatch)


def test_answers_are_kept_for_root_alone_and_read_back(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ask(machine, Typist(), monkeypatch, *OPTIONS)
    node = machine.node(made.node)
    answers.keep(node, made)
    assert node.answers.stat().st_mode & 0o077 == 0
    assert node.etc.stat().st_mode & 0o077 == 0
    assert answers.known(machine) == [made]
    assert answers.finish(node, made).finished
    assert [one.finished for one in answers.known(machine)] == [True]
    node.answers.write_text(json.dumps({"other": 1}))
    with pytest.raises(Stop, match="can't be read"):
        answers.known(machine)


def test_a_taken_port_is_not_given_again() -> None:
    first = reach.free_port(())
    assert reach.free_port({first}) > first
