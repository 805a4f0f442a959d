"""The translations are complete and right in form, and no text that people read stands outside them."""

import ast
import re
import shutil
from collections.abc import Iterator
from gettext import GNUTranslations, c2py  # type: ignore[attr-defined]  # the rule's own reader, which the stubs leave out
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages import Catalog, Message
from babel.messages.pofile import read_po
from jinja2 import Environment

from deploy._dev import catalogues
from fedcollab.base.errors import Refused, Unavailable

ROOT = Path(__file__).parent.parent
LANGUAGES = sorted(catalogues.PLURALS)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
CODE = sorted((ROOT / "fedcollab").rglob("*.py"))
PLACEHOLDER, TAG, LETTERS = re.compile(r"%\((\w+)\)s"), re.compile(r"</?\w+[^>]*>"), re.compile(r"[^\W\d_]")
WORDY = ("aria-label", "title", "placeholder", "alt", "data-l", "label")
ATTRIBUTES = re.compile(r'[\w-]+="[^"]*"')  # a macro that makes attributes
EXAMPLES = re.compile(r"https://|\bTLP:[A-Z+]+|node\.example\.org")
SHOWN = {"FedcollabError", Refused.__name__, Unavailable.__name__, *(kind.__name__ for kind in Refused.__subclasses__())}
COMMAND_LINE = ("trial.py", "demo.py")  # what only the command line shows stays English


def folder(language: str, root: Path = ROOT) -> Path:
    return root / "fedcollab" / "locales" / language / "LC_MESSAGES"


