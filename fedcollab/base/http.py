"""Decides how this node asks others anything: the one outgoing HTTP client, with every rule of SAFETY's fetcher."""

import asyncio
import re
import socket
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from fedcollab import __version__

from .addresses import host_of, is_global, split
from .clock import MICROSECONDS, system_clock
from .errors import BadRequest, Unreachable

MAX_BYTES = 1_000_000
CONNECT_SECONDS, TOTAL_SECONDS = 5, 15
REDIRECTS = 3
AT_ONCE = {"GET": 4, "POST": 8}  # to one host
LONGEST_WAIT = 7 * 86400  # seconds that a Retry-After may ask for
FAILED_SECONDS, FAILED_MOST = 60, 1000  # how long, and for how many addresses, a costly failure is remembered
ODD_PORTS = frozenset((1719, 1720, 1723, 2049, 3306, 3659, 4045, 4190, 5060, 5061, 5432, 6000, 6379, 6566, 9200, 10080, 11211, 27017))
COSTLY = ("more than three redirects", "answered with more than 1 MB", f"no answer within {TOTAL_SECONDS} seconds")
PROFILE = "https://www.w3.org/ns/activitystreams"
Permit = Callable[[str], bool]
Sign = Callable[[str, str, bytes], Mapping[str, str]]
Resolve = Callable[[str, int], Awaitable[list[str]]]


@dataclass(frozen=True)
class Answer:
    """What came back; `url` is the final address, `retry_after` in seconds, `date` the other side's clock as its Date field says it."""

    status: int
    url: str
    content_type: str
    body: bytes
    retry_after: int | None = None
    date: str = ""


def is_activity(content_type: str) -> bool:
    """Whether a media type is exactly ActivityPub's: a look-alike (text/html, plain JSON) could be anybody's upload."""
    kind, *parameters = [part.strip() for part in content_type.split(";")]
    if kind.lower() == "application/activity+json":
        return True
    profiles = [p.partition("=")[2].strip('"').split() for p in parameters if p.lower().startswith("profile=")]
    return kind.lower() == "application/ld+json" and any(PROFILE in found for found in profiles)


def agent_of(base_url: str) -> str:
    """How a node names itself in each request: other servers refuse who does not, and their admins look there whom to ask."""
    return f"fedcollab/{__version__} (+{base_url}/)"


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, by the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(info[4][0]) for info in found]


class VettedResolver(AbstractResolver):
    """Resolves once and refuses a name of which any address is not public; only vetted addresses are connected to."""

    def __init__(self, lookup: Resolve, peers: frozenset[str]) -> None:
        self.lookup, self.peers = lookup, peers

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        try:
            addresses = await self.lookup(host, port)
        except OSError:
            raise Unreachable("the name was not found") from None
        local = f"{host}:{port}" in self.peers
        if not addresses or not all((a in ("127.0.0.1", "::1")) if local else is_global(a) for a in addresses):
            raise Unreachable("refused: the name leads to an address that is not public")
        return [_result(host, port, address) for address in addresses]

    async def close(self) -> None:
        return None


def _result(host: str, port: int, address: str) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)


