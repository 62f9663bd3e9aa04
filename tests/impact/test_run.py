"""A dataset under every setting: against other programs, stopped and gone on with, damaged."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torchvision.transforms import functional as tv
from torchvision.transforms.v2 import functional as v2

import augimpact as ai
from augimpact.augment.own import forget
from augimpact.data.samples import SampleTable
from augimpact.drift import Drift
from augimpact.errors import Cancelled, DataError, ModelError, OutputError, ParameterError
from augimpact.impact.identity import fingerprint
from augimpact.impact.labels import matched_classes
from tests.impact.conftest import put_pieces
from tests.networks import small_network, small_signal_model

SWEEP = ai.Sweep(rotation=(-60, 60), frames=5)


def quiet(_done: int, _total: int) -> None:
    """No bar."""


@pytest.fixture(scope="module")
def impact(pieces, classifier) -> ai.Impact:
    return ai.measure_impact(pieces, SWEEP, classifier, progress=quiet)


def independent(folder: Path, classifier, degrees: list[float]) -> pd.DataFrame:
    """torchvision's rotation of what timm's preprocessing keeps (the middle 7/8), one frame at a time."""
    rows = []
    for file in sorted(folder.rglob("*.*")):
        image = Image.open(file).convert("RGB")
        kept = 0.875 * min(image.size)
        left, top = ((whole - kept) / 2 for whole in image.size)
        side = 224 if kept <= 224 else 448
        canvas = image.resize((side, side), Image.Resampling.BICUBIC, box=(left, top, left + kept, top + kept))
        for angle in degrees:
            # A frame is bytes, as it is shown, and scaled as such: v2 has no detour by floats.
            turned = (tv.rotate(tv.to_tensor(canvas), angle, tv.InterpolationMode.BILINEAR) * 255).round().byte()
            small = v2.resize(turned, [224, 224], tv.InterpolationMode.BICUBIC, antialias=True)
            tensor = tv.normalize(small / 255, [0.5] * 3, [0.5] * 3)
            with torch.inference_mode():
                predicted = int(classifier.module(tensor[None]).argmax())
            rows.append((file.parent.name, angle, predicted))
    return pd.DataFrame(rows, columns=["class", "rotation", "predicted"])


def same_accuracies(impact: ai.Impact, other: pd.DataFrame, classes: dict[str, int]) -> None:
    """Right answers by strength, to the last one."""
    other = other.assign(correct=other["predicted"] == other["class"].map(classes))
    wanted = other.groupby("rotation")["correct"].sum()
    found = impact.table().astype({"correct": int}).groupby("rotation")["correct"].sum()
    assert found.index.tolist() == wanted.index.tolist()
    assert found.tolist() == wanted.tolist()


def test_accuracies_are_those_of_an_independent_loop(impact, pieces, classifier):
    classes = dict(zip(sorted(path.name for path in pieces.iterdir()), range(4), strict=True))
    numbers = matched_classes(list(classes), classifier.labels)
    other = independent(pieces, classifier, [-60, -30, 0, 30, 60])
    same_accuracies(impact, other, dict(zip(classes, numbers, strict=True)))


def test_accuracies_on_imagenette_are_those_of_an_independent_loop(imagenette, classifier, tmp_path):
    chosen = sorted((imagenette / "val").rglob("*.JPEG"))[::3]
    for file in chosen:
        (tmp_path / file.parent.name).mkdir(exist_ok=True)
        shutil.copy(file, tmp_path / file.parent.name)
    degrees = np.linspace(-90, 90, 5).tolist()
    found = ai.measure_impact(tmp_path, ai.Sweep(rotation=(-90, 90), frames=5), classifier, progress=quiet)
    names = sorted(path.name for path in tmp_path.iterdir())
    classes = dict(zip(names, matched_classes(names, classifier.labels), strict=True))
    same_accuracies(found, independent(tmp_path, classifier, degrees), classes)


def test_every_row_is_what_analyze_says_of_the_frame(impact, classifier):
    table = impact.table()
    for path, rows in list(table.groupby("path"))[::5]:
        trace = ai.analyze(path, SWEEP, classifier)
        rows = rows.set_index("rotation").loc[trace.settings["rotation"]]
        assert [trace.labels[number] for number in trace.predictions] == rows["predicted"].tolist()
        label = trace.labels.index(rows["label"].iloc[0])
        np.testing.assert_allclose(trace.scores[:, label], rows["score"], atol=1e-5)
        for name, values in trace.measures().items():
            np.testing.assert_allclose(values, rows[name], rtol=1e-6)


def test_maps_drift_as_analyze_has_it(pieces, classifier):
    found = ai.measure_impact(pieces, SWEEP, classifier, maps=True, progress=quiet)
    rows = found.table().query("`class` == 'espresso'")
    path = rows["path"].iloc[0]
    expected = ai.analyze(path, SWEEP, classifier).drift()
    rows = rows[rows["path"] == path].set_index("rotation").loc[[-60, -30, 0, 30, 60]]
    for name in Drift._fields:
        np.testing.assert_allclose(rows[name], expected[name], atol=2e-3)
    with pytest.raises(ParameterError, match="maps are not made; expected maps=True"):
        ai.measure_impact(pieces, SWEEP, classifier, method="gradcam++")


def test_without_labels_the_score_is_that_of_the_neutral_prediction(pieces, classifier):
    found = ai.measure_impact(pieces, SWEEP, classifier, labels={}, progress=quiet)
    assert not found.outcomes.has_labels
    assert found.table()["correct"].isna().all()
    for index, path in enumerate(found.outcomes.samples["path"][:2]):
        trace = ai.analyze(path, ai.Sweep(rotation=-60, frames=1), classifier)
        neutral = trace.neutral.predictions[0]
        assert found.outcomes.predicted[index, 0] == neutral
        assert found.outcomes.scores[index, 1] == pytest.approx(trace.scores[0, neutral], abs=1e-5)


def test_how_samples_come_together_changes_nothing_but_rounding(pieces, classifier, impact, monkeypatch):
    monkeypatch.setattr("augimpact.impact.plan.FRAMES", 7)
    found = ai.measure_impact(pieces, SWEEP, classifier, progress=quiet, seed=0)
    np.testing.assert_array_equal(found.outcomes.predicted, impact.outcomes.predicted)
    np.testing.assert_allclose(found.outcomes.scores, impact.outcomes.scores, atol=1e-5)


def test_a_corrupt_image_goes_to_the_ledger_and_equal_ones_are_measured_once(pieces, classifier, tmp_path):
    folder = shutil.copytree(pieces, tmp_path / "data")
    (folder / "tabby" / "broken.png").write_bytes(b"no image")
    shutil.copy(folder / "tabby" / "0.png", folder / "tabby" / "same.png")
    shutil.copy(folder / "tabby" / "0.png", folder / "missile" / "mislabelled.png")
    found = ai.measure_impact(folder, SWEEP, classifier, folder=tmp_path / "out", progress=quiet)
    assert len(found.outcomes) == 14
    (error,) = found.errors.to_dict("records")
    assert error["path"].endswith("broken.png")
    assert error["error"] == "the image of 8 bytes is not an image that Pillow can read"
    rows = sum(pd.read_parquet(file).shape[0] for file in (tmp_path / "out").rglob("parts/*/*.parquet"))
    # Of the same content under another label there is another score.
    assert rows == 13 * 5
    samples = found.outcomes.samples
    same = [samples.index[samples["path"].str.endswith(name)][0] for name in ("tabby/0.png", "tabby/same.png")]
    np.testing.assert_array_equal(found.outcomes.scores[same[0]], found.outcomes.scores[same[1]])


def test_a_run_goes_on_where_it_was_and_measures_only_what_is_new(pieces, classifier, tmp_path):
    told: list[tuple[int, int]] = []
    folder = shutil.copytree(pieces, tmp_path / "data")
    first = ai.measure_impact(folder, SWEEP, classifier, folder=tmp_path / "out", progress=quiet)
    shutil.copy(folder / "tabby" / "0.png", folder / "espresso" / "new.png")
    second = ai.measure_impact(
        folder, SWEEP, classifier, folder=tmp_path / "out", progress=lambda *done: told.append(done)
    )
    assert told[0] == (12 * 5, 13 * 5)
    merged = first.table().merge(second.table(), on=["path", "rotation"])
    np.testing.assert_array_equal(merged["score_x"], merged["score_y"])
    loaded = ai.Impact.load(tmp_path / "out")
    pd.testing.assert_frame_equal(loaded.table(), second.table())


def test_another_classifier_of_the_same_name_is_measured_anew(pieces, tmp_path):
    one, other = small_network(), small_network()
    with torch.no_grad():
        next(other.module.parameters()).mul_(1.5)
    options = {"folder": tmp_path, "labels": {}, "progress": quiet}
    first = ai.measure_impact(pieces, SWEEP, one, **options).outcomes.scores
    second = ai.measure_impact(pieces, SWEEP, other, **options).outcomes.scores
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, ai.measure_impact(pieces, SWEEP, one, **options).outcomes.scores)
    assert len(list((tmp_path / "parts").iterdir())) == 2


SCRIPT = """
import sys
import augimpact as ai
import augimpact.impact.plan
augimpact.impact.plan.FRAMES = 10
from tests.networks import small_network
print("begun", flush=True)
ai.measure_impact(sys.argv[1], ai.Sweep(rotation=(-60, 60), frames=5), small_network(), folder=sys.argv[2], labels={},
                  progress=lambda done, total: print(done, flush=True))
