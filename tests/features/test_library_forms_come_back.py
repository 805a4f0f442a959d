"""Shows that what was typed into the long forms of the library survives: a session that ran out, a form of another session, a full disk."""

from collections.abc import Awaitable, Callable

import pytest

from fedcollab.base.errors import StorageFull
from fedcollab.features.resources import service as library
from fedcollab.features.resources.record import Record
from fedcollab.features.resources.stories import telling
from fedcollab.flows import close_discussion, discuss_resource
from tests.web import PASSWORD

from .conftest import House
from .test_mid_composition import age
from .test_stories import written

WORDS = "Many words that nobody types twice"


async def _closing(house: House) -> str:
    group = await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    return f"/threads/{(await house.site.thread(house.admin, group)).thread_id}/to-library"


async def _resource(house: House) -> str:
    made = await house.site.write(library.add, house.admin.viewer, Record(title="A guide", kind="Guide"), label="TLP:AMBER+STRICT")
    return f"/library/{made.id}"


async def _discussing(house: House) -> str:
    await house.site.group(house.admin, "leads", "TLP:AMBER+STRICT")
    return await _resource(house) + "/discuss"


async def _note(house: House) -> str:
    return await _resource(house) + "/note"


async def _new_story(_house: House) -> str:
    return "/stories/new"


async def _story(house: House) -> str:
    return f"/stories/{(await written(house, house.admin))[0]}/edit"


async def _new_resource(_house: House) -> str:
    return "/library/new"


FORMS = (_closing, _discussing, _note, _new_story, _story, _new_resource)
Form = Callable[[House], Awaitable[str]]


@pytest.mark.parametrize("form", FORMS)
async def test_a_form_of_the_library_comes_back_through_signing_in_and_is_stored_when_its_author_says_so(house: House, form: Form) -> None:
    at = await form(house)
    filled = {"title": "T", "text": WORDS, "summary": WORDS, "token": await house.admin.token(at)}
    await house.site.kernel.database.write(age)
    status, headers, _ = await house.admin.ask("POST", at, filled)
    assert (status, headers["Location"]) == (307, f"/login?next={at}")
    login = filled | {"token": await house.admin.token(), "username": "ilse", "password": PASSWORD, "next": at}
    assert (await house.admin.ask("POST", "/login", login))[0] == 307
    status, _, page = await house.admin.ask("POST", at, login)
    assert (status, WORDS in page) == (200, True)


@pytest.mark.parametrize("form", FORMS)
async def test_a_form_of_the_library_that_was_opened_in_another_session_keeps_what_was_typed(house: House, form: Form) -> None:
    status, _, page = await house.admin.ask("POST", await form(house), {"title": "T", "text": WORDS, "summary": WORDS, "token": "0" * 64})
    assert (status, WORDS in page, "opened too long ago" in page) == (403, True, True)


@pytest.mark.parametrize(
    ("form", "module", "name"),
    [(_closing, close_discussion, "close"), (_discussing, discuss_resource, "begin"), (_new_story, telling, "write")],
)
async def test_a_full_disk_keeps_what_was_typed(
    house: House, form: Form, module: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = await form(house)

    def full(*_: object, **__: object) -> None:
        raise StorageFull()

    monkeypatch.setattr(module, name, full)
    status, _, page = await house.admin.post(at, at=at, title="T", text=WORDS, label="TLP:AMBER+STRICT")
    assert (status, WORDS in page, "disk is full" in page) == (507, True, True)


async def test_what_was_ticked_when_a_person_was_asked_again_or_a_story_checked_comes_back_through_signing_in(house: House) -> None:
    writer = await house.site.member("amal")
    story_id, _ = await written(house, writer)
    here = f"/stories/{story_id}"
    for at, page_of, name, value in (
        (here + "/renew", here + "/renew", "use", "Research/Press"),
        (here + "/check", here, "check", "places"),
    ):
        filled = {name: value, "token": await house.admin.token(page_of)}
        await house.site.kernel.database.write(age)
        status, headers, _ = await house.admin.ask("POST", at, filled)
        assert (status, headers["Location"]) == (307, f"/login?next={at}")
        login = filled | {"token": await house.admin.token(), "username": "ilse", "password": PASSWORD, "next": at}
        assert (await house.admin.ask("POST", "/login", login))[0] == 307
        status, _, page = await house.admin.ask("POST", at, login)
        assert (status, f'value="{value}" checked' in page) == (200, True)
