"""Decides where a node is reached: what its domain points to, which port is free, whether it answers, whether its certificate is good."""

import http.client
import socket
import ssl
import time
from collections.abc import Collection

FIRST, LAST = 8000, 8999
WEB = (80, 443)


def points_to(domain: str) -> list[str]:
    """The addresses that the DNS, as this machine asks it, has for the domain."""
    try:
        found = socket.getaddrinfo(domain, 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return sorted({str(entry[4][0]) for entry in found})


def is_ours(address: str) -> bool:
    """Whether an address is one of this machine: only those can be listened on."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def doubt(domain: str) -> str:
    """What speaks against a domain that is well written: it points nowhere, or elsewhere; empty if nothing does."""
    found = points_to(domain)
    if not found:
        return f"{domain} is not known in the DNS yet. Without that nobody reaches the node, and it gets no certificate."
    others = [address for address in found if not is_ours(address)]
    if others:
        return (
            f"{domain} points to {', '.join(others)}, which is no address of this machine.\n"
            "That is right where a router or a relay passes ports 80 and 443 on to it; else it is a slip in the name or in the DNS."
        )
    return ""


def free_port(taken: Collection[int]) -> int:
    """The first port for a node on loopback that nobody listens on and no other node was given."""
    return next(port for port in range(FIRST, LAST) if port not in taken and is_free(port, "127.0.0.1"))


def is_free(port: int, host: str = "") -> bool:
    """Whether nobody listens there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def answers(domain: str, port: int) -> bool:
    """Whether the node itself answers on loopback under its name, with its organisation's document."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        line.request("GET", "/actor", headers={"Host": domain, "Accept": "application/activity+json"})
        return line.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()


def has_certificate(domain: str, *, public: bool, patience: float = 30.0) -> bool:
    """Whether this machine's web server shows a certificate for the domain, a public one that is good; waits `patience` seconds for it."""
    context = ssl.create_default_context()
    if not public:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    until = time.monotonic() + patience
    while True:
        try:
            with (
                socket.create_connection(("127.0.0.1", 443), timeout=5) as line,
                context.wrap_socket(line, server_hostname=domain),
            ):
                return True
        except OSError:
            if time.monotonic() > until:
                return False
            time.sleep(0.5)
