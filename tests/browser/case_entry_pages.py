"""Lists the pages on which entries of a case are written and read: each kind's form, people, consents, holds, each act on one."""

from playwright.sync_api import Page as Tab

from .page import Page, fill
from .scene import Scene

CASE, FORM = "/cases/{case}", "cases/form.html"
ERASE_PERSON = "/cases/{id}/people/{person}/erase"
NEW, CHANGE = "/cases/{id}/new/{kind}", "/cases/{id}/change/{entry}"


def unfolded(tab: Tab, scene: Scene) -> None:
    """Opens all that is folded."""
    tab.evaluate("() => document.querySelectorAll('main details').forEach(one => { one.open = true; })")


def against_the_rules(tab: Tab, scene: Scene) -> None:
    """Notes a contact with somebody who is contacted by nobody."""
    tab.locator("[name=people]").last.check()
    tab.locator("[name=how]").first.check()
    tab.locator("[name=reached]").first.check()
    fill(who="By code", on="2026-11-20", outcome="Nobody answered.")(tab, scene)


def nothing_ticked(tab: Tab, scene: Scene) -> None:
    """Asks for the erasure of nothing."""
    tab.locator("[name=alone]").uncheck()
    tab.locator("main form .btn.bad").click()


def new(name: str, kind: str, person: str = "") -> Page:
    return Page(f"entry-{name}", f"{CASE}/new/{kind}" + (f"?person={{{person}}}" if person else ""), FORM, "mira")


def wrong(name: str, kind: str, person: str = "") -> Page:
    """The same, sent without what it needs."""
    path = f"{CASE}/new/{kind}" + (f"?person={{{person}}}" if person else "")
    return Page(f"entry-{name}-error", path, FORM, "mira", fill(), NEW, 422)


CASE_ENTRY_PAGES = (
    new("message", "message"),
    wrong("message", "message"),
    new("decision", "decision"),
    new("contact", "contact"),
    new("contact-one", "contact", "potential"),
    Page("entry-contact-nobody", f"{CASE}/new/contact?person={{silent}}", FORM, "mira", against_the_rules, NEW, 422),
    new("task", "task"),
    new("step", "step", "potential"),
    new("person", "person"),
    wrong("person", "person"),
    new("identity", "identity", "potential"),
    new("safe-contact", "safe-contact", "potential"),
    wrong("safe-contact", "safe-contact", "suspect"),
    new("where", "where", "potential"),
    Page("entry-exploitation", f"{CASE}/new/exploitation?person={{potential}}", FORM, "mira", unfolded),
    new("health", "health", "potential"),
    new("suspicion", "suspicion", "suspect"),
    wrong("suspicion", "suspicion", "suspect"),
    new("share", "share"),
    wrong("share", "share"),
    new("consent", "consent", "potential"),
    wrong("consent", "consent", "potential"),
    new("hold", "hold"),
    new("terms", "terms"),
    new("status", "status"),
    new("closed", "closed"),
    Page("entry-progress", f"{CASE}/new/progress?of={{step}}", FORM, "mira"),
    Page("entry-change", f"{CASE}/change/{{said}}", FORM, "mira"),
    Page("entry-change-error", f"{CASE}/change/{{said}}", FORM, "mira", fill(text=""), CHANGE, 422),
    Page("entry", f"{CASE}/entry/{{said}}", "cases/entry.html", "mira"),
    Page("entry-held", f"{CASE}/entry/{{step}}", "cases/entry.html", "mira"),
    Page("people", f"{CASE}/people", "cases/people.html", "mira"),
    Page("person-potential", f"{CASE}/people/{{potential}}", "cases/person.html", "mira", unfolded),
    Page("person-suspect", f"{CASE}/people/{{suspect}}", "cases/person.html", "mira"),
    Page("person-withheld", f"{CASE}/people/{{potential}}", "cases/person.html", "tomas"),
    Page("person-copy", f"{CASE}/people/{{potential}}/copy", "cases/copy.html", "mira"),
    Page("consents", f"{CASE}/consents", "cases/consents.html", "mira"),
    Page("holds", f"{CASE}/holds", "cases/holds.html", "mira"),
    Page("act-mask", f"{CASE}/mask/{{said}}", "cases/act.html", "mira"),
    Page("act-redact", f"{CASE}/redact/{{said}}", "cases/act.html", "noor"),
    Page("act-erase", f"{CASE}/erase/{{said}}", "cases/act.html", "mira"),
    Page("act-erase-held", f"{CASE}/erase/{{step}}", "cases/act.html", "mira"),
    Page("act-erase-person", f"{CASE}/people/{{potential}}/erase", "cases/erase.html", "mira", unfolded),
    Page("act-erase-person-error", f"{CASE}/people/{{potential}}/erase", "cases/erase.html", "mira", nothing_ticked, ERASE_PERSON, 422),
    Page("consent", f"{CASE}/entry/{{lasts}}", "cases/entry.html", "mira"),
    Page("consent-not-confirmed", f"{CASE}/entry/{{gone}}", "cases/entry.html", "mira"),
    Page("consent-renew", f"{CASE}/renew/{{consent}}", FORM, "mira"),
    Page("consent-renew-error", f"{CASE}/renew/{{consent}}", FORM, "mira", fill(until="2020-01-01"), "/cases/{id}/renew/{entry}", 422),
    Page("act-withdraw", f"{CASE}/withdraw/{{lasts}}", "cases/act.html", "mira"),
    Page("act-lift", f"{CASE}/lift/{{hold}}", "cases/act.html", "mira"),
    Page("act-lift-error", f"{CASE}/lift/{{hold}}", "cases/act.html", "mira", fill(), "/cases/{id}/lift/{entry}", 422),
    Page("act-unmask", f"{CASE}/unmask/{{masked}}", "cases/act.html", "mira"),
)

CASE_ENTRY_NO_PAGE = {
    "POST /cases/{id}/people/{person}/needs": "leads back to the person’s page",
    "POST /cases/{id}/people/{person}/copy": "a file to take along",
    "POST /cases/{id}/mask/{entry}": "leads back to the case",
    "POST /cases/{id}/unmask/{entry}": "leads back to the case",
    "POST /cases/{id}/redact/{entry}": "leads back to the case; wrong words come back as those of a hold (act-lift-error)",
    "POST /cases/{id}/erase/{entry}": "leads back to the case",
    "POST /cases/{id}/withdraw/{entry}": "leads back to the consents",
}
