"""The bench's table: what it says of a value over its target, beside its floor, and without a target. No test of ours is timed."""

import json

import pytest

from tests.bench import __main__ as bench
from tests.bench.table import Row, as_json, as_text, good

WITHIN = Row("a page", 1200.0, "CPU-us", 400.0, 1600.0)
OVER = Row("memory", 101.5, "MiB", 40.0, 100.0)
INFORMS = Row("a post stored", 9000.0, "CPU-us", 300.0)


def test_a_value_over_its_target_is_not_ok_and_one_at_its_target_is() -> None:
    assert (WITHIN.ok, OVER.ok, INFORMS.ok) == (True, False, None)
    assert Row("x", 100.0, "MiB", 40.0, 100.0).ok is True
    assert good([WITHIN, INFORMS])
    assert not good([WITHIN, OVER])


def test_each_row_has_all_its_cells_in_json() -> None:
    rows = json.loads(as_json([WITHIN, OVER, INFORMS]))
    assert [set(row) for row in rows] == [{"name", "value", "unit", "floor", "ratio", "target", "ok"}] * 3
    assert rows[0] == {"name": "a page", "value": 1200.0, "unit": "CPU-us", "floor": 400.0, "ratio": 3.0, "target": 1600.0, "ok": True}
    assert (rows[1]["ok"], rows[2]["target"], rows[2]["ok"]) == (False, None, None)


def test_people_see_which_row_is_not_ok() -> None:
    lines = as_text([WITHIN, OVER, INFORMS]).splitlines()
    assert [line.endswith("NOT OK") for line in lines] == [False, False, True, False]
    assert lines[1].endswith(" ok")
    assert "ok" not in lines[3].lower()


def test_a_measure_without_a_floor_has_no_ratio() -> None:
    assert Row("x", 1.0, "s").ratio is None


@pytest.mark.parametrize(("row", "code"), [(WITHIN, 0), (INFORMS, 0), (OVER, 1)])
def test_the_exit_code_says_whether_every_target_is_kept(
    row: Row, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "MEASURES", {"sample": lambda place: [row]})
    monkeypatch.setattr("sys.argv", ["bench", "--json"])
    assert bench.main() == code
    assert json.loads(capsys.readouterr().out)[0]["name"] == row.name
