"""Shows a case's whole way between three organisations in a real browser without script, all by pages: the set-up of keepers, a case, its
referral and acceptance, a partner who comes in and is removed, a guest, the end with its receipts."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.files.holder import PDF
from tests.journeys.processes import until

from .scene import PASSWORD
from .test_guest_journey import asks, comes, lets_in, sets_up_a_second_factor
from .three_nodes import Person, World, world

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
CODE = re.compile(r"[a-z]{6}-[a-z]{6}")
NAME = "Sopheap Lantern"


@pytest.fixture(scope="module")
def three(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(browser, tmp_path_factory.mktemp("three")) as made:
        yield made


def keepers_are_set_up(three: World) -> Person:
    """Ilse, an admin, and Ruth, whom she invites; three sheets, of which two are tried."""
    meridian = three.stages[0]
    ilse = three.by_link(meridian, "ilse")
    ilse.follow("Members")
    ilse.follow("Look at the keepers")
    ilse.tab.get_by_label("Who", exact=True).select_option(index=1)
    ilse.press("Name them a keeper")
    ilse.go("/")
    ilse.follow("Set up cases for your organisation")
    ilse.tab.locator("main .btn.main").click()
    ilse.press("Make my key")
    ilse.tab.get_by_label("Password", exact=True).fill(PASSWORD)
    ilse.tab.locator("main .btn.main").click()
    ilse.press("Make the organisation’s key")
    ilse.press("Make the three sheets")
    papers = [" ".join(text.split()) for text in ilse.tab.locator(".paper .case-code").all_inner_texts()]
    assert len(papers) == 3
    ilse.go("/keepers/set-up/try")
    ilse.tab.get_by_label("One sheet").fill(papers[0])
    ilse.tab.get_by_label("Another sheet").fill(papers[2])
    ilse.press("Try them")
    ruth = invited(three, ilse, "Ruth O.", "ruth")
    ilse.go("/keepers/set-up/second")
    ilse.tab.get_by_label("Who", exact=True).select_option(label="Ruth O.")
    ilse.press("Name them a keeper")
    ruth.go("/")
    ruth.follow("Your settings")
    ruth.follow("Keys and papers")
    ilse.tab.reload()
    assert ilse.tab.locator(".say").inner_text() == ruth.tab.locator(".say").inner_text(), "they read them to each other"
    ilse.tab.get_by_label("I have heard them read all words").check()
    ilse.press("Hand them the key")
    expect(ilse.tab.get_by_text("Holds the key")).to_have_count(2)
    ruth.go("/keepers")
    ruth.sees("Cases can be opened")
    return ilse


def invited(three: World, admin: Person, name: str, username: str, *roles: str) -> Person:
    """Somebody who joins by the link that an admin makes for them."""
    admin.go("/admin/members")
    form = admin.tab.locator("form[action$='/invite']")
    for role in roles:
        form.get_by_label(re.compile(f"^{role}")).check()
    form.get_by_role("button").click()
    admin.look()
    person = three.window(three.stages[0])
    person.go(admin.tab.locator("main .note .code").inner_text())
    person.fill(name=name, username=username, password=PASSWORD)
    person.tab.locator("main .btn.main").click()
    person.look()
    return person


def opens_a_case(mira: Person) -> tuple[str, str]:
    """Its page and its code."""
    mira.go("/")
    mira.follow("Cases")
    mira.follow("Open a case")
    mira.fill(purpose="Safe support and legal advice", review="2097-01-31", retention="2098-01-31")
    mira.choose(basis="VitalInterests", condition="VitalInterests", label="TLP:AMBER")
    mira.press("Open the case")
    code = mira.tab.locator("h1").inner_text()
    assert CODE.fullmatch(code)
    mira.sees("1 person at our organisation can read this case, and nobody else.")
    return mira.path, code


def adds_a_person(mira: Person, case: str) -> str:
    """A potential victim: her rules for contact, her name; her code."""
    mira.go(case)
    mira.follow("People", "main")
    mira.follow("Add a person")
    mira.choose(role="PotentialVictim")
    mira.press("Add the person")
    mira.follow("People", "main .tabs")
    person = mira.tab.locator("main .rows .code").inner_text()
    mira.follow(person)
    mira.follow("Write something here Safe contact")
    mira.choose(methods="Phone")
    mira.fill(never="No voice mail, and nobody else on the line", times="Tuesdays from 9 to 10", language="Khmer")
    mira.press("Keep this")
    mira.follow("People", "main .tabs")
    mira.follow(person)
    mira.follow("Write something here Name and identity")
    mira.fill(name=NAME, languages="Khmer, English")
    mira.press("Keep this")
    return person


def adds_a_task(mira: Person, case: str) -> None:
    mira.go(case)
    mira.follow("Tasks", "main .tabs")
    mira.fill(what="Find a lawyer who speaks Khmer", due="2026-12-31")
    mira.choose(owner=mira.tab.locator("main [name=owner] option", has_text="Mira").get_attribute("value") or "")
    mira.press("Add the task")
    mira.sees("Find a lawyer who speaks Khmer")


def refers(mira: Person, case: str, to: str, person: str) -> None:
    """Step by step, looking once more at the end."""
    mira.go(case)
    mira.follow("Refer a person")
    mira.tab.locator("label.pick", has_text=to).locator("input").check()
    mira.press("Go on: What they see before they answer")
    mira.choose(reason="AdditionalServicesRequired", support="Legal", urgency="Days", age="18-20")
    mira.fill(languages="Khmer, English", country="Cambodia", region="Kandal", deadline="2199-01-31")
    mira.press("Go on: What they get when they say yes")
    for part in ("", "identity", "contact"):
        mira.choose(take=f"{person}/{part}")
    mira.press("Go on: Permission and ground")
    grounds(mira, "Who she is, and how she is reached")
    mira.press("Go on: Look once more")
    mira.sees("They see this before they answer", "They get this when they say yes", "Within days")
    mira.press("Send the referral")
    mira.sees("Waits for an answer by")


def grounds(mira: Person, what: str, into: str = "Kenya") -> None:
    mira.unfold("It goes to another country")
    mira.fill(what=what, why="Legal advice, as she has asked for", without_why="She cannot be asked today")
    mira.choose(without="Danger", basis="VitalInterests", transfer="VitalInterests")
    mira.fill(out_of="Netherlands", into=into)


def accepts_the_referral(three: World, amara: Person, juma: Person, mira: Person) -> str:
    """A keeper reads the preview and says yes; a colleague reads what is handed over, and writes. What it is called there."""
    amara.waits_for("/", "1 referral waits for our answer.")
    three.hand_over()
    amara.follow("1 referral waits for our answer.")
    amara.follow("From Meridian Outreach")
    amara.sees("What they ask", "Legal", "Within days", "Kandal")
    assert NAME not in amara.tab.content()
    amara.tab.get_by_label("Juma K.").check()
    amara.press("Accept")
    amara.sees("Colleagues of yours work on it.")
    mira.waits_for("/", "A referral of yours was accepted.")
    mira.follow("A referral of yours was accepted.")
    mira.follow("To Baobab House")
    mira.follow("Open what you share with them")
    shared = mira.path
    three.hand_over()
    juma.go("/")
    juma.follow("Cases")
    juma.tab.locator("main .rows .title a").first.click()
    juma.look()
    juma.follow("People", "main .tabs")
    juma.tab.locator("main .rows .code").first.click()
    juma.look()
    juma.sees(NAME, "No voice mail, and nobody else on the line", "Tuesdays from 9 to 10")
    writes(juma, None, "We have a lawyer who speaks Khmer.")
    mira.waits_for(shared, "We have a lawyer who speaks Khmer.")
    return shared


def writes(one: Person, case: str | None, text: str) -> None:
    if case is None:
        one.follow("Timeline", "main .tabs")
    else:
        one.go(case)
    one.unfold("Message")
    one.fill(text=text)
    one.press("Send the message")
    expect(one.tab.locator(".tl li").first).to_contain_text(text)


def invites(mira: Person, case: str, whom: str) -> None:
    mira.go(case + "/access")
    mira.follow("Invite an organisation")
    mira.tab.locator("label.pick", has_text=whom).locator("input").check()
    mira.press("Go on")
    mira.tab.get_by_label("Everything, from the beginning of the case").check()
    grounds(mira, "What the lawyers need to know", "Lebanon")
    mira.press("Send the invitation")
    mira.sees("Invited, has not answered yet")


def accepts_the_invitation(three: World, lina: Person, omar: Person, mira: Person, case: str) -> str:
    """A keeper puts a colleague on it, who reads what came before; its page there."""
    lina.waits_for("/cases", "An invitation onto a case, from Meridian Outreach")
    lina.follow("An invitation onto a case, from Meridian Outreach")
    lina.tab.get_by_label("Omar S.").check()
    lina.press("Accept the invitation")
    mira.waits_for(case + "/access", "Whom they put on it is for them to say.")
    three.hand_over()
    omar.go("/cases")
    omar.tab.locator("main .rows .title a").first.click()
    omar.look()
    there = omar.path
    omar.waits_for(there, "Safe support and legal advice")
    writes(omar, there, "Cedar has read the papers.")
    mira.waits_for(case, "Cedar has read the papers.")
    return there


def a_guest_works(three: World, mira: Person, case: str) -> None:
    place = mira.node + case + "/guests"
    ada = three.window(three.stages[0])
    comes(ada.tab, asks(mira.tab, place))
    sets_up_a_second_factor(ada.tab, three.stages[0].kernel.node.now())
    ada.go("/")
    lets_in(mira.tab, place, ada.tab.locator("main .say.code").inner_text())
    ada.go("/")
    ada.follow("Open the case")
    ada.sees("1 person at Meridian Outreach can read this case, and those whom 1 other organisation put on it.")
    writes(ada, None, "We have opened a file.")
    mira.waits_for(case, "We have opened a file.")


def a_file_is_shared(mira: Person, case: str, omar: Person, there: str) -> None:
    """What one organisation uploads the other saves, byte by byte."""
    mira.go(case + "/files")
    mira.fill(about="The contract that she was shown")
    mira.tab.locator("main [name=file]").set_input_files({"name": "contract.pdf", "mimeType": "application/pdf", "buffer": PDF})
    mira.press("Share the file")
    omar.waits_for(there + "/files", "contract.pdf")

    def saved() -> bool:
        omar.go(there + "/files")
        link = omar.tab.get_by_role("link", name="contract.pdf", exact=True)
        if not link.count():
            return False
        with omar.tab.expect_download() as started:
            link.click()
        return Path(started.value.path()).read_bytes() == PDF

    until("the file is the one that was shared", saved)


def is_removed(mira: Person, case: str, omar: Person, there: str) -> None:
    """What is written afterwards does not come, and the page says so."""
    mira.go(case + "/access")
    mira.tab.locator(".row", has_text="Cedar Law").locator("summary", has_text="Remove").click()
    mira.press("Remove from this case")
    mira.sees("No other organisation can read this case.")
    writes(mira, case, "Cedar is out; this is for us.")
    omar.waits_for(there, "Our organisation is no longer on this case.")
    assert "this is for us" not in omar.tab.content()
    assert omar.tab.locator("main summary", has_text="Message").count() == 0


def ends(three: World, mira: Person, case: str, code: str, omar: Person) -> None:
    """Cedar, which was on it once, is asked too; what it wrote itself it may keep for some days, and then confirms."""
    mira.go(case + "/access")
    mira.follow("What ending does")
    mira.sees("Cedar Law")
    mira.fill(code=code)
    mira.press("End it for good")
    mira.sees("Ended by us.")
    mira.sees("Cedar Law: asked on")
    omar.waits_for("/cases/ended", "Meridian Outreach, who manages access to it, has ended it.")
    three.days_pass(three.stages[2])
    mira.waits_for("/cases/ended", "Cedar Law: confirmed on")
    omar.go("/cases/ended")
    omar.sees("Ended by Meridian Outreach.")


def test_a_case_goes_its_whole_way_between_three_organisations(three: World) -> None:
    _, baobab, cedar = three.stages
    for one in (baobab, cedar):
        three.set_up(one)
    ilse = keepers_are_set_up(three)
    mira = invited(three, ilse, "Mira S.", "mira", "Caseworker")
    case, code = opens_a_case(mira)
    person = adds_a_person(mira, case)
    adds_a_task(mira, case)
    refers(mira, case, "Baobab House", person)
    accepts_the_referral(three, three.signed_in(baobab, "amara"), three.signed_in(baobab, "juma"), mira)
    invites(mira, case, "Cedar Law")
    omar = three.signed_in(cedar, "omar")
    there = accepts_the_invitation(three, three.signed_in(cedar, "lina"), omar, mira, case)
    a_file_is_shared(mira, case, omar, there)
    a_guest_works(three, mira, case)
    is_removed(mira, case, omar, there)
    ends(three, mira, case, code, omar)
