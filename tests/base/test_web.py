"""Shows what cookies are called, that a form's token belongs to one session of one node, and that errors answer in the asker's form."""

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from fedcollab.base import config
from fedcollab.base.errors import FedcollabError, Forbidden, TooMany, Unavailable
from fedcollab.base.web import (
    SECRET,
    SETTINGS,
    TOKEN_BASE,
    add_headers,
    answer_errors,
    check_form,
    cookie_name,
    form_token,
    page_number,
    redirect,
    set_cookie,
)

EARNEST = config.parse({"name": "M", "base_url": "https://node.example.org"}, {})
TRIAL = config.parse({"name": "M", "base_url": "http://127.0.0.1:8001", "trial": True}, {})


def request(base: str, secret: bytes = b"s" * 32, headers: dict[str, str] | None = None) -> web.Request:
    app = web.Application()
    app[SETTINGS], app[SECRET] = EARNEST, secret
    made = make_mocked_request("POST", "/x", headers=headers, app=app)
    made[TOKEN_BASE] = base
    return made


def test_in_earnest_cookies_are_bound_to_the_host_and_on_trial_to_the_port() -> None:
    assert cookie_name(EARNEST, "session") == "__Host-session"
    assert cookie_name(TRIAL, "session") == "session-8001"
    for settings, secure in ((EARNEST, True), (TRIAL, False)):
        response = web.Response()
        set_cookie(response, settings, "session", "v", 60)
        morsel = response.cookies[cookie_name(settings, "session")]
        assert (bool(morsel["secure"]), morsel["httponly"], morsel["samesite"], morsel["path"]) == (secure, True, "Lax", "/")


@given(st.text(), st.text(), st.binary(min_size=32, max_size=32))
def test_a_forms_token_belongs_to_one_session_of_one_node(base: str, other: str, secret: bytes) -> None:
    token = form_token(request(base))
    assert token == form_token(request(base))
    assert (token == form_token(request(other))) == (base == other)
    assert (token == form_token(request(base, secret))) == (secret == b"s" * 32)


@given(st.one_of(st.none(), st.text()))
def test_no_other_text_passes_for_a_forms_token(text: str | None) -> None:
    fields: Any = {} if text is None else {"token": text}
    with pytest.raises(Forbidden, match="Open the page again"):
        check_form(request("base"), fields)
    check_form(request("base"), {"token": form_token(request("base"))})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("headers", "good"),
    [
        ({"Origin": "https://node.example.org"}, True),
        ({"Origin": "https://node.example.org:443"}, True),
        ({"Origin": "null"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": "https://node.example.org.evil.example"}, False),
        ({"Origin": "https://node.example.org:444"}, False),
        ({"Origin": "nonsense"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
    ],
)
def test_a_form_from_elsewhere_is_refused_though_its_token_is_right(headers: dict[str, str], good: bool) -> None:
    made = request("base", headers=headers)
    fields: Any = {"token": form_token(made)}
    if good:
        check_form(made, fields)
    else:
        with pytest.raises(FedcollabError):
            check_form(made, fields)


@pytest.mark.parametrize(
    ("error", "status", "after"),
    [
        (TooMany(retry_after=7), 429, "7"),
        (Unavailable(retry_after=5), 503, "5"),
        (ValueError("secret words"), 500, None),
        (Forbidden(), 403, None),
    ],
)
async def test_an_error_answers_with_its_status_in_safe_words_and_says_when_to_come_back(
    error: Exception, status: int, after: str | None
) -> None:
    async def fail(_request: web.Request) -> web.Response:
        raise error

    app = web.Application(middlewares=[answer_errors])
    app[SETTINGS] = EARNEST
    app.router.add_get("/", fail)
    app.on_response_prepare.append(add_headers)
    async with TestClient(TestServer(app)) as client:
        answer = await client.get("/")
        text = await answer.text()
        assert (answer.status, answer.headers.get("Retry-After")) == (status, after)
        assert "secret" not in text
        assert answer.headers["Strict-Transport-Security"]
        assert (await client.get("/nothing")).status == 404
        assert (await client.post("/")).status == 405


def test_after_a_form_the_browser_goes_on_by_303() -> None:
    assert (redirect("/x").status, redirect("/x").headers["Location"]) == (303, "/x")


@pytest.mark.parametrize(
    ("asked", "number"), [("", 1), ("1", 1), ("23", 23), ("0", 1), ("-1", 1), ("2.5", 1), ("two", 1), ("٢", 1), ("9" * 7, 1)]
)
def test_a_page_that_is_no_number_is_the_first_one(asked: str, number: int) -> None:
    assert page_number(asked) == number
