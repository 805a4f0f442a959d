"""Shows that what is wrong with a new group is said at the field that it is about."""

import pytest

from .conftest import House


@pytest.mark.parametrize(
    ("slug", "name", "about"),
    [("No such", "", "slug"), ("No such", "Leads", "slug"), ("ilse", "Leads", "slug"), ("leads", " ", "name")],
)
async def test_an_error_stands_at_its_field_and_what_was_typed_stays(house: House, slug: str, name: str, about: str) -> None:
    status, _, text = await house.admin.post("/groups/new", at="/groups/new", slug=slug, name=name, summary="For leads", label="TLP:GREEN")
    assert status == 422
    assert [field for field in ("name", "slug") if f'id="{field}-err"' in text] == [about]
    assert f'value="{slug}"' in text
    assert "For leads" in text


async def test_a_group_that_is_right_is_made(house: House) -> None:
    status, to, _ = await house.admin.post("/groups/new", at="/groups/new", slug="leads", name="Leads", summary="", label="TLP:GREEN")
    assert (status, to.startswith("/groups/")) == (303, True)
