"""Shows that keys are enough: from the start page to a sent conversation by Tab and Enter, the focus always in sight."""

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from .chromium import Windows

pytestmark = pytest.mark.browser
MOST = 40
FOCUSED = """() => { const it = document.activeElement, box = it.getBoundingClientRect(), how = getComputedStyle(it);
    return {text: it.innerText ?? "", name: it.name ?? "", value: it.value ?? "",
        line: parseFloat(how.outlineWidth) * (how.outlineStyle !== "none"),
        inside: box.top >= 0 && box.bottom <= innerHeight && box.left >= 0 && box.right <= innerWidth,
        covered: !it.contains(document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2))}; }"""


def press_until(tab: Tab, **wanted: str) -> None:
    """Presses Tab until what has the focus has these words, name or value; all that is passed shows its focus whole."""
    passed = []
    for _ in range(MOST):
        tab.keyboard.press("Tab")
        now = tab.evaluate(FOCUSED)
        assert now["line"] >= 2, f"no sign of the focus: {now}"
        assert now["inside"], f"outside the window: {now}"
        assert not now["covered"], f"under something else: {now}"
        passed.append(now)
        if all(now[key].strip() == value for key, value in wanted.items()):
            return
    raise AssertionError(f"{wanted} is not within {MOST} steps: {passed}")


@pytest.mark.parametrize("width", [390, 1280])
def test_a_member_comes_to_a_group_writes_and_sends_by_keys_alone(windows: Windows, width: int) -> None:
    with windows.tab("daan") as tab:
        tab.set_viewport_size({"width": width, "height": 844})
        tab.goto(f"{windows.scene.busy.url}/language/en?next=/groups")
        press_until(tab, text="Working with interpreters")
        tab.keyboard.press("Enter")
        expect(tab.get_by_role("heading", level=1)).to_have_text("Working with interpreters")
        press_until(tab, text="Start a discussion")
        tab.keyboard.press("Enter")
        tab.wait_for_url("**/new")
        press_until(tab, name="title")
        tab.keyboard.press("ControlOrMeta+a")
        tab.keyboard.type(f"By keys at {width}")
        press_until(tab, name="text")
        tab.keyboard.type("Nothing but Tab and Enter.")
        press_until(tab, name="act", value="send")
        tab.keyboard.press("Enter")
        expect(tab.get_by_role("heading", level=1)).to_have_text(f"By keys at {width}")
        expect(tab.get_by_text("Nothing but Tab and Enter.", exact=True)).to_be_visible()


def test_the_first_key_offers_the_way_past_the_menu(windows: Windows) -> None:
    with windows.tab("daan") as tab:
        tab.goto(f"{windows.scene.busy.url}/language/en?next=/")
        press_until(tab, text="Skip to content")
        tab.keyboard.press("Enter")
        tab.wait_for_url("**/#main")
        tab.keyboard.press("Tab")
        assert tab.evaluate("() => document.querySelector('main').contains(document.activeElement)")


def test_what_a_phones_menu_has_no_room_for_stands_behind_more(windows: Windows) -> None:
    with windows.tab("ilse") as tab:
        menu = tab.locator(".nav li").filter(visible=True)
        for width, places in (
            (390, ["Home", "Discuss", "Reports", "Library", "More"]),
            (1280, ["Home", "Discuss", "Reports", "Library", "Due"]),
        ):
            tab.set_viewport_size({"width": width, "height": 844})
            tab.goto(f"{windows.scene.busy.url}/language/en?next=/groups")
            assert [text.split()[0] for text in menu.all_inner_texts()][:5] == places
            assert menu.count() == (5 if width == 390 else tab.locator(".nav li").count() - 1), "all but the word More"
        tab.set_viewport_size({"width": 390, "height": 844})
        more = menu.filter(has_text="More").inner_text()
        assert more.endswith(" to look at"), "how much waits behind it is said"
        press_until(tab, text=more)
        tab.keyboard.press("Enter")
        press_until(tab, text="Partners\n1\n1 to look at")
        tab.keyboard.press("Enter")
        expect(tab.get_by_role("heading", level=1)).to_have_text("Partners")


@pytest.mark.parametrize("language", ["en", "fr", "es", "ar"])
def test_the_way_out_at_once_lies_over_nothing_of_a_phones_menu(windows: Windows, language: str) -> None:
    with windows.tab("mira") as tab:
        tab.set_viewport_size({"width": 320, "height": 700})
        tab.goto(f"{windows.scene.busy.url}/language/{language}?next=/sealed/ended")
        out, menu = tab.locator(".leave").bounding_box(), tab.locator("nav.nav").bounding_box()
        assert out is not None
        assert menu is not None
        tab.goto(f"{windows.scene.busy.url}/language/en?next=/")  # as other tests find her
        assert out["y"] + out["height"] <= menu["y"] + 3, (out, menu)
