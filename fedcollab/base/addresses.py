"""Decides which hosts and network addresses this node ever talks to, and when two ids lie on the same host; pure checks, no network."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from .errors import BadRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
NUMERIC = re.compile(r"(0x[0-9a-f]*|\d+)")
TEREDO = ipaddress.ip_network("2001::/32")
NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
SIX_TO_FOUR = ipaddress.ip_network("2002::/16")
NOBODYS = (ipaddress.ip_network("192.88.99.0/24"), ipaddress.ip_network("3fff::/20"))  # newer than what the library knows
USUAL = {"https": 443, "http": 80}
NAME = r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
PLAIN = re.compile(rf"(https?)://({NAME}|127\.0\.0\.1)(?::([1-9][0-9]{{0,3}}|[1-5][0-9]{{4}}))?/[!-\[\]-~]*")
LONGEST = 2000  # bytes: what every database's index takes, beside a host name


def canonical_host(text: str) -> str:
    """A DNS name after IDNA, in lower case, without its trailing dot. Raises BadRequest for anything else: IP literals in every
    spelling (browsers and resolvers read 0x7f.1 and 2130706433 as addresses), empty labels, blanks, and letters that IDNA of 2003 and
    of 2008 take for different names (ß, ς) or that only look like others (ｐ)."""
    name = text.removesuffix(".").lower()
    if not name or not name.isascii():
        try:
            said, name = name, name.encode("idna").decode("ascii").lower()
            same = name.encode().decode("idna") == said
        except UnicodeError:
            raise BadRequest(reason="not a host name") from None
        if not same:
            raise BadRequest(reason="a host name that can be read in two ways")
    labels = name.split(".")
    if len(name) > 253 or not all(LABEL.fullmatch(label) for label in labels) or NUMERIC.fullmatch(labels[-1]):
        raise BadRequest(reason="not a host name")
    return name


def split(uri: str) -> SplitResult:
    """The parts of an http(s) address. Raises BadRequest for other schemes, userinfo, blanks, control characters or a broken port,
    and for more than 2,000 bytes."""
    if len(uri.encode(errors="replace")) > LONGEST or not uri.isprintable() or " " in uri or "\\" in uri:
        raise BadRequest(reason="not an address")
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018  # reading it is the check
    except ValueError:
        raise BadRequest(reason="not an address") from None
    if parts.scheme not in USUAL or not parts.hostname or "@" in parts.netloc:
        raise BadRequest(reason="not an http address")
    return parts


def host_of(uri: str) -> str:
    """The host of an id, with its port where that isn't the scheme's usual one: what two ids must share to be one server's.

    Loopback literals keep their spelling (trial nodes); other IP literals raise BadRequest."""
    plain = PLAIN.fullmatch(uri)
    if plain is not None and len(uri) <= LONGEST and len(plain[2]) <= 253:  # as nearly all are written: nothing is left to decide
        return plain[2] if plain[3] is None or int(plain[3]) == USUAL[plain[1]] else f"{plain[2]}:{plain[3]}"
    return read_host(uri)


def read_host(uri: str) -> str:
    """As `host_of`, for every spelling that there is."""
    parts = split(uri)
    host = parts.hostname or ""
    name = host if host == "127.0.0.1" else f"[{host}]" if host == "::1" else canonical_host(host)
    return name if parts.port in (None, USUAL[parts.scheme]) else f"{name}:{parts.port}"


def is_global(text: str) -> bool:
    """Whether an address is one of the public internet. Those that carry another inside (mapped, NAT64, 6to4, Teredo) are judged by it."""
    try:
        address: Address = ipaddress.ip_address(text.split("%", maxsplit=1)[0])
    except ValueError:
        return False
    if any(address in network for network in NOBODYS):
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = _inside(address)
        if inner is not None:
            return is_global(str(inner))
        return address.is_global and not address.is_multicast and not address.is_site_local and not address.is_reserved
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inside(address: ipaddress.IPv6Address) -> Address | None:
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if any(address in network for network in NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in SIX_TO_FOUR:
        return ipaddress.IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    if address in TEREDO:
        return ipaddress.IPv4Address(~int(address) & 0xFFFFFFFF)
    if int(address) >> 32 == 0:  # ::a.b.c.d, and :: and ::1 with it
        return ipaddress.IPv4Address(int(address))
    return None
