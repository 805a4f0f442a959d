"""Decides what is said of something sealed that does not open: one thing, whatever the cause."""

from fedcollab.base.errors import N_, Refused


class Shut(Refused):
    """This does not open: another key, another place, cut short or changed. It never says which, not even to the log: whoever tries
    things out would learn from it."""

    text = N_("This is sealed, and it does not open here.")

    def __init__(self) -> None:
        super().__init__()
