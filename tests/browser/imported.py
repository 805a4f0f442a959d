"""Decides what the pages of imports show: one that has just been read, long ones, one in the middle, one that is done."""

from typing import TYPE_CHECKING

from fedcollab.features.resources.exchange import formats, importing

if TYPE_CHECKING:
    from .scene import Scene

TEXT = r"""@book{a, title = {What agencies promise: 140 adverts compared}, author = {Vann, Dara and Amal Haddad}, keywords = {rivers}}
@book{b, title = {دليل الاستقبال الأول}, author = {سمر حداد}, language = {ar}, keywords = {TLP:AMBER+STRICT}}
@article{c, title = {Half an entry,
@misc{d, title = {<b>Bold</b> claims}, url = {ftp://claims.example/with-a-long-address-that-has-no-place-to-break}, pages = {1--9}}
@misc{e, title = {<b>Bold</b> claims}}
"""
MANY = "".join(f"@book{{k{number}, title = {{Number {number}}}}}\n" for number in range(60))


async def import_some(made: "Scene") -> None:
    """Ilse has imports in every state."""
    busy, ilse = made.busy, made.people["ilse"]
    for place, text in (
        ("import", TEXT),
        ("import_long", MANY),
        ("import_running", MANY),
        ("import_done", TEXT),
        ("import_unread", "TY  -\n"),
    ):
        about = dict(name="réseau.bib" if text == TEXT else "", code="bibtex", guessed=text == TEXT, label="TLP:GREEN", publisher="")
        made.places[place] = import_id = await busy.write(importing.begin, ilse, text=text, **about)
        if place == "import_unread":
            continue
        rows = importing.stored(formats.rows(text, "bibtex"), {})
        rows[0] |= dict(state="known", chosen=False, resource_id=made.places["old"]) if text == TEXT else {}
        await busy.write(importing.put_rows, ilse, import_id, rows, last=True)
        if place in ("import_running", "import_done"):
            await busy.write(importing.start, ilse, import_id)
            await busy.write(importing.run, import_id, 0.0 if place == "import_running" else 5.0)
