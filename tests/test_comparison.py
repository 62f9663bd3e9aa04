"""Several models or methods over one sweep, side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import timm
import torch
from PIL import Image

import augimpact as ai
from augimpact.errors import OutputError, UserError
from augimpact.models.load import load_classifier

SWEEP = ai.Sweep(rotation=(-60, 60), frames=4)


@pytest.fixture(scope="module")
def other():
    torch.manual_seed(0)
    module = timm.create_model("resnet18", num_classes=1000).eval()
    return ai.Classifier(module, load_classifier().labels, size=96, name="young resnet")


@pytest.fixture(scope="module")
def comparison(classifier, other):
    seen = []
    made = ai.compare(
        "example:cat", SWEEP, [classifier, other], ["gradcam", "layercam"], target="tabby",
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert seen[-1] == (16, 16)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    return made


def test_each_variant_is_the_trace_that_analyze_gives(comparison, classifier, other):
    assert list(comparison.traces) == [
        "efficientnet-lite0 · gradcam", "efficientnet-lite0 · layercam",
        "young resnet · gradcam", "young resnet · layercam",
    ]  # fmt: skip
    alone = ai.analyze("example:cat", SWEEP, other, method="layercam", target="tabby")
    assert np.array_equal(comparison.traces["young resnet · layercam"].maps, alone.maps)


def test_the_table_has_a_row_a_variant_and_frame(comparison, tmp_path):
    table = comparison.table()
    assert table.index.names == ["variant", "frame"]
    assert len(table) == 16
    read = pd.read_csv(comparison.save(tmp_path / "all.csv"))
    assert read["variant"].nunique() == 4
    assert read["class_1"].tolist() == table["class_1"].tolist()
    assert set(comparison.flips().reset_index().columns) >= {"variant", "from", "to", "rotation"}


def test_pictures_stand_side_by_side(comparison, tmp_path):
    pictures = comparison.pictures(width=120)
    single = [trace.pictures(width=120) for trace in comparison.traces.values()]
    width = single[0].shape[2]
    assert pictures.shape[0] == 4
    assert pictures.shape[2] == 4 * width + 3 * 8
    for index, each in enumerate(single):
        left = index * (width + 8)
        assert np.array_equal(pictures[:, 26 : 26 + each.shape[1], left : left + width], each)
        # Its name stands above it.
        assert pictures[0, :26, left : left + width].max() > 150
    with Image.open(comparison.save(tmp_path / "all.gif", opacity=0.3)) as animation:
        assert animation.n_frames == 6
    comparison.save(tmp_path / "all.webp")
    comparison.save(tmp_path / "all.png")
    with pytest.raises(OutputError, match=r"suffix '\.html'"):
        comparison.save(tmp_path / "all.html")


def test_methods_alone_are_named_by_method(classifier):
    made = ai.compare("example:cat", SWEEP, methods=["gradcam", "cam"])
    assert list(made.traces) == ["gradcam", "cam"]
    assert "image/webp" in made._repr_mimebundle_()


def test_nothing_to_compare_is_refused(classifier):
    with pytest.raises(UserError, match="1 classifiers and 1 methods; expected two or more"):
        ai.compare("example:cat", SWEEP)
    with pytest.raises(UserError, match="'gradcam' is compared with itself"):
        ai.compare("example:cat", SWEEP, [classifier], ["gradcam", "gradcam"])


def test_a_comparison_is_a_video_too(comparison, tmp_path):
    import av

    with av.open(comparison.save(tmp_path / "all.mp4", width=150, loop="forward", milliseconds=50, hold=400)) as video:
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
        assert video.duration == 550_000
    pictures = comparison.pictures(width=150)
    _, height, width, _ = pictures.shape
    for frame, picture in zip(frames, pictures, strict=True):
        error = np.mean((frame[:height, :width].astype(float) - picture) ** 2)
        # Decibels, as in tests/render/test_video.py; captions of this size are hard.
        assert 10 * np.log10(255**2 / error) > 30
