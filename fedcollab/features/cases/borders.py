"""Decides which countries a share's form begins with: out of the one that was shared from last, into the one that this recipient was in,
with the ground that was chosen then. No organisation's country is stored, so the first time it is asked for."""

from collections.abc import Mapping, Sequence

from fedcollab.base.i18n import Words

from .desk import Desk
from .forms import filled

FIELDS = ("out_of", "into", "transfer", "transfer_law")


def begin(desk: Desk, to: str, typed: Mapping[str, Sequence[str]], words: Words) -> dict[str, list[str]]:
    """The fields that begin with something, countries by their names; none where somebody has typed into one of them."""
    if any(value for name in FIELDS for value in typed.get(name, ())):
        return {}
    ours = [one.entry for one in desk.case.shares if one.entry and one.item.organisation == desk.look.organisation]
    same = [one for one in ours if to and one.to == to]
    known = filled((same or ours)[-1], words) if ours else {}
    return {name: known[name] for name in (FIELDS if same else FIELDS[:1]) if any(known.get(name, ()))}
