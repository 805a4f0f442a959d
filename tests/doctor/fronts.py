"""Plays the web server before a node: https at its public name, and whatever such a server can do wrong."""

import asyncio
import contextlib
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fedcollab.app import make_app, make_kernel
from fedcollab.base.clock import http_date, system_clock
from fedcollab.base.http import Fetcher
from fedcollab.serve import start
from tests.proxy import _message as message

from .patients import Ward, nowhere

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


def certificate(place: Path, name: str = "localhost", days: int = 90, by: "Path | None" = None) -> Path:
    """Writes a certificate with its key, signed by itself or by another such file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = x509.load_pem_x509_certificate(by.read_bytes()) if by else None
    signer = serialization.load_pem_private_key(by.read_bytes(), None) if by else key
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.subject if issuer else subject).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(NOW - 99 * DAY).not_valid_after(NOW + days * DAY)
    made = made.add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    if by is None:
        made = made.add_extension(x509.KeyUsage(*(n in (5, 6) for n in range(9))), critical=True)  # signs certificates and revocations
    signed = made.sign(signer, hashes.SHA256())
    path = place / f"{signed.serial_number}.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@dataclass
class Front:
    """Passes on as `docs/admins/install.md` says, unless a field says otherwise: `fields` are put in the place of those that came (None:
    taken out), `paths` answered here, `to` is where it passes on to."""

    port: int
    to: int
    shown: Path
    fields: dict[str, str | None] = field(default_factory=lambda: {"X-Forwarded-For": "198.51.100.9"})
    paths: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    prefix: str = ""

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.shown)
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=context)
        try:
            yield
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            writer.write(await self._answer(await message(reader)))
            await writer.drain()
        writer.close()

    async def _answer(self, request: bytes) -> bytes:
        first, *rest = request.decode("latin-1").partition("\r\n\r\n")[0].split("\r\n")
        method, target, version = first.split(" ")
        if target.partition("?")[0] in self.paths:
            status, body = self.paths[target.partition("?")[0]]
            return _made(status, body)
        fields = [line for line in rest if line.partition(":")[0].lower() not in {name.lower() for name in self.fields}]
        fields += [f"{name}: {value}" for name, value in self.fields.items() if value is not None]
        head = "\r\n".join([f"{method} {self.prefix}{target} {version}", *fields, "", ""])
        try:
            asked, answers = await asyncio.open_connection("127.0.0.1", self.to)
        except ConnectionRefusedError:
            return _made(502, b"bad gateway")
        answers.write(head.encode("latin-1"))
        answer = await message(asked)
        answers.close()
        return answer.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)


def _made(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} so\r\nDate: {http_date(system_clock())}\r\nContent-Type: application/activity+json\r\n"
    return (head + f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


@contextlib.asynccontextmanager
async def running(ward: Ward) -> AsyncIterator[None]:
    """The node's process, as `serve` starts it, without the command line."""
    kernel = make_kernel(ward.settings, ward.files)
    runner = await start(make_app(replace(kernel, fetcher=Fetcher(lookup=nowhere))))
    try:
        yield
    finally:
        await runner.cleanup()
