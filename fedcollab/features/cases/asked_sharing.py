"""Decides in which words shares, consents and what takes entries out of sight are asked for."""

from fedcollab.base.errors import N_

from .asked import CASE, WORK, Ask, Asked
from .asked_people import PEOPLE

TO = Ask(
    N_("For whom"),
    N_("One organisation or person: each recipient needs a consent and a share of its own."),
    N_("The recipient"),
    depends=True,
)
TO_NAME = Ask(N_("Or somebody else, by name"), N_("An organisation that is not here: a clinic, an embassy."), depends=True)
PARTS = Ask(N_("Which parts of the record"))
ABROAD = N_("It goes to another country")

SHARING: dict[str, Asked] = {
    "share": Asked(
        N_("Note a share"),
        N_("Who was given what, and why. Note it before you send or say anything: this page is the last look at whether it is right."),
        N_("Keep the share"),
        {
            "to": TO,
            "to_name": TO_NAME,
            "what": Ask(N_("What is shared"), N_("As little as serves the purpose. No names here."), N_("What, and why")),
            "parts": PARTS,
            "people": Ask(N_("About whom"), none=N_("Nobody has been added to this case yet.")),
            "why": Ask(N_("What for")),
            "consent": Ask(
                N_("With which consent"),
                N_("Consents in force. They have to be for this recipient."),
                N_("The person’s consent"),
                depends=True,
                none=N_("No consent for this recipient is in force. Note one in the case first, or say below why you share without it."),
            ),
            "without": Ask(N_("Or without consent, because"), N_("Tell the person, unless that puts somebody in danger."), depends=True),
            "without_why": Ask(N_("Why without consent"), N_("What would happen otherwise, and who has decided this."), depends=True),
            "basis": Ask(
                N_("Lawful basis"), N_("Permission to share is one thing, the lawful basis another. Both are needed."), N_("The law")
            ),
            "out_of": Ask(N_("From which country")),
            "into": Ask(
                N_("Into which country"), N_("Where the recipient works. No organisation's country is stored, so it is asked once here.")
            ),
            "transfer": Ask(
                N_("Ground for going abroad"),
                N_("Only where the two countries differ: the law asks on which ground data leaves a country. Within one, choose nothing."),
                depends=True,
                fold=ABROAD,
            ),
            "transfer_law": Ask(N_("Which law"), N_("Only where the ground is one of national law."), depends=True, fold=ABROAD),
        },
    ),
    "consent": Asked(
        N_("Note a consent"),
        N_(
            "What a person agrees to, for one recipient, until one day. It is free: support here must not depend on it, and it can be "
            "withdrawn at any time without a reason. Say so to the person before you ask."
        ),
        N_("Keep the consent"),
        {
            "person": Ask(N_("Who agrees")),
            "to": TO,
            "to_name": TO_NAME,
            "what": Ask(N_("What may be shared"), N_("As it was explained to the person, in plain words."), N_("What, and until when")),
            "parts": PARTS,
            "until": Ask(N_("Until"), N_("After this day it is over by itself.")),
            "capacity": Ask(N_("Can the person decide this?"), "", N_("Who decides")),
            "decided_by": Ask(N_("Who decided"), N_("An adult who can decide decides alone.")),
            "decider": Ask(
                N_("With what right"),
                N_("Only where it was not the person: who, on which paper or order. No name if the role is enough."),
                depends=True,
            ),
            "own_view": Ask(N_("What the person says to it"), N_("A child, too, is asked and heard.")),
            "how": Ask(N_("How it was given")),
        },
    ),
    "withdrawn": Asked(
        N_("Withdraw a consent"),
        N_("Nobody has to say why, and anybody on this case may note it for the person. From now on nothing more is shared on it."),
        N_("Withdraw it"),
        {"how": Ask(N_("How the person said it"))},
    ),
    "masking": Asked(
        N_("Hide this"),
        N_("It disappears from everybody’s pages, with its corrections, until somebody undoes it. It is still stored."),
        N_("Hide it"),
        {"why": Ask(N_("Why"), N_("Everybody on this case reads it. Say nothing of what is hidden."))},
    ),
    "unmasking": Asked(
        N_("Show this again"),
        N_("Everybody on this case who could read it before can read it again."),
        N_("Show it again"),
        {"why": Ask(N_("Why"))},
    ),
    "redaction": Asked(
        N_("Remove this for good"),
        N_("What it says is destroyed at every organisation on this case, with its corrections. That can’t be undone."),
        N_("Remove it for good"),
        {"why": Ask(N_("Why"), N_("Everybody on this case reads it. Say nothing of what is removed."))},
    ),
    "erased": Asked(
        N_("Ask for erasure"),
        N_(
            "What our organisation wrote is destroyed at once, everywhere. What another organisation wrote is destroyed after seven days, "
            "unless they hold it back and say why. That can’t be undone."
        ),
        N_("Ask for erasure"),
        {"why": Ask(N_("Why"), N_("Everybody on this case reads it. Say nothing of what is to be erased."))},
    ),
}
BECAUSE = Ask(N_("Why it is corrected"), N_("May stay empty."))
ALL: dict[str, Asked] = WORK | CASE | PEOPLE | SHARING
