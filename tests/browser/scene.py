"""Decides what the pages under test show: a node with everything on it, its partners, and a second node with nothing yet."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyotp
import sqlalchemy as sa

from fedcollab.access.viewer import MEMBER, Viewer
from fedcollab.actors import service as actors
from fedcollab.actors.models import PARTNER, Actor
from fedcollab.admin import partners as acts
from fedcollab.admin import restored
from fedcollab.base.clock import DAY, MICROSECONDS, new_id
from fedcollab.base.passwords import hash_password
from fedcollab.base.paths import shipped
from fedcollab.base.session import Session
from fedcollab.base.templates import Templates
from fedcollab.base.web import cookie_name
from fedcollab.demo import ANSWERS, CASTS, OPENER, Cast, Stage, stage, until
from fedcollab.feature import TEMPLATES
from fedcollab.features.discussions import groups, reading, service, thanks
from fedcollab.features.discussions.models import Post, Thread, ThreadRead
from fedcollab.features.members import ceremony, factor, sessions
from fedcollab.features.members import service as members
from fedcollab.features.members.feature import THROTTLE
from fedcollab.features.members.models import LoginSession, Passkey
from fedcollab.federation import inbox, no_room, offers, outside, partners, profiles
from fedcollab.federation.models import ADMITTED, OUTSIDE, PARKED, REFUSED, SUSPENDED, Delivery, InboxItem, Partner, Receipt, Vouch
from fedcollab.sealing import room_quotas
from tests.ports import free_ports

from .carried import carry
from .casefolk import fill
from .casework import work
from .imported import import_some
from .keyed import lock_up
from .keys_kept import keep, unlock
from .moderated import moderate
from .referred import refer
from .sealed import seal
from .shelved import shelve
from .told import tell
from .visited import visit

FRAMED = {
    path.relative_to(shipped("templates")).as_posix()
    for path in shipped("templates").rglob("*.html")
    if path.read_text().startswith(
        tuple(f'{{% extends "{name}.html" %}}' for name in ("base/frame", "base/ended", "cases/frame", "rooms/frame"))
    )
}
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
LONG = "What helps when a driver, a landlord and an agency all say that they have never heard of each other, and the papers say otherwise?"
SHORT_LIST = """Short list so far: **who pays for travel, where do you sleep, who keeps the passport?**

> quién guarda el pasaporte

That one opens the conversation here too."""
PASSWORD = "four plain words here"
ARABIC = "كيف نحضّر المقابلة الأولى مع مترجم؟"


def cast(name: str) -> Cast:
    return next(one for one in CASTS if one.name == name)


@dataclass
class Scene:
    """Two nodes to look at: `busy` has everything, `empty` nothing; `places` names what stands in addresses."""

    busy: Stage
    empty: Stage
    loop: asyncio.AbstractEventLoop
    places: dict[str, str] = field(default_factory=dict)
    people: dict[str, Viewer] = field(default_factory=dict)
    unlocks: dict[str, bytes] = field(default_factory=dict)
    used: int = 0
    shown: str = ""

    def __post_init__(self) -> None:
        for one in (self.busy, self.empty):
            self._note(one.runner.app[TEMPLATES])

    def _note(self, templates: Templates) -> None:
        """Remembers which page was made last; pieces of pages do not count."""
        render = templates.render

        def noting(name: str, *words: Any, **values: Any) -> str:
            self.shown = name if name in FRAMED else self.shown
            return render(name, *words, **values)

        templates.render = noting  # type: ignore[method-assign]

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Does something in the nodes' own loop, from the browser's thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def stage_of(self, name: str) -> Stage:
        """The node that somebody looks at; nobody in particular ("") looks at the busy one, "nobody" at the empty one."""
        here = self.people[name].organisation_id == self.empty.viewers[0].organisation_id if name in self.people else name == "nobody"
        return self.empty if here else self.busy

    def session(self, name: str) -> list[dict[str, str]]:
        """A new session's cookie for one of the people, as Playwright takes it; nobody has none."""
        if not name:
            return []
        one = self.stage_of(name)
        token = self.run(one.write(sessions.start_session, self.people[name].person_id, AGENT))
        if name in self.unlocks:
            self.run(one.write(unlock, self.people[name].person_id, token, self.unlocks[name]))
        return [{"name": cookie_name(one.kernel.node.settings, "session"), "value": token, "url": one.url}]

    def offer(self, name: str) -> None:
        """A second factor lies ready for somebody to prove it."""
        self.run(self.busy.write(factor.offer, self.people[name].person_id))

    def forgive(self) -> None:
        """The node forgets who has guessed."""
        self.busy.runner.app[THROTTLE]._failures.clear()

    def lately(self, ago: int = 0) -> None:
        """Everybody has given their password just now, or so long ago, in microseconds."""
        for one in (self.busy, self.empty):
            given = sa.update(LoginSession).values(asked_at=one.kernel.node.now() - ago)
            self.run(one.kernel.database.write(lambda session, given=given: session.execute(given)))

    def unread(self, name: str, thread: str, place: int) -> None:
        """Somebody has read a thread as far as `place`."""

        def work(session: Session) -> None:
            mine = sa.and_(ThreadRead.person_id == self.people[name].person_id, ThreadRead.thread_id == self.places[thread])
            session.execute(sa.update(ThreadRead).where(mine).values(read_place=place))

        self.run(self.busy.kernel.database.write(work))

    def fresh(self) -> int:
        """A number that was not used before."""
        self.used += 1
        return self.used


