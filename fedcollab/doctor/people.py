"""Decides whether those who administer the node can be relied upon to get in, and strangers not to."""

from fedcollab.features.members import ceremony, factor, service

from .findings import Finding, fail, ok, warn
from .patient import Patient


def admins(patient: Patient) -> Finding:
    """`admins`: there are two, for one may lose a password on a Sunday."""
    with patient.session() as session:
        number = len(service.admins(session))
    if number == 0:
        return fail("Nobody administers this node.", "%(node)s user add NAME --role admin, then: %(node)s login-link NAME")
    if number == 1:
        return warn("There is one admin only.", "Make a second one on the page Members, or: %(node)s user add NAME --role admin")
    return ok("There are %(number)d admins.", number=number)


def factors(patient: Patient) -> Finding:
    """`factors`: whoever has to have a second factor has one. They see nothing before they have one, but until then a password is enough to
    set it up."""
    settings = patient.settings
    with patient.session() as session:
        members = [member for member in service.listed(session) if member.disabled_at is None]
    bare = [member.username for member in members if factor.COMPELLED & set(member.all_roles) and not member.second_factor]
    if settings.trial:
        return ok("On a trial node nobody needs a second factor.")
    if bare:
        return warn(
            "People who need a second factor and have none: %(number)d (%(who)s).",
            "Ask them to sign in: they are led to it. Do they no longer work here: %(node)s user disable NAME",
            number=len(bare),
            who=", ".join(bare[:3]),
        )
    return ok("All who need a second factor have one.")


def passkeys(patient: Patient) -> Finding:
    """`passkeys`: the library that knows them is installed, a part of the program that one may leave out, and the address has a name."""
    if not patient.machine.passkeys():
        text = "Nobody can use a passkey: webauthn is missing. Codes and recovery codes work."
        return warn(text, 'In the program\'s environment: pip install "fedcollab[passkeys]"')
    if not ceremony.named(patient.settings):
        return ok("Passkeys need an address with a name, which this node has not.")
    return ok("Passkeys can be used.")
