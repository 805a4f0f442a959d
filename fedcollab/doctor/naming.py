"""Decides whether the node's name leads to it, and whether this machine can ask anybody at all."""

import asyncio
import socket
from pathlib import Path

from fedcollab.base.addresses import is_global

from .findings import Finding, Lacking, fail, ok, skip, warn
from .patient import Patient

PATIENCE = 10  # seconds for the name server
NO_NETWORK = "This machine has no network just now, so nobody was asked."


async def addresses(patient: Patient) -> list[str]:
    """Where our name leads from here. Raises Lacking where it leads nowhere."""
    name, _, port = patient.settings.host.rpartition(":") if ":" in patient.settings.host else (patient.settings.host, "", "443")

    async def make() -> list[str]:
        async with asyncio.timeout(PATIENCE):
            return await patient.resolve(name.strip("[]"), int(port))

    found: list[str] = await patient.once("addresses", make)
    return found


def cut_off(patient: Patient) -> bool:
    """Whether this machine has no network just now: no way leads out of it."""
    table = patient.machine.proc / "net"
    four, six = _lines(table / "route"), _lines(table / "ipv6_route")
    ways = [line for line in four if line.split()[1:2] == ["00000000"]]
    ways += [line for line in six if line.startswith("0" * 32 + " 00 ") and not line.rstrip().endswith(" lo")]
    return table.is_dir() and not ways


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


async def name(patient: Patient) -> Finding:
    """`name`: the node's name is in the DNS."""
    if patient.settings.trial:
        return skip("A trial node has no name.")
    try:
        await addresses(patient)
    except OSError as error:
        if cut_off(patient):
            return skip(NO_NETWORK)
        if isinstance(error, TimeoutError) or error.errno == socket.EAI_AGAIN:
            return skip("No name server answers just now, so the name could not be looked up.")
        return fail(
            "The name %(host)s is not in the DNS.",
            "Where you manage your domain, let it point to this machine's public address.",
            host=patient.settings.host,
        )
    return ok("The name is in the DNS.")


async def public_address(patient: Patient) -> Finding:
    """`public-address`: the name leads to an address that others can reach."""
    if patient.settings.trial:
        return skip("A trial node has no name.")
    try:
        found = await addresses(patient)
    except OSError:
        raise Lacking("name") from None
    private = [address for address in found if not is_global(address)]
    if private:
        return warn(
            "From here the name leads to %(address)s, which nobody outside can reach.",
            "Fine if /etc/hosts or your router does that on purpose; else let the DNS point to your public address.",
            address=private[0],
        )
    return ok("The name leads to a public address.")
