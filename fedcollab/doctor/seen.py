"""Decides whether others see this node as it is: through the web server before it, unchanged, with its own id and keys."""

from fedcollab.actors import service as actors
from fedcollab.base.errors import Refused, Unreachable
from fedcollab.base.http import Answer
from fedcollab.federation import mirror, profiles, signatures

from .findings import Finding, Lacking, Open, fail, ok, warn
from .outside import public
from .patient import Patient
from .process import ask, data, reflection

STRANGER = "192.0.2.7"  # an address of nobody, which no visitor has (RFC 5737)


async def _look(patient: Patient, path: str) -> Answer:
    """What our public address answers at a path. Raises Lacking with the code of what stands in the way."""
    await public(patient)
    try:
        return await ask(patient, patient.settings.base_url, path)
    except Unreachable:
        raise Lacking("reached") from None


async def proxy(patient: Patient) -> Finding:
    """`proxy`: the web server passes `Host` on as it came."""
    try:
        await public(patient)
    except Lacking as lacking:
        if lacking.code != "proxy":
            raise
        return fail(
            "The web server changes Host, so that the node refuses all (421).",
            "Pass it on: Caddy does by itself, nginx needs: proxy_set_header Host $http_host;",
        )
    return ok("The web server passes Host on.")


async def webfinger(patient: Patient) -> Finding:
    """`webfinger`: our address is found to be our Organization's."""
    base = patient.settings.base_url
    answer = await _look(patient, f"/.well-known/webfinger?resource={base}/")
    links = data(answer).get("links")
    known = [link for link in links if isinstance(link, dict)] if isinstance(links, list) else []
    found = [str(link.get("href")) for link in known if link.get("rel") == "self"]
    if found == [patient.node.actor_uri]:
        return ok("WebFinger names our organisation.")
    return fail(
        "WebFinger at our address names somebody else." if found else "WebFinger at our address answers %(status)d and names nobody.",
        "Let the web server pass on every path, /.well-known/ too, to this node and to nothing else.",
        status=answer.status,
    )


async def actor(patient: Patient) -> Finding:
    """`actor`: our Organization's document comes back with our id and our keys."""
    with patient.session() as session:
        ours = {key for _, key in actors.keys_of(session, patient.own(session)[0]).values()}
    answer = await _look(patient, "/actor")
    mend = "Let the web server pass on to this node. Is there a second node of this name, such as a restored one? Stop one of them."
    try:
        found = profiles.parse(data(answer), expected=patient.node.actor_uri)
    except Refused:
        return fail("Our address does not answer with our organisation's document (%(status)d).", mend, status=answer.status)
    theirs = {key for _, key in found.keys.values()}
    if not theirs or theirs - ours:
        return fail("Another node answers at our address: its keys are not ours.", mend)
    return ok("Others see our organisation with our keys.")


async def signature(patient: Patient) -> Finding:
    """`signature`: what is signed arrives as it was sent, in both forms of signatures."""
    await public(patient)
    for form in signatures.FORMS:
        try:
            answer = await ask(patient, patient.settings.base_url, mirror.PATH, form=form)
        except Unreachable:
            raise Lacking("reached") from None
        if answer.status in (303, 404):
            raise Lacking("version")
        if answer.status != 200:
            return fail(
                "A request signed by us comes back refused (%(status)d, %(form)s): something changes it on its way.",
                "Let the web server change neither path nor the fields Date, Host, Signature and Signature-Input.",
                status=answer.status,
                form=Open(form),
            )
    return ok("What is signed arrives unchanged.")


async def forwarded(patient: Patient) -> Finding:
    """`forwarded`: rate limits count each visitor, neither all as one nor whoever somebody says to be."""
    trusted, said = patient.settings.trusted_proxy, (await _mirrored(patient)).get("forwarded")
    last = str(said or "").rpartition(",")[2].strip()
    if trusted and last == STRANGER:
        return fail(
            "Visitors can say that they are somebody else: the web server passes their X-Forwarded-For on.",
            "Let it set the field itself (nginx: proxy_set_header X-Forwarded-For $remote_addr;) or write trusted_proxy = false.",
        )
    if trusted and not last:
        return warn("trusted_proxy is on, but the web server names no visitor.", "nginx: proxy_set_header X-Forwarded-For $remote_addr;")
    if not trusted and last and last != STRANGER:
        return warn(
            "The web server names each visitor, but the node does not listen: failed sign-ins are counted for all together.",
            "Write in %(root)s/node.toml: trusted_proxy = true. Then: systemctl restart %(unit)s",
        )
    return ok("Visitors are told apart as the settings say.")


async def _mirrored(patient: Patient) -> dict[str, object]:
    await public(patient)
    return await reflection(patient, patient.settings.base_url, **{"X-Forwarded-For": STRANGER})
