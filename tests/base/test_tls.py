"""Shows that a peer is spoken with over good TLS alone: its certificate valid, for its name, by an authority, with a protocol of today."""

import asyncio
import datetime as dt
import ipaddress
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fedcollab.base import config
from fedcollab.base.errors import FedcollabError, Unreachable
from fedcollab.base.http import Fetcher
from tests.nodes import free_port

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
Serve = Callable[..., Awaitable[int]]


@dataclass
class Authority:
    """Signs certificates for the test."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def issue(
    place: Path, by: Authority | None, *, address: str = "127.0.0.1", until: dt.datetime = NOW + DAY, ca: bool = False
) -> tuple[Path, Authority]:
    """Writes a certificate and its key; signed by itself without an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority" if ca else "peer")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(by.certificate.subject if by else name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(NOW - 9 * DAY).not_valid_after(until)
    made = made.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
    made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key((by.key if by else key).public_key()), critical=False)
    if ca:
        made = made.add_extension(x509.KeyUsage(*(n in (5, 6) for n in range(9))), critical=True)  # signs certificates and lists of revoked
    certificate = made.sign(by.key if by else key, hashes.SHA256())
    path = place / f"{certificate.serial_number}.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path, Authority(key, certificate)


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts an https server with a certificate, old protocols alone where that is wished; answers its port."""
    runners = []

    async def start(path: Path, *, old: bool = False) -> int:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        if old:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
            context.set_ciphers("ALL:@SECLEVEL=0")
        app, port = web.Application(), free_port()
        app.router.add_get("/", answer)
        runner = web.AppRunner(app, access_log=None)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
        return port

    yield start
    for runner in runners:
        await runner.cleanup()


async def answer(_request: web.Request) -> web.Response:
    return web.json_response({}, content_type="application/activity+json")


async def ask(port: int) -> int:
    fetcher = Fetcher(peers=frozenset({f"127.0.0.1:{port}"}))
    try:
        return (await fetcher.get(f"https://127.0.0.1:{port}/", permit=lambda _host: True, accept="*/*")).status
    finally:
        await fetcher.close()
        await asyncio.sleep(0)


@pytest.mark.rule("FED-04")
async def test_a_peer_with_bad_tls_is_not_spoken_with(tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    root_path, root = issue(tmp_path, None, ca=True)
    trusted = ssl.create_default_context(cafile=str(root_path))
    monkeypatch.setattr("fedcollab.base.lines.Lines._context", lambda _lines: trusted)
    good = issue(tmp_path, root)[0]
    assert await ask(await serve(good)) == 200
    by_itself, expired = issue(tmp_path, None)[0], issue(tmp_path, root, until=NOW - DAY)[0]
    for path in (by_itself, expired, issue(tmp_path, root, address="127.0.0.2")[0]):
        port = await serve(path)
        with pytest.raises(Unreachable, match="their certificate is not valid"):
            await ask(port)
    port = await serve(good, old=True)
    with pytest.raises(Unreachable):
        await ask(port)
    assert await ask(await serve(good)) == 200


@pytest.mark.rule("FED-04")
@pytest.mark.parametrize("loose", [{"base_url": "http://node.example"}, {"loopback_peers": ["127.0.0.1:8001"]}])
def test_a_node_in_earnest_has_no_switch_for_speaking_without_tls(loose: dict[str, object]) -> None:
    earnest = {"name": "N", "base_url": "https://node.example"}
    assert config.parse(earnest, {}).loopback_peers == ()
    with pytest.raises(FedcollabError):
        config.parse(earnest | loose, {})
