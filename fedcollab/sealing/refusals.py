"""Decides in which words a room refuses what would make it untrue, and what it says while it waits or is frozen."""

from fedcollab.base.errors import Conflict, N_, NotFound, Refused


class NotInside(NotFound):
    """Whoever asks, writes or is written of is not inside the room at that epoch."""


class NotTheOwner(Refused):
    text = N_("Only the organisation that manages access here can do that.")


class Frozen(Conflict):
    text = N_(
        "This room is frozen: there are two lists of who is inside. Compare them, then let the organisation that manages access mend this."
    )


class NotFrozen(Conflict):
    text = N_("This room is not frozen. There is nothing to mend.")


class Ended(Refused):
    text = N_("This room is closed. Nothing more can be added to it.")


class Outside(Refused):
    text = N_("Your organisation is no longer inside this room.")


class InsideAlready(Conflict):
    text = N_("They are inside this room already, or have been invited and not answered yet.")


class Answered(Conflict):
    text = N_("This invitation has been answered already. Whoever is inside can leave, or be removed.")


class NoInvitation(Refused):
    text = N_("This invitation was withdrawn, or there was none.")


class NoKey(Refused):
    """P15: nothing is sent in plain where there is no key to seal it to."""

    text = N_("They have no key to which anything can be sealed, so nothing was sent. Their node has to switch on sealed rooms first.")


class Full(Refused):
    text = N_("This room has as many members as fit into it.")


class NotAsked(Refused):
    """A list that names us though we have not said yes, or with a key that is not ours."""

    text = N_("The list of this room names your organisation without its yes, or with a key that is not its own. Nothing was taken in.")


class TakenOver(Refused):
    text = N_("This room was taken over by its deputy. The former owner's keys count again when it is handed back.")


class NotDeputy(Refused):
    text = N_("Only a deputy of this room can take it over.")


class NotBacked(Refused):
    text = N_("A second organisation inside this room has to agree before it is taken over.")


class Replaced(Refused):
    """A case key on the side that everybody has given up when two lists were mended."""

    text = N_("This key belongs to a list that everybody inside has given up.")


class KeyNotHere(Conflict):
    """Nothing is sealed under an older key than the one that all others work with."""

    text = N_("The newest key of this room has not come yet. It is asked for; try again in some minutes. What you typed stays here.")


class KeyChanged(Conflict):
    """TLP:RED: what a person's node says of their key has changed, and nobody here has compared the words."""

    text = N_(
        "The key of %(who)s has changed, so nothing is sent to them until somebody has compared its words with them by phone. "
        "What you typed stays here."
    )
