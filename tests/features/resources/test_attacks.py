"""Attacks on the library by partners: forged, widening, odd, replayed and flooding records and notes; each with what is taken as ever."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fedcollab.access.viewer import Viewer
from fedcollab.base.clock import new_id
from fedcollab.base.i18n import words
from fedcollab.base.templates import Templates
from fedcollab.features.resources import notes_in, reading, receiving, sending, service, translations, views
from fedcollab.federation import activitystreams as ap
from tests import nodes
from tests.features.resources.three import GUIDE, add, last_reason, resource, tell, there
from tests.hostile import PAYLOADS, acted_on
from tests.nodes import Here, Rogue


class Scene:
    """A node with two partners of ours that do what the test wants."""

    def __init__(self, here: Here, p: Rogue, g: Rogue) -> None:
        self.here, self.p, self.g = here, p, g

    async def facts(self) -> dict[str, list[Any]]:
        """All rows that hold facts of the library."""
        names = ("resource", "resource_version", "resource_translation", "country_note", "audience", "audience_member", "thread", "post")
        return {name: sorted(map(repr, await self.here.sql(f"SELECT * FROM {name}"))) for name in names}

    def asked(self) -> int:
        """How often something was asked of the partners, but for the keys of whoever signs."""
        return len([path for path in [*self.p.fetched, *self.g.fetched] if path not in ("/actor", "/people/sokha")])

    async def refuses(self, by: Rogue, kind: str, obj: dict[str, Any], **more: Any) -> str:
        """Nothing is another than before, and nobody was asked; answers why."""
        before, asked = await self.facts(), self.asked()
        assert await tell(by, self.here, kind, obj, **more) in (202, 400, 401, 403)
        assert await self.facts() == before
        assert self.asked() == asked
        return await last_reason(self.here)

    async def takes(self, by: Rogue, kind: str, obj: dict[str, Any], **more: Any) -> None:
        """It has its effect: the legitimate twin."""
        before = await self.facts()
        assert await tell(by, self.here, kind, obj, **more) == 202
        assert await self.facts() != before, await last_reason(self.here)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    p, g = await nodes.rogue("P"), await nodes.rogue("G")
    here = await nodes.start(tmp_path, peers=(p.port, g.port))
    for one in (p, g):
        await nodes.admit(here, one)
    try:
        yield Scene(here, p, g)
    finally:
        await here.stop()
        for one in (p, g):
            await one.stop()


@pytest.mark.rule("ORG-01", "ORG-04")
async def test_a_partner_makes_changes_and_deletes_nothing_in_anothers_name(scene: Scene) -> None:
    theirs = resource(scene.g)
    await scene.takes(scene.g, "Create", theirs)
    newer = theirs | {ap.RECORD: theirs[ap.RECORD] | {"revision": 9}, "name": "Taken over"}
    for author in (scene.g.uri("/actor"), scene.p.uri("/actor"), None):
        forged = {name: value for name, value in (newer | {"attributedTo": author}).items() if value is not None}
        for kind in ("Create", "Update"):
            await scene.refuses(scene.p, kind, forged)
    gone = {"id": theirs["id"], "type": ["Tombstone", ap.RESOURCE], ap.RECORD: {"revision": 9}}
    await scene.refuses(scene.p, "Delete", gone)
    await scene.takes(scene.g, "Update", newer)
    await scene.takes(scene.g, "Delete", gone | {ap.RECORD: {"revision": 10}})
    assert await there(scene.here, "title") == [""]


@pytest.mark.rule("ORG-02")
async def test_a_record_with_an_id_on_another_host_is_refused(scene: Scene) -> None:
    for uri in (scene.g.uri("/library/1"), scene.here.url + "/library/1", "https://elsewhere.example/1", "not an id"):
        await scene.refuses(scene.p, "Create", resource(scene.p, id=uri))
    ours = await add(scene.here)
    await scene.refuses(
        scene.p, "Update", resource(scene.p, id=scene.here.kernel.node.settings.uri(f"/library/{ours}"), record={"revision": 1 << 50})
    )
    await scene.takes(scene.p, "Create", resource(scene.p))


@pytest.mark.rule("ORG-01")
async def test_people_publish_no_records_and_take_none_away(scene: Scene) -> None:
    theirs = resource(scene.p)
    person = resource(scene.p, attributedTo=scene.p.uri("/people/sokha"))
    assert "people don't" in await scene.refuses(scene.p, "Create", person, actor="/people/sokha")
    await scene.takes(scene.p, "Create", theirs)
    gone = {"id": theirs["id"], "type": ["Tombstone", ap.RESOURCE], ap.RECORD: {"revision": 9}}
    await scene.refuses(scene.p, "Delete", gone, actor="/people/sokha")


@pytest.mark.rule("P8")
async def test_a_record_under_a_label_that_does_not_travel_is_refused(scene: Scene) -> None:
    for label in ("TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED", "TLP:WHITE", 5, ["TLP:GREEN"]):
        await scene.refuses(scene.p, "Create", resource(scene.p, **{ap.LABEL: label}))
    await scene.takes(scene.p, "Create", resource(scene.p))


@pytest.mark.rule("P8", "CONF-01")
async def test_a_record_that_widens_is_changed_and_stays_under_its_label(scene: Scene) -> None:
    theirs = resource(scene.p)
    await scene.takes(scene.p, "Create", theirs)
    wider = theirs | {ap.LABEL: "TLP:CLEAR", "to": [ap.PUBLIC], "name": "For all", ap.RECORD: theirs[ap.RECORD] | {"revision": 2}}
    await scene.takes(scene.p, "Update", wider)
    assert await there(scene.here, "label") == ["TLP:GREEN"]
    assert await there(scene.here, "title") == ["For all"]
    narrower = wider | {ap.LABEL: "TLP:CLEAR", "to": [], ap.RECORD: theirs[ap.RECORD] | {"revision": 3}}
    await scene.takes(scene.p, "Update", narrower)
    assert await there(scene.here, "label") == ["TLP:GREEN"]


@pytest.mark.rule("R13")
async def test_an_older_word_brought_again_has_no_effect_after_a_change_and_after_a_deletion(scene: Scene) -> None:
    first = resource(scene.p, name="First")
    second = first | {"name": "Second", ap.RECORD: first[ap.RECORD] | {"revision": 2}}
    gone = {"id": first["id"], "type": ["Tombstone", ap.RESOURCE], ap.RECORD: {"revision": 3}}
    await scene.takes(scene.p, "Create", first)
    await scene.takes(scene.p, "Update", second)
    for kind, obj in (("Create", first), ("Update", first), ("Update", second), ("Delete", gone | {ap.RECORD: {"revision": 2}})):
        await scene.refuses(scene.p, kind, obj)
    await scene.takes(scene.p, "Delete", gone)
    for obj in (first, second):
        await scene.refuses(scene.p, "Create", obj)
        await scene.refuses(scene.p, "Update", obj)
    await scene.takes(scene.p, "Create", first | {ap.RECORD: first[ap.RECORD] | {"revision": 4}})


async def test_what_a_record_says_beside_our_lists_is_other_or_left_out(scene: Scene) -> None:
    said = {"kind": "Incunabulum", "topics": ["Outreach", "Astrology"], "licence": "WTFPL", "language": "!!", "countries": ["KH", "XX", 5]}
    more = {"year": 99999, "reviewOn": "soon", "identifier": "javascript:1", "source": "javascript:alert(1)", "authors": [5, "Sokha", None]}
    await scene.takes(scene.p, "Create", resource(scene.p, record=said | more))
    columns = "kind, topics, licence, language, countries, year, review_on, identifier, source, authors"
    assert await scene.here.sql(f"SELECT {columns} FROM resource") == [
        ("Other", '["Outreach"]', "", "", '["KH"]', None, "", "", "", '["Sokha"]')
    ]


BROKEN: list[dict[str, Any]] = [
    {ap.RECORD: None},
    {ap.RECORD: "all"},
    {ap.RECORD: {}},
    {ap.RECORD: {"revision": 0}},
    {ap.RECORD: {"revision": True}},
    {ap.RECORD: {"revision": 1, "state": "gone"}},
    {ap.RECORD: {"revision": 1, "versions": [{"number": 1}, {"number": 1}]}},
    {ap.RECORD: {"revision": 1, "versions": [{"number": -1}]}},
    {ap.RECORD: {"revision": 1, "versions": ["one"]}},
    {ap.RECORD: {"revision": 1, "versions": [{"number": n + 1} for n in range(101)]}},
    {"content": "<p>" + "a" * 90_000 + "</p>"},
    {"attributedTo": ["https://one.example/actor", "https://two.example/actor"]},
]


@pytest.mark.rule("DOS-15")
async def test_a_broken_record_is_refused_and_the_next_one_is_taken(scene: Scene) -> None:
    for over in BROKEN:
        await scene.refuses(scene.p, "Create", resource(scene.p) | over)
        await scene.takes(scene.p, "Create", resource(scene.p))


@pytest.mark.rule("DOS-05", "DOS-17")
async def test_a_partner_has_room_for_so_many_records_and_no_more(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "MOST", 3)
    made = [resource(scene.p) for _ in range(3)]
    for one in made:
        await scene.takes(scene.p, "Create", one)
    assert "more than 3" in await scene.refuses(scene.p, "Create", resource(scene.p))
    await scene.takes(scene.p, "Update", made[0] | {"name": "Changed", ap.RECORD: made[0][ap.RECORD] | {"revision": 2}})
    await scene.takes(scene.g, "Create", resource(scene.g))


async def test_a_record_leaves_no_post_and_a_post_no_record(scene: Scene) -> None:
    group = await scene.here.group()
    disguised = resource(scene.p, type=["Document", "Note", ap.RESOURCE], audience=group.uri, to=[group.uri + "/followers"])
    await scene.takes(scene.p, "Create", disguised)
    assert await scene.here.sql("SELECT * FROM post") == []
    unknown = resource(scene.p, type=["Note", "fc:Other"], audience=group.uri, attributedTo=scene.p.uri("/people/sokha"))
    assert await scene.p.send(scene.here, scene.p.create(scene.p.uri("/people/sokha"), group.uri, **{ap.RECORD: unknown[ap.RECORD]})) == 202
    await scene.here.quiet()
    assert len(await scene.here.sql("SELECT * FROM post")) == 1
    assert len(await there(scene.here, "id")) == 1


@pytest.mark.rule("XSS-01", "XSS-02", "XSS-05", "XSS-15")
async def test_a_partners_text_in_every_field_of_record_version_and_note_is_shown_and_never_acted_on(scene: Scene) -> None:
    ours = scene.here.kernel.node.settings.uri(f"/library/{await add(scene.here)}")
    for payload in PAYLOADS:
        record = dict.fromkeys(("reason", "publisher", "language", "licence", "source", "identifier", "reviewOn", "kind"), payload)
        record |= {"state": "withdrawn", "authors": [payload], "topics": [payload], "countries": [payload], "translations": [payload]}
        record |= {"versions": [{"number": 1, "note": payload, "reason": payload, "link": payload, "state": "withdrawn"}]}
        text = {
            "name": payload,
            "content": payload,
            "contentMap": {"en": payload},
            "source": {"content": payload, "mediaType": "text/markdown"},
        }
        file = {"type": "Document", "url": payload, "name": payload, "mediaType": payload}
        await scene.takes(scene.p, "Create", resource(scene.p, **text, attachment=[file], summary=payload, record=record))
        said = note(scene.p, ours, content=payload, contentMap={payload: payload})
        await tell(scene.p, scene.here, "Create", said)
        await scene.here.sql("SELECT 1")
    pages = ["/library", *(f"/library/{one}" for one in await there(scene.here, "id"))]
    for path in pages:
        status, text_of = await look(scene.here, path)
        assert status == 200, path
        assert acted_on(text_of) == [], path


async def look(here: Here, path: str) -> tuple[int, str]:
    """A page as a member of the node sees it."""
    viewer: Viewer = here.viewer
    settings = here.kernel.node.settings
    frame: dict[str, Any] = dict(viewer=viewer, menu=[], numbers={}, path=path, here=path, settings=settings, token="t", languages={})
    frame |= dict(notices=(), closed=None, now=here.kernel.node.now(), account="/settings")
    if path == "/library":
        looked = await here.read(views._shelf, viewer, None, "2026-01-01")
        shown: dict[str, Any] = dict(looked=looked, q="", narrowed=False, more="", chosen=[], picked=set(), today="2026-01-01")
        return 200, Templates().render("resources/library.html", words("en", "UTC"), **frame, **shown, **views.CODES)
    one = await here.read(reading.shown, viewer, path.rsplit("/", 1)[1], here.kernel.node.now())
    shown = dict(shown=one, beside=[], lists=[], why_refused=lambda _: "")
    return 200, Templates().render("resources/resource.html", words("en", "UTC"), **frame, **shown, **views.CODES)


def note(rogue: Rogue, about: str, **more: Any) -> dict[str, Any]:
    """What a partner says of a resource."""
    made: dict[str, Any] = {"id": rogue.uri(f"/library/notes/{new_id()}"), "type": ["Note", ap.COUNTRY_NOTE], "inReplyTo": about}
    return made | {"attributedTo": rogue.uri("/actor"), "content": "<p>Ask for it in writing.</p>", ap.COUNTRY: "FR"} | more


@pytest.mark.rule("ORG-04", "ORG-01")
async def test_notes_are_their_authors_own_and_go_to_the_resources_publisher_alone(scene: Scene) -> None:
    ours = scene.here.kernel.node.settings.uri(f"/library/{await add(scene.here)}")
    theirs = resource(scene.g)
    await scene.takes(scene.g, "Create", theirs)
    mine = note(scene.p, ours)
    assert "publisher" in await scene.refuses(scene.p, "Create", note(scene.p, theirs["id"]))
    await scene.refuses(scene.p, "Create", note(scene.p, ours, id=scene.g.uri("/n")))
    await scene.refuses(scene.p, "Create", note(scene.p, ours, attributedTo=scene.g.uri("/actor")))
    assert "people don't" in await scene.refuses(
        scene.p, "Create", note(scene.p, ours, attributedTo=scene.p.uri("/people/sokha")), actor="/people/sokha"
    )
    await scene.takes(scene.p, "Create", mine)
    stolen = mine | {"attributedTo": scene.g.uri("/actor"), "content": "<p>Mine now.</p>", "updated": "2030-01-01T00:00:00Z"}
    await scene.refuses(scene.g, "Update", stolen)
    await scene.refuses(scene.g, "Delete", {"id": mine["id"], "type": ["Tombstone", ap.COUNTRY_NOTE]})
    assert "no such note" in await scene.refuses(scene.g, "Remove", {"id": mine["id"], "type": ap.COUNTRY_NOTE}, target=ours)
    await scene.takes(scene.p, "Update", mine | {"content": "<p>Better.</p>", "updated": "2030-01-01T00:00:00Z"})
    await scene.takes(scene.p, "Delete", {"id": mine["id"], "type": ["Tombstone", ap.COUNTRY_NOTE]})
    await scene.refuses(scene.p, "Create", mine)


@pytest.mark.rule("ORG-04")
async def test_a_publisher_passes_on_what_is_proved_about_its_own_records_and_nothing_else(scene: Scene) -> None:
    theirs = resource(scene.g)
    await scene.takes(scene.g, "Create", theirs)
    said = note(scene.p, theirs["id"])
    inner = scene.p.prove(ap.activity("Create", scene.p.uri(f"/activities/{new_id()}"), scene.p.uri("/actor"), said), scene.p.uri("/actor"))
    unproved = {name: value for name, value in inner.items() if name != "proof"}
    await scene.refuses(scene.g, "Announce", unproved)
    await scene.refuses(scene.g, "Announce", inner | {"object": said | {"content": "<p>Other words.</p>"}})
    await scene.refuses(scene.p, "Announce", inner)  # it has not published the resource
    group = await scene.here.group()
    post = scene.p.create(scene.p.uri("/people/sokha"), group.uri)
    await scene.refuses(scene.g, "Announce", post)  # an organisation is no group
    record = scene.p.prove(
        ap.activity("Create", scene.p.uri(f"/activities/{new_id()}"), scene.p.uri("/actor"), resource(scene.p)), scene.p.uri("/actor")
    )
    await scene.refuses(scene.g, "Announce", record)  # records come from their publishers
    await scene.takes(scene.g, "Announce", inner)
    await scene.takes(scene.g, "Remove", {"id": said["id"], "type": ap.COUNTRY_NOTE}, target=theirs["id"], summary="It names a person.")
    assert await scene.here.sql("SELECT html, removed FROM country_note") == [("", "It names a person.")]


@pytest.mark.rule("DOS-17")
async def test_an_organisation_has_room_for_so_many_notes_on_a_resource(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes_in.notes, "OF_ONE", 2)
    ours = scene.here.kernel.node.settings.uri(f"/library/{await add(scene.here)}")
    for _ in range(2):
        await scene.takes(scene.p, "Create", note(scene.p, ours))
    await scene.refuses(scene.p, "Create", note(scene.p, ours))
    await scene.takes(scene.g, "Create", note(scene.g, ours))


@pytest.mark.rule("CONF-01", "CONF-05")
async def test_a_partner_fetches_what_is_for_it_and_is_told_of_nothing_else(scene: Scene) -> None:
    green, strict = await add(scene.here), await add(scene.here, label="TLP:AMBER+STRICT")
    theirs = resource(scene.g)
    await scene.takes(scene.g, "Create", theirs)
    [of_g] = await there(scene.here, "id", uri=theirs["id"])
    status, headers, text = await scene.p.get(scene.here, f"/library/{green}")
    assert (status, headers["Content-Type"].partition(";")[0], GUIDE.title in text) == (200, ap.MEDIA_TYPE, True)
    nothing = await scene.p.get(scene.here, f"/library/{new_id()}")
    assert nothing[0] == 404
    for hidden in (strict, of_g):
        assert await scene.p.get(scene.here, f"/library/{hidden}") == nothing
    await scene.here.write(service.relabel, scene.here.viewer, green, "TLP:AMBER+STRICT")
    assert await scene.p.get(scene.here, f"/library/{green}") == nothing
    activities = [row[0] for row in await scene.here.sql("SELECT id FROM activity WHERE body LIKE '%fc:record%'")]
    for one in activities:
        assert (await scene.p.get(scene.here, f"/activities/{one}"))[0] == 404


async def labels(here: Here) -> list[tuple[str, ...]]:
    """(note, resource) by label."""
    query = (
        "SELECT country_note.label, resource.label FROM country_note JOIN resource ON resource.id = resource_id ORDER BY country_note.id"
    )
    return list(map(tuple, await here.sql(query)))


@pytest.mark.rule("P8", "CONF-01")
async def test_what_a_partner_says_stays_under_its_own_label_where_the_record_is_wider(scene: Scene) -> None:
    ours = scene.here.kernel.node.settings.uri(f"/library/{await add(scene.here, label='TLP:CLEAR')}")
    said = note(scene.p, ours, **{ap.LABEL: "TLP:GREEN"})
    await scene.takes(scene.p, "Create", said)
    public = {ap.LABEL: "TLP:CLEAR", "to": [ap.PUBLIC], "updated": "2030-01-01T00:00:00Z"}
    await scene.takes(scene.p, "Update", said | public | {"content": "<p>Better.</p>"})
    await scene.takes(scene.p, "Create", note(scene.p, ours, **public))
    for label in ("TLP:AMBER+STRICT", "TLP:RED", "TLP:WHITE"):
        await scene.refuses(scene.p, "Create", note(scene.p, ours, **{ap.LABEL: label}))
    assert await labels(scene.here) == [("TLP:GREEN", "TLP:CLEAR"), ("TLP:CLEAR", "TLP:CLEAR")]


@pytest.mark.rule("P8")
async def test_who_widens_a_record_widens_no_partners_words_about_it(scene: Scene) -> None:
    record_id = await add(scene.here)
    await scene.takes(
        scene.p, "Create", note(scene.p, scene.here.kernel.node.settings.uri(f"/library/{record_id}"), **{ap.LABEL: "TLP:GREEN"})
    )
    await scene.here.write(notes_in.notes.add, scene.here.viewer, record_id, country="KH", text="In writing.")
    await scene.here.write(service.relabel, scene.here.viewer, record_id, "TLP:CLEAR", reason="Everybody may read it.")
    assert await labels(scene.here) == [("TLP:GREEN", "TLP:CLEAR"), ("TLP:CLEAR", "TLP:CLEAR")]
    await scene.here.write(service.relabel, scene.here.viewer, record_id, "TLP:AMBER+STRICT")
    assert await labels(scene.here) == [("TLP:AMBER+STRICT", "TLP:AMBER+STRICT")] * 2


@pytest.mark.rule("P7", "CONF-05")
async def test_a_translation_is_named_to_those_alone_who_may_hear_of_it(scene: Scene) -> None:
    theirs = resource(scene.g)
    await scene.takes(scene.g, "Create", theirs)
    [of_g] = await there(scene.here, "id", uri=theirs["id"])
    wide, also, strict = await add(scene.here), await add(scene.here), await add(scene.here, label="TLP:AMBER+STRICT")
    for other in (strict, of_g, also):
        await scene.here.write(translations.link, scene.here.viewer, wide, f"/library/{other}")
    shown = await scene.here.read(reading.shown, scene.here.viewer, wide, scene.here.kernel.node.now())
    assert {one.id for one in shown.translations} == {strict, of_g, also}
    named = (await scene.here.read(sending.document, wide))[ap.RECORD]["translations"]
    assert named == [scene.here.kernel.node.settings.uri(f"/library/{also}")]
    sent = [row[0] for row in await scene.here.sql("SELECT body FROM activity")]
    assert any(also in body for body in sent)
    assert not any(one in body for one in (strict, theirs["id"]) for body in sent)


@pytest.mark.rule("P7", "P10")
@pytest.mark.parametrize("gone", ["narrowed", "deleted"])
async def test_what_was_said_of_a_record_goes_with_it_from_all_that_was_or_will_be_sent(scene: Scene, gone: str) -> None:
    here, record_id, other_id = scene.here, await add(scene.here), await add(scene.here)
    about = here.kernel.node.settings.uri("/library/")
    for one in (record_id, other_id):
        await scene.takes(scene.p, "Create", note(scene.p, about + one, content=f"<p>Theirs of {one}</p>"))
        await here.write(notes_in.notes.add, here.viewer, one, country="KH", text=f"Ours of {one}")
    if gone == "narrowed":
        await here.write(service.relabel, here.viewer, record_id, "TLP:AMBER+STRICT")
    else:
        await here.write(service.delete, here.viewer, record_id)
    for said in ("Theirs of ", "Ours of "):
        assert await here.sql("SELECT id FROM activity WHERE body LIKE :words", words=f"%{said}{record_id}%") == []
        assert await here.sql("SELECT id FROM activity WHERE body LIKE :words", words=f"%{said}{other_id}%") != []
    kept = "SELECT count(*) FROM delivery JOIN activity ON activity.id = activity_id WHERE body = '' AND state IN ('waiting', 'parked')"
    assert await here.sql(kept) == [(0,)]
