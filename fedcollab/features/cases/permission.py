"""Decides whether a share keeps to the consents that it names: in force, for this recipient, for these people and parts (P2, P3)."""

from fedcollab.base.errors import N_

from .checking import Wrong
from .sharing import Consent, Share
from .shown import Case

OVER = N_("This consent was withdrawn or is over. Nothing can be shared on it any more.")
ANOTHER = N_("This consent is for another recipient. Each needs one of its own.")
PEOPLE = N_("Choose a consent of each person whom it is about.")
NOT_LATER = N_("Choose a later day than the consent holds to already.")
PARTS = N_("The consent does not cover all of these parts. Share less, or ask the person again.")


def check(share: Share, case: Case) -> None:
    """Raises Wrong for a share that goes beyond its consents; one without consent has said why."""
    given = {one.item.id: one.entry for one in case.in_force if one.entry}
    consents = [given[of] for of in share.consent if of in given]
    if len(consents) != len(share.consent):
        raise Wrong("consent", OVER)
    if any((one.to, one.to_name.casefold()) != (share.to, share.to_name.casefold()) for one in consents):
        raise Wrong("consent", ANOTHER)
    if consents and not set(share.people) <= {one.person for one in consents}:
        raise Wrong("consent", PEOPLE)
    if any(not _covers(one, share) for one in consents):
        raise Wrong("parts", PARTS)


def check_renewal(consent: Consent, case: Case) -> None:
    """Raises Wrong for a day that is no later one."""
    before = next((one.entry for one in case.consents if one.item.id == consent.renews), None)
    if before is not None and consent.until <= before.until:
        raise Wrong("until", NOT_LATER)


def _covers(consent: Consent, share: Share) -> bool:
    """A consent that names no part says in words what it is for, which nobody but people can compare."""
    return not consent.parts or set(share.parts) <= set(consent.parts)
