"""Decides in which words the entries of a case are asked for: what a page says before it, what each field is for, what is better not
written; in the order in which it is asked."""

from collections.abc import Mapping
from typing import NamedTuple

from fedcollab.base.errors import N_


class Ask(NamedTuple):
    """A field in words (message ids): what is asked, why or how, and the heading of the group that begins with it; `depends` that it is
    needed in some cases, which the hint or the field beside it says; `fold` what those beside each other that are seldom needed are folded
    under, which opens where something in it was typed or is wrong; `none` what is said where there is nothing to choose."""

    label: str
    hint: str = ""
    group: str = ""
    depends: bool = False
    fold: str = ""
    none: str = ""


class Asked(NamedTuple):
    """A kind of entry in words: the page's title, what it is for, its button, and its fields; what is not among them the page knows."""

    title: str
    about: str
    button: str
    fields: Mapping[str, Ask]


NO_NAMES = N_("Call people by their codes. Names, addresses and numbers have places of their own, which fewer people see.")
WHY = Ask(N_("Why"))
PERSON = Ask(N_("Whom it is about"))
DUE = Ask(N_("By when"))
OWNER = Ask(N_("Whose it is"), N_("Leave it open where nobody has taken it yet."))

WORK: dict[str, Asked] = {
    "message": Asked(
        N_("Write a message"),
        N_("Everybody on this case can read it, and it stays in the record."),
        N_("Send"),
        {"text": Ask(N_("Your message"), NO_NAMES)},
    ),
    "decision": Asked(
        N_("Note a decision"),
        N_("So that whoever comes later, and the person whom it is about, can see how it was reached."),
        N_("Keep the decision"),
        {
            "what": Ask(N_("What was decided"), NO_NAMES),
            "why": Ask(N_("Why"), N_("What spoke for it, what against it, and what the person wishes.")),
            "who": Ask(N_("Who decided"), N_("With commas between. Name the person too if they decided with you, by their code.")),
        },
    ),
    "contact": Asked(
        N_("Note a contact"),
        N_("A contact, or a try. Read the rules for safe contact before each one, for they change."),
        N_("Keep the contact"),
        {
            "people": Ask(N_("People of this case"), N_("Choose whom you had contact with, if it was somebody of this case.")),
            "who": Ask(N_("With whom"), N_("The person’s code, or who else it was: the clinic, the lawyer.")),
            "how": Ask(N_("How")),
            "on": Ask(N_("On which day")),
            "time": Ask(N_("At what time"), N_("As clocks showed it there, such as 14:30.")),
            "reached": Ask(N_("Was it safe, and did it work?")),
            "outcome": Ask(
                N_("What came of it"), N_("How the person is, what they want, what was agreed. Not more than the work needs. No names.")
            ),
        },
    ),
    "task": Asked(
        N_("Add a task"),
        N_("Something that somebody on this case is going to do."),
        N_("Add the task"),
        {"what": Ask(N_("What is to be done"), NO_NAMES), "owner": OWNER, "due": DUE},
    ),
    "step": Asked(
        N_("Add a step to a support plan"),
        N_("Agree on each step with the person. A plan that was made for somebody without them seldom helps."),
        N_("Add the step"),
        {
            "person": Ask(N_("Whose plan")),
            "support": Ask(N_("Which support")),
            "what": Ask(N_("What is planned"), NO_NAMES),
            "by": Ask(N_("By whom"), N_("As people say it: the clinic, the legal aid office. No address.")),
            "owner": Ask(N_("Who of us sees to it"), OWNER.hint),
            "due": DUE,
        },
    ),
    "progress": Asked(
        N_("How far is it?"),
        N_("What you choose is what everybody on this case sees from now on. What stood before stays in the record."),
        N_("Keep this"),
        {"state": Ask(N_("How far it is")), "note": Ask(N_("A word on it"), NO_NAMES)},
    ),
}

TERMS = {
    "purpose": Ask(
        N_("What this case is kept for"),
        N_("In a sentence or two. Everything written here is measured by it, and what does not serve it is better left out."),
        N_("Why it may be kept"),
    ),
    "basis": Ask(N_("Lawful basis"), N_("Without one nothing may be kept of anybody. Ask whoever looks after data protection at yours.")),
    "condition": Ask(N_("Condition for sensitive data"), N_("Health, sexual life, origin and faith are protected further (Art. 9).")),
    "law": Ask(N_("Which law"), N_("Only where national law is the condition: the law, and which part of it."), depends=True),
    "label": Ask(N_("Who may see it"), "", N_("Who works on it, and until when")),
    "lead": Ask(
        N_("Which organisation leads the case"),
        N_("It leads the work: it sets the terms, and how the case stands. Who invites and removes others stands under “Access”."),
    ),
    "review": Ask(N_("Looked at again by"), N_("By this day somebody asks whether the case is still needed.")),
    "retention": Ask(N_("Kept until"), N_("After this day it is destroyed by itself, at every organisation.")),
}
CASE: dict[str, Asked] = {
    "opened": Asked(
        N_("Open a case"),
        N_("A case is opened only with a purpose, a lawful basis and a condition for sensitive data. It gets a code instead of a name."),
        N_("Open the case"),
        TERMS,
    ),
    "terms": Asked(
        N_("Change the terms of this case"),
        N_("Everybody on this case sees the new terms, what stood before, and why it was changed."),
        N_("Change the terms"),
        {name: ask for name, ask in TERMS.items() if name != "label"} | {"why": Ask(N_("Why it is changed"))},
    ),
    "status": Asked(
        N_("How does this case stand?"),
        N_("An active case is worked on; in follow-up you only look from time to time whether all is well."),
        N_("Keep this"),
        {"status": Ask(N_("How it stands")), "why": Ask(N_("Why"), NO_NAMES)},
    ),
    "closed": Asked(
        N_("Close this case"),
        N_("The work ends. The record stays to be read until the day that you choose, and is then destroyed at every organisation."),
        N_("Close the case"),
        {
            "status": Ask(N_("How it ends")),
            "reason": Ask(N_("Why referred"), N_("Only where the person was referred to others."), depends=True),
            "outcome": Ask(N_("How it came out"), NO_NAMES),
            "retention": Ask(N_("Kept until"), N_("Not longer than somebody may have to look something up.")),
        },
    ),
    "hold": Asked(
        N_("Hold this back from erasure"),
        N_(
            "A hold keeps something that would otherwise be erased, for a court or because a law demands it. It ends by itself on its day, "
            "and whoever asks for erasure is shown that there is one, who ordered it and why."
        ),
        N_("Hold it"),
        {
            "by": Ask(N_("Who ordered it"), N_("The name of the person who answers for it.")),
            "reason": Ask(N_("The reason"), N_("Which court, law or claim. It is shown to whoever asks for erasure.")),
            "review": Ask(N_("Looked at again by"), N_("After this day the hold is over, unless somebody holds again.")),
        },
    ),
    "hold-lifted": Asked(
        N_("End a hold"),
        N_("What was held back can be erased again from now on, and erasures that have waited take effect. That can’t be undone."),
        N_("End the hold"),
        {"why": Ask(N_("Why it is not needed any more"))},
    ),
}
