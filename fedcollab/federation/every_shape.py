"""Decides how any shape of signature that RFC 9421 allows is read: by http-message-signatures, which is loaded for the first one."""

from collections.abc import Iterator, Mapping
from types import SimpleNamespace

from http_message_signatures import HTTPMessageVerifier
from http_message_signatures import algorithms as library
from multidict import CIMultiDict

from fedcollab.base.errors import Unauthorized

from .claims import Incoming, Read

LABELS = 8  # more signatures than that beside each other are nobody's


class Reader(HTTPMessageVerifier):
    """The library's grammar, without its clock, its keys and its choice of one label."""

    def read(self, incoming: Incoming, headers: Mapping[str, str], base_url: str) -> Iterator[Read]:
        """Every label that has both a list of components and a signature. Raises what the library raises for anything else."""
        field = headers.get("signature-input", "")
        inputs, values = self._parse_signature_dictionary(field), self._parse_signature_dictionary(headers.get("signature", ""))
        if len(inputs) > LABELS or any(field.count(f";{name}=") > len(inputs) for name in ("keyid", "created", "expires", "alg")):
            raise Unauthorized(reason="too many signatures, or one that says a thing twice")
        message = SimpleNamespace(method=incoming.method, url=base_url + incoming.target, headers=CIMultiDict(incoming.headers))
        for label, listed in inputs.items():
            if isinstance(getattr(values.get(label), "value", None), bytes):
                base, _, _ = self._build_signature_base(message, covered_component_ids=list(listed), signature_params=listed.params)
                yield [item.value for item in listed if not item.params], dict(listed.params), base.encode(), values[label].value


READER = Reader(signature_algorithm=library.ED25519, key_resolver=None)
