"""Tables, flips and files of a trace; on a small one whose numbers are known."""

from __future__ import annotations

import json
import pickle
import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import augimpact as ai
from augimpact.augment.parameters import CATALOGUE
from augimpact.data.image import example
from augimpact.errors import OutputError, UserError
from augimpact.models.outputs import VALUES, Outputs
from augimpact.sweep import Sweep
from augimpact.trace import Trace
from tests.conftest import mean_luma

SCORES = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.3, 0.6, 0.1], [0.2, 0.1, 0.7]], np.float32)


def made(scores=SCORES, neutral=None) -> Trace:
    random = np.random.default_rng(0)
    count = len(scores)
    sweep = Sweep(rotation=(-30, 30), brightness=1.5, frames=count)
    return Trace(
        settings=sweep.settings(),
        frames=random.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8),
        scores=scores,
        maps=random.random((count, 4, 4), dtype=np.float32),
        targets=scores.argmax(axis=1),
        homographies=random.random((count, 3, 3)),
        outputs=Outputs.of_classes(["cat", "dog", "über-<b>"]),
        parameters=tuple(CATALOGUE.values()),
        recipe={"image": {"name": "some.jpg", "hash": "00", "size": [8, 8]}, "sweep": sweep.recipe()},
        neutral=neutral,
    )


TRACE = made(neutral=replace(made(SCORES[:1]), recipe=made().recipe))


def test_the_table_has_a_row_a_frame():
    table = TRACE.table()
    assert table["rotation"].tolist() == pytest.approx([-30, -10, 10, 30])
    assert table["class_1"].tolist() == ["cat", "cat", "dog", "über-<b>"]
    assert table["score_1"].tolist() == pytest.approx([0.7, 0.6, 0.6, 0.7])
    assert table["class_3"].tolist() == ["über-<b>", "über-<b>", "über-<b>", "dog"]
    assert table["target_score"].tolist() == table["score_1"].tolist()
    assert "perspective_x" not in table


def test_flips_stand_half_way_between_the_frames():
    flips = TRACE.flips()
    assert flips["frame"].tolist() == [2, 3]
    assert flips["from"].tolist() == ["cat", "dog"]
    assert flips["to"].tolist() == ["dog", "über-<b>"]
    assert flips["rotation"].tolist() == pytest.approx([0, 20])
    assert flips["brightness"].tolist() == [1.5, 1.5]


def test_without_a_flip_the_table_of_flips_is_empty_and_has_its_columns():
    flips = made(SCORES[[0, 0, 1]]).flips()
    assert len(flips) == 0
    assert {"frame", "from", "to", "rotation"} <= set(flips)


def test_winners_come_first_among_the_outputs_that_matter():
    near = np.array([[0.4, 0.39, 0.21], [0.38, 0.39, 0.23], [0.41, 0.4, 0.19]], np.float32)
    trace = made(near)
    assert trace.outputs_that_matter() == [0, 1, 2]
    assert trace.outputs_that_matter(limit=1) == [0]
    only_last_wins = np.array([[0.45, 0.05, 0.5]] * 2, np.float32)
    assert made(only_last_wins).outputs_that_matter() == [2, 0, 1]


def test_captions_name_what_is_not_neutral():
    assert TRACE.captions()[0] == "rotation −30.0°  brightness 1.50"


def test_npz_gives_everything_back_exactly(tmp_path):
    again = Trace.load(TRACE.save(tmp_path / "trace.npz"))
    for one, other in ((again, TRACE), (again.neutral, TRACE.neutral)):
        pd.testing.assert_frame_equal(one.settings, other.settings)
        for name in ("frames", "scores", "maps", "targets", "homographies"):
            left, right = getattr(one, name), getattr(other, name)
            assert left.dtype == right.dtype
            assert np.array_equal(left, right), name
        assert one.outputs == other.outputs
        assert one.parameters == other.parameters
        assert one.recipe == other.recipe
    assert again.neutral.neutral is None
    assert Trace.load(made().save(tmp_path / "alone.npz")).neutral is None


def test_json_holds_settings_scores_targets_and_recipe(tmp_path):
    document = json.loads(TRACE.save(tmp_path / "trace.json").read_text(encoding="utf-8"))
    assert document["recipe"] == TRACE.recipe
    assert len(document["frames"]) == 4
    frame = document["frames"][3]
    assert frame["setting"]["rotation"] == 30
    assert [each["label"] for each in frame["top"]] == ["über-<b>", "cat", "dog"]
    assert [each["score"] for each in frame["top"]] == pytest.approx([0.7, 0.2, 0.1])
    assert frame["target"] == "über-<b>"
    assert [flip["frame"] for flip in document["flips"]] == [2, 3]


