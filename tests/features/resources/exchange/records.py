"""Makes records for tests as the library can hold them, with all that formats trip over."""

from hypothesis import strategies as st

from fedcollab.base.markup import plain
from fedcollab.features.resources.exchange.formats import FORMATS
from fedcollab.features.resources.exchange.rows import lines
from fedcollab.features.resources.record import Record
from fedcollab.features.resources.words import KINDS, LICENCES, TOPICS

SIGNS = st.sampled_from(list("ab Z\n\t\\{}$&%#_^~@-`'\"?!<>|[](),;:éខا.*/=+"))
LETTERS = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co", "Cf"))
KNOWN = st.sampled_from(
    [
        "=cmd()",
        "'=x",
        "and others",
        "A and B",
        "Berg, Jr.",
        "TY  - x",
        "a\nER  - \nTI  - x",
        "x\n TI  - y",
        "@book{x,",
        "{x}",
        "-- ---",
        "x;y",
        "a  \nb",
        "]]>",
        "<script>alert(1)</script>",
        "سمر حداد",
    ]
)
TEXT = st.one_of(st.text(st.one_of(SIGNS, LETTERS), max_size=60), KNOWN)
TITLES = TEXT.map(lambda text: plain(text, 300)).filter(bool)
NAMES = TEXT.map(lambda text: plain(text, 200).strip(", ")).filter(bool)
RECORDS = st.builds(
    Record,
    title=TITLES,
    authors=st.lists(NAMES, max_size=4, unique=True).map(tuple),
    publisher=TEXT.map(lambda text: plain(text, 200)),
    year=st.none() | st.integers(1000, 2199),
    language=st.sampled_from(["", "en", "fr", "ar", "km", "zh-Hant", "pt-BR"]),
    countries=st.lists(st.sampled_from(["KH", "TH", "FR"]), unique=True).map(lambda codes: tuple(sorted(codes))),
    kind=st.sampled_from([kind for kind in KINDS if kind != "Story"]),  # which is in no export
    topics=st.lists(st.sampled_from(list(TOPICS)), unique=True, max_size=12).map(tuple),
    licence=st.sampled_from(["", *LICENCES]),
    summary=TEXT.map(lines),
    source=st.sampled_from(["", "https://a.example/x_y~z%20?a=b&c=d#e", "http://b.example/%7Bx%7D$"]),
    identifier=st.sampled_from(["", "doi:10.1000/abc_(1)", "isbn:9789221301318"]),
    review_on=st.sampled_from(["", "2027-05-01"]),
)


def written(code: str, records: list[Record], label: str) -> str:
    """A file of these records."""
    chosen = FORMATS[code]
    entries = (chosen.write(record, label, f"https://home.example/library/{number}") for number, record in enumerate(records))
    return chosen.head() + "".join(entries) + chosen.tail