@contextlib.contextmanager
def scene(root: Path) -> Iterator[Scene]:
    """Plays the scene in a thread of its own: Playwright needs this one."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    stack = contextlib.AsyncExitStack()
    stack.enter_context(patch.object(ceremony, "named", return_value=True))  # the buttons are looked at, and not pressed
    try:
        yield asyncio.run_coroutine_threadsafe(_set(stack, root, loop), loop).result(90)
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _set(stack: contextlib.AsyncExitStack, root: Path, loop: asyncio.AbstractEventLoop) -> Scene:
    names = ("Meridian Outreach", "Tamarind Circle", "دار السنابل", "Casa Ladera", "Kivuli Support")
    ports = free_ports(len(names))
    stages = [stage(root / f"n{i}", cast(name), ports, i) for i, name in enumerate(names)]
    busy, empty, sanabil, ladera = [await stack.enter_async_context(one) for one in stages[:-1]]
    made = Scene(busy, empty, loop, people={"ilse": busy.viewers[0], "daan": busy.viewers[1], "sokha": empty.viewers[0]})
    async with stages[-1] as host:
        for one, other in ((busy, host), (busy, sanabil), (host, sanabil), (host, ladera)):
            for near, far in ((one, other), (other, one)):
                await acts.add(near.kernel, near.viewers[0], far.url, approve=True)
        await _talk(made, host, sanabil, ladera)
    await _alone(made)
    await _people(made)
    await moderate(made)
    await tell(made)
    await shelve(made)
    await carry(made)
    await import_some(made)
    await lock_up(made, PASSWORD)
    await keep(made)
    await work(made)
    await visit(made)
    await fill(made)
    await refer(made)
    await seal(made)
    await _partners(made)
    await busy.kernel.database.write(_age)
    await empty.kernel.database.write(restored.remember, empty.kernel.node, empty.kernel.node.now() - DAY)  # it has come out of a backup
    return made


async def _talk(made: Scene, host: Stage, sanabil: Stage, ladera: Stage) -> None:
    """The conversation that has travelled: partner's, own, edited, deleted and introduced posts."""
    busy, ilse, daan = made.busy, made.people["ilse"], made.people["daan"]
    about = "<p>Adverts, agencies and seasonal work: what we see, and what helps.</p>"
    group = await host.write(
        groups.create, host.viewers[0], slug="recruitment", name="Labour recruitment", label="TLP:GREEN", summary=about
    )
    for one in (busy, sanabil, ladera):
        await until(partial(_knows, one, group.uri), "the group")
    opener = await host.write(service.post_thread, host.viewers[0], group.id, title=OPENER[0], text=OPENER[1], language="en")

    async def answer(one: Stage, by: Viewer, text: str, language: str) -> service.Posted:
        thread = await until(partial(_thread, one, opener.uri), "the conversation")
        posted: service.Posted = await one.write(service.post_reply, by, thread, text=text, language=language)
        await until(partial(_confirmed, busy, posted.uri), "an answer")
        return posted

    await answer(sanabil, sanabil.viewers[0], ANSWERS[1], "ar")
    met = await answer(ladera, ladera.viewers[0], ANSWERS[2], "es")
    await answer(busy, daan, SHORT_LIST, "en")
    removed = await answer(host, host.viewers[0], "A number that should not stand here.", "en")
    await host.write(service.delete, host.viewers[0], removed.post_id)
    await answer(host, host.viewers[0], ANSWERS[3], "en")
    slip = await answer(busy, ilse, "A name that should not stand here.", "en")
    await busy.write(service.delete, ilse, slip.post_id)
    await until(partial(_confirmed_by_one, busy), "a receipt")
    own = await answer(busy, ilse, "Gladly. I will make this a card by Friday.", "en")
    await busy.write(thanks.thank, daan, own.post_id)
    text = "Gladly. I will make this a card for the library by Friday, with all your names as contributors unless you tell me otherwise."
    await busy.write(service.edit, ilse, own.post_id, text=text)
    made.places |= {"partner": await _author(busy, opener.uri), "met": await _author(busy, met.uri)}
    made.places |= {"thread": await _thread(busy, opener.uri), "own": own.post_id, "group": await _row(busy, group.uri)}
    await until(partial(_buried, busy, removed.uri), "the deletion")


