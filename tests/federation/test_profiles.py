"""Shows that an actor's document reads back as it was made, and that one that points elsewhere or brings other keys is refused."""

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.actors import keys
from fedcollab.actors import service as actors
from fedcollab.actors.models import GROUP, INTRODUCED, PARTNER, PERSON
from fedcollab.base.errors import BadRequest, Refused
from fedcollab.base.session import Session
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import profiles, proofs
from tests.rows import START, ed_public, ed_signer, home, memory, node, quick_keys

HERE = node()
ACTOR = "https://p.example/actor"
SIGNER = ed_signer(ACTOR)


@pytest.fixture
def session() -> Iterator[Session]:
    with memory() as made:
        yield made


def theirs(signer: keys.Signer = SIGNER, **more: object) -> dict[str, Any]:
    method = {"id": signer.uri, "type": "Multikey", "controller": ACTOR, "publicKeyMultibase": ed_public(signer)}
    made: dict[str, Any] = {"@context": ap.CONTEXT, "id": ACTOR, "type": "Organization", "inbox": ACTOR + "/inbox", "name": "Tamarind"}
    return proofs.prove(made | {"preferredUsername": "t", "assertionMethod": [method]} | more, signer, START)


@pytest.mark.parametrize("kind", ["Organization", PERSON, GROUP])
def test_an_actor_of_ours_reads_back_from_its_document(session: Session, kind: str) -> None:
    me = home(session, HERE)
    with quick_keys():
        actor = (
            me if kind == "Organization" else actors.create_own(session, HERE, kind, username="ilse", name="Ilse <V.>", summary="<p>x</p>")
        )
    made = profiles.document(session, HERE, actor)
    assert profiles.stored_document(session, actor.id) == made
    found = profiles.parse(made, expected=actor.uri)
    assert (found.uri, found.kind, found.username, found.name, found.summary) == (
        actor.uri,
        kind,
        actor.username,
        actor.name,
        actor.summary,
    )
    assert (found.inbox, found.host, found.organisation_uri) == (actor.inbox, "home.example", me.uri)
    assert found.keys == actors.keys_of(session, actor.id)
    profiles.check_proof(found, actors.keys_of(session, me.id))
    for changed in (
        made | {"name": "Another"},
        made | {"inbox": "https://home.example/other"},
        {k: v for k, v in made.items() if k != "proof"},
    ):
        with pytest.raises(Refused, match="not proved"):
            profiles.check_proof(profiles.parse(changed), actors.keys_of(session, me.id))


@pytest.mark.rule("ORG-16")
@pytest.mark.parametrize(
    "change",
    [
        {"id": "https://q.example/actor"},
        {"inbox": "https://x.example/in"},
        {"inbox": "https://p.example:444/in"},
        {"inbox": None},
        {"type": "Note"},
        {"type": None},
        {"id": None},
        {"type": "Person", ap.ORGANISATION: "https://q.example/actor"},
        {
            "assertionMethod": [
                {"id": "https://q.example/k", "type": "Multikey", "controller": ACTOR, "publicKeyMultibase": ed_public(SIGNER)}
            ]
        },
        {"assertionMethod": {"id": ACTOR + "#k", "type": "Multikey", "controller": ACTOR, "publicKeyMultibase": "z6Mkzz"}},
        {"publicKey": {"id": ACTOR + "#k", "owner": ACTOR, "publicKeyPem": "none"}},
        {"publicKey": {"owner": ACTOR, "publicKeyPem": "none"}},
    ],
)
def test_a_document_that_points_elsewhere_or_holds_no_key_is_refused(change: dict[str, object]) -> None:
    assert profiles.parse(theirs(), expected=ACTOR).uri == ACTOR
    with pytest.raises(BadRequest):
        profiles.parse(theirs() | change, expected=ACTOR)


def test_a_key_that_says_it_is_another_actors_is_left_out() -> None:
    for other in ({"controller": "https://p.example/people/x"}, {"type": "Ed25519VerificationKey2020"}):
        document = theirs()
        document["assertionMethod"] = [document["assertionMethod"][0] | other]
        assert profiles.parse(document).keys == {}


