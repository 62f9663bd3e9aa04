"""`augimpact profile` as people call it: a report of real files, one line for every mistake, nothing half written."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from augimpact import cli
from augimpact.cli import profile as command

FILES = ["profile.json", "profile.txt", "report.html", "report.pdf", "samples.csv"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder in which commands are run, with `train` of ten images in two classes, and `val` of four."""
    random = np.random.default_rng(0)
    for split, count in (("train", 10), ("val", 4)):
        for number in range(count):
            place = tmp_path / split / ("cat", "dog")[number % 2]
            place.mkdir(parents=True, exist_ok=True)
            pixels = random.integers(0, 256, (40, 50, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(place / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments, capsys):
    """Exit status, standard output and error of a command in this process."""
    with pytest.raises(SystemExit) as stopped:
        cli.main(["profile", *map(str, arguments)])
    captured = capsys.readouterr()
    return stopped.value.code or 0, captured.out, captured.err


def document(folder):
    return json.loads((folder / "profile.json").read_text())


def test_a_report_is_written_and_every_sentence_printed(folder, capsys):
    status, out, err = run("train", "--val", "val", "-o", "out", capsys=capsys)
    assert (status, err) == (0, "")
    written = document(folder / "out")
    lines = out.splitlines()
    panels = written["panels"]
    assert lines[: len(panels)] == [f"{each['title']}: {each['sentence']}" for each in panels.values()]
    assert [line for line in lines[len(panels) :] if "tensorboard" not in line] == [f"out/{name}" for name in FILES]
    assert all((folder / line).is_file() for line in lines[len(panels) :])
    assert written["complete"] is True
    assert panels["summary"]["statistics"]["train"]["images"] == 10
    assert panels["classes"]["statistics"]["counts"] == {"train": {"cat": 5, "dog": 5}, "val": {"cat": 2, "dog": 2}}
    assert "samples" not in panels


def test_one_file_may_be_asked_for(folder, capsys):
    status, out, _ = run("train", "-o", "report.json", capsys=capsys)
    assert (status, out.splitlines()[-1]) == (0, "report.json")
    assert sorted(each.name for each in folder.iterdir()) == ["report.json", "train", "val"]


def test_options_reach_the_profile(folder, capsys):
    status, _, err = run(
        "train", "-a", "rotation=-45:45", "-a", "brightness=0.5", "--samples", 2, "--max-samples", 6, "--seed", 3,
        "--hide-class", "dog", "--features", "broken,samples, classes", "--features", "summary", "-o", "out",
        capsys=capsys,
    )  # fmt: skip
    assert (status, err) == (0, "")
    written = document(folder / "out")
    assert list(written["panels"]) == ["summary", "broken", "classes", "samples"]
    assert written["complete"] is False
    assert written["panels"]["broken"]["statistics"]["train"]["images"] == 6
    assert written["panels"]["broken"]["statistics"]["train"]["difference"]["brightness"] < -0.1
    assert set(written["panels"]["classes"]["statistics"]["counts"]["train"]) == {"cat", "hidden"}
    assert set(written["panels"]["samples"]["statistics"]["classes"]) == {"cat"}


def test_help_says_what_is_compared_and_which_column_is_the_class(capsys):
    status, out, _ = run("--help", capsys=capsys)
    assert status == 0
    told = " ".join(out.replace("│", " ").split())
    assert "middle square at 224²" in told
    assert "a column `path`, and the class in `category`: else it is the folder's name" in told


def test_names_are_hidden_and_panels_left_out(folder, capsys):
    status, out, _ = run(
        "train", "--hide-names", "--samples", 1, "--features", "-drift,-samples,-errors", "-o", "out", capsys=capsys
    )
    assert status == 0
    assert "errors" not in document(folder / "out")["panels"]
    counts = document(folder / "out")["panels"]["classes"]["statistics"]["counts"]
    assert counts == {"train": {"class 0": 5, "class 1": 5}}
    assert set(pd.read_csv(folder / "out" / "samples.csv")["class"]) == {"class 0", "class 1"}
    assert " cat" not in out


def test_a_class_is_hidden_by_its_number_as_well(folder, capsys):
    run("train", "--hide-class", "0", "--features", "classes", "-o", "out.json", capsys=capsys)
    counts = json.loads((folder / "out.json").read_text())["panels"]["classes"]["statistics"]["counts"]
    assert counts == {"train": {"dog": 5, "hidden": 5}}


def test_a_table_is_profiled_as_a_folder_is(folder, capsys):
    paths = sorted(str(each.relative_to(folder)) for each in (folder / "train").rglob("*.png"))
    pd.DataFrame({"path": paths}).to_csv("table.csv", index=False)
    run("table.csv", "-o", "of_table.json", capsys=capsys)
    run("train", "-o", "of_folder.json", capsys=capsys)
    assert (folder / "of_table.json").read_text() == (folder / "of_folder.json").read_text()


def test_an_interruption_gives_the_report_of_what_was_seen(folder, capsys, monkeypatch):
    @contextmanager
    def interrupted(_):
        def step(text, done, total):
            if (text, done) == ("profiling", 12):
                raise KeyboardInterrupt

        yield step

    monkeypatch.setattr(command, "progress_bar", interrupted)
    status, out, _ = run("train", "--val", "val", "-o", "out", capsys=capsys)
    assert status == 130
    assert out.startswith("Summary: 10 images")
    written = document(folder / "out")
    assert written["complete"] is False
    assert written["panels"]["summary"]["statistics"]["val"]["images"] == 2
    assert "Not all samples were seen." in (folder / "out" / "report.html").read_text()


def test_an_interruption_before_the_second_split_gives_the_first(folder, capsys, monkeypatch):
    @contextmanager
    def interrupted(_):
        def step(text, done, total):
            if (text, done) == ("profiling", 10):
                raise KeyboardInterrupt

        yield step

    monkeypatch.setattr(command, "progress_bar", interrupted)
    status, *_ = run("train", "--val", "val", "-o", "out.json", capsys=capsys)
    assert status == 130
    assert list(json.loads((folder / "out.json").read_text())["panels"]["summary"]["statistics"]) == ["train"]


@pytest.mark.parametrize("options", [[], ["-a", "rotation=-9:9"]])
def test_an_interruption_before_the_first_sample_is_told_as_such_and_leaves_nothing(
    folder, capsys, monkeypatch, options
):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("augimpact.profiling.looking.Look.at_group", interrupted)
    status, out, err = run("train", *options, "-o", "out", capsys=capsys)
    assert (status, out, err) == (130, "", "augimpact: interrupted\n")
    assert not (folder / "out").exists()


def test_the_help_says_all_that_samples_shows(capsys):
    _, out, _ = run("--help", capsys=capsys)
    told = " ".join(re.sub(r"[^\w .,;-]", " ", re.sub(r"\x1b\[[0-9;]*m", "", out)).split())
    assert "pictures of each split, besides the outermost images and the means of small classes" in told
    assert "samples.csv then has path and class of every sample" in told


MISTAKES = [
    (["missing", "-o", "out"], "there is no folder 'missing'"),
    (["train", "--val", "missing", "-o", "out"], "there is no folder 'missing'"),
    (["missing.csv", "-o", "out"], "the table 'missing.csv' cannot be read"),
    (["empty", "-o", "out"], "the folder 'empty' holds no"),
    (["broken", "-o", "new/out"], "train has no sample that can be used"),
    (["train"], "Missing option '--output'"),
    (["-o", "out"], "Missing argument 'train'"),
    (["train", "-o", "out.tiff"], "unknown suffix of a report '.tiff'"),
    (["train", "-o", "missing/report.html"], "there is no folder 'missing'"),
    (["train", "-o", "train/cat/0.png/out"], "cannot write to the folder 'train/cat/0.png/out'"),
    (["train", "-o", "/proc/out"], "/proc"),
    (["train", "-a", "rotatoin=-9:9", "-o", "out"], "unknown parameter 'rotatoin'; did you mean rotation?"),
    (["train", "-a", "rotation=-9:9:3", "-o", "out"], "-a 'rotation=-9:9:3'; expected NAME=A:B"),
    (["train", "-a", "rotation=0:400", "-o", "out"], "rotation"),
    (["train", "-a", "mixup=0:1", "-o", "out"], "mixup"),
    (["train", "--hide-class", "cow", "-o", "out"], "unknown class 'cow'"),
    (["train", "--features", "clases", "-o", "out"], "unknown feature 'clases'; did you mean classes?"),
    (["train", "--samples", "-1", "-o", "out"], "Invalid value for '--samples'"),
    (["train", "--max-samples", "0", "-o", "out"], "Invalid value for '--max-samples'"),
    (["train", "--seed", "many", "-o", "out"], "Invalid value for '--seed'"),
    (["train", "--device", "warp", "-o", "out"], "device is 'warp'; expected auto, cpu or cuda"),
    (["train", "--device", "cuda:99", "-o", "out"], "device 'cuda:99' cannot be used on this machine"),
]


@pytest.mark.parametrize(
    ("arguments", "words"), MISTAKES, ids=lambda each: " ".join(each) if isinstance(each, list) else ""
)
def test_a_mistake_is_one_line_with_status_2_and_leaves_nothing(folder, capsys, arguments, words):
    (folder / "empty").mkdir()
    (folder / "broken" / "cat").mkdir(parents=True)
    (folder / "broken" / "cat" / "1.png").write_bytes(b"no image")
    before = sorted(folder.rglob("*"))
    status, out, err = run(*arguments, capsys=capsys)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("augimpact: ")
    assert words in err
    assert sorted(folder.rglob("*")) == before


def test_it_runs_as_a_process_of_its_own(folder):
    arguments = ["profile", "train", "--features", "summary", "--max-samples", "4", "-o", "out.txt"]
    done = subprocess.run([sys.executable, "-m", "augimpact.cli", *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Summary: 4 images")
    assert (folder / "out.txt").read_text().startswith("Not all samples were seen.")


def test_of_deep_files_white_can_be_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep").mkdir()
    for number in range(3):
        pixels = np.full((20, 30), 1000 * number + 1365, np.uint16)
        Image.fromarray(pixels).save(tmp_path / "deep" / f"{number}.png")
    status, out, _ = run("deep", "-o", "plain", capsys=capsys)
    assert status == 0
    assert "value_range=(0, 4095)" in out
    status, out, _ = run("deep", "--value-range", "0:4095", "-o", "told", capsys=capsys)
    assert status == 0
    assert "value_range" not in out
    found = document(tmp_path / "told")["panels"]["brightness"]["statistics"]["train"]
    assert found["min"] == pytest.approx(1365 / 4095, abs=1 / 510)
    for wrong in ("4095", "0:x", "9:1", "0:inf"):
        status, _, err = run("deep", "--value-range", wrong, "-o", "none", capsys=capsys)
        assert (status, err) == (2, f"augimpact: the value range is {wrong!r}; expected BLACK:WHITE, such as 0:4095\n")