async def _alone(made: Scene) -> None:
    """What stands on the node itself: groups of each label, long and short; and a post that waits, for the host is away by now."""
    busy, ilse = made.busy, made.people["ilse"]
    await busy.write(service.post_reply, ilse, made.places["thread"], text="One more: *who can be called at night?*", language="en")
    for slug, name, label, summary in (
        ("interpreters", "Working with interpreters", "TLP:CLEAR", "<p>Preparing, briefing, remote lines, caring for interpreters.</p>"),
        ("handover", "Shift handover", "TLP:AMBER+STRICT", ""),
        ("quiet", "Return and reintegration", "TLP:GREEN", ""),
    ):
        made.places[slug] = (await busy.write(groups.create, ilse, slug=slug, name=name, label=label, summary=summary)).id
    for group, title, text, language in (
        ("interpreters", ARABIC, ANSWERS[1], "ar"),
        ("interpreters", "First conversation: a card in 14 languages", "Which languages are missing?", "en"),
        ("handover", LONG, OPENER[1], "en"),
    ):
        posted = await busy.write(service.post_thread, ilse, made.places[group], title=title, text=text, language=language)
        made.places["public" if group == "interpreters" else "long"] = posted.thread_id
    await busy.write(service.post_reply, made.people["daan"], made.places["public"], text="Tigrinya and Khmer.", language="en")
    await busy.kernel.database.write(_many, made)


def _many(session: Session, made: Scene) -> None:
    """More than a page of conversations, and of posts in one."""
    node, ilse = made.busy.kernel.node, made.people["ilse"]
    for number in range(reading.THREADS):
        service.post_thread(session, node, ilse, made.places["handover"], title=f"Night of {number + 1} November", text="Quiet.")
    for number in range(reading.POSTS):
        service.post_reply(session, node, ilse, made.places["long"], text=f"Still the same on day {number + 1}.")


