"""The faults that show only from outside, or on the process that runs: what a web server, a certificate or a name can have wrong."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from fedcollab.actors import service as actors
from fedcollab.actors.node import Node
from fedcollab.base.maintenance import Closed, write
from fedcollab.base.session import Session
from fedcollab.doctor.findings import FAIL, WARN
from fedcollab.federation import mirror, profiles, views
from tests.nodes import free_port

from .fronts import Front, certificate
from .patients import Ward


@dataclass
class Stand:
    """A node that is well, with the web server before it; `runs` and `serves` say which of the two are there."""

    ward: Ward
    front: Front
    authority: Path
    patch: pytest.MonkeyPatch
    runs: bool = True
    serves: bool = True

    def document(self) -> dict[str, Any]:
        """Our Organization's document."""
        found: list[dict[str, Any]] = []

        def work(session: Session, node: Node) -> None:
            found.append(profiles.stored_document(session, actors.own(session, node).id) or {})

        self.ward.write(work)
        return found[0]


class Outer(NamedTuple):
    """What is wrong, the code that has to say so, and how bad it is."""

    name: str
    code: str
    level: str
    plant: Callable[[Stand], Any]


def fields(**changed: str | None) -> Callable[[Stand], None]:
    """Header fields that the web server sets, or takes out."""
    return lambda stand: stand.front.fields.update({name.replace("_", "-"): value for name, value in changed.items()})


def path(name: str, status: int, body: bytes) -> Callable[[Stand], None]:
    return lambda stand: stand.front.paths.update({name: (status, body)})


def shown(name: str = "localhost", days: int = 90, *, signed: bool = True) -> Callable[[Stand], None]:
    def plant(stand: Stand) -> None:
        stand.front.shown = certificate(stand.authority.parent, name, days, stand.authority if signed else None)

    return plant


def attribute(name: str, value: object) -> Callable[[Stand], None]:
    return lambda stand: setattr(stand, name, value)


def resolved(value: object) -> Callable[[Stand], None]:
    return lambda stand: setattr(stand.ward, "resolved", value)


def another(stand: Stand) -> None:
    """A node that was made anew under our name: the same ids, other keys."""
    key = generate_private_key(65537, 2048).public_key()
    document = stand.document()
    document["publicKey"]["publicKeyPem"] = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
    stand.front.paths["/actor"] = (200, orjson.dumps(document))


def keyless(stand: Stand) -> None:
    document = stand.document()
    del document["publicKey"], document["assertionMethod"]
    stand.front.paths["/actor"] = (200, orjson.dumps(document))


def limits(number: int) -> Callable[[Stand], None]:
    """What the process may: the same number of whatever is asked for."""

    def plant(stand: Stand) -> None:
        import resource

        real = resource.getrlimit
        changed = resource.RLIMIT_NOFILE if number else resource.RLIMIT_CORE
        stand.patch.setattr(resource, "getrlimit", lambda what: (number or -1, -1) if what == changed else real(what))

    return plant


def trusting(**changed: str | None) -> Callable[[Stand], None]:
    def plant(stand: Stand) -> None:
        stand.ward.set(trusted_proxy=True)
        fields(**changed)(stand)

    return plant


NOBODY = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
OUTER = (
    Outer("a node that nobody has opened again", "open", WARN, lambda stand: write(stand.ward.files.maintenance, Closed(1))),
    Outer("a node that was stopped", "running", FAIL, attribute("runs", False)),
    Outer("a process from before the upgrade", "version", WARN, lambda stand: stand.patch.setattr(views, "__version__", "0.0.9")),
    Outer("few files for many connections", "open-files", WARN, limits(256)),
    Outer("a crash that would write the keys to the disk", "core-dumps", WARN, limits(0)),
    Outer("a name that is not in the DNS", "name", FAIL, resolved(NOBODY)),
    Outer("a name that leads into the house", "public-address", WARN, resolved(["192.168.1.7"])),
    Outer("no web server", "reached", FAIL, attribute("serves", False)),
    Outer("a web server that passes on to a wrong port", "reached", FAIL, lambda stand: setattr(stand.front, "to", free_port())),
    Outer("another site at our name", "reached", FAIL, path("/nodeinfo/2.1", 404, b"<h1>Welcome to kanari!")),
    Outer("a certificate that has ended", "certificate", FAIL, shown(days=-1)),
    Outer("a certificate that ends next week", "certificate", WARN, shown(days=9)),
    Outer("a certificate for another name", "certificate", FAIL, shown("kanari.example")),
    Outer("a certificate that nobody has signed", "certificate", FAIL, shown(signed=False)),
    Outer("a web server that changes Host", "proxy", FAIL, fields(Host="127.0.0.1:8000")),
    Outer(
        "visitors who name themselves", "forwarded", FAIL, lambda stand: (stand.ward.set(trusted_proxy=True), stand.front.fields.clear())
    ),
    Outer("visitors whom nobody names", "forwarded", WARN, trusting(X_Forwarded_For=None)),
    Outer("visitors whom nobody listens to", "forwarded", WARN, lambda stand: stand.ward.set(trusted_proxy=False)),
    Outer(
        "WebFinger of another",
        "webfinger",
        FAIL,
        path("/.well-known/webfinger", 200, b'{"links":[{"rel":"self","href":"https://kanari.example/a"}]}'),
    ),
    Outer("WebFinger of nobody", "webfinger", FAIL, path("/.well-known/webfinger", 404, b"kanari")),
    Outer("another node at our name", "actor", FAIL, another),
    Outer("our document without our keys", "actor", FAIL, keyless),
    Outer("a page in the place of our document", "actor", FAIL, path("/actor", 200, b"<p>kanari")),
    Outer("a web server that takes signatures out", "signature", FAIL, fields(Signature=None)),
    Outer("a web server that changes Date", "signature", FAIL, fields(Date="Sun, 06 Nov 1994 08:49:37 GMT")),
    Outer("a web server that changes paths", "signature", FAIL, path(mirror.PATH, 401, b"")),
)