"""


def test_killed_at_three_moments_and_gone_on_with_the_table_is_that_of_an_undisturbed_run(tmp_path):
    """SIGKILL: nothing can be put in order before the end."""
    folder = put_pieces(tmp_path / "data", 15)
    moments = random.Random(5)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}

    def run(out: str, until: int | None) -> int:
        command = [sys.executable, "-c", SCRIPT, str(folder), str(tmp_path / out)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        first = None
        for line in process.stdout:
            if line.strip().isdigit():
                first = int(line) if first is None else first
                if until is not None and int(line) >= until:
                    time.sleep(moments.uniform(0, 0.05))
                    process.send_signal(signal.SIGKILL)
                    break
        process.stdout.close()
        process.wait()
        return first

    begun = [run("killed", until) for until in sorted(moments.sample(range(20, 280), 3))]
    # Every run began where the one before had come to.
    assert begun == sorted(begun)
    assert begun[-1] > 0
    run("killed", None)
    run("undisturbed", None)
    killed, undisturbed = (ai.Impact.load(tmp_path / name).table() for name in ("killed", "undisturbed"))
    assert len(undisturbed) == 60 * 5
    pd.testing.assert_frame_equal(killed, undisturbed, check_exact=True)
    assert not list((tmp_path / "killed").rglob(".*"))


def test_cancelling_keeps_what_was_measured(pieces, classifier, tmp_path, monkeypatch):
    monkeypatch.setattr("augimpact.impact.plan.FRAMES", 10)
    with pytest.raises(Cancelled):
        ai.measure_impact(pieces, SWEEP, classifier, folder=tmp_path, progress=quiet, cancelled=lambda: True)
    assert len(ai.Impact.load(tmp_path).outcomes) == 2


def test_a_mistake_is_one_sentence(pieces, classifier, tmp_path):
    with pytest.raises(DataError, match="there is no folder"):
        ai.measure_impact(tmp_path / "missing", SWEEP, classifier)
    with pytest.raises(DataError, match="is no dataset"):
        ai.measure_impact(5, SWEEP, classifier)
    with pytest.raises(ModelError, match="no classifier of images"):
        ai.measure_impact(pieces, SWEEP, small_signal_model(), labels={})
    with pytest.raises(DataError, match="has no impact"):
        ai.Impact.load(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        ai.measure_impact(pieces, SWEEP, classifier, folder=tmp_path / "file", progress=quiet)
    (tmp_path / "tabby").mkdir()
    (tmp_path / "tabby" / "a.png").write_bytes(b"x")
    with pytest.raises(DataError, match="not one of 1 samples could be measured; the first error was"):
        ai.measure_impact(tmp_path, SWEEP, classifier, progress=quiet)


def test_outputs_that_are_no_numbers_are_an_error(pieces):
    broken = small_network()
    with torch.no_grad():
        broken.module[-1].weight.fill_(float("nan"))
    with pytest.raises(ModelError, match="small gives outputs that are not finite"):
        ai.measure_impact(pieces, SWEEP, broken, labels={}, progress=quiet)


def test_the_recipe_is_json_and_names_what_was_done(impact, pieces):
    recipe = json.loads(json.dumps(impact.recipe, allow_nan=False))
    assert recipe["dataset"] == str(pieces)
    assert recipe["labels"]["tabby"] == 281
    assert recipe["plan"]["conditions"]["border"] == "black"


@pytest.mark.parametrize("kind", ["table", "pairs", "torchvision"])
def test_any_dataset_is_taken(pieces, classifier, impact, kind):
    table = SampleTable.from_folder(pieces)
    if kind == "pairs":
        dataset = [(Image.open(path), name) for path, name in zip(table["path"], table.classes, strict=True)]
    elif kind == "torchvision":
        from torchvision.datasets import ImageFolder

        dataset = ImageFolder(pieces)
    else:
        dataset = table
    found = ai.measure_impact(dataset, SWEEP, classifier, progress=quiet)
    np.testing.assert_array_equal(found.outcomes.predicted, impact.outcomes.predicted)
    np.testing.assert_array_equal(found.outcomes.labels, impact.outcomes.labels)


def test_what_an_own_augmentation_measured_is_not_taken_for_what_another_of_its_name_does(pieces, classifier, tmp_path):
    def measured() -> list[float]:
        sweep = ai.Sweep(mine=(0, 1), frames=3)
        found = ai.measure_impact(pieces, sweep, classifier, folder=tmp_path / "out", progress=quiet)
        return found.outcomes.measures["brightness"].mean(axis=0).tolist()

    try:
        exec(OWN.format("batch"), {"ai": ai})
        assert np.ptp(measured()) == 0
        exec(OWN.format("batch * (1 - value)"), {"ai": ai})
        bright, half, dark = measured()
        assert bright > half > dark == 0
        impact = ai.Impact.load(tmp_path / "out")
    finally:
        forget("mine")
    with pytest.raises(ParameterError, match="mine is not registered here"):
        impact.save(tmp_path / "report.html")


OWN = """
@ai.augmentation("mine", range=(0, 1), neutral=0)
def mine(batch, value):
    return {}
