"""Decides how forms of sealed groups come in: as they were sent, or shown again where they came by the pages to sign in and unlock."""

from typing import NamedTuple

from aiohttp import web
from multidict import MultiDict, MultiDictProxy

from fedcollab import file_forms
from fedcollab.base.clock import DAY, iso
from fedcollab.base.web import read_fields
from fedcollab.feature import came_back, member_of
from fedcollab.files.receiving import Sent

Fields = MultiDictProxy[str]
KEPT = 731 * DAY
NONE: Fields = MultiDictProxy(MultiDict())


class Written(NamedTuple):
    """What stands in a form; `sent` where it is to be done, not only shown again."""

    fields: Fields
    sent: bool
    file: Sent | None = None  # which is still to be read

    @property
    def once(self) -> str:
        """What the form says is its own id, by which it is known where it is sent twice."""
        return self.fields.get("once", "")


async def read_written(request: web.Request) -> Written:
    """The form of a request of somebody who is signed in, empty where it asks for the page. Raises Unauthorized, and Forbidden for one
    that is not from a page of ours."""
    if request.method != "POST":
        return Written(NONE, False)
    fields = await read_fields(request)
    member_of(request)
    return Written(fields, not came_back(request, fields))


async def read_with_file(request: web.Request) -> Written:
    """The same of a form that may bring a file, for a handler that `takes_file`."""
    if request.method != "POST":
        return Written(NONE, False)
    sent = await file_forms.read(request)
    is_sent = file_forms.is_sent(request, sent)
    return Written(MultiDictProxy(sent.fields), is_sent, sent if sent.part is not None else None)


def group_form(fields: Fields, now: int) -> dict[str, list[str]]:
    """The form of a group's name and purpose: without a day the group is kept for two years."""
    found = lists(fields)
    return found if any(found.get("retention", [])) else found | {"retention": [proposed(now)]}


def proposed(now: int) -> str:
    """Until when a group is kept unless somebody says otherwise."""
    return iso(now + KEPT)[:10]


def lists(fields: Fields) -> dict[str, list[str]]:
    """A form's fields as `typed.checked` takes them."""
    return {name: fields.getall(name) for name in fields}
