"""`augimpact impact`: the whole on photographs, gone on with, on workers; mistakes in one line."""

from __future__ import annotations

import pandas as pd
import pytest

import augimpact as ai
from augimpact.cli.main import main
from tests.impact.conftest import put_pieces


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    return put_pieces(tmp_path_factory.mktemp("cli") / "photographs", 2)


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["impact", *map(str, arguments)])
    told = capsys.readouterr()
    return ended.value.code, told.out, told.err


def test_the_command_of_the_readme_gives_table_curves_ranges_and_report(pieces, tmp_path, capsys):
    command = [pieces, "-a", "rotation=-90:90", "--frames", 5, "-o", tmp_path / "out"]
    code, out, _ = run(capsys, *command)
    assert code in (0, None)
    assert "rotation" in out
    assert "with 95% confidence (8 samples)" in out
    assert str(tmp_path / "out" / "report.html") in out
    table = pd.read_parquet(tmp_path / "out" / "table.parquet")
    assert len(table) == 8 * 5
    first = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("parts/*/*")}
    code, again, _ = run(capsys, *command)
    assert again == out
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("parts/*/*")} == first


def test_each_parameter_alone_maps_and_own_class_names(pieces, tmp_path, capsys):
    code, out, _ = run(
        capsys, pieces, "-a", "rotation=-30:30", "-a", "brightness=0.5:1.5", "--each", "--frames", 3, "--maps",
        "--class", "missile=projectile", "-o", tmp_path / "out", "--points", 20,
    )  # fmt: skip
    assert code in (0, None)
    assert "at most 20 points" in out
    impact = ai.Impact.load(tmp_path / "out")
    assert [path.parameters for path in impact.outcomes.paths] == [("rotation",), ("brightness",)]
    assert impact.recipe["labels"]["missile"] == 744
    assert "drift_overlap" in impact.curves()


def test_workers_of_this_machine_measure_the_same(pieces, tmp_path, capsys):
    options = [pieces, "-a", "rotation=-30:30", "--frames", 3]
    for name, more in (("here", []), ("there", ["--workers", 1])):
        code, _, error = run(capsys, *options, "-o", tmp_path / name, *more)
        assert code in (0, None), error
    here, there = (ai.Impact.load(tmp_path / name).table() for name in ("here", "there"))
    pd.testing.assert_frame_equal(here, there, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-a", "rotation=5"], "no parameter is swept; expected -a NAME=A:B"),
        (["-a", "rotation=-5:5", "--scheduler", "tcp://127.0.0.1:9", "--workers", 1], "expected one of them"),
        (["-a", "rotation=-5:5", "--resource", "GPU"], "--resource is 'GPU'; expected NAME=VALUE, such as GPU=1"),
        (["-a", "rotation=-5:5", "--resource", "GPU=x"], "--resource GPU is 'x'; expected a number"),
        (["-a", "rotation=-5:5", "--class", "missile=misile"], "did you mean missile"),
        (["-a", "rotation=-5:5", "--model", "resnet51"], "unknown model 'resnet51'"),
        (["-a", "rotation=-500:5"], "rotation is -500"),
        (["-a", "rotation=-5:5", "--border", "blak"], "unknown border 'blak'"),
    ],
)
def test_a_mistake_is_one_line_with_status_2(pieces, tmp_path, capsys, arguments, expected):
    code, out, error = run(capsys, pieces, *arguments, "-o", tmp_path / "out")
    assert code == 2
    assert expected in error
    assert error.count("\n") == 1
    assert not out


def test_a_folder_that_is_not_there_is_one_line(tmp_path, capsys):
    code, _, error = run(capsys, tmp_path / "missing", "-a", "rotation=-5:5", "-o", tmp_path / "out")
    assert (code, error.startswith("augimpact: there is no folder")) == (2, True)
