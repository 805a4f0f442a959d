"""Shows that real sentences in many scripts are found by their words, and marked where those stand."""

from collections.abc import Sequence

import pytest

from fedcollab.base.session import Session
from fedcollab.search.snippets import Piece

from .rows import found, look, place, put

THAI = "นายหน้าเรียกเงินมัดจำก่อนเดินทางไปทำงานต่างประเทศ และยึดหนังสือเดินทางของคนงานไว้"
KHMER = "ក្រុមហ៊ុនជ្រើសរើសពលករ\u200bបានដកហូត\u200bលិខិតឆ្លងដែន ហើយមិនបានបើកប្រាក់ខែឱ្យពួកគេទេ។"
ARABIC = "طلبت الوكالةُ وديعةً ماليّةً قبل السفر، واحتفظت بجوازات سفر العاملات في منزل صاحب العمل."
CHINESE = "中介在出发前要求支付押金，并扣留了工人的护照。他们被迫在渔船上工作。"
JAPANESE = "技能実習生のパスポートが雇い主に取り上げられていた。"
LAO = "ນາຍໜ້າໄດ້ຍຶດໜັງສືຜ່ານແດນຂອງແຮງງານ"
BURMESE = "အလုပ်သမားများ၏ နိုင်ငံကူးလက်မှတ်များကို သိမ်းဆည်းထားသည်။"
FRENCH = "La caution exigée par l’agence à l’arrivée : les employées étaient logées à l’étage, sans clé."
VIETNAMESE = "Người môi giới giữ hộ chiếu của công nhân và yêu cầu đặt cọc."
ALL = {
    "th": (THAI, ["มัดจำ", "หนังสือเดินทาง", "คนงาน", "เงิน", "ยึด", '"ทำงานต่างประเทศ"'], ["ประมง", "ตำรวจ"]),
    "km": (KHMER, ["លិខិតឆ្លងដែន", "ពលករ", "ប្រាក់ខែ", "ដកហូតលិខិត", "ជ្រើសរើស"], ["ប៉ូលិស", "នេសាទ"]),
    "ar": (ARABIC, ["وديعة", "الوديعة", "وديعه", "مالية", "بجوازات السفر", "العمل", '"صاحب العمل"', "عاملات"], ["شرطة", "سفينة"]),
    "zh": (CHINESE, ["押金", "护照", "渔船", "扣留了工人", "金", "被迫 渔船"], ["警察", "酒店", "金押"]),
    "ja": (JAPANESE, ["パスポート", "技能実習生", "雇い主", "ﾊﾟｽﾎﾟｰﾄ"], ["警察", "パスモ"]),
    "lo": (LAO, ["ໜັງສືຜ່ານແດນ", "ແຮງງານ"], ["ຕຳຫຼວດ"]),
    "my": (BURMESE, ["နိုင်ငံကူးလက်မှတ်", "အလုပ်သမား"], ["ရဲတပ်ဖွဲ့"]),
    "fr": (FRENCH, ["exigee", "exigé", "ARRIVEE", "l'arrivée", "etage", "clé", "logées agence"], ["hôtel", "police"]),
    "vi": (VIETNAMESE, ["hộ chiếu", "ho chieu", "đặt cọc", "moi gioi"], ["cảnh sát"]),
}
CASES = [(language, text, asked, True) for language, (text, yes, _) in ALL.items() for asked in yes]
CASES += [(language, text, asked, False) for language, (text, _, no) in ALL.items() for asked in no]


@pytest.mark.parametrize(("language", "text", "asked", "there"), CASES)
def test_a_sentence_is_found_by_what_is_in_it_and_not_by_what_is_not(
    session: Session, language: str, text: str, asked: str, there: bool
) -> None:
    at = place(session)
    put(session, at, "Something else altogether, in English.")
    subject = put(session, at, text, language=language)
    assert found(session, at.viewer, asked) == ([subject] if there else [])


def shown(pieces: Sequence[Piece]) -> str:
    return "".join(f"[{piece.text}]" if piece.marked else piece.text for piece in pieces)


@pytest.mark.parametrize(
    ("text", "asked", "marked"),
    [
        (THAI, "มัดจำ", "[มัดจำ]"),
        (KHMER, "លិខិតឆ្លងដែន", "[លិខិតឆ្លងដែន]"),
        (ARABIC, "وديعة", "[وديعةً]"),
        (CHINESE, "扣留了工人", "[扣留了工人]"),
        (CHINESE, "护", "[护]照"),
        (FRENCH, "exigee", "[exigée]"),
        (FRENCH, "arrivee", "l’[arrivée]"),
        (FRENCH, "agen*", "l’[agence]"),
    ],
)
def test_what_was_asked_for_is_marked_as_it_stands_in_the_text(session: Session, text: str, asked: str, marked: str) -> None:
    at = place(session)
    put(session, at, text)
    (hit,) = look(session, at.viewer, asked).rows
    assert marked in shown(hit.snippet)
    assert "".join(piece.text for piece in hit.snippet).strip("… ") in text
