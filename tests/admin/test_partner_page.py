"""Shows a partner's own page: the words and what was said of them, pauses, permissions, warnings; each act with what it refuses."""

import html
import re

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fedcollab.actors import keys
from fedcollab.admin import look as looking
from fedcollab.admin import permissions
from fedcollab.app import FEATURES
from fedcollab.base.session import Session
from fedcollab.federation import partners, vouching
from fedcollab.federation.models import Vouch
from tests.features.conftest import House, house
from tests.rows import organisation, partner

__all__ = ["house"]


def give_key(session: Session, house: House, host: str) -> None:
    """Pins a key to a partner that has none."""
    found = partners.find(session, host)
    public = keys.multibase(Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    keys.pin(session, house.site.kernel.node, found.organisation_id, {f"{found.uri}#k": (keys.ED25519, public)})


async def listed(house: House, host: str = "casa.example", state: str = "admitted") -> partners.PartnerData:
    """A partner with a key."""

    def work(session: Session) -> partners.PartnerData:
        made = partner(session, house.site.kernel.node, host, state)
        give_key(session, house, host)
        return made

    found: partners.PartnerData = await house.site.kernel.database.write(work)
    return found


async def now(house: House, host: str = "casa.example") -> partners.PartnerData:
    found: partners.PartnerData = await house.site.kernel.database.read(partners.find, host)
    return found


async def shown(house: House, made: partners.PartnerData) -> str:
    status, page = await house.admin.get(f"/admin/partners/{made.id}")
    assert status == 200
    return html.unescape(page)


async def act(house: House, made: partners.PartnerData, name: str, **fields: str) -> int:
    path = f"/admin/partners/{made.id}"
    status, _, _ = await house.admin.post(path, at=path, act=name, **{"from": "page", **fields})
    return status


async def test_the_words_stand_on_the_page_until_they_were_compared_and_who_said_so_is_kept(house: House) -> None:
    made = await listed(house)
    look = await house.site.kernel.database.read(looking.look, house.site.kernel.node, made.id)
    page = await shown(house, made)
    assert " · ".join(look.spoken().words) in page
    assert " ".join(look.spoken().digits) in page
    assert "Never compared" in page
    assert await act(house, made, "check", shown="0" * 64) == 409
    assert (await now(house)).checked_at is None
    assert await act(house, made, "check", shown=look.keys) == 303
    assert "Never compared" not in await shown(house, made)
    row = await house.site.kernel.database.read(lambda session: session.execute(sa.text("SELECT checked_by_id FROM partner")).scalar_one())
    assert row == house.admin.viewer.person_id
    assert "Words never compared" not in (await house.admin.get("/admin/partners"))[1]


async def test_a_pause_is_said_and_ended(house: House) -> None:
    made = await listed(house)
    assert await act(house, made, "pause") == 303
    assert "what is for them waits here" in await shown(house, made)
    assert await act(house, made, "resume") == 303
    assert (await now(house)).paused_at is None
    blocked = await listed(house, "blocked.example", "blocked")
    assert await act(house, blocked, "pause") == 409


async def test_what_a_partner_may_take_part_in_is_chosen_and_nothing_unknown(house: House) -> None:
    made = await listed(house)
    assert await act(house, made, "allow") == 303
    assert (await now(house)).allows == []
    assert await act(house, made, "allow", allow="cases") == 400
    assert await act(house, made, "allow", allow="discussions") == 303
    assert (await now(house)).allows == ["discussions"]


def test_every_feature_with_a_permission_can_be_allowed() -> None:
    assert [feature.name for feature in FEATURES if feature.permission] == [feature.name for feature in permissions.PERMITTED]


async def test_nobody_vouches_for_a_partner_whose_words_were_never_compared(house: House) -> None:
    made = await listed(house)
    assert await act(house, made, "vouch") == 409
    assert await act(house, made, "check") == 303
    assert await act(house, made, "vouch") == 303
    assert len((await now(house)).vouched_keys) == 64
    assert await act(house, made, "unvouch") == 303
    assert (await now(house)).vouched_keys == ""


async def test_an_applicant_is_vouched_for_by_two_for_the_keys_that_we_see_and_a_difference_stands_in_red(house: House) -> None:
    made = await listed(house, "new.example", "applied")
    look = await house.site.kernel.database.read(looking.look, house.site.kernel.node, made.id)
    for host, fingerprint in (("a.example", look.keys), ("b.example", "f" * 64)):
        voucher = await listed(house, host)
        row = dict(by_id=voucher.organisation_id, about_uri=made.uri, about_host=made.host, keys=fingerprint, at=1)
        await house.site.kernel.database.write(lambda session, row=row: session.execute(sa.insert(Vouch).values(row)))
    page = await shown(house, made)
    assert "Vouches for other keys than those that we see" in page
    assert "Vouched for by two partners" not in page
    assert "B.Example</bdi> vouches for other keys" in (await house.admin.get("/admin/partners"))[1]
    await house.site.kernel.database.write(lambda session: session.execute(sa.update(Vouch).values(keys=look.keys)))
    assert "Vouched for by two partners" in await shown(house, made)


async def test_the_word_of_a_partner_that_is_admitted_no_more_does_not_count(house: House) -> None:
    made, voucher = await listed(house, "new.example", "applied"), await listed(house, "a.example", "refused")
    row = dict(by_id=voucher.organisation_id, about_uri=made.uri, about_host=made.host, keys="f" * 64, at=1)
    await house.site.kernel.database.write(lambda session: session.execute(sa.insert(Vouch).values(row)))
    assert await house.site.kernel.database.read(vouching.words_for, [made.host]) == {}


@pytest.mark.rule("HOST-01")
async def test_a_name_that_looks_like_a_partners_is_shown_as_it_is_written_with_a_warning(house: House) -> None:
    await listed(house, "casa.example")
    looks = "саsа.example".encode("idna").decode()  # two Cyrillic letters
    assert looks == "xn--s-7sbb9d.example"
    fake, other = await listed(house, looks, "applied"), await listed(house, "xn--mnchen-3ya.example", "applied")
    page = await shown(house, fake)
    assert "xn--s-7sbb9d.example" in page
    assert "looks like <bdi>casa.example</bdi> and is another one" in page
    assert "Browsers may show this name as <bdi>münchen.example</bdi>" in await shown(house, other)
    assert re.search(r"xn--s-7sbb9d.example.*?looks like <bdi>casa.example", (await house.admin.get("/admin/partners"))[1], re.DOTALL)
    assert "looks like" not in await shown(house, await now(house))
    assert (await now(house)).state == "admitted"


async def test_a_page_of_nobody_or_for_a_member_does_not_exist(house: House) -> None:
    made = await listed(house)
    assert (await house.admin.get("/admin/partners/none"))[0] == 404
    member = await house.site.member("daan")
    assert (await member.get(f"/admin/partners/{made.id}"))[0] == 404
    await house.site.kernel.database.write(lambda session: organisation(session, "met.example", known="introduced"))
    assert (await house.admin.get("/admin/partners/met.example"))[0] == 404
