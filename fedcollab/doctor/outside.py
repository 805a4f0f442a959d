"""Decides whether others can reach this node at its public address, over a connection that is good."""

import ssl

from fedcollab.base.clock import DAY, MICROSECONDS
from fedcollab.base.errors import Unreachable
from fedcollab.base.http import Answer

from .findings import Finding, Lacking, Open, fail, ok, skip, warn
from .naming import NO_NETWORK, cut_off
from .patient import Patient
from .process import NODEINFO, answering, ask, version_of

SOON = 14  # days
NO_NAME = "the name was not found"  # as the fetcher says it
AWAY = (502, 503, 504)  # what web servers say when nobody answers behind them
WRONG = {
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is self-signed",
    19: "no authority that is known has signed it",
    20: "no authority that is known has signed it, or the chain is not whole",
    62: "it is for another name",
}  # OpenSSL's numbers


async def _answers(patient: Patient) -> Answer:
    """What answers at our public address. Raises Lacking where nothing does, or nothing that is believed."""
    try:
        return await ask(patient, patient.settings.base_url, NODEINFO)
    except Unreachable as error:
        raise Lacking("certificate" if error.certificate else "reached") from None


async def public(patient: Patient) -> Answer:
    """The same, once it is known to be this node. Raises Lacking with the code of what stands in the way."""
    answer = await _answers(patient)
    if answer.status == 421:
        raise Lacking("proxy")
    if not version_of(answer):
        raise Lacking("reached")
    return answer


async def reached(patient: Patient) -> Finding:
    """`reached`: something answers at the public address, and leads to this process."""
    try:
        answer = await ask(patient, patient.settings.base_url, NODEINFO)
    except Unreachable as error:
        if error.certificate:
            raise Lacking("certificate") from None
        if cut_off(patient):
            return skip(NO_NETWORK)
        if error.reason == NO_NAME:
            raise Lacking("name") from None
        if patient.settings.base_url.endswith(f"//{patient.door}"):  # nothing stands before the node
            await answering(patient)
        return fail(
            "Nothing answers at %(url)s: %(why)s.",
            "Does the web server run, is port 443 open? Behind a router try from your telephone: some hide you from yourself.",
            url=patient.settings.base_url,
            why=Open(error.reason),
        )
    if answer.status != 421 and not version_of(answer):
        if patient.door and not await answering(patient):
            raise Lacking("running")
        away = answer.status in AWAY
        return fail(
            "The web server does not reach the node (%(status)d)." if away else "Something else than this node answers (%(status)d).",
            "Let the web server pass all that is for this name on to %(listen)s.",
            status=answer.status,
            listen=patient.settings.listen,
        )
    return ok("The public address answers.")


async def certificate(patient: Patient) -> Finding:
    """`certificate`: it is valid for the name, and for two weeks more."""
    if not patient.settings.secure:
        return skip("A trial node has no certificate.")
    try:
        answer = await ask(patient, patient.settings.base_url, NODEINFO)
    except Unreachable as error:
        if not error.certificate:
            raise Lacking("reached") from None
        why = WRONG.get(error.certificate, "it can't be verified")
        return fail(
            "The certificate is not valid: %(why)s.",
            "Look into the web server's log for why it got no new one. Behind a router this may be the router's own page.",
            why=Open(why),
        )
    days = (ssl.cert_time_to_seconds(answer.good_until) * MICROSECONDS - patient.clock()) // DAY
    if days < SOON:
        return warn("The certificate ends in %(days)d days.", "Look into the web server's log for why it was not renewed.", days=days)
    return ok("The certificate is valid for %(days)d days.", days=days)


async def redirect(patient: Patient) -> Finding:
    """`redirect`: nothing is served in clear beside https."""
    if not patient.settings.secure or ":" in patient.settings.host:
        return skip("The address has a port of its own.")
    host = patient.settings.host
    try:
        answer, location = await patient.fetcher.see(f"http://{host}/", permit=lambda asked: asked == host)
    except Unreachable:
        await _answers(patient)
        return ok("Nothing answers in clear.")
    if location is not None and location.startswith("https://"):
        return ok("Plain http leads to https.")
    return warn(
        "Plain http is answered (%(status)d) rather than led to https.",
        "Let the web server redirect port 80 to https: docs/admins/install.md shows how.",
        status=answer.status,
    )
