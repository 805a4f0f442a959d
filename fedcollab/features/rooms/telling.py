"""Decides in which words groups speak of their labels and of what cannot be read."""

from fedcollab.access.models import AMBER, RED, STRICT
from fedcollab.base.errors import N_

LABELS = {
    AMBER: N_("Named organisations"),
    STRICT: N_("Only these organisations’ own people"),
    RED: N_("Named people"),
}
LABEL_HINTS = {
    AMBER: N_("The people whom each organisation chooses. Each chooses its own."),
    STRICT: N_(
        "As above, and nobody passes anything on: no guests, no onward referral. With no other organisation it never leaves our node."
    ),
    RED: N_("Each person is invited by name, and sealed to their own key. Nobody stands in for them, not even keepers or holiday cover."),
}
UNREAD = {
    "key": N_("Waits for its key. It opens by itself when that is here."),
    "author": N_("Waits for the key of whoever wrote it, by which we know that it is theirs."),
    "newer": N_("A newer program wrote this. It can be read when ours is as new."),
    "broken": N_("This is not as a post has to be, or was changed on its way."),
    "stopped": N_("The consent that it was given on has ended."),
    "erased": N_("Removed by its author."),
}
NEEDED = {
    "name": N_("Give the group a name."),
    "title": N_("Give it a title."),
    "text": N_("Write something first."),
    "why": N_("Write why. Everybody in the group reads it."),
}
