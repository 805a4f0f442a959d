"""Admins read in their language why a partner was not reached and what to do, and what each entry of the record means."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from fedcollab.admin.reasons import EXPLAINED, NOT_TRUSTED, explained, why_not_added
from fedcollab.admin.views import ACTIONS
from fedcollab.base.errors import BadRequest, Conflict, Refused, Unreachable
from fedcollab.base.i18n import LANGUAGES, words
from fedcollab.federation.partners import MOVES

PACKAGE = Path(__file__).parents[2] / "fedcollab"
FILLED = "503"
NEVER_HERE = ("demo.py",)  # the demo's own checks, on the command line


def called(name: str, number: int) -> Iterator[str]:
    """The texts that the code hands to calls of `name` at place `number`, with a number for what is filled in."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())) if path.name not in NEVER_HERE else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func) == name and len(node.args) > number:
                text = node.args[number]
                if isinstance(text, ast.Constant):
                    yield str(text.value)
                elif isinstance(text, ast.JoinedStr):
                    yield "".join(str(part.value) if isinstance(part, ast.Constant) else FILLED for part in text.values)


def test_every_reason_that_the_code_gives_is_explained() -> None:
    found = {*called("Unreachable", 0), *(f"answered {status}" for status in (401, 403, 408, 421, 425, 429, 503))}
    assert len(found) > 20
    assert [reason for reason in found if explained(reason, words("en", "UTC")) == Unreachable.text] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_explanation_is_out_of_use_and_each_is_in_the_readers_language(language: str) -> None:
    shown = [words(language, "UTC").gettext(text) for _, text in EXPLAINED]
    assert len(set(shown)) == len(EXPLAINED)
    assert language == "en" or not set(shown) & {text for _, text in EXPLAINED}


@pytest.mark.parametrize(
    ("reason", "what_to_do"),
    [
        ("the name was not found", "Compare the spelling"),
        ("the connection was refused", "no node runs there"),
        ("no answer within 15 seconds", "within 15 seconds"),
        ("their certificate is not valid", "renew it"),
        ("answered 401", "the clocks of both machines"),
        ("answered 403", "Ask their admin to approve us"),
        ("answered 503", "(answer 503)"),
        ("answered 421", "(421)"),
        ("something nobody thought of", "could not be reached"),
    ],
)
def test_a_reason_says_what_to_do(reason: str, what_to_do: str) -> None:
    assert what_to_do in explained(reason, words("en", "UTC"))
    assert explained(reason, words("fr", "UTC")) != explained(reason, words("en", "UTC"))


def test_a_partner_that_cannot_be_added_is_explained_without_what_it_sent() -> None:
    reader = words("en", "UTC")
    assert why_not_added(Unreachable("answered 404", answer=404), reader).startswith("There is no node at this address (answer 404)")
    assert why_not_added(BadRequest(reason="the document points to another host"), reader) == NOT_TRUSTED
    assert why_not_added(BadRequest(reason="json: a name stands twice in one object"), reader).startswith("Something answers")
    assert why_not_added(Refused("Said already.", reason="more"), reader) == "Said already."
    assert why_not_added(Conflict(), reader) == Conflict.text


def test_every_action_on_record_has_its_words() -> None:
    recorded = [*called("audit.record", 3), *called("room_chain.add", 4), *called("on_record", 4), *called("service.on_record", 4)]
    recorded += [*called("bundle_sending.begin", 3), *called("_answer", 5)]
    said = {action for action in recorded if FILLED not in action} | {f"partner.{state}" for state in MOVES}
    assert said - {"partner.applied"} == set(ACTIONS)