"""


def test_a_file_that_cannot_be_read_is_in_the_ledger(pieces, classifier, tmp_path):
    files = sorted(pieces.rglob("*.png"))[:2]
    rows = [f"{file},{file.parent.name}" for file in [files[0], tmp_path / "gone.png", files[1]]]
    (tmp_path / "a.csv").write_text("\n".join(["path,category", *rows]))
    found = ai.measure_impact(tmp_path / "a.csv", SWEEP, classifier, folder=tmp_path / "out", progress=quiet)
    for each in (found, ai.Impact.load(tmp_path / "out")):
        assert len(each.outcomes) == 2
        assert each.errors["path"].map(lambda path: Path(path).name).tolist() == ["gone.png"]
    folder = shutil.copytree(pieces, tmp_path / "odd")
    (folder / os.fsdecode(b"bad\xff.png")).symlink_to("nowhere")
    odd = ai.measure_impact(folder, SWEEP, classifier, labels={}, folder=tmp_path / "odd-out", progress=quiet)
    assert (len(odd.outcomes), len(odd.errors)) == (12, 1)
    odd.save(tmp_path / "odd.html")
    (tmp_path / "b.csv").write_text(f"path\n{tmp_path / 'gone.png'}\n")
    with pytest.raises(DataError, match=r"the dataset is empty; .*the first error was: .*gone"):
        ai.measure_impact(tmp_path / "b.csv", SWEEP, classifier, progress=quiet)
    (tmp_path / "c.csv").write_text(f"path,category\n{files[0]},a\n,b\n")
    with pytest.raises(DataError, match="no path in its row 2"):
        ai.measure_impact(tmp_path / "c.csv", SWEEP, classifier, progress=quiet)


def test_a_part_of_nothing_but_corrupt_images_has_no_maps(pieces, classifier, tmp_path, monkeypatch):
    monkeypatch.setattr("augimpact.impact.plan.FRAMES", 5)
    (tmp_path / "data").mkdir()
    shutil.copy(next(pieces.rglob("*.png")), tmp_path / "data" / "good.png")
    (tmp_path / "data" / "bad.png").write_bytes(b"no image")
    found = ai.measure_impact(tmp_path / "data", SWEEP, classifier, maps=True, progress=quiet)
    assert (len(found.outcomes), len(found.errors)) == (1, 1)
    assert found.outcomes.drifts["shift"].shape == (1, 5)


def test_a_run_that_cannot_begin_leaves_what_was_measured(pieces, classifier, tmp_path):
    before = ai.measure_impact(pieces, SWEEP, classifier, folder=tmp_path / "out", progress=quiet)
    with pytest.raises(ParameterError, match="refelct"):
        ai.measure_impact(pieces, SWEEP, classifier, folder=tmp_path / "out", border="refelct", progress=quiet)
    pd.testing.assert_frame_equal(ai.Impact.load(tmp_path / "out").table(), before.table())


def flat_classifier(quantized: bool) -> ai.Classifier:
    """Of other weights each time."""
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 16 * 16, 2)).eval()
    if quantized:
        module = torch.ao.quantization.quantize_dynamic(module, {torch.nn.Linear})
    return ai.Classifier(module, ["a", "b"], size=16)


@pytest.mark.parametrize("quantized", [False, True])
def test_a_classifier_that_tells_no_places_apart_can_be_measured(pieces, quantized):
    classifier = flat_classifier(quantized)
    found = ai.measure_impact(pieces, SWEEP, classifier, labels={}, progress=quiet)
    assert found.outcomes.predicted.shape == (12, 5)
    assert fingerprint(flat_classifier(quantized)) != found.recipe["fingerprint"] == fingerprint(classifier)


def test_a_sweep_there_and_back_has_a_report(pieces, classifier, tmp_path):
    there = ai.Sweep(rotation=[0, 10, 20, 10, 0])
    found = ai.measure_impact(pieces, there, classifier, progress=quiet)
    assert found.outcomes.predicted.shape == (12, 3)
    assert [file.name for file in found.save(tmp_path / "out.html")] == ["out.html"]
    assert "<svg" in found._repr_html_() or "<img" in found._repr_html_()
