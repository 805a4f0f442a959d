"""Decides whether search finds all that is stored."""

from fedcollab.base.clock import DAY
from fedcollab.search import filling

from .findings import Finding, ok, warn
from .patient import Patient


def index(patient: Patient) -> Finding:
    """`search`: what was stored before there was an index is in it, or on its way; it takes minutes, on large nodes hours."""
    from fedcollab.app import STOCKS

    with patient.session() as session:
        found = filling.look(session, STOCKS)
    if found.since is not None and patient.clock() - found.since > DAY:
        return warn(
            "Search does not find all that is stored: for %(hours)d hours older things have been put in.",
            "Restart the node; does it stay so, make the index anew: %(node)s search rebuild",
            hours=(patient.clock() - found.since) // (DAY // 24),
        )
    if found.waiting:
        return ok("Search is being filled: %(number)d things so far.", number=found.entries)
    return ok("Search finds %(number)d things.", number=found.entries)
