"""Decides what every signed request has to show before its key is looked at, in whichever form it is signed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from fedcollab.actors.keys import PublicKey
from fedcollab.base.clock import MICROSECONDS, MINUTE
from fedcollab.base.errors import BadRequest, Unauthorized

WINDOW = 5 * MINUTE
ONCE = frozenset(
    ("signature", "signature-input", "digest", "content-digest", "date", "host", "content-type", "content-length", "authorization")
)

Read = tuple[Sequence[str], Mapping[str, Any], bytes, bytes]  # of RFC 9421: components, parameters, what was signed, the signature


class Incoming(NamedTuple):
    """A request as it came in: `target` is path and query as sent, `headers` with repetitions."""

    method: str
    target: str
    headers: Iterable[tuple[str, str]]
    body: bytes


class Claim(NamedTuple):
    """What a request says of its signer, all checks done but the key's own. `kind` is the type of key that it says to be signed with,
    where it says so beyond doubt; `covered` are the header fields that the signature covers, by their names in lower case."""

    key_uri: str
    message: bytes
    signature: bytes
    covered: Mapping[str, str]
    kind: str = ""

    def check(self, key: PublicKey) -> None:
        """Raises Unauthorized unless the signature is by this key, with the algorithm of the key's type."""
        if self.kind and self.kind != key.kind:
            raise Unauthorized(reason="signed with another algorithm than the key's")
        if not key.verifies(self.signature, self.message):
            raise Unauthorized(reason="the signature is not by this key")


def single(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The header fields by their names in lower case, repeated ones joined. Raises BadRequest for one that may stand only once."""
    headers: dict[str, str] = {}
    for spelt, value in fields:
        name = spelt.lower()
        if name not in headers:
            headers[name] = value.strip(" \t")
        elif name in ONCE:
            raise BadRequest(reason=f"repeated {name} header")
        else:
            headers[name] += ", " + value.strip(" \t")
    return headers


def check_age(when: int, now: int) -> None:
    """Raises Unauthorized where a request was signed too long ago, or too far in the future; both in microseconds."""
    if abs(when - now) > WINDOW:
        raise Unauthorized(
            reason=f"the clocks differ by {abs(when - now) // MICROSECONDS} seconds; at most {WINDOW // MICROSECONDS} are allowed"
        )


def check_end(expires: int, now: int) -> None:
    """Raises Unauthorized once a signature has ended; `expires` in seconds, `now` in microseconds."""
    if expires * MICROSECONDS < now:
        raise Unauthorized(reason="the signature has expired")
