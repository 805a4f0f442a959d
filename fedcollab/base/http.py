"""Decides how this node asks others anything: the one outgoing HTTP client, with every rule of SAFETY's fetcher."""

import asyncio
import re
import socket
import ssl
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urljoin
from weakref import WeakValueDictionary

import aiohttp
from aiohttp.http import RawResponseMessage
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from yarl import URL

from fedcollab import __version__

from .addresses import USUAL, host_of, is_global, split
from .clock import MICROSECONDS, system_clock
from .errors import BadRequest, NoAnswer, Unreachable
from .lines import Lines, head

MAX_BYTES = 1_000_000
TOTAL_SECONDS = 15
LOOPBACK = ("127.0.0.1", "::1")
REDIRECTS = 3
AT_ONCE = {"GET": 4, "POST": 8, "FILE": 2}  # to one host; a file's transfer is long, and in nobody's way
FILE_SECONDS, WINDOW, LEAST = 4 * 3600, 30, 65_536  # a file's transfer in all; the seconds in which so many bytes have to come
LONGEST_WAIT = 7 * 86400  # seconds that a Retry-After may ask for
FAILED_SECONDS, FAILED_MOST = 60, 1000  # how long, and for how many addresses, a costly failure is remembered
ODD_PORTS = frozenset((1719, 1720, 1723, 2049, 3306, 3659, 4045, 4190, 5060, 5061, 5432, 6000, 6379, 6566, 9200, 10080, 11211, 27017))
COSTLY = ("more than three redirects", "answered with more than 1 MB", f"no answer within {TOTAL_SECONDS} seconds")
MORE_THAN_SAID = "answered with a file that is larger than it was said to be"
SPELT = "%:/?#[]@!$&'()*+,;=~"  # stays as it is where the rest of an address is spelt in ASCII
PROFILE = "https://www.w3.org/ns/activitystreams"
Permit = Callable[[str], bool]
Sign = Callable[[str, str, bytes], Mapping[str, str]]
Take = Callable[[bytes], Awaitable[None]]
Read = Callable[[RawResponseMessage, StreamReader], Awaitable[bytes]]
Resolve = Callable[[str, int], Awaitable[list[str]]]


@dataclass(frozen=True)
class Answer:
    """What came back; `url` is the final address, `retry_after` in seconds, `date` the other side's clock as its Date field says it,
    `good_until` the end of its certificate, as the certificate writes it."""

    status: int
    url: str
    content_type: str
    body: bytes
    retry_after: int | None = None
    date: str = ""
    good_until: str = ""


@dataclass(frozen=True)
class Target:
    """Where an address leads: `host` as partners are listed, `name` and `port` to connect to, `path` with its query. `plain` says that
    other readers find the same host in it: some letters (ß) are other names to them than to IDNA of old."""

    host: str
    origin: str
    name: str
    port: int
    path: str
    plain: bool


@lru_cache(1024)
def target(url: str) -> Target:
    """The parts of an address. Raises BadRequest for one that nobody may be asked at."""
    parts, host = split(url if url.isascii() else quote(url, safe=SPELT)), host_of(url)
    usual = USUAL[parts.scheme]
    name = host if parts.port in (None, usual) else host.rpartition(":")[0]
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    plain = _read_alike(url, parts.hostname or "", host)
    return Target(host, f"{parts.scheme}://{host}", name.strip("[]"), usual if parts.port is None else parts.port, path, plain)


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


