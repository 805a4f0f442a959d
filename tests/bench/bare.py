"""The floors: the least that a Python server does for the same, by aiohttp, sqlite3 and Jinja2 alone."""

import asyncio
import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import uvloop
from aiohttp import ClientSession, web

ROWS = """
SELECT post.id, post.uri, post.html, post.language, post.label, post.posted_at, post.edited_at, post.deleted_at, post.confirmed_at,
       post.place, post.author_id, author.name AS author, author.known, author.host, organisation.name AS organisation,
       through.name AS through
FROM post JOIN actor author ON author.id = post.author_id JOIN actor organisation ON organisation.id = post.organisation_id
LEFT JOIN actor through ON through.id = author.through_id
WHERE post.thread_id = ? ORDER BY post.place, post.id LIMIT 50
"""
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title></head><body><h1>{{ title }}</h1>
{% for post in posts %}
<article id="{{ post['id'] }}"><p><b>{{ post['author'] }}</b> {{ post['organisation'] }} {{ post['host'] }} {{ post['known'] }}
{% if post['through'] %}through {{ post['through'] }}{% endif %} <a href="{{ post['uri'] }}">{{ when(post['posted_at']) }}</a>
{% if post['edited_at'] %}edited {{ when(post['edited_at']) }}{% endif %} {{ post['label'] }}</p>
<div lang="{{ post['language'] }}">{% if post['deleted_at'] %}removed{% else %}{{ post['html']|safe }}{% endif %}</div>
{% if not post['confirmed_at'] %}<p>waiting</p>{% endif %}</article>
{% endfor %}
</body></html>"""
SHELF = """
SELECT resource.id, resource.title, resource.abstract, resource.kind, resource.year, resource.language, resource.label, resource.state,
       resource.reason, resource.review_on, resource.posted_at, actor.known, actor.host
FROM resource JOIN actor ON actor.id = resource.organisation_id
WHERE resource.deleted_at IS NULL ORDER BY resource.posted_at DESC, resource.id DESC LIMIT 30
"""
LIBRARY = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Library</title></head><body><h1>Library</h1>
{% for row in rows %}
<article><h3><a href="/library/{{ row['id'] }}" lang="{{ row['language'] }}">{{ row['title'] }}</a></h3><p>{{ row['abstract'] }}</p>
<p>{{ row['label'] }} {{ row['kind'] }} {% if row['year'] %}{{ row['year'] }}{% endif %} {{ row['language'] }} {{ row['host'] }}</p>
{% if row['state'] == 'withdrawn' %}<p>{{ row['reason'] }}</p>{% endif %}</article>
{% endfor %}
</body></html>"""


def main(port: int, database: str = "", *peers: str) -> None:
    """One route that answers; with a database the same rows as a thread page too, and posts that are stored and passed on to `peers`."""
    app = web.Application()
    app.router.add_get("/", _hello)
    if database:
        connection = sqlite3.connect(database, isolation_level=None)
        app.router.add_get("/threads/{id}", _thread_page(connection))
        app.router.add_get("/library", _library_page(connection))
        app.add_routes([web.post("/posts", _taking(connection, peers)), web.get("/newest", _newest(connection))])
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None, loop=uvloop.new_event_loop())


async def _hello(_: web.Request) -> web.Response:
    return web.Response(text="hello")


def _thread_page(connection: sqlite3.Connection) -> Callable[[web.Request], Any]:
    import jinja2

    connection.row_factory = sqlite3.Row
    template = jinja2.Environment(autoescape=True).from_string(PAGE, {"when": _when})

    async def show(request: web.Request) -> web.Response:
        thread_id = request.match_info["id"]
        title = connection.execute("SELECT title FROM thread WHERE id = ?", (thread_id,)).fetchone()[0]
        posts = connection.execute(ROWS, (thread_id,)).fetchall()
        return web.Response(text=template.render(title=title, posts=posts), content_type="text/html")

    return show


def _library_page(connection: sqlite3.Connection) -> Callable[[web.Request], Any]:
    import jinja2

    connection.row_factory = sqlite3.Row
    template = jinja2.Environment(autoescape=True).from_string(LIBRARY)

    async def show(_: web.Request) -> web.Response:
        return web.Response(text=template.render(rows=connection.execute(SHELF).fetchall()), content_type="text/html")

    return show


def _when(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1_000_000, UTC).strftime("%d %b %Y, %H:%M")


def _taking(connection: sqlite3.Connection, peers: tuple[str, ...]) -> Callable[[web.Request], Any]:
    """Stores a text for good, then passes it on; nothing is signed, checked or tried again."""
    connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE IF NOT EXISTS bare (text TEXT)")
    tasks: set[asyncio.Task[None]] = set()

    async def take(request: web.Request) -> web.Response:
        text = (await request.post())["text"]
        connection.execute("INSERT INTO bare VALUES (?)", (text,))
        for peer in peers:
            task = asyncio.create_task(_pass_on(peer, str(text)))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        return web.Response(status=303, headers={"Location": "/newest"})

    return take


async def _pass_on(peer: str, text: str) -> None:
    async with ClientSession() as session, session.post(f"http://127.0.0.1:{peer}/posts", data={"text": text}, allow_redirects=False):
        pass


def _newest(connection: sqlite3.Connection) -> Callable[[web.Request], Any]:
    async def show(_: web.Request) -> web.Response:
        row = connection.execute("SELECT text FROM bare ORDER BY rowid DESC LIMIT 1").fetchone()
        return web.Response(text=row[0] if row else "")

    return show


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
