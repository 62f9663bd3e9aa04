"""Image × classifier × sweep → trace: the one place where augmenting and explaining meet."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from augimpact.asking import Conditions, batches, score_settings
from augimpact.errors import ModelError, TargetError
from augimpact.explain.combine import combined
from augimpact.explain.gradcam import Explanation
from augimpact.explain.methods import find_method
from augimpact.explain.target import Target
from augimpact.flips import checked_tolerance, located
from augimpact.models.classifier import Classifier
from augimpact.models.hooks import alone
from augimpact.models.load import load_classifier
from augimpact.models.model import Model
from augimpact.subject import Subject, subject_of
from augimpact.sweep import Sweep
from augimpact.trace import Trace

__all__ = [
    "FOLLOW", "NEUTRAL", "analyze", "explain_settings", "find_target", "plain", "recipe_of", "subject_and_model",
    "versions",
]  # fmt: skip

# A target that is the frame's own top class, and one that is the top class of the image as it was.
FOLLOW = "follow"
NEUTRAL = "neutral"
# Between the names of a target that is a difference of logits.
MINUS = (" - ", " − ")


def analyze(
    image: Any,
    sweep: Sweep,
    classifier: Model | torch.nn.Module | str | None = None,
    *,
    second: Any = None,
    classes: Sequence[str | int] | None = None,
    flip_tolerance: float | None = None,
    progress: Callable[[int, int], object] | None = None,
    **options: Any,
) -> Trace:
    """Sweeps an image or a signal, and asks the model at each step what it sees and where it looks.

    Args:
        image: a path, bytes, Pillow image, array or tensor, see `augimpact.data.image.read_image`; for a model of
            time series a signal, see `augimpact.data.signal.read_signal`; or a `Subject`.
        sweep: the path through settings.
        classifier: a `Classifier` or `Regressor`, or what `load_classifier` takes; by default the built-in one.
        second: the image that `mixup` and `cutmix` mix in; by default an example photograph.
        classes: only these classes, by name or index: scores are the softmax over them alone.
        flip_tolerance: searches between the frames for the place of each flip, until it is known to this much, in the
            unit of the parameters that change; costs forward passes only.
        progress: called with frames done and frames in all, after each chunk.
        **options: `method`, `target`, `layer`, and those of `Conditions`; see `explain_settings`.

    Raises:
        ImageError, SignalError, ParameterError, ModelError, LayerError, TargetError: see those.
        Cancelled: `cancelled` said so.

    >>> import augimpact as ai
    >>> trace = ai.analyze("example:cat", ai.Sweep(rotation=(-45, 45), frames=5))
    >>> trace.frames.shape, trace.scores.shape, trace.maps.shape
    ((5, 448, 448, 3), (5, 1000), (5, 7, 7))
    """
    if flip_tolerance is not None:
        flip_tolerance = checked_tolerance(flip_tolerance)
    subject, model = subject_and_model(image, classifier, second=second, classes=classes)
    path = sweep.settings(subject.catalogue)
    # The neutral frame goes first, so that a trace can say what changed.
    neutral = {name: parameter.neutral for name, parameter in subject.catalogue.items()}
    settings = pd.concat([pd.DataFrame([neutral], dtype=np.float64), path], ignore_index=True)

    def count(done: int, total: int) -> None:
        if progress is not None:
            progress(done - 1, total - 1)

    both = _explained(subject, settings, model, progress=count, **options)
    _check_finite(both, first=-1)
    both.recipe["sweep"] = sweep.recipe()
    trace = replace(both[1:], settings=path, neutral=both[:1])
    if flip_tolerance is None:
        return trace
    both.recipe["flip_tolerance"] = flip_tolerance
    asking = {name: value for name, value in options.items() if name not in ("method", "target", "layer")}

    def predict(places: pd.DataFrame) -> NDArray[np.int64]:
        return trace.outputs.states(score_settings(subject, places, model, **asking), trace.target)

    return replace(trace, located=located(path, trace.predictions, predict, flip_tolerance))


def explain_settings(subject: Subject, settings: pd.DataFrame, model: Model, **options: Any) -> Trace:
    """The trace of one frame for each row of `settings`, without a neutral one.

    Args:
        subject: the image or signal.
        settings: a row a frame, a column for every parameter.
        model: the one for which the subject was prepared.
        **options: `method`: how the maps are made, see `augimpact methods`;
            `target`: what the maps explain: `follow` (each frame's own top class), `neutral` (the top class of the
            image as it was), a class by name or index, or `A - B` or a pair: the difference of two logits, at a flip
            what made one overtake the other; of a regressor an output, `follow` and `neutral` being its first;
            `layer`: the layer to explain, or several, whose maps are averaged, by default the model's own;
            and those of `Conditions`.

    Raises:
        ParameterError, ModelError, LayerError, TargetError: see those.
        Cancelled: `cancelled` said so.
    """
    trace = _explained(subject, settings, model, **options)
    _check_finite(trace, first=0)
    return trace


def _explained(
    subject: Subject,
    settings: pd.DataFrame,
    model: Model,
    *,
    method: str = "gradcam",
    target: str | int | tuple[str | int, str | int] = FOLLOW,
    layer: str | Sequence[str] | None = None,
    **conditions: Any,
) -> Trace:
    way = find_method(method)
    # Of a slow one every frame is progress, and a chance to stop.
    how = Conditions(**({"chunk": 1} if way.slow else {}) | conditions)
    layers = model.find_layers(layer)
    wanted = find_target(model, subject, target, how)
    content = subject.room(len(settings), torch.device("cpu"))
    explanations: list[Explanation] = []
    matrices: list[NDArray[np.float64]] = []
    for batch in batches(subject, settings, model, how, content, matrices):
        with alone(model.module), how.autocast(batch.device):
            explanations.append(way.explain(model.asked, batch, layers, wanted))
    raw = torch.cat([each.logits for each in explanations])
    parts = [torch.cat(each) for each in zip(*(explanation.maps for explanation in explanations), strict=True)]
    scores = model.outputs.scores(raw).cpu().numpy()
    maps = combined([each.float() for each in parts]).cpu().numpy()
    targets = torch.cat([each.targets for each in explanations]).cpu().numpy()
    parameters = tuple(subject.catalogue.values())
    return Trace(
        settings=settings,
        frames=subject.pictures(content.numpy()),
        scores=scores,
        maps=maps,
        targets=targets,
        homographies=np.concatenate(matrices),
        outputs=model.outputs,
        parameters=parameters,
        against=wanted.against,
        signals=content.numpy() if content.ndim == 3 else None,
        recipe=recipe_of(subject, model, how, layers=[each.name for each in layers])
        | {"method": method, "target": plain(target)},
    )


def recipe_of(subject: Subject, model: Model, how: Conditions, layers: Sequence[str] | None = None) -> dict[str, Any]:
    """What makes a run again, but for its path and what was asked: in plain types."""
    return {
        "image": subject.recipe,
        "second": subject.second_recipe(),
        "classifier": model.recipe() | ({} if layers is None else {"layers": list(layers)}),
        "classes": model.chosen,
        **how.recipe(),
        "versions": dict(versions()),
    }


def subject_and_model(
    image: Any, classifier: Any, *, second: Any = None, classes: Sequence[str | int] | None = None
) -> tuple[Subject, Model]:
    """The model, with only the wanted classes, and the image or signal prepared for it; arguments as for `analyze`."""
    model: Model = _default_model() if classifier is None else load_classifier(classifier)
    if classes is not None:
        if not isinstance(model, Classifier):
            raise TargetError(f"{model.name} has no classes to choose from; it gives {', '.join(model.outputs.names)}")
        model = model.restricted_to(classes)
    return subject_of(image, model, second=second), model


@cache
def _default_model() -> Model:
    """The built-in classifier, read once: nobody else is given this one, and so nobody can change it."""
    return load_classifier()


def find_target(model: Model, subject: Subject, target: Any, how: Conditions) -> Target:
    """What the maps explain, as indices; see `explain_settings`.

    Raises:
        TargetError: the model has no such output.
    """
    find, names = model.outputs.index_of, model.outputs.names
    if isinstance(target, (tuple, list)):
        if len(target) != 2:
            raise TargetError(f"target {target!r}; expected one class, or the two of a difference")
        return _difference(find(target[0]), find(target[1]), target)
    if isinstance(target, str) and target not in names:
        for minus in MINUS:
            parts = target.split(minus)
            # Names may hold the sign, too.
            for place in range(1, len(parts)):
                first, second = minus.join(parts[:place]).strip(), minus.join(parts[place:]).strip()
                if len(parts) == 2 or {first, second} <= set(names):
                    return _difference(find(first), find(second), target)
    if target == NEUTRAL and target in names:
        index = names.index(target)
        raise TargetError(
            f"target {target!r} is a class, and the neutral image's top class; expected {index} for the class"
        )
    if target in (FOLLOW, NEUTRAL) and not model.outputs.are_classes:
        return Target(0)
    if target == FOLLOW:
        return Target()
    if target == NEUTRAL:
        neutral = {name: parameter.neutral for name, parameter in subject.catalogue.items()}
        unseen = replace(how, progress=None, cancelled=None)
        scores = score_settings(subject, pd.DataFrame([neutral], dtype=np.float64), model, **vars(unseen))
        return Target(int(scores.argmax()))
    return Target(find(target))


def _difference(first: int, second: int, target: Any) -> Target:
    if first == second:
        raise TargetError(f"target {target!r}; expected two different classes")
    return Target(first, second)


def _check_finite(trace: Trace, *, first: int) -> None:
    """Nothing that is not a number becomes a picture; `first` is the first frame's number, −1 being the neutral one.

    Raises:
        ModelError: it names the first such frame and its setting.
    """
    maps = trace.maps.reshape(len(trace), -1)
    for what, values in (("outputs", trace.scores), (f"{trace.recipe['method']} maps", maps)):
        wrong = np.flatnonzero(~np.isfinite(values).all(axis=1))
        if len(wrong):
            row = int(wrong[0])
            setting = trace[row : row + 1].captions()[0] or "neutral"
            where = f"frame {row + first} ({setting})" if row + first >= 0 else "the neutral frame"
            name = trace.recipe["classifier"]["name"]
            raise ModelError(f"{name} gives {what} that are not finite in {where}; expected numbers")


def plain(target: Any) -> Any:
    """A target in plain types."""
    if isinstance(target, (tuple, list)):
        return [plain(each) for each in target]
    return target if isinstance(target, str) else int(target)


@cache
def versions() -> dict[str, str]:
    """Of what decides a result."""
    packages = {name: version(name) for name in ("augimpact", "torch", "torchvision", "timm", "numpy", "Pillow")}
    return {"python": platform.python_version()} | packages
