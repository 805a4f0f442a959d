"""Shows that the pages' policy is a wall of its own: with the one that cleans texts taken down, still nothing of a text runs."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from .chromium import Windows

pytestmark = pytest.mark.browser
HOSTILE = """<p id="read">Read me.</p><script>document.title = "ran"</script>
<img src="https://tracker.example/p.gif" onerror="document.title = 'ran'"><svg onload="document.title = 'ran'"></svg>
<a id="press" href="javascript:document.title = 'ran'">Press</a><iframe srcdoc="<script>1</script>"></iframe>
<p style="position:fixed;inset:0;background:url(https://tracker.example/c.png)">over all</p>
<form action="https://tracker.example/"><button id="send">Send</button></form>
<link rel="stylesheet" href="https://tracker.example/s.css"><object data="https://tracker.example/o"></object>"""


@pytest.fixture
def hostile(windows: Windows) -> Iterator[str]:
    """A post whose text stands in the database as nobody has cleaned it; afterwards it is as it was."""
    scene, busy = windows.scene, windows.scene.busy
    there = sa.text("SELECT html FROM post WHERE id = :id"), {"id": scene.places["own"]}
    before = scene.run(busy.kernel.database.read(lambda session: session.execute(*there).scalar_one()))

    def put(html: str) -> None:
        changed = sa.text("UPDATE post SET html = :html WHERE id = :id")
        scene.run(busy.kernel.database.write(lambda session: session.execute(changed, {"html": html, "id": scene.places["own"]}).close()))

    put(HOSTILE)
    yield f"{busy.url}/posts/{scene.places['own']}"
    put(before)


@pytest.mark.rule("XSS-14")
@pytest.mark.rule("XSS-15")
def test_what_nobody_has_cleaned_runs_nothing_asks_nobody_and_covers_nothing(windows: Windows, hostile: str) -> None:
    with windows.tab("ilse") as tab:
        asked: list[str] = []
        complaints: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: complaints.append(message.text))
        tab.goto(hostile)
        assert tab.locator("#read").inner_text() == "Read me."
        assert tab.evaluate("() => getComputedStyle(document.querySelector('main [style]')).position") == "static"
        at, title = tab.url, tab.title()
        tab.evaluate("() => document.getElementById('press').click()")
        tab.wait_for_timeout(300)
        assert tab.title() == title
        tab.evaluate("() => document.getElementById('send').click()")
        tab.wait_for_timeout(300)
        assert tab.url == at
        assert all(any(what in said for said in complaints) for what in ("inline script", "event handler", "form-action", "img-src"))
        assert not [url for url in asked if "tracker.example" in url and not _refused(url, complaints)]


def _refused(url: str, complaints: list[str]) -> bool:
    """Whether the browser says that it has asked nobody for this: a request that the policy stops is told as one before it is stopped."""
    return any(url.rstrip("/") in said for said in complaints)
