"""Decides how documents are spelt and read: compacted ActivityStreams JSON, our extension terms under one prefix, no JSON-LD expansion."""

from collections.abc import Mapping
from typing import Any

from fedcollab.base.errors import BadRequest

Document = dict[str, Any]

AS2 = "https://www.w3.org/ns/activitystreams"
PUBLIC = AS2 + "#Public"
PUBLIC_NAMES = (PUBLIC, "as:Public", "Public")
SECURITY = "https://w3id.org/security#"
TERMS: dict[str, object] = {
    "fc": "urn:fedcollab:",
    "publicKeyMultibase": SECURITY + "publicKeyMultibase",
    "assertionMethod": {"@id": SECURITY + "assertionMethod", "@type": "@id"},  # none of the contexts above has it outside of a proof
    "digestMultibase": {"@id": SECURITY + "digestMultibase", "@type": SECURITY + "multibase"},
}
CONTEXT: list[object] = [
    AS2,
    "https://w3id.org/security/v1",
    "https://w3id.org/security/data-integrity/v1",
    "https://w3id.org/security/multikey/v1",
    TERMS,
]
MEDIA_TYPE = "application/activity+json"
PROTOCOL = "fedcollab/1"
OURS = "fc:"

# Our extension terms; FEDERATION.md describes each, and a test holds it to this list.
LABEL, PROTOCOL_TERM, ORGANISATION = "fc:label", "fc:protocol", "fc:organisation"
MEMBERS, PEOPLE, HISTORY, INTRODUCES = "fc:members", "fc:people", "fc:history", "fc:introduces"
SEQ, EPOCH, LAST, ASKED = "fc:seq", "fc:epoch", "fc:last", "fc:asked"
SUCCESSOR, UNTIL, SUCCEEDS, KEYS, VOUCH = "fc:successor", "fc:until", "fc:succeeds", "fc:keys", "fc:Vouch"
SIZE, DIGEST = "fc:size", "digestMultibase"  # of an attachment: its bytes; its hash, as FEP-ef61 has it
TRUST = (SUCCESSOR, UNTIL, SUCCEEDS, KEYS, VOUCH)
RESOURCE, RECORD, COUNTRY_NOTE, COUNTRY = "fc:Resource", "fc:record", "fc:CountryNote", "fc:country"
LIBRARY = (RESOURCE, RECORD, COUNTRY_NOTE, COUNTRY)
PERSON_KEY, ORGANISATION_KEY = "fc:personKey", "fc:organisationKey"
WORKS_FOR = "fc:worksFor"
SEALED = (PERSON_KEY, ORGANISATION_KEY, WORKS_FOR)
ROOM, ROOM_KEY, CASE_KEY, SEALED_MESSAGE = ("fc:Room", "fc:RoomKey", "fc:CaseKey", "fc:SealedMessage")
CHAIN_HEAD, CHAIN_SIGNED, ENTRIES = "fc:ChainHead", "fc:ChainSigned", "fc:entries"
CASE_EXPORT = "fc:CaseExport"
ROOM_TYPES = (ROOM, ROOM_KEY, CASE_KEY, SEALED_MESSAGE, CHAIN_HEAD, CHAIN_SIGNED)
REASON = "fc:reason"
SAID, FACT, KIND, PUBLIC_KEY, KEY_VOUCH = "fc:said", "fc:fact", "fc:kind", "fc:key", "fc:vouch"
ROOMS = (*ROOM_TYPES, SAID, FACT, KIND, PUBLIC_KEY, KEY_VOUCH, REASON, ENTRIES, CASE_EXPORT)
CONSENT, REFERRAL = HANDED = ("fc:Consent", "fc:Referral")
PLAIN = (LABEL, PROTOCOL_TERM, ORGANISATION, MEMBERS, PEOPLE, HISTORY, INTRODUCES, SEQ, EPOCH, LAST, ASKED, SIZE)
EXTENSIONS = (*PLAIN, *TRUST, *LIBRARY, *SEALED, *ROOMS, *HANDED)


def ident(value: object) -> str:
    """The id of a thing given as an id or embedded; empty where there is none."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) else ""


def idents(value: object) -> list[str]:
    """The ids in a property that may hold one or many."""
    return [i for i in map(ident, value if isinstance(value, list) else [value]) if i]


def one_ident(document: Mapping[str, object], name: str) -> str:
    """The single id under `name`. Raises BadRequest where there is none or more than one: a list could name somebody else beside."""
    found = idents(document.get(name))
    if len(found) != 1:
        raise BadRequest(reason=f"{name} must name exactly one id")
    return found[0]


def types(document: object) -> list[str]:
    """The types of a document; there may be several."""
    value = document.get("type") if isinstance(document, Mapping) else None
    return [t for t in (value if isinstance(value, list) else [value]) if isinstance(t, str)]


def text(document: Mapping[str, object], name: str) -> str:
    """A string property, or the first of its language map; else empty."""
    value = document.get(name)
    if isinstance(value, list):
        value = next((v for v in value if isinstance(v, str)), None)
    if not isinstance(value, str):
        several = document.get(name + "Map")
        value = next((v for v in several.values() if isinstance(v, str)), "") if isinstance(several, Mapping) else ""
    return value


def language(document: Mapping[str, object]) -> str:
    """The language that a document's content is marked with, or empty: of several, the one whose text is read (see `text`)."""
    several, content = document.get("contentMap"), document.get("content")
    if not isinstance(several, Mapping) or not several:
        return ""
    same = (code for code, words in several.items() if words == content)
    code = next(same, next(iter(several)) if len(several) == 1 or not isinstance(content, str) else "")
    return code if isinstance(code, str) and code.replace("-", "").isalnum() and len(code) <= 16 else ""


def addressed(document: Mapping[str, object]) -> set[str]:
    """All ids that a document is addressed to, in whichever field."""
    return {i for field in ("to", "cc", "bto", "bcc", "audience") for i in idents(document.get(field))}


def is_public(document: Mapping[str, object]) -> bool:
    return bool(addressed(document) & set(PUBLIC_NAMES))


def activity(kind: str, uri: str, actor: str, obj: object, **more: object) -> Document:
    """An activity with our context; `more` are further properties (`cc`, `published`), empty ones left out."""
    document: Document = {"@context": CONTEXT, "id": uri, "type": kind, "actor": actor, "object": obj}
    document.update({name: value for name, value in more.items() if value})
    return document
