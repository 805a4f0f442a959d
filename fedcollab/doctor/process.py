"""Decides whether the node's process runs, as this program, within the limits that it needs; asked here, past its web server."""

from typing import Any

from fedcollab import __version__
from fedcollab.actors import keys
from fedcollab.base.errors import BadRequest, Misconfigured, Unreachable
from fedcollab.base.http import Answer, Sign
from fedcollab.base.strictjson import loads
from fedcollab.federation import mirror, signatures

from .findings import Finding, Lacking, Open, fail, ok, skip, warn
from .patient import Patient

NODEINFO = "/nodeinfo/2.1"
SPARE = 100  # files that a node has open beside its connections


async def ask(patient: Patient, base: str, path: str, *, form: str = "", **headers: str) -> Answer:
    """What is answered at a path of this node, at its public name or its door; signed by our Organization where a form is named. Raises
    Lacking where the node is closed: it answers nobody then, and nothing is wrong with it."""
    if patient.files.maintenance.exists():
        raise Lacking("open")
    sign = _signing(patient, form) if form else None
    address = base + path

    async def make() -> Answer:
        fields = {"Accept": "application/activity+json, application/json", **headers, "Host": patient.settings.host}
        answer, _ = await patient.fetcher.see(address, permit=lambda host: host == base.partition("://")[2], headers=fields, sign=sign)
        return answer

    found: Answer = await patient.once(f"{address} {form} {sorted(headers)}", make)
    return found


def _signing(patient: Patient, form: str) -> Sign:
    """Signs for our public address, wherever the request is sent."""
    node = patient.node
    with patient.session() as session:
        actor_id, uri = patient.own(session)
        try:
            signer = keys.signer(session, node, actor_id, keys.RSA)
        except Misconfigured:
            raise Lacking("key-fits") from None

    def sign(method: str, url: str, body: bytes) -> dict[str, str]:
        address = uri.removesuffix("/actor") + "/" + url.split("/", 3)[3]
        return signatures.sign(signer, method, address, body, node.now(), form=form)

    return sign


def data(answer: Answer) -> dict[str, Any]:
    """The JSON object in an answer; empty for anything else."""
    try:
        found = loads(answer.body)
    except BadRequest:
        return {}
    return found if isinstance(found, dict) else {}


async def answering(patient: Patient) -> str:
    """The version that answers at the door; empty for something else. Raises Lacking where nothing does, or nobody can ask there."""
    if not patient.door:
        raise Lacking("reached")
    try:
        return version_of(await ask(patient, f"http://{patient.door}", NODEINFO))
    except Unreachable:
        raise Lacking("running") from None


def version_of(answer: Answer) -> str:
    """The version of the node that has answered, by its NodeInfo; empty for something else."""
    software = data(answer).get("software")
    return str(software.get("version")) if isinstance(software, dict) and software.get("name") == "fedcollab" else ""


def is_open(patient: Patient) -> Finding:
    """`open`: the node is not being worked on."""
    if patient.files.maintenance.exists():
        return warn(
            "The node is closed: members and partners are told to come again later.",
            "When the work is done: %(node)s maintenance off",
        )
    return ok("The node is open.")


async def running(patient: Patient) -> Finding:
    """`running`: the process answers where it listens."""
    if not patient.door:
        return skip("The node listens at an address that is not asked from here: see `reached`.")
    try:
        version = await answering(patient)
    except Lacking as lacking:
        if lacking.code != "running":
            raise
        return fail(
            "The node does not run: nothing answers at %(listen)s.",
            "Start it: %(start)s",
            listen=patient.settings.listen,
        )
    if not version:
        return fail(
            "Something else than this node answers at %(listen)s.",
            "Stop it (ss -ltnp shows it), or write another listen in node.toml.",
            listen=patient.settings.listen,
        )
    return ok("The node runs.")


async def version(patient: Patient) -> Finding:
    """`version`: the process that runs is this program, not one from before an upgrade."""
    found = await answering(patient)
    if not found:
        raise Lacking("running")
    if found != __version__:
        shown = Open(found) if found.replace(".", "").isalnum() and len(found) < 20 else found
        return warn(
            "The running node is version %(running)s, this program %(here)s.",
            "Restart it: systemctl restart %(unit)s",
            running=shown,
            here=Open(__version__),
        )
    return ok("The running node is this version, %(here)s.", here=Open(__version__))


async def reflection(patient: Patient, base: str, form: str = signatures.RFC9421, **headers: str) -> dict[str, Any]:
    """What the process says of itself and of a signed request that reached it by this way. Raises Lacking where it says nothing."""
    if not base:
        raise Lacking("running")
    try:
        answer = await ask(patient, base, mirror.PATH, form=form, **headers)
    except Unreachable:
        raise Lacking("running") from None
    if answer.status != 200:
        raise Lacking({303: "version", 404: "version", 401: "signature", 403: "signature"}.get(answer.status, "running"))
    return data(answer)


async def open_files(patient: Patient) -> Finding:
    """`open-files`: the process may have as many files open as it holds connections."""
    found = await reflection(patient, patient.door and f"http://{patient.door}")
    limit, needed = int(found.get("open_files", 0)), patient.settings.connections + SPARE
    if 0 <= limit < needed:
        return warn(
            "The node may open %(limit)d files, but hold %(most)d connections.",
            "Write LimitNOFILE=%(needed)d into its unit, or fewer connections into node.toml; then: systemctl restart %(unit)s",
            limit=limit,
            most=patient.settings.connections,
            needed=max(needed, 4096),
        )
    return ok("The node may open as many files as it needs.")


async def core_dumps(patient: Patient) -> Finding:
    """`core-dumps`: a crash does not write the process's memory, keys and all, to the disk."""
    found = await reflection(patient, patient.door and f"http://{patient.door}")
    if found.get("core") != 0:
        return warn(
            "If the node crashed, its memory with all keys would be written to the disk.",
            "Write LimitCORE=0 into its unit, then: systemctl restart %(unit)s",
        )
    return ok("A crash writes no memory to the disk.")
