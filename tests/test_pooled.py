"""Shows that what tests take from a pool is what they would have made."""

from pathlib import Path

import pytest
import sqlalchemy as sa

import fedcollab.app  # noqa: F401  # all tables
from fedcollab.base.database import open_database
from fedcollab.base.model import Model
from fedcollab.base.templates import Templates

from . import pooled


def test_a_kept_key_is_read_as_it_was_made_and_a_broken_one_made_anew(tmp_path: Path) -> None:
    place = tmp_path / "keys" / "0.der"
    made = pooled._kept(place).private_numbers()
    assert pooled._kept(place).private_numbers() == made
    place.write_bytes(place.read_bytes()[:100])
    anew = pooled._kept(place).private_numbers()
    assert anew != made
    assert pooled._kept(place).private_numbers() == anew


def test_no_two_keys_of_the_pool_are_the_same() -> None:
    assert len({pooled.rsa().public_key().public_numbers().n for _ in range(pooled.KEYS)}) == pooled.KEYS


def test_a_file_with_tables_is_as_one_whose_tables_were_made_there(tmp_path: Path) -> None:
    def schema(name: str) -> list[tuple[object, ...]]:
        database = open_database(f"sqlite:///{tmp_path / name}")
        (Model.metadata.create_all if name == "made" else pooled.tables)(database.engine)
        with database.engine.connect() as connection:
            found = connection.execute(sa.text("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"))
            return [tuple(row) for row in found]

    made = schema("made")
    assert len(made) > len(Model.metadata.tables)
    assert schema("one") == schema("other") == made


def test_a_template_is_compiled_once_and_anew_when_its_text_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = Templates()._environment
    place, kept = tmp_path / "page.html", pages.bytecode_cache
    assert isinstance(kept, pooled.Compiled)
    assert Templates()._environment.bytecode_cache is kept
    monkeypatch.setattr(pages.loader, "searchpath", [str(tmp_path)])
    before = len(kept.kept)
    for text, more in (("<p>one</p>", 1), ("<p>one</p>", 1), ("<p>other</p>", 2)):
        place.write_text(text)
        assert pages.overlay(cache_size=0).get_template("page.html").render() == text
        assert len(kept.kept) == before + more
