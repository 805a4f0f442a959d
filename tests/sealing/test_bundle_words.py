"""Shows that what a case in a file says of itself makes a terminal do nothing."""

from collections import Counter

from fedcollab.sealing import bundle_words
from fedcollab.sealing.bundle_check import Findings, Organisation, Writer
from fedcollab.sealing.chains import Place
from fedcollab.sealing.heads import Head, Signed
from fedcollab.sealing.reading import uri

EVIL = "https://evil.example/\x9b2J\u202eactor"


def test_an_id_in_a_file_is_printed_without_what_a_terminal_would_act_upon() -> None:
    assert uri(EVIL) == EVIL, "such an id is read"
    found = Findings(first={"code": EVIL}, node=EVIL, entries=1, sealed=True, begins=Place(0, ""), ends=Place(1, "x"))
    found.organisations[EVIL] = Organisation(EVIL, EVIL, {}, {})
    found.people[EVIL] = Writer(EVIL, EVIL, EVIL, {})
    found.proved, found.stated = Counter({EVIL: 1}), Counter({EVIL: 1})
    found.heads["https://a.example/" + EVIL] = Head(EVIL, EVIL, 1, "x", 1)
    found.vouched[EVIL] = Signed(EVIL, EVIL, 1, "x", 1, EVIL, 1)
    found.wrong = [f"{EVIL} has signed another record"]
    text = "\n".join(bundle_words.said(found))
    assert text.count("evil.example") >= 9
    assert all(letter.isprintable() or letter == "\n" for letter in text)