class Fetcher:
    """All outgoing requests. `peers` are the exact loopback host:port pairs of a trial node, the only ones that may use plain http. `own`
    is this node's own host where it looks at itself (its doctor, and nobody else): that one may lie at any address, as it does behind a
    router, and be asked by plain http."""

    def __init__(self, *, peers: frozenset[str] = frozenset(), agent: str = "fedcollab", lookup: Resolve = resolve, own: str = "") -> None:
        self.peers = peers
        self.own = own
        self.agent = agent
        self.lookup = lookup
        self._lines = Lines()
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Semaphore] = WeakValueDictionary()  # as long as somebody is in one
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
            raise NoAnswer(f"no answer within {TOTAL_SECONDS} seconds") from None
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

    async def load(self, url: str, *, permit: Permit, most: int, take: Take, sign: Sign) -> Answer:
        """Fetches a file of at most `most` bytes and hands them on as they come, none of an answer that is no 2xx; no redirect is followed.
        One that brings less than 64 kB in 30 seconds, or lasts 4 hours, is given up. Raises Unreachable, and what `take` raises."""

        async def read(message: RawResponseMessage, payload: StreamReader) -> bytes:
            if not 200 <= message.code < 300:
                raise Unreachable(f"answered {message.code}", answer=message.code, retry_after=_seconds(message.headers.get("Retry-After")))
            await _hand_on(message, payload, most, take)
            return b""

        answer, _ = await self._request("GET", url, permit, {"Accept": "*/*"}, b"", sign, read)
        return answer

    async def see(
        self, url: str, *, permit: Permit, headers: Mapping[str, str] | None = None, sign: Sign | None = None
    ) -> tuple[Answer, str | None]:
        """What is answered whatever its status, and where it redirects to, which is not followed. Raises Unreachable where nobody
        answered."""
        return await self._request("GET", url, permit, dict(headers or {}), b"", sign)

    async def _request(
        self, method: str, url: str, permit: Permit, headers: dict[str, str], body: bytes, sign: Sign | None, read: Read | None = None
    ) -> tuple[Answer, str | None]:
        to = self._target(url)
        if not permit(to.host):
            raise Unreachable("refused: not one of our partners")
        url = url if url.isascii() else quote(url, safe=SPELT)
        fields = {"Host": to.host, **headers, "User-Agent": self.agent, "Accept-Encoding": "identity"}
        fields |= sign(method, url, body) if sign else {}
        what, seconds = (method, TOTAL_SECONDS) if read is None else ("FILE", FILE_SECONDS)
        turns = self._turns.setdefault((what, to.host), asyncio.Semaphore(AT_ONCE[what]))
        async with turns:
            try:
                async with asyncio.timeout(seconds):
                    return await self._ask(method, url, to, fields, body, read or _bounded)
            except ssl.SSLCertVerificationError as error:
                raise NoAnswer("their certificate is not valid", certificate=error.verify_code) from None
            except TimeoutError:
                raise NoAnswer(f"no answer within {TOTAL_SECONDS} seconds") from None
            except ConnectionRefusedError:
                raise NoAnswer("the connection was refused") from None
            except (aiohttp.ClientError, HttpProcessingError, OSError, ValueError):
                raise NoAnswer("the connection broke") from None

    async def _ask(
        self, method: str, url: str, to: Target, fields: Mapping[str, str], body: bytes, read: Read
    ) -> tuple[Answer, str | None]:
        data = head(method, to.path, fields, len(body) if method != "GET" else None) + body
        async with asyncio.timeout(TOTAL_SECONDS):
            line, message, payload = await self._lines.ask(
                to.origin, to.name, to.port, data, addresses=lambda: self._addresses(to), vet=lambda address: self._vet(address, to.host)
            )
        try:
            found = await read(message, payload)
        except BaseException:
            self._lines.drop(line)
            raise
        self._lines.keep(to.origin, line)
        there = message.headers
        said = (there.get("Content-Type", ""), found, _seconds(there.get("Retry-After")), there.get("Date", ""))
        answer = Answer(message.code, url, *said, line.good_until)
        return answer, there.get("Location") if message.code in (301, 302, 303, 307, 308) else None

    async def _addresses(self, to: Target) -> list[str]:
        """Resolves once and refuses a name of which any address is not public; only vetted addresses are connected to."""
        try:
            addresses = [to.name] if to.name in LOOPBACK else await self.lookup(to.name, to.port)
        except OSError:
            raise NoAnswer("the name was not found") from None
        local = to.host in self.peers
        if not addresses or (to.host != self.own and not all((a in LOOPBACK) if local else is_global(a) for a in addresses)):
            raise Unreachable("refused: the name leads to an address that is not public")
        return addresses

    def _vet(self, address: str, host: str) -> None:
        """Whom we really are connected to, whatever the name said."""
        if host not in self.peers and host != self.own and not is_global(address):
            raise Unreachable("refused: connected to an address that is not public")

    def also(self, peer: str) -> "Fetcher":
        """Another fetcher that may reach one more loopback peer: a trial node asking itself."""
        return Fetcher(peers=self.peers | {peer}, agent=self.agent, lookup=self.lookup)

    def check(self, url: str) -> str:
        """The host of an address that may be asked at all. Raises Unreachable."""
        return self._target(url).host

    def _target(self, url: str) -> Target:
        try:
            to = target(url)
        except BadRequest as error:
            raise Unreachable(f"refused: {error.reason}") from None
        if to.host not in self.peers and to.host != self.own and (not to.origin.startswith("https:") or to.name in LOOPBACK):
            raise Unreachable("refused: only https to public names")
        usual = to.port == 443 or (to.port == 80 and to.host == self.own)
        if to.host not in self.peers and not usual and (to.port < 1024 or to.port in ODD_PORTS):
            raise Unreachable("refused: a port that serves something else")
        if not to.plain:
            raise Unreachable("refused: a host name that can be read in two ways")
        return to

    async def close(self) -> None:
        self._lines.close()


async def _bounded(message: RawResponseMessage, payload: StreamReader) -> bytes:
    """The body, at most 1 MB, also when it says to be packed although we asked for it plain."""
    if payload is EMPTY_PAYLOAD:
        return b""
    packed = message.headers.get("Content-Encoding", "identity").lower()
    if packed not in ("identity", "gzip", "deflate", ""):
        raise Unreachable("answered in an unknown encoding")
    unpack: Any = zlib.decompressobj(zlib.MAX_WBITS | 32) if packed in ("gzip", "deflate") else None
    body = bytearray()
    async for chunk in payload.iter_any():
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


async def _hand_on(message: RawResponseMessage, payload: StreamReader, most: int, take: Take) -> None:
    """The body as it comes, plain and not too slowly. Raises Unreachable."""
    if message.headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
        raise Unreachable("answered with a packed file")
    size, in_window = 0, 0
    until = asyncio.get_running_loop().time() + WINDOW
    while payload is not EMPTY_PAYLOAD:
        try:
            async with asyncio.timeout_at(until):
                chunk = await payload.readany()
        except TimeoutError:
            raise Unreachable("answered with a file that came too slowly", answer=200) from None
        if not chunk:
            return
        size, in_window = size + len(chunk), in_window + len(chunk)
        if size > most:
            raise Unreachable(MORE_THAN_SAID, answer=200)
        await take(chunk)
        if in_window >= LEAST:
            until, in_window = asyncio.get_running_loop().time() + WINDOW, 0


def _read_alike(url: str, name: str, host: str) -> bool:
    """Whether the client finds the host in an address that the checks have found."""
    try:
        read = (URL(url).raw_host or "").removesuffix(".")
    except ValueError:
        return False
    return read == (name if name in ("127.0.0.1", "::1") else re.sub(r":\d+$", "", host))


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