async def _people(made: Scene) -> None:
    """Members in every state: due a password, told of a link, disabled."""
    busy, ilse = made.busy, made.people["ilse"]
    hashed = await asyncio.to_thread(hash_password, PASSWORD)
    for username, name in (("nina", "Nina S."), ("ruth", "Ruth O."), ("joost", "Joost"), ("amal", "Amal B.")):
        done = await busy.write(members.add_member, ilse, username=username, name=name, roles=[MEMBER], password_hash=hashed)
        found = await busy.kernel.database.read(actors.by_id, done.person_id)
        made.places[username] = found.id
        made.people[username] = Viewer(found.organisation_id, found.id, frozenset({MEMBER}), found.name)
    await busy.write(service.post_reply, ilse, made.places["public"], text="Tigrinya first, I think. @ruth, could you ask?", language="en")
    await busy.write(members.disable, ilse, made.people["joost"].person_id)
    await busy.write(members.use_link, await busy.write(members.make_link, ilse, made.people["nina"].person_id), "test")
    made.places["link"] = await busy.write(members.make_link, ilse, made.people["ruth"].person_id)
    made.places["invitation"] = await busy.write(members.invite, ilse, [MEMBER])
    await busy.write(sessions.start_session, ilse.person_id, "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0")
    await busy.kernel.database.write(sessions.forget_notices, ilse.person_id)
    amal = made.people["amal"]
    await busy.write(factor.offer, amal.person_id)
    secret = (await busy.kernel.database.read(factor.state, busy.kernel.node, amal.person_id)).offered
    await busy.write(factor.confirm, amal, pyotp.TOTP(secret).at(busy.kernel.node.now() // MICROSECONDS), "")
    await busy.kernel.database.write(_passkeys, amal.person_id, busy.kernel.node.now())


def _passkeys(session: Session, person_id: str, now: int) -> None:
    for number, name in enumerate(("my phone", LONG[:60])):
        values = dict(
            id=new_id(now), person_id=person_id, credential="A" * (8 + number), public_key=b"", counter=0, name=name, created_at=now
        )
        session.execute(sa.insert(Passkey).values(**values, used_at=now if number else None))


async def _partners(made: Scene) -> None:
    """One that has applied, one that has knocked, one that cannot be reached, one that shows other keys than are known."""
    busy, ilse = made.busy, made.people["ilse"]
    await acts.add(busy.kernel, ilse, made.empty.url)
    await busy.write(partners.knock, "oldmill.example", "https://oldmill.example/actor")
    await busy.kernel.database.write(_outside, made)
    await until(partial(_away, busy), "a delivery that failed")
    await busy.kernel.database.write(_given_up)
    await busy.kernel.database.write(_trust, made)


def _given_up(session: Session) -> None:
    """One delivery was parked and one refused, a thing that came in failed here; one partner is paused."""
    rows = session.execute(sa.select(Delivery.partner_id, Delivery.seq).order_by(Delivery.partner_id, Delivery.seq).limit(2)).all()
    for row, state, status, tries in zip(rows, (PARKED, REFUSED), (500, 400), (12, 0), strict=True):
        mine = sa.and_(Delivery.partner_id == row.partner_id, Delivery.seq == row.seq)
        session.execute(sa.update(Delivery).where(mine).values(state=state, status=status, attempts=tries, error=f"answered {status}"))
    first = sa.select(sa.func.min(InboxItem.id)).scalar_subquery()
    session.execute(sa.update(InboxItem).where(InboxItem.id == first).values(state=PARKED, attempts=8, reason="KeyError"))
    ids = session.scalars(sa.select(Partner.id).where(Partner.state == ADMITTED).order_by(Partner.id)).all()
    session.execute(sa.update(Partner).where(Partner.id == ids[0]).values(paused_at=Partner.created_at))


def _trust(session: Session, made: Scene) -> None:
    """One partner shows other keys; another one vouches for other keys of the applicant than are seen here."""
    node, listed = made.busy.kernel.node, {partner.name: partner for partner in partners.listed(session)}
    lost, away, applied = listed["دار السنابل"], listed["Kivuli Support"], listed["Tamarind Circle"]
    made.places |= {"lost": lost.id, "away": away.id, "applied": applied.id}
    seen = profiles.parse(profiles.stored_document(session, lost.organisation_id))
    others = actors.keys_of(session, applied.organisation_id)
    offers.compare(session, node, lost, replace(seen, keys={f"{lost.uri}#{n}": key for n, key in enumerate(others.values())}))
    word = dict(by_id=away.organisation_id, about_uri=applied.uri, about_host=applied.host, keys="5eed" * 16, at=node.now())
    session.execute(sa.insert(Vouch).values(word))


def _outside(session: Session, made: Scene) -> None:
    """A server that is no partner and follows what is public; a partner that has not answered for 45 days, and for whose sealed messages
    there is no room."""
    now = made.busy.kernel.node.now()
    reached = dict(state=SUSPENDED, suspended_for="away", last_success_at=now - 45 * DAY)
    for place, host, more in (("outside", "forum.example", dict(state=OUTSIDE)), ("absent", "harbour.example", reached)):
        made.places[place], of = new_id(), outside.organisation(session, made.busy.kernel.node, host)
        values = dict(id=made.places[place], organisation_id=of, host=host, created_at=now - 90 * DAY, decided_at=now)
        session.execute(sa.insert(Partner).values(values | more))
    session.execute(sa.update(Actor).where(Actor.host == "harbour.example").values(name="Harbour Legal Aid", known=PARTNER))
    room_quotas.count(session, "harbour.example", "harbour.example", "", 2 * 10**9)
    for author in ("harbour.example", "jetty.example"):
        waits = inbox.row(made.busy.kernel.node, actors.by_id(session, of), {"id": f"https://harbour.example/sealed/{author}"})
        no_room.remember(session, [(waits, author)])


def _age(session: Session) -> None:
    """The conversations are some days old, so that dates show beside "minutes ago"; the nights lie further back, each by a day."""
    nights = session.execute(sa.select(Thread.id, Thread.last_post_at).where(Thread.title.like("Night%")).order_by(Thread.id.desc())).all()
    for back, row in enumerate(nights):
        session.execute(sa.update(Thread).where(Thread.id == row.id).values(last_post_at=row.last_post_at - (back + 2) * DAY))
    for thread_id in session.scalars(sa.select(Thread.id)).all():
        rows = session.execute(sa.select(Post.id, Post.posted_at).where(Post.thread_id == thread_id).order_by(Post.place, Post.id)).all()
        for back, row in enumerate(reversed(rows)):
            at = row.posted_at - back * (DAY // 3 + 47 * 60 * MICROSECONDS)
            session.execute(sa.update(Post).where(Post.id == row.id).values(posted_at=at))


async def _knows(one: Stage, uri: str) -> bool:
    return bool(await one.kernel.database.read(lambda session: actors.by_uri(session, uri)))


async def _row(one: Stage, uri: str) -> str:
    found = await one.kernel.database.read(actors.by_uri, uri)
    assert found is not None
    return str(found.id)


async def _post(one: Stage, uri: str, *columns: Any) -> Any:
    return (await one.kernel.database.read(lambda session: session.execute(sa.select(*columns).where(Post.uri == uri)).one_or_none())) or ()


async def _thread(one: Stage, uri: str) -> str:
    return "".join(await _post(one, uri, Post.thread_id))


async def _author(one: Stage, uri: str) -> str:
    return "".join(await _post(one, uri, Post.author_id))


async def _confirmed(one: Stage, uri: str) -> bool:
    return any(await _post(one, uri, Post.confirmed_at))


async def _buried(one: Stage, uri: str) -> bool:
    return any(await _post(one, uri, Post.deleted_at))


async def _confirmed_by_one(one: Stage) -> bool:
    return bool(
        await one.kernel.database.read(lambda session: session.scalar(sa.select(Receipt.state).where(Receipt.state == "confirmed")))
    )


async def _away(one: Stage) -> bool:
    return any(p.last_error for p in await one.kernel.database.read(partners.listed))