@pytest.mark.parametrize(("suffix", "kind", "frames"), [("gif", "GIF", 6), ("webp", "WEBP", 6), ("png", "PNG", 1)])
def test_pictures_are_written_in_the_form_that_the_suffix_names(tmp_path, suffix, kind, frames):
    with Image.open(TRACE.save(tmp_path / f"trace.{suffix.upper()}")) as image:
        assert image.format == kind
        assert getattr(image, "n_frames", 1) == frames


def test_pictures_carry_caption_and_strip_unless_told_otherwise():
    with_caption, bare = TRACE.pictures(), TRACE.pictures(caption=False)
    assert bare.shape == (4, 32, 32, 3)
    assert with_caption.shape[2] >= 220
    assert TRACE.pictures(caption=False, width=50).shape == (4, 50, 50, 3)
    assert with_caption.shape[1] > with_caption.shape[2]


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("trace.jpeg", {}, "suffix '.jpeg'; expected one of .gif"),
        ("trace", {}, "suffix ''"),
        ("trace.npz", {"opacity": 1}, "unknown option of .npz files 'opacity'; there are none"),
        ("trace.gif", {"opactiy": 1}, "did you mean opacity"),
        ("missing/trace.gif", {}, "there is no folder"),
    ],
)
def test_what_cannot_be_written_is_named_and_leaves_nothing(tmp_path, name, options, words):
    with pytest.raises(OutputError, match=words):
        TRACE.save(tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 not really a zip"])
def test_what_is_no_trace_is_refused(tmp_path, content):
    file = tmp_path / "trace.npz"
    file.write_bytes(content)
    with pytest.raises(OutputError, match="is not a trace"):
        Trace.load(file)
    with pytest.raises(OutputError, match="is not a trace"):
        Trace.load(tmp_path / "missing.npz")


def test_an_npz_of_something_else_or_of_a_newer_format_is_refused(tmp_path):
    np.savez(tmp_path / "other.npz", values=np.arange(3))
    with pytest.raises(OutputError, match="is not a trace"):
        Trace.load(tmp_path / "other.npz")
    np.savez(tmp_path / "newer.npz", meta=np.array(json.dumps({"format": 99})))
    with pytest.raises(OutputError, match="newer augimpact"):
        Trace.load(tmp_path / "newer.npz")


def test_a_failure_while_writing_leaves_the_old_file_as_it_was(tmp_path):
    file = TRACE.save(tmp_path / "trace.json")
    before = file.read_bytes()
    broken = made(np.array([[np.nan, 0.5, 0.5]] * 2, np.float32))
    with pytest.raises(ValueError, match="JSON"):
        broken.save(file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_traces_can_be_saved_from_many_threads_at_once(tmp_path):
    files = [tmp_path / f"{index}.gif" for index in range(8)]
    threads = [threading.Thread(target=TRACE.save, args=(file,)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({file.read_bytes() for file in files}) == 1


def test_it_shows_itself_as_an_animation():
    bundle = TRACE._repr_mimebundle_()
    assert bundle["image/webp"].startswith("UklGR")
    assert "4 frames of 'some.jpg', changing rotation, brightness" in bundle["text/plain"]


def reversed_path(trace):
    """The same sweep walked from its end."""
    settings = trace.settings[::-1].reset_index(drop=True)
    arrays = {name: getattr(trace, name)[::-1] for name in ("scores", "frames", "maps", "targets", "homographies")}
    return replace(trace, settings=settings, **arrays)


@pytest.mark.parametrize("trace", [TRACE, reversed_path(TRACE)], ids=["forwards", "backwards"])
def test_the_stable_range_runs_from_flip_to_flip_about_neutral(trace):
    """Cat at −30° and −10°, and without any turn; dog at 10°: whichever of the two beside 0° is met first."""
    stable = trace.stable_range()
    assert stable.index.tolist() == ["rotation"]
    row = stable.loc["rotation"]
    assert (row["low"], row["high"]) == (-30, pytest.approx(0))
    assert (row["low_flips"], row["high_flips"]) == (False, True)


def test_where_no_frame_beside_neutral_says_what_the_neutral_image_says_there_is_no_stable_range():
    row = replace(TRACE, scores=SCORES[[0, 3, 3, 0]]).stable_range().loc["rotation"]
    assert np.isnan(row["low"])
    assert np.isnan(row["high"])
    assert not row["low_flips"]
    # Without a neutral frame the nearest one counts.
    row = made(SCORES[[0, 3, 3, 0]]).stable_range().loc["rotation"]
    assert (row["low"], row["high"]) == (pytest.approx(-20), pytest.approx(20))


def test_flips_that_were_searched_for_take_the_place_of_the_halfway_ones():
    found = TRACE.settings.iloc[[1, 2]].reset_index(drop=True).assign(rotation=[-3.5, 28.0])
    found = pd.concat([pd.DataFrame({"frame": [2, 3], "from": [0, 1], "to": [1, 2]}), found], axis=1)
    trace = replace(TRACE, located=found)
    assert trace.flips()["rotation"].tolist() == [-3.5, 28.0]
    assert trace.flips()["to"].tolist() == ["dog", "über-<b>"]
    assert trace.stable_range().loc["rotation", "high"] == -3.5
    # They belong to the whole path.
    assert trace[:3].located is None


def test_the_table_says_how_far_the_map_drifted_and_measures_the_picture():
    table = TRACE.table()
    assert {"drift_shift", "drift_overlap", "drift_correlation", "drift_visible"} <= set(table)
    assert table["measured_brightness"].to_numpy() == pytest.approx(
        [mean_luma(Image.fromarray(frame)) for frame in TRACE.frames]
    )
    assert "drift_shift" not in made().table()
    with pytest.raises(UserError, match="has no neutral frame"):
        made().drift()


def test_the_target_of_a_difference_is_told_with_the_difference_of_the_logits():
    pair = replace(TRACE, targets=np.zeros(4, np.int64), against=1)
    assert pair.target_names() == ["cat − dog"] * 4
    assert pair.target_scores() == pytest.approx(np.log(SCORES[:, 0] / SCORES[:, 1]), rel=1e-5)
    assert TRACE.target_scores() == pytest.approx(SCORES.max(axis=1))


def test_the_confidence_area_is_the_mean_score_of_the_neutral_class_along_the_path():
    scores = SCORES[:, 0]
    assert TRACE.confidence_area() == pytest.approx(np.trapezoid(scores) / 3)


def test_csv_is_the_table(tmp_path):
    read = pd.read_csv(TRACE.save(tmp_path / "trace.csv"), index_col="frame")
    pd.testing.assert_frame_equal(read, TRACE.table(), check_dtype=False, rtol=1e-5)


@pytest.mark.parametrize("part", [slice(1, 3), slice(2, None), slice(None, None, 2), 1, -1])
def test_a_part_of_a_trace_has_the_rows_of_its_table(part):
    rows = TRACE.table().iloc[part if isinstance(part, slice) else [part]].reset_index(drop=True)
    columns = ["class_1", "score_1", "target", "drift_shift", "measured_brightness"]
    pd.testing.assert_frame_equal(TRACE[part].table()[columns], rows[columns], check_names=False)


def test_an_output_may_be_called_like_a_parameter():
    outputs = Outputs(VALUES, ("rotation",), ("",), ((-90.0, 90.0),), (0.0,))
    table = replace(made(np.array([[1], [2], [3], [4]], np.float32)), outputs=outputs).table()
    assert table["rotation"].tolist() == pytest.approx([-30, -10, 10, 30])
    assert table["value_rotation"].tolist() == [1, 2, 3, 4]


def test_the_stable_range_of_a_path_that_turns_back_reaches_as_far_as_the_path_did():
    path = TRACE.settings.assign(rotation=[0.0, 10.0, 0.0, -5.0])
    row = replace(TRACE, settings=path, scores=SCORES[[0, 0, 0, 0]]).stable_range().loc["rotation"]
    assert (row["low"], row["high"]) == (-5, 10)
    assert not row["low_flips"]
    assert not row["high_flips"]


def test_a_path_that_does_not_pass_neutral_has_no_stable_range():
    path = TRACE.settings.assign(rotation=[10.0, 20.0, 30.0, 40.0])
    assert np.isnan(replace(TRACE, settings=path).stable_range().loc["rotation", "low"])


def test_the_confidence_area_is_measured_along_the_path():
    """Half of the way is walked in the last step alone."""
    path = TRACE.settings.assign(rotation=[0.0, 10.0, 20.0, 60.0])
    scores = SCORES[:, 0]
    expected = np.trapezoid(scores, [0, 10, 20, 60]) / 60
    assert replace(TRACE, settings=path).confidence_area() == pytest.approx(expected)


def test_what_is_measured_of_a_trace_is_not_measured_again_of_its_parts(classifier):
    trace = ai.analyze(example("cat"), ai.Sweep(brightness=(0.5, 1), frames=4), classifier)
    fresh = trace[1:3].measures()
    trace.measures()
    part = pickle.loads(pickle.dumps(trace))[1:3]
    assert "_measures" in vars(part)
    pd.testing.assert_frame_equal(part.measures(), fresh)
    seen = classifier.inputs.scaled(torch.from_numpy(trace.frames[1:3]).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    expected = [mean_luma(Image.fromarray(each.numpy())) for each in seen]
    assert part.measures()["brightness"].tolist() == pytest.approx(expected)
