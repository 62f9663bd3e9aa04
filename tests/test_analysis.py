"""A sweep from end to end on photographs: what a trace holds, that it repeats, that it can be stopped."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest
import timm
import torch
from torchvision.transforms.v2 import functional as TF

import augimpact as ai
from augimpact.analysis import explain_settings
from augimpact.data.image import EXAMPLES, content_hash, example
from augimpact.errors import Cancelled, ImageError, LayerError, ModelError, TargetError, UserError
from augimpact.subject import subject_of

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
    assert trace.recipe["classifier"]["layers"] == ["blocks.2"]


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
    content = content_hash(example("motorcycle"))
    assert recipe["image"] == {"name": "image", "source": None, "hash": content, "size": [741, 500]}
    origin = {"source": "efficientnet-lite0"}
    inputs = {"size": 224, "interpolation": "bicubic"}
    about = {"name": "efficientnet-lite0", "layers": ["bn2"], "outputs": 1000, **inputs, "origin": origin}
    assert recipe["classifier"] == about
    assert recipe["sweep"] == SWEEP.recipe()
    assert (recipe["method"], recipe["target"], recipe["seed"], recipe["erase_fill"]) == (
        "gradcam",
        "follow",
        0,
        "black",
    )
    assert recipe["versions"]["torch"].split("+")[0] == torch.__version__.split("+")[0]


def test_a_subject_is_prepared_once_for_many_questions(trace, classifier):
    subject = subject_of(example("motorcycle"), classifier)
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


@pytest.mark.parametrize("target", ["moped - disk brake", "moped − disk brake", ("moped", "disk brake")])
def test_the_difference_of_two_classes_is_explained(trace, classifier, target):
    """At a flip, what made B overtake A; against plain autograd of the difference of the logits, frame by frame."""
    found = ai.analyze(example("motorcycle"), SWEEP, classifier, target=target)
    first, second = classifier.index_of("moped"), classifier.index_of("disk brake")
    assert set(found.target_names()) == {"moped − disk brake"}
    assert found.against == second
    for frame in (0, 5):
        kept = {}
        layer = classifier.find_layers()[0].module
        handle = layer.register_forward_hook(lambda _module, _inputs, output, kept=kept: kept.update(output=output))
        shown = torch.from_numpy(found.frames[frame]).permute(2, 0, 1)[None]
        logits = classifier.module(classifier.prepare(shown).requires_grad_())[0]
        handle.remove()
        (gradient,) = torch.autograd.grad(logits[first] - logits[second], kept["output"])
        expected = (gradient.mean((2, 3), keepdim=True) * kept["output"]).sum(1).relu()[0].detach().numpy()
        assert np.abs(found.maps[frame] - expected).max() <= 1e-4 * np.abs(expected).max()
        assert found.target_scores()[frame] == pytest.approx((logits[first] - logits[second]).item(), abs=1e-3)
    assert np.array_equal(found.scores, trace.scores)


def test_chosen_classes_have_the_softmax_over_them_alone(trace, classifier):
    names = ["moped", "disk brake", "tractor"]
    found = ai.analyze(example("motorcycle"), SWEEP, classifier, classes=names)
    indices = [classifier.index_of(name) for name in names]
    among = trace.scores[:, indices].astype(float)
    assert found.scores == pytest.approx(among / among.sum(axis=1, keepdims=True), abs=1e-5)
    assert found.labels == tuple(names)
    assert found.recipe["classes"] == names
    # The map of a class is that of its logit, whatever else there is to choose from.
    pinned = ai.analyze(example("motorcycle"), SWEEP, classifier, target="tractor")
    alone = ai.analyze(example("motorcycle"), SWEEP, classifier, classes=names, target="tractor")
    assert np.abs(alone.maps - pinned.maps).max() <= 1e-5 * np.abs(pinned.maps).max()


@pytest.mark.parametrize("method", ["gradcam", "cam", "gradient", "guided-gradcam", "layercam", "eigencam"])
def test_chosen_classes_can_be_explained_by_other_methods(classifier, method):
    names = ["moped", "disk brake", "tractor"]
    sweep = ai.Sweep(rotation=(0, 20), frames=2)
    every = ai.analyze(example("motorcycle"), sweep, classifier, method=method, target="tractor")
    chosen = ai.analyze(example("motorcycle"), sweep, classifier, method=method, target="tractor", classes=names)
    assert np.abs(chosen.maps - every.maps).max() <= 1e-4 * np.abs(every.maps).max()


def test_several_layers_are_averaged_on_one_scale_over_the_sweep(classifier):
    sweep = ai.Sweep(brightness=(0.3, 1), frames=4)
    both = ai.analyze(example("coffee"), sweep, classifier, layer=["blocks.4", "bn2"])
    single = [ai.analyze(example("coffee"), sweep, classifier, layer=name) for name in ("blocks.4", "bn2")]
    expected = 0
    for trace in single:
        maps = torch.from_numpy(np.concatenate([trace.neutral.maps, trace.maps]))
        scaled = torch.nn.functional.interpolate(maps[:, None] / maps.max(), size=14, mode="bilinear")[:, 0]
        expected = expected + scaled / 2
    assert both.maps == pytest.approx(expected[1:].numpy(), abs=1e-5)
    assert both.recipe["classifier"]["layers"] == ["blocks.4", "bn2"]


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_says_nearly_the_same(trace, classifier, precision):
    half = ai.analyze(example("motorcycle"), SWEEP, classifier, precision=precision)
    assert half.recipe["precision"] == precision
    assert half.scores.dtype == half.maps.dtype == np.float32
    # Of 8 and 11 bits.
    assert np.abs(half.scores - trace.scores).max() < (0.1 if precision == "bfloat16" else 0.02)
    assert not np.array_equal(half.scores, trace.scores)
    same = half.targets == trace.targets
    correlation = np.corrcoef(half.maps[same].ravel(), trace.maps[same].ravel())[0, 1]
    assert correlation > 0.99


class Poisoned(torch.nn.Module):
    """Gives what is not a number where an image is bright, and counts what it was asked."""

    def __init__(self, inside_map: bool) -> None:
        super().__init__()
        self.features = torch.nn.Conv2d(3, 4, 3, stride=4)
        self.head = torch.nn.Linear(4, 3)
        self.inside_map = inside_map

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        pooled = self.features(batch).mean((2, 3))
        bright = (batch.mean((1, 2, 3)) > 0.9)[:, None]
        if self.inside_map:
            # The value is finite, its gradient is not.
            return self.head(pooled + torch.where(bright, pooled - pooled.detach(), 0).abs().sqrt())
        return torch.where(bright, torch.nan, self.head(pooled))


@pytest.mark.parametrize(("inside_map", "what"), [(False, "outputs"), (True, "gradcam maps")])
def test_what_is_not_a_number_is_reported_with_its_frame_and_setting(tmp_path, inside_map, what):
    torch.manual_seed(0)
    classifier = ai.Classifier(Poisoned(inside_map), mean=0, std=1, size=32, layer="features", name="poisoned")
    grey = np.full((64, 64, 3), 0.5)
    words = rf"poisoned gives {what} that are not finite in frame 3 \(brightness 2.00\); expected numbers"
    with pytest.raises(ModelError, match=words):
        ai.analyze(grey, ai.Sweep(brightness=(0.5, 2.5), frames=5), classifier)
    with pytest.raises(ModelError, match=rf"{what} that are not finite in the neutral frame; expected numbers"):
        ai.analyze(np.ones((64, 64, 3)), ai.Sweep(brightness=(0.5, 1), frames=5), classifier)
    if not inside_map:
        with pytest.raises(ModelError, match=r"not finite at brightness 2\.\d+; expected numbers"):
            ai.analyze_grid(grey, ai.Grid(brightness=(0.5, 2.5, 6), crop=(1, 0.5, 2)), classifier)


def test_a_second_image_is_mixed_in(classifier):
    trace = ai.analyze(example("cat"), ai.Sweep(mixup=(0, 1), frames=3), classifier, second=example("rocket"))
    rocket = ai.analyze(example("rocket"), ai.Sweep(frames=1), classifier)
    assert np.array_equal(trace.frames[2], rocket.frames[0])
    assert trace.recipe["second"] == {"source": None, "hash": content_hash(example("rocket"))}
    # Without one an example is taken; where nothing is mixed, none is read.
    assert ai.analyze(example("cat"), ai.Sweep(cutmix=0.3, frames=1), classifier).recipe["second"]["source"]
    assert ai.analyze(example("cat"), ai.Sweep(frames=1), classifier, second="missing.jpg").recipe["second"] is None


def test_transformers_are_explained_without_an_argument():
    torch.manual_seed(0)
    for name, size in (("vit_tiny_patch16_224", 14), ("swin_tiny_patch4_window7_224", 7)):
        module = timm.create_model(name, num_classes=5)
        trace = ai.analyze(example("cat"), ai.Sweep(rotation=(0, 30), frames=2), module)
        assert trace.maps.shape == (2, size, size)
        assert trace.maps.max() > 0


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"target": ("a", "b", "c")}, TargetError, "expected one class, or the two of a difference"),
        ({"target": "moped - "}, TargetError, "unknown class"),
        ({"precision": "double"}, UserError, "unknown precision 'double'"),
        ({"border": "mirror"}, UserError, "unknown border 'mirror'"),
        ({"layer": []}, LayerError, "no layer is named"),
        ({"layer": "classifier"}, LayerError, "has no spatial output; among those that have: .*bn2"),
        ({"method": "grad-cam"}, UserError, "unknown method 'grad-cam'; did you mean"),
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


@pytest.mark.parametrize("layer", [None, "blocks.1"])
def test_two_threads_may_ask_one_model_at_once(classifier, layer):
    """Hooks and modes belong to the module: without a lock one thread's graph would begin in the other's."""
    module = timm.create_model("resnet18", num_classes=4).train()
    training = ai.Classifier(module, size=64, name="in training")
    before = {name: value.clone() for name, value in module.state_dict().items()}
    sweep = ai.Sweep(rotation=(-30, 30), frames=6)
    alone = ai.analyze(example("cat"), sweep, classifier, layer=layer)
    maps, errors = [], []

    def ask():
        try:
            maps.append(ai.analyze(example("cat"), sweep, classifier, layer=layer, chunk=2).maps)
            ai.analyze(example("cat"), sweep, training, chunk=1)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert all(np.abs(each - alone.maps).max() <= 1e-5 * np.abs(alone.maps).max() for each in maps)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert all(each.training for each in module.modules())


def test_a_subject_belongs_to_the_model_it_was_prepared_for(classifier):
    subject = subject_of(example("cat"), classifier)
    other = ai.Classifier(classifier.module, size=64)
    with pytest.raises(ImageError, match="prepared for another model or second image"):
        ai.analyze(subject, ai.Sweep(frames=1), other)
    with pytest.raises(ImageError, match="prepared for another model or second image"):
        ai.analyze(subject, ai.Sweep(frames=1), classifier, second="example:rocket")


def test_names_that_hold_a_minus_or_are_rules_are_told_apart():
    torch.manual_seed(0)
    module = timm.create_model("resnet18", num_classes=4)
    classifier = ai.Classifier(module, ["a - b", "c", "neutral", "d"], size=64)

    def asked(target):
        trace = ai.analyze(example("cat"), ai.Sweep(frames=1), classifier, target=target)
        return trace.target, trace.against

    assert asked("a - b") == (0, None)
    assert asked("a - b - c") == (0, 1)
    assert asked("c - a - b") == (1, 0)
    assert asked(2) == (2, None)
    with pytest.raises(TargetError, match=r"'neutral' is a class, .*; expected 2 for the class"):
        asked("neutral")
    with pytest.raises(TargetError, match="expected two different classes"):
        asked(("c", "c"))
    with pytest.raises(TargetError, match=r"target None; expected the name or index of one of the 4 classes"):
        asked(None)


def test_the_neutral_class_of_chosen_ones_is_explained(classifier):
    """It is asked for without a graph first, and then differentiated."""
    names = ["moped", "disk brake", "tabby"]
    trace = ai.analyze(example("motorcycle"), SWEEP, classifier, classes=names, target="neutral")
    assert set(trace.targets) == {int(trace.neutral.scores[0].argmax())}
    by_name = ai.analyze(example("motorcycle"), SWEEP, classifier, classes=names, target=trace.target)
    assert np.array_equal(trace.maps, by_name.maps)


def test_chosen_classes_are_recorded_also_where_the_classifier_was_restricted_before(classifier):
    names = ["moped", "tractor"]
    trace = ai.analyze(example("cat"), ai.Sweep(frames=1), classifier.restricted_to(np.array([665, 866])))
    assert trace.recipe["classes"] == [classifier.labels[665], classifier.labels[866]] == names
    json.dumps(trace.recipe)
