"""A sweep from end to end on photographs: what a trace holds, that it repeats, that it can be stopped."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as TF

import augimpact as ai
from augimpact.analysis import Subject, explain_settings
from augimpact.data.image import EXAMPLES, content_hash, example
from augimpact.errors import Cancelled, LayerError, TargetError, UserError

ARRAYS = ("frames", "scores", "maps", "targets", "homographies")
SWEEP = ai.Sweep(rotation=(-60, 60), brightness=1.2, frames=11)


@pytest.fixture(scope="module")
def trace(classifier):
    return ai.analyze(example("motorcycle"), SWEEP, classifier)


def test_a_trace_has_the_promised_shapes_and_types(trace):
    assert trace.frames.shape == (11, 448, 448, 3)
    assert trace.frames.dtype == np.uint8
    assert trace.scores.shape == (11, 1000)
    assert trace.scores.dtype == np.float32
    assert trace.scores.sum(axis=1) == pytest.approx(np.ones(11), abs=1e-5)
    assert trace.maps.shape == (11, 7, 7)
    assert trace.maps.dtype == np.float32
    assert trace.targets.dtype == np.int64
    assert trace.homographies.shape == (11, 3, 3)
    assert trace.settings["rotation"].tolist() == SWEEP.settings()["rotation"].tolist()
    assert len(trace) == 11
    assert len(trace.neutral) == 1


def test_frames_scores_and_maps_are_those_of_the_settings(trace, classifier):
    """Computed once more, frame by frame, by torchvision and a plain forward pass."""
    canvas = classifier.canvas(example("motorcycle"))
    for frame in (0, 4, 10):
        degrees = float(trace.settings["rotation"][frame])
        turned = TF.rotate(canvas, degrees, interpolation=TF.InterpolationMode.BILINEAR)
        expected = TF.adjust_brightness(turned, 1.2).permute(1, 2, 0).numpy()
        assert np.abs(trace.frames[frame] / 255 - expected).mean() < 0.002
        shown = torch.from_numpy(trace.frames[frame]).permute(2, 0, 1)[None]
        with torch.no_grad():
            scores = classifier.module(classifier.prepare(shown)).softmax(1)[0].numpy()
        assert trace.scores[frame] == pytest.approx(scores, abs=1e-5)


def test_the_neutral_frame_is_the_image_as_evaluation_sees_it(trace, classifier):
    canvas = classifier.canvas(example("motorcycle"))
    assert np.array_equal(trace.neutral.frames[0], (canvas * 255).round().to(torch.uint8).permute(1, 2, 0))
    assert trace.neutral.changed == ()


def test_a_second_run_gives_the_same_bits(trace, classifier):
    again = ai.analyze(example("motorcycle"), SWEEP, classifier)
    for name in ARRAYS:
        assert np.array_equal(getattr(again, name), getattr(trace, name)), name
    assert again.recipe == trace.recipe


@pytest.mark.parametrize("chunk", [1, 3, 5, 64])
def test_the_chunk_size_changes_nothing_beyond_rounding(trace, classifier, chunk):
    other = ai.analyze(example("motorcycle"), SWEEP, classifier, chunk=chunk)
    assert np.array_equal(other.frames, trace.frames)
    assert np.array_equal(other.targets, trace.targets)
    assert np.abs(other.scores - trace.scores).max() <= 1e-5
    assert np.abs(other.maps - trace.maps).max() <= 1e-5 * np.abs(trace.maps).max()


def test_followed_targets_are_each_frames_own_and_pinned_ones_stay(trace, classifier):
    assert np.array_equal(trace.targets, trace.scores.argmax(axis=1))
    assert len(set(trace.targets)) > 1
    named = ai.analyze(example("motorcycle"), SWEEP, classifier, target=np.int64(classifier.index_of("disk brake")))
    assert type(named.recipe["target"]) is int
    assert {classifier.labels[index] for index in named.targets} == {"disk brake"}
    neutral = ai.analyze(example("motorcycle"), SWEEP, classifier, target="neutral")
    assert set(neutral.targets) == {trace.neutral.predictions[0]}
    assert np.array_equal(named.scores, trace.scores)
    assert not np.array_equal(named.maps, trace.maps)


def test_another_layer_gives_maps_of_its_own_size(classifier):
    trace = ai.analyze(example("coffee"), ai.Sweep(crop=(1, 0.5), frames=2), classifier, layer="blocks.2")
    assert trace.maps.shape == (2, 28, 28)
    assert trace.recipe["classifier"]["layer"] == "blocks.2"


def test_a_module_is_a_classifier_too():
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, stride=8), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),
        torch.nn.Linear(8, 3),
    )  # fmt: skip
    classifier = ai.Classifier(module, ["cat", "dog", "<img onerror=alert(1)>"], size=64)
    trace = ai.analyze(example("cat"), ai.Sweep(rotation=(0, 90), frames=3), classifier)
    assert trace.frames.shape == (3, 128, 128, 3)
    assert trace.maps.shape == (3, 8, 8)
    assert set(trace.table()["class_1"]) <= {"cat", "dog", "<img onerror=alert(1)>"}


def test_the_recipe_names_all_that_made_it(trace):
    recipe = trace.recipe
    assert recipe["image"] == {"name": "image", "hash": content_hash(example("motorcycle")), "size": [741, 500]}
    assert recipe["classifier"] == {"name": "efficientnet-lite0", "layer": "bn2", "classes": 1000, "size": 224}
    assert recipe["sweep"] == SWEEP.recipe()
    assert (recipe["method"], recipe["target"], recipe["seed"], recipe["erase_fill"]) == (
        "gradcam",
        "follow",
        0,
        "black",
    )
    assert recipe["versions"]["torch"].split("+")[0] == torch.__version__.split("+")[0]


def test_a_subject_is_prepared_once_for_many_questions(trace, classifier):
    subject = Subject.of(example("motorcycle"), classifier)
    before = subject.canvas.clone()
    for _ in range(2):
        one = explain_settings(subject, ai.Sweep(frames=1).settings(), classifier)
        assert np.array_equal(one.frames, trace.neutral.frames)
    assert torch.equal(subject.canvas, before)


def test_progress_counts_the_frames(classifier):
    seen = []
    ai.analyze(example("rocket"), ai.Sweep(frames=10), classifier, chunk=4, progress=lambda *done: seen.append(done))
    assert [total for _, total in seen] == [10] * len(seen)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (10, 10)
    assert len(seen) == 3


def test_it_stops_between_chunks_when_asked_to(classifier):
    seen = []
    with pytest.raises(Cancelled):
        ai.analyze(
            example("rocket"), ai.Sweep(frames=10), classifier, chunk=2,
            progress=lambda done, _: seen.append(done), cancelled=lambda: len(seen) == 2,
        )  # fmt: skip
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"method": "grad-cam"}, UserError, "unknown method 'grad-cam'; did you mean gradcam"),
        ({"target": "disc brake"}, TargetError, "did you mean disk brake"),
        ({"layer": "bn3"}, LayerError, "unknown layer 'bn3'"),
        ({"erase_fill": "white"}, UserError, "unknown erase fill 'white'"),
    ],
)
def test_a_wrong_option_is_named(classifier, options, error, words):
    with pytest.raises(error, match=words):
        ai.analyze(example("rocket"), ai.Sweep(frames=2), classifier, **options)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_can_be_swept_in_every_parameter_at_once(classifier, name):
    sweep = ai.Sweep(
        crop=(1, 0.5), crop_x=(0, 1), rotation=(-30, 30), perspective_x=(-0.3, 0.3), perspective_y=0.2,
        brightness=(0.5, 1.5), erase_x=(0, 0.5), erase_y=0.2, erase_w=0.2, erase_h=0.2, frames=4,
    )  # fmt: skip
    trace = ai.analyze(example(name), sweep, classifier, erase_fill="noise")
    assert np.isfinite(trace.maps).all()
    assert len(np.unique(trace.frames.reshape(4, -1), axis=0)) == 4
