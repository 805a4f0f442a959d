"""Decides in which words referrals are refused, and how their states are called."""

from fedcollab.base.errors import Conflict, N_, Refused

from .states import ACCEPTED, DONE, IN_PROGRESS, REJECTED, REVOKED

UNREADABLE = "Unreadable"
REFUSALS = {
    "LackOfCapacity": N_("No room or no staff at present"),
    "NotOurService": N_("Not a service that we offer"),
    "OutsideArea": N_("Outside the area that we serve"),
    "NotSafe": N_("We could not keep the person safe"),
    "TooLate": N_("We cannot answer in time"),
    "Other": N_("Other"),
    UNREADABLE: N_("It could not be read: it was sealed to a key that is not theirs any more. Send it again."),
}
NOT_YOURS = N_(
    "This referral is not here for you. A colleague may have answered it or handed it to somebody else, or its sender may have taken it"
    " back. The list of referrals shows what waits for you."
)
CHOICES = {code: text for code, text in REFUSALS.items() if code != UNREADABLE}
STATES = {
    IN_PROGRESS: N_("Waits for an answer"),
    ACCEPTED: N_("Accepted"),
    REJECTED: N_("Declined"),
    REVOKED: N_("Taken back"),
    DONE: N_("Done"),
}


class NoKey(Refused):
    text = N_(
        "This organisation cannot receive sealed referrals yet: it has no key that this could be sealed to, and nothing is ever sent "
        "unsealed. Nothing was sent. Call them, or choose another organisation."
    )


class OnItsWay(Refused):
    text = N_("The key of this referral is still on its way from the other organisation. Look again in a minute.")


class NotReadable(Refused):
    text = N_(
        "This referral cannot be read here: it was not sealed for your organisation, or was changed on its way. Decline it and call them."
    )


class Answered(Conflict):
    text = N_("This referral has been answered, taken back or finished meanwhile. Look at it again.")