class Fetcher:
    """All outgoing requests. `peers` are the exact loopback host:port pairs of a trial node, the only ones that may use plain http."""

    def __init__(self, *, peers: frozenset[str] = frozenset(), agent: str = "fedcollab", lookup: Resolve = resolve) -> None:
        self.peers = peers
        self.agent = agent
        self._resolver = VettedResolver(lookup, peers)
        self._session: aiohttp.ClientSession | None = None
        self._turns: dict[tuple[str, str], asyncio.Semaphore] = {}
        self._failed: dict[str, tuple[float, str]] = {}

    async def get(
        self, url: str, *, permit: Permit, accept: str, sign: Sign | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Fetches a document. Only unsigned requests follow redirects, at most 3, each hop checked like the first; 15 seconds for all
        of them. What has cost that much in vain is not asked for again within a minute, however often somebody makes us.

        Raises Unreachable (`answer` is the status where there was one)."""
        self._recall(url)
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                return await self._follow(url, permit, {"Accept": accept, **(headers or {})}, sign)
        except TimeoutError:
            self._remember(url, f"no answer within {TOTAL_SECONDS} seconds")
            raise Unreachable(f"no answer within {TOTAL_SECONDS} seconds") from None
        except Unreachable as error:
            self._remember(url, error.reason)
            raise

    async def _follow(self, url: str, permit: Permit, headers: dict[str, str], sign: Sign | None) -> Answer:
        for _ in range(REDIRECTS + 1):
            answer, location = await self._request("GET", url, permit, headers, b"", sign)
            if location is None:
                if not 200 <= answer.status < 300:
                    raise Unreachable(f"answered {answer.status}", answer=answer.status, retry_after=answer.retry_after)
                return answer
            if sign is not None:
                raise Unreachable("answered with a redirect", answer=answer.status)
            try:
                url = urljoin(url, location)
            except ValueError:
                raise Unreachable("answered with a redirect to no address", answer=answer.status) from None
        raise Unreachable("more than three redirects")

    def _recall(self, url: str) -> None:
        until, reason = self._failed.get(url, (0.0, ""))
        if asyncio.get_running_loop().time() < until:
            raise Unreachable(reason)

    def _remember(self, url: str, reason: str) -> None:
        if reason in COSTLY:
            self._failed.pop(url, None)
            while len(self._failed) >= FAILED_MOST:
                del self._failed[next(iter(self._failed))]
            self._failed[url] = (asyncio.get_running_loop().time() + FAILED_SECONDS, reason)

    async def post(self, url: str, body: bytes, *, permit: Permit, content_type: str, sign: Sign) -> Answer:
        """Delivers a signed body and answers whatever status came back. Raises Unreachable where nobody answered."""
        answer, _ = await self._request("POST", url, permit, {"Content-Type": content_type}, body, sign)
        return answer

    async def _request(
        self, method: str, url: str, permit: Permit, headers: dict[str, str], body: bytes, sign: Sign | None
    ) -> tuple[Answer, str | None]:
        host = self.check(url)
        if not permit(host):
            raise Unreachable("refused: not one of our partners")
        headers = headers | {"User-Agent": self.agent, "Accept-Encoding": "identity"} | dict(sign(method, url, body) if sign else {})
        async with self._turns.setdefault((method, host), asyncio.Semaphore(AT_ONCE[method])):
            try:
                async with self._client().request(method, url, headers=headers, data=body or None, allow_redirects=False) as response:
                    self._check_peer(response, host)
                    return await self._answer(response)
            except aiohttp.ClientConnectorCertificateError:
                raise Unreachable("their certificate is not valid") from None
            except aiohttp.ClientConnectorError as error:
                raise _cause(error) or Unreachable("the connection was refused") from None
            except TimeoutError:
                raise Unreachable(f"no answer within {TOTAL_SECONDS} seconds") from None
            except (aiohttp.ClientError, OSError) as error:
                raise _cause(error) or Unreachable("the connection broke") from None

    def also(self, peer: str) -> "Fetcher":
        """Another fetcher that may reach one more loopback peer: a trial node asking itself."""
        return Fetcher(peers=self.peers | {peer}, agent=self.agent, lookup=self._resolver.lookup)

    def check(self, url: str) -> str:
        """The host of an address that may be asked at all: the one that is compared with the list has to be the one that is connected
        to, and the client below reads some letters (ß) as other names than IDNA of old. Raises Unreachable."""
        try:
            parts, host = split(url), host_of(url)
        except BadRequest as error:
            raise Unreachable(f"refused: {error.reason}") from None
        literal = parts.hostname in ("127.0.0.1", "::1")
        if host not in self.peers and (parts.scheme != "https" or literal):
            raise Unreachable("refused: only https to public names")
        port = 443 if parts.port is None else parts.port
        if host not in self.peers and port != 443 and (port < 1024 or port in ODD_PORTS):
            raise Unreachable("refused: a port that serves something else")
        if not _read_alike(url, parts.hostname or "", host):
            raise Unreachable("refused: a host name that can be read in two ways")
        return host

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=self._resolver, use_dns_cache=False, limit=100, keepalive_timeout=15, socket_factory=self._socket
            )
            timeout = aiohttp.ClientTimeout(total=TOTAL_SECONDS, connect=CONNECT_SECONDS)
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                max_line_size=8190,
                max_field_size=8190,
            )
        return self._session

    def _socket(self, found: Any) -> socket.socket:
        """The last look before a connection, whoever has looked up the name: at the very address that is connected to."""
        family, kind, protocol, _, (address, port, *_more) = found
        local = address in ("127.0.0.1", "::1") and any(peer.endswith(f":{port}") for peer in self.peers)
        if not local and not is_global(address):
            raise Unreachable("refused: the name leads to an address that is not public")
        return socket.socket(family, kind, protocol)

    def _check_peer(self, response: aiohttp.ClientResponse, host: str) -> None:
        """Whom we really are connected to, whatever the name said."""
        connection = response.connection
        transport = connection.transport if connection else None
        peer = transport.get_extra_info("peername") if transport else None
        if peer is not None and host not in self.peers and not is_global(str(peer[0])):
            raise Unreachable("refused: connected to an address that is not public")

    async def _answer(self, response: aiohttp.ClientResponse) -> tuple[Answer, str | None]:
        body = await _bounded(response)
        answer = Answer(
            response.status,
            str(response.url),
            response.headers.get("Content-Type", ""),
            body,
            _seconds(response.headers.get("Retry-After")),
            response.headers.get("Date", ""),
        )
        location = response.headers.get("Location") if response.status in (301, 302, 303, 307, 308) else None
        return answer, location

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """The body, at most 1 MB, also when it says to be packed although we asked for it plain."""
    packed = response.headers.get("Content-Encoding", "identity").lower()
    if packed not in ("identity", "gzip", "deflate", ""):
        raise Unreachable("answered in an unknown encoding")
    unpack: Any = zlib.decompressobj(zlib.MAX_WBITS | 32) if packed in ("gzip", "deflate") else None
    body = bytearray()
    async for chunk in response.content.iter_chunked(65536):
        try:
            body += unpack.decompress(chunk, MAX_BYTES + 1 - len(body)) if unpack else chunk
        except zlib.error:
            raise Unreachable("answered with a broken encoding") from None
        if len(body) > MAX_BYTES:
            raise Unreachable("answered with more than 1 MB")
        if unpack and unpack.unused_data:  # one more packed part behind the first: some readers go on, others stop
            raise Unreachable("answered with a broken encoding")
    if unpack and not unpack.eof:
        raise Unreachable("answered with a broken encoding")
    return bytes(body)


def _read_alike(url: str, name: str, host: str) -> bool:
    """Whether the client finds the host in an address that the checks have found."""
    try:
        read = (URL(url).raw_host or "").removesuffix(".")
    except ValueError:
        return False
    return read == (name if name in ("127.0.0.1", "::1") else re.sub(r":\d+$", "", host))


def _cause(error: BaseException) -> Unreachable | None:
    """Our own refusal, where the client has wrapped it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, Unreachable):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _seconds(field: str | None) -> int | None:
    """Retry-After in seconds, given as such or as a date, a week at most; None for what is neither."""
    if not field:
        return None
    if re.fullmatch(r"[0-9]+", field.strip()):
        return min(int(field.strip()[:12]), LONGEST_WAIT)
    try:
        wait = round(parsedate_to_datetime(field).timestamp() - system_clock() / MICROSECONDS)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return min(max(0, wait), LONGEST_WAIT)
