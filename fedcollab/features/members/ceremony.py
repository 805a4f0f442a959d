"""Decides what a passkey is asked and when its answer is believed (WebAuthn): for this node's address as the settings give it, never as a
request does; confirmed by the person on their device; with the challenge of this moment."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import orjson

from fedcollab.base.config import Settings
from fedcollab.base.errors import FedcollabError, N_, Refused
from fedcollab.base.strictjson import loads

LIBRARY = "webauthn"  # an extra: without it the pages offer codes alone
LONGEST, TIMEOUT = 20_000, 120_000  # characters of an answer; milliseconds that a person has, for the browser to know
NOT_IT = N_("This passkey was not accepted. Try again, or use a code.")


@dataclass(frozen=True)
class Made:
    """A new passkey: the name that its device gave it (base64url), its public half, what the device has counted."""

    credential: str
    public_key: bytes = field(repr=False)
    counter: int


def available() -> bool:
    """Whether the library is installed."""
    return find_spec(LIBRARY) is not None


def named(settings: Settings) -> bool:
    """Whether the node's address has a name: for mere numbers browsers keep no passkeys."""
    try:
        ipaddress.ip_address(rp_id(settings))
    except ValueError:
        return True
    return False


def possible(settings: Settings) -> bool:
    """Whether passkeys can be made and used on this node."""
    return available() and named(settings)


def rp_id(settings: Settings) -> str:
    """For whom passkeys are made: the host of the node's address, without its port."""
    return urlsplit(settings.base_url).hostname or ""


def to_make(settings: Settings, challenge: bytes, person_id: str, username: str, known: Sequence[str]) -> dict[str, Any]:
    """What a browser is told to make a passkey; `known` are those that the person has. Its device learns the name to sign in with."""
    import webauthn
    from webauthn.helpers.structs import AuthenticatorSelectionCriteria as Criteria
    from webauthn.helpers.structs import ResidentKeyRequirement, UserVerificationRequirement

    made = webauthn.generate_registration_options(
        rp_id=rp_id(settings),
        rp_name=settings.name,
        user_id=person_id.encode(),
        user_name=username,
        challenge=challenge,
        timeout=TIMEOUT,
        authenticator_selection=Criteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_described(known),
    )
    return _plain(webauthn.options_to_json(made))


def to_answer(settings: Settings, challenge: bytes, known: Sequence[str]) -> dict[str, Any]:
    """What a browser is told to have one of these passkeys answer."""
    import webauthn
    from webauthn.helpers.structs import UserVerificationRequirement

    made = webauthn.generate_authentication_options(
        rp_id=rp_id(settings),
        challenge=challenge,
        timeout=TIMEOUT,
        allow_credentials=_described(known),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _plain(webauthn.options_to_json(made))


def _described(known: Sequence[str]) -> list[Any]:
    import webauthn
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return [PublicKeyCredentialDescriptor(id=webauthn.base64url_to_bytes(one)) for one in known]


def _plain(text: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(text)
    return found


def read(said: str) -> dict[str, Any]:
    """A browser's answer, not believed yet. Raises Refused for what is none."""
    try:
        found = loads(said[: LONGEST + 1].encode(errors="replace")) if 0 < len(said) <= LONGEST else None
    except FedcollabError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("id"), str):
        raise Refused(NOT_IT)
    return found


def made(settings: Settings, challenge: bytes, said: dict[str, Any]) -> Made:
    """The passkey that a browser says was made. Raises Refused."""
    import webauthn

    try:
        found = webauthn.verify_registration_response(
            credential=said,
            expected_challenge=challenge,
            expected_rp_id=rp_id(settings),
            expected_origin=settings.base_url,
            require_user_verification=True,
        )
    except Exception as error:  # noqa: BLE001 - a stranger's bytes: whatever a reader of them stumbles over is an answer not believed
        raise Refused(NOT_IT, reason=f"passkey: {type(error).__name__}") from None
    return Made(str(said["id"]), found.credential_public_key, found.sign_count)


def answered(settings: Settings, challenge: bytes, said: dict[str, Any], public_key: bytes) -> int:
    """What the device counts now, once its answer is believed; whether it has counted on, `passkeys.takes` says. Raises Refused."""
    import webauthn

    try:
        found = webauthn.verify_authentication_response(
            credential=said,
            expected_challenge=challenge,
            expected_rp_id=rp_id(settings),
            expected_origin=settings.base_url,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as error:  # noqa: BLE001 - as above
        raise Refused(NOT_IT, reason=f"passkey: {type(error).__name__}") from None
    return found.new_sign_count
