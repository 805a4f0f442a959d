"""Shows that a guest is none of our people: not counted, named, found, told of, put on another case, nor a keeper; nor acts for us."""

from typing import Any

import pytest
import sqlalchemy as sa

from fedcollab.access.models import STRICT
from fedcollab.actors import service as actors
from fedcollab.base.crypto import stored
from fedcollab.base.errors import Gone, NotFound, Refused
from fedcollab.features.guests import service
from fedcollab.features.guests.models import Guest
from fedcollab.sealing import holding, keepers, working
from tests.features.cases.desks import Office

from .visits import a_case, asked, comes, guest


async def test_a_guest_is_not_counted_not_found_by_name_and_named_no_keeper(at: Office) -> None:
    read = at.site.kernel.database.read
    before = await read(actors.count_people)
    sara = await guest(at, await a_case(at))
    assert await read(actors.count_people) == before
    found = await at.sql("SELECT count(*) FROM search_entry WHERE subject_id = :id", id=sara.viewer.person_id)
    assert found == [(0,)]
    assert (await at.sql("SELECT count(*) FROM search_entry WHERE subject_id = :id", id=at["noor"].viewer.person_id)) == [(1,)]
    with pytest.raises(NotFound):
        await at.do("mila", keepers.name, sara.viewer.person_id)
    assert "Sara Lind" not in (await at["mila"].get("/keepers"))[1]
    assert sara.viewer.organisation_id == ""


@pytest.mark.rule("AUTH-06")
async def test_a_guest_stands_in_no_directory_and_nobody_outside_learns_their_name(at: Office) -> None:
    sara, stranger = await guest(at, await a_case(at)), at.site.stranger()
    person = sara.viewer.person_id
    for path in (f"/people/{person}", f"/.well-known/webfinger?resource=acct:sara@{at.site.kernel.node.host}"):
        status, _, page = await stranger.ask("GET", path, headers={"Accept": "application/activity+json"})
        assert (status in (401, 404), "Sara" in page) == (True, False), path


@pytest.mark.rule("AUTH-07")
async def test_a_guest_is_put_on_no_case_as_a_colleague_and_acts_for_us_on_none(at: Office) -> None:
    case, other = await a_case(at), await a_case(at)
    sara = await guest(at, case)
    for where in (case, other):
        with pytest.raises(NotFound):
            await at.unlocked("noor", holding.assign, where, sara.viewer.person_id)
    await at.unlocked("noor", holding.assign, case, sara.viewer.person_id, guest=True)
    daan = at["daan"].viewer.person_id
    before = await at.sql("SELECT state, epoch, ck FROM room WHERE id = :id", id=case)
    for act, values in (
        (working.invite, ("https://elsewhere.example/actor",)),
        (working.remove, (at.me,)),
        (working.leave, ()),
        (working.close, ()),
        (working.purge, ()),
        (working.unassign, (at["noor"].viewer.person_id,)),
    ):
        with pytest.raises(NotFound):
            await at.do("sara", act, case, *values)
    with pytest.raises(NotFound):
        await at.unlocked("sara", holding.assign, case, daan)
    assert await at.sql("SELECT state, epoch, ck FROM room WHERE id = :id", id=case) == before
    await at.unlocked("noor", holding.assign, case, daan)


@pytest.mark.rule("P7")
async def test_a_guest_is_asked_by_somebody_on_the_case_alone_and_only_where_its_label_lets_guests_in(at: Office) -> None:
    case, strict = await a_case(at), await a_case(at, STRICT)
    with pytest.raises(NotFound):
        await asked(at, case, by="daan")
    with pytest.raises(Refused, match="Under this label no guest"):
        await asked(at, strict)
    for wrong, field in (({"name": " "}, "name"), ({"works_for": ""}, "works_for"), ({"until": "2001-01-01"}, "until")):
        with pytest.raises(service.Wrong) as seen:
            await asked(at, case, **wrong)
        assert seen.value.field == field
    assert await at.sql("SELECT count(*) FROM guest") == [(0,)]
    row, _ = await asked(at, case)
    assert await at.sql("SELECT id, room_id, type FROM guest") == [(row, case, "LawEnforcement")]


@pytest.mark.rule("AUTH-05")
async def test_an_invitation_is_good_once_for_seven_days_and_not_after_its_case(at: Office) -> None:
    case = await a_case(at)
    node, read = at.site.kernel.node, at.site.kernel.database.read
    tokens = [(await asked(at, case))[1] for _ in range(3)]
    assert len(set(tokens)) == 3
    assert min(map(len, tokens)) >= 22, "128 bits at least"
    kept = await at.sql("SELECT token_hash FROM guest")
    assert not {token for token in tokens if (token,) in kept}
    await comes(at, tokens[0])
    for token in (tokens[0], "", "x" * 22):
        with pytest.raises(Gone):
            await read(service.invited, node, token)
    await at.site.kernel.database.write(lambda session: session.execute(_late(tokens[1])) and None)
    with pytest.raises(Gone):
        await read(service.invited, node, tokens[1])
    assert (await read(service.invited, node, tokens[2])).works_for == "Police of Xanten"
    await at.do("noor", working.close, case)
    with pytest.raises(Gone):
        await read(service.invited, node, tokens[2])


def _late(token: str) -> Any:
    return sa.update(Guest).where(Guest.token_hash == stored(token)).values(expires_at=1)


async def test_who_never_came_is_forgotten_and_a_node_out_of_a_backup_takes_no_older_link(at: Office) -> None:
    case, node = await a_case(at), at.site.kernel.node
    _, token = await asked(at, case)
    await at.site.write(service.end_invitations, 0)
    with pytest.raises(Gone):
        await at.site.kernel.database.read(service.invited, node, token)
    await at.site.write(service.forget_late)
    assert await at.sql("SELECT count(*) FROM guest") == [(0,)]
    _, fresh = await asked(at, case)
    await at.site.write(service.forget_late)
    assert (await at.site.kernel.database.read(service.invited, node, fresh)).name == "Sara Lind"
