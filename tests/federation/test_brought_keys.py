"""Shows that a key which a group's host has brought opens nothing once the actor's own organisation is our partner."""

import copy
from typing import Any

import pytest

from fedcollab.actors import keys
from fedcollab.admin import partners as acts
from fedcollab.base.clock import new_id, system_clock
from fedcollab.federation import activitystreams as ap
from fedcollab.federation import proofs
from tests import nodes
from tests.rows import ed_public, ed_signer

from .test_introductions import Stage, stage

__all__ = ["stage"]  # the fixture


def with_backdoor(document: dict[str, Any], signer: keys.Signer) -> dict[str, Any]:
    """The document with one more key: the host's own."""
    more = {"id": signer.uri, "type": "Multikey", "controller": document["id"], "publicKeyMultibase": ed_public(signer)}
    bare = copy.deepcopy({name: value for name, value in document.items() if name != "proof"})
    return bare | {"assertionMethod": [*bare["assertionMethod"], more]}


async def befriend(stage: Stage) -> None:
    """Our admin adds X by its own address; X is let through to for the while."""
    wider = nodes.may_also_reach(stage.here, stage.x)
    await acts.add(wider.kernel, wider.viewer, stage.x.uri("/actor"), approve=True)
    await wider.kernel.fetcher.close()


@pytest.mark.rule("SIG-07")
async def test_a_key_that_a_host_slips_into_an_introduction_never_speaks_for_the_partner(stage: Stage) -> None:
    organisation, author = stage.x.uri("/actor"), stage.author
    backdoor, second = ed_signer(organisation), ed_signer(author)
    backdoor, second = keys.Signer(organisation + "#k3", "ed25519", backdoor.key), keys.Signer(author + "#k3", "ed25519", second.key)
    documents = [
        proofs.prove(with_backdoor(stage.x.documents["/actor"], backdoor), backdoor, system_clock()),
        proofs.prove(with_backdoor(stage.x.documents["/people/sokha"], second), backdoor, system_clock()),
    ]
    assert await stage.announce(stage.x.create(author, stage.group), documents) == "done"
    await befriend(stage)
    tables, posts = await stage.here.tables(), await stage.posts()
    forger = copy.copy(stage.x)
    forger.signers = {organisation: {"ed25519": backdoor, "rsa": backdoor}, author: {"ed25519": second, "rsa": second}}
    follow = ap.activity("Follow", stage.x.uri(f"/activities/{new_id()}"), organisation, stage.here.url + "/actor")
    assert await forger.send(stage.here, follow) in (401, 503)
    forged = forger.create(author, stage.group)
    assert await forger.send(stage.here, forged) in (401, 503)
    assert await stage.here.tables() == tables
    assert (await stage.announce(forged, documents)).startswith("refused")
    assert (await stage.announce(forged, [])).startswith("refused")
    assert await stage.posts() == posts
    uris = [uri for (uri,) in await stage.here.sql("SELECT uri FROM actor_key WHERE uri LIKE '%#k3'")]
    assert backdoor.uri not in uris
    assert await stage.announce(stage.x.create(author, stage.group)) == "done"
    assert (await stage.posts())[-1][1:] == (author, "partner", None), "its own organisation vouches for it now"
    assert await stage.here.sql("SELECT uri FROM actor_key WHERE uri LIKE '%#k3'") == []


async def test_a_host_that_invents_an_organisation_keeps_nobody_from_adding_the_true_one(stage: Stage) -> None:
    real = copy.deepcopy(stage.x.signers), copy.deepcopy(stage.x.documents)
    stage.x.actor("/actor", "Organization")
    stage.x.actor("/people/sokha", "Person")
    assert await stage.announce(stage.x.create(stage.author, stage.group)) == "done"
    invented = stage.x.create(stage.author, stage.group)
    stage.x.signers, stage.x.documents = real
    await befriend(stage)
    assert (await stage.announce(invented)).startswith("refused")
    assert await stage.announce(stage.x.create(stage.author, stage.group)) == "done"
    assert len(await stage.posts()) == 2


async def test_nobody_introduces_a_second_organisation_on_a_partners_host(stage: Stage) -> None:
    await befriend(stage)
    stage.x.actor("/second", "Organization")
    document = {name: value for name, value in stage.x.documents["/second"].items() if name != "proof"}
    second = stage.x.uri("/second")
    stage.x.documents["/second"] = stage.x.prove(document, second)
    stage.x.actor("/people/b", "Person")
    person = {name: value for name, value in stage.x.documents["/people/b"].items() if name != "proof"} | {ap.ORGANISATION: second}
    documents = [stage.x.documents["/second"], stage.x.prove(person, second)]
    activity = stage.x.create(stage.x.uri("/people/b"), stage.group)
    assert await stage.announce(activity, documents) == "refused: on a partner's host only the partner vouches for people"
    assert await stage.posts() == []


async def test_a_document_that_claims_another_actors_key_is_refused_and_is_no_error(stage: Stage) -> None:
    made = stage.x.actor("/people/thief", "Person")
    theirs = stage.x.documents["/actor"]["publicKey"]["id"]
    bare = {name: value for name, value in made.items() if name != "proof"}
    thief = stage.x.prove(bare | {"publicKey": bare["publicKey"] | {"id": theirs}}, stage.x.uri("/actor"))
    activity = stage.x.create(stage.x.uri("/people/thief"), stage.group)
    assert (await stage.announce(activity, [stage.x.documents["/actor"], thief])).startswith("refused")
    assert await stage.announce(activity, [stage.x.documents["/actor"], made]) == "done"