def catalogue(language: str) -> Catalog:
    with (folder(language) / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def pairs(language: str) -> Iterator[tuple[Message, str, str, int]]:
    """(message, English, translation, number of the plural form) of each form of each text."""
    for message in catalogue(language):
        if message.id:
            english = list(message.id) if message.pluralizable else [str(message.id)]
            for number, form in enumerate(catalogues.forms(message)):
                yield message, english[min(number, len(english) - 1)], form, number


def numbers_of(language: str, form: int) -> list[int]:
    """The numbers up to 200 that a plural form is used for."""
    rule = c2py(catalogues.PLURALS[language].partition("plural=")[2].rstrip(";"))
    return [number for number in range(201) if rule(number) == form]


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of code, templates and catalogues in which the texts were gathered anew."""
    root = tmp_path_factory.mktemp("gathered")
    for name in ("fedcollab", "templates"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
    shutil.copy(ROOT / "pyproject.toml", root)
    catalogues.refresh(root)
    return root


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogues_hold_exactly_the_texts_of_code_and_templates(language: str, refreshed: Path) -> None:
    """Where this fails: deploy/dev messages, then translate what it lists."""
    assert (folder(language) / "messages.po").read_text() == (folder(language, refreshed) / "messages.po").read_text()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogues_are_those_of_the_written_ones(language: str, refreshed: Path) -> None:
    assert (folder(language) / "messages.mo").read_bytes() == (folder(language, refreshed) / "messages.mo").read_bytes()


@pytest.mark.parametrize("language", LANGUAGES)
def test_gathering_again_changes_nothing(language: str, refreshed: Path) -> None:
    before = (folder(language, refreshed) / "messages.mo").read_bytes(), (folder(language, refreshed) / "messages.po").read_bytes()
    catalogues.refresh(refreshed)
    assert before == (
        (folder(language, refreshed) / "messages.mo").read_bytes(),
        (folder(language, refreshed) / "messages.po").read_bytes(),
    )


def test_a_new_text_is_gathered_and_said_to_lack_a_translation(refreshed: Path, tmp_path: Path) -> None:
    for name in ("fedcollab", "templates", "pyproject.toml"):
        source = refreshed / name
        shutil.copytree(source, tmp_path / name) if source.is_dir() else shutil.copy(source, tmp_path)
    (tmp_path / "templates" / "more.html").write_text('<p>{{ _("A text of %(when)s", when=1) }}</p>')
    (tmp_path / "fedcollab" / "more.py").write_text('TEXT = N_("Another text")\n')
    lines = "\n".join(catalogues.refresh(tmp_path))
    assert lines.count("A text of %(when)s") == lines.count("Another text") == len(LANGUAGES)
    assert "A text of %(when)s" in (folder("ar", tmp_path) / "messages.po").read_text()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_missing_or_unsure(language: str) -> None:
    found = catalogue(language)
    assert len(found) > 250
    assert catalogues.missing(found) == []
    assert [message.id for message in found if message.fuzzy or message in found.obsolete.values()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_number_has_its_plural_form(language: str) -> None:
    wanted = int(catalogues.PLURALS[language].removeprefix("nplurals=")[0])
    assert all(numbers_of(language, form) for form in range(wanted))
    assert {len(catalogues.forms(message)) for message in catalogue(language) if message.pluralizable} == {wanted}


def test_arabic_counts_by_its_six_forms() -> None:
    with (folder("ar") / "messages.mo").open("rb") as file:
        posts = GNUTranslations(file)
    shown = [posts.ngettext("%(num)s post", "%(num)s posts", n) % {"num": n} for n in (0, 1, 2, 3, 10, 11, 99, 100, 103)]
    assert shown == [
        "لا مشاركات",
        "مشاركة واحدة",
        "مشاركتان",
        "3 مشاركات",
        "10 مشاركات",
        "11 مشاركة",
        "99 مشاركة",
        "100 مشاركة",
        "103 مشاركات",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_form_fills_in_the_same_values(language: str) -> None:
    """A form for one number alone may say it as a word ("one organisation", the Arabic dual), so it may leave out the number."""
    wrong = []
    for message, english, form, number in pairs(language):
        wanted, found = set(PLACEHOLDER.findall(english)), set(PLACEHOLDER.findall(form))
        spoken = {"num"} if message.pluralizable and len(numbers_of(language, number)) == 1 else set[str]()
        if not wanted - spoken <= found <= wanted or "%" in PLACEHOLDER.sub("", form):
            wrong.append((english, form))
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_tags_blanks_and_codes_are_those_of_the_text(language: str) -> None:
    wrong = []
    for _, english, form, _number in pairs(language):
        same = [sorted(pattern.findall(english)) == sorted(pattern.findall(form)) for pattern in (TAG, EXAMPLES)]
        if not all(same) or form != form.strip() or "  " in form or english != english.strip():
            wrong.append((english, form))
    assert wrong == []


def test_arabic_has_its_own_punctuation() -> None:
    """A Latin comma, semicolon or question mark stands in no Arabic text, except inside what is written in Latin letters."""
    assert [form for _, _, form, _ in pairs("ar") if re.search(r"[؀-ۿ]\s*[,;?]|[,;?]\s*[؀-ۿ]", form)] == []


def test_french_has_its_thin_and_hard_blanks() -> None:
    assert [form for _, _, form, _ in pairs("fr") if re.search(r" [:;?!»]|« |\w[;?!]|'", form)] == []


class Bare(HTMLParser):
    """Collects what people would read outside gettext: text, and the attributes that are shown or read out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = [value or "" for name, value in attrs if name in WORDY]
        self.found += [value for value in values if LETTERS.search(value)]

    def handle_data(self, data: str) -> None:
        if LETTERS.search(ATTRIBUTES.sub("", data)):
            self.found.append(data.strip())


def bare(source: str) -> list[str]:
    """The texts of a template that don't go through gettext: also strings that an expression prints as they are, not calls' arguments."""
    kept, depth, printing = [], 0, False
    for _, kind, value in Environment(trim_blocks=True, lstrip_blocks=True).lex(source):
        if kind == "data":
            kept.append(value)
        elif kind in ("variable_begin", "variable_end"):
            printing, depth = kind == "variable_begin", 0
        elif printing and kind == "operator":
            depth += (value in "([{") - (value in ")]}")
        elif printing and kind == "string" and not depth:
            kept.append(value[1:-1])
    parser = Bare()
    parser.feed("".join(kept))
    parser.close()
    return parser.found


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_text_of_a_template_goes_through_gettext(template: Path) -> None:
    source = re.sub(r'==\s*"[^"]*"|in \([^)]*\)', "", template.read_text())  # what is compared is not printed
    assert bare(source) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Sign in</p>", ["Sign in"]),
        ('<nav aria-label="Pages">{{ _("Older") }}</nav>', ["Pages"]),
        ('<p>{{ "Yes" if sure }}</p>', ["Yes"]),
        ('<p class="{{ "due" if late }}">{{ _("Yes") }} · {{ plate("TLP:RED") }} (3)</p>', []),
    ],
)
def test_bare_text_is_found(source: str, found: list[str]) -> None:
    assert bare(source) == found


def raised(path: Path) -> Iterator[str]:
    """Texts of errors that pages may show and that are not marked for translation."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SHOWN and node.args:
            text = node.args[1 if node.func.id == "Wrong" else 0]  # which names a field before it
            if isinstance(text, ast.JoinedStr) or (isinstance(text, ast.Constant) and text.value):
                yield ast.unparse(text)


def test_every_error_that_pages_show_is_marked_for_translation() -> None:
    assert {path.name: found for path in CODE if path.name not in COMMAND_LINE and (found := list(raised(path)))} == {}


def test_an_unmarked_error_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('raise Refused("No.")\nraise NotFound(N_("No."))\nraise Gone(reason="x")\nraise Conflict(f"No {x}")\n')
    assert list(raised(tmp_path / "a.py")) == ["'No.'", "f'No {x}'"]