def test_keys_of_kinds_that_we_do_not_read_stand_beside_those_that_we_do() -> None:
    """Other software lists its RSA key as a Multikey too, and may have several in publicKey."""
    document = theirs()
    mine = document["assertionMethod"][0]
    rsa = mine | {"id": ACTOR + "#multikey-1", "publicKeyMultibase": "zgghBUVkqmWS8e1iiuveLsLcKucmnEK2pXp4T6mbsCAL19Uftk9b4Art85AzrrWaf"}
    assert profiles.parse(document | {"assertionMethod": [rsa, mine]}).keys == {mine["id"]: (keys.ED25519, mine["publicKeyMultibase"])}
    pem = generate_private_key(65537, 2048).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    listed = [{"id": ACTOR + "#main-key", "owner": ACTOR, "publicKeyPem": pem}, {"id": ACTOR + "#old", "owner": "https://p.example/x"}]
    assert profiles.parse(document | {"publicKey": listed}).keys[ACTOR + "#main-key"] == (keys.RSA, pem)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6
)
NAMES = ["id", "type", "inbox", "name", "summary", "preferredUsername", "assertionMethod", "publicKey", ap.ORGANISATION, "attributedTo"]


@given(st.one_of(JSON, st.dictionaries(st.sampled_from(NAMES), JSON).map(lambda found: theirs() | found)))
def test_any_document_is_read_or_refused_in_our_words(document: object) -> None:
    try:
        found = profiles.parse(document)
    except Refused:
        return
    assert found.kind
    assert found.inbox


def test_an_actor_is_renewed_by_its_own_keys_and_by_no_others(session: Session) -> None:
    first = profiles.remember(session, HERE, profiles.parse(theirs()), known=PARTNER)
    renewed = profiles.remember(session, HERE, profiles.parse(theirs(name="Tamarind Circle")), known=PARTNER)
    assert (renewed.id, renewed.name) == (first.id, "Tamarind Circle")
    other = ed_signer(ACTOR)
    second = {"id": ACTOR + "#second", "type": "Multikey", "controller": ACTOR, "publicKeyMultibase": ed_public(other)}
    beside = theirs(assertionMethod=[*theirs()["assertionMethod"], second])
    for document in (theirs(other), theirs(assertionMethod=[second]), beside, theirs(assertionMethod=[])):
        with pytest.raises(Refused, match="pinned"):
            profiles.remember(session, HERE, profiles.parse(document), known=PARTNER)
    assert actors.keys_of(session, first.id) == {SIGNER.uri: (keys.ED25519, ed_public(SIGNER))}
    assert actors.by_id(session, first.id).name == "Tamarind Circle"


def test_who_was_introduced_becomes_a_partner_and_never_the_other_way_round(session: Session) -> None:
    host = profiles.remember(session, HERE, profiles.parse(theirs()), known=PARTNER)
    far = ed_signer("https://far.example/actor")
    method = {"id": far.uri, "type": "Multikey", "controller": "https://far.example/actor", "publicKeyMultibase": ed_public(far)}
    document = theirs(id="https://far.example/actor", inbox="https://far.example/inbox", assertionMethod=[method])
    met = profiles.remember(session, HERE, profiles.parse(document), known=INTRODUCED, through_id=host.id)
    assert (met.known, met.through_id) == (INTRODUCED, host.id)
    admitted = profiles.remember(session, HERE, profiles.parse(document), known=PARTNER)
    assert (admitted.id, admitted.known, admitted.through_id) == (met.id, PARTNER, None)
    again = profiles.remember(
        session, HERE, profiles.parse(document | {"name": "Renamed by the host"}), known=INTRODUCED, through_id=host.id
    )
    assert (again.known, again.name) == (PARTNER, "Tamarind")


def test_nobody_rewrites_an_actor_of_ours(session: Session) -> None:
    me = home(session, HERE)
    document = profiles.document(session, HERE, me)
    with pytest.raises(Refused, match="pinned"):
        profiles.remember(session, HERE, profiles.parse(document | {"name": "x"}), known=PARTNER)
    assert actors.by_id(session, me.id) == me
