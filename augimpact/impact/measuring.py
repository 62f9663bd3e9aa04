"""Some samples under every setting: frames of several samples in one batch, so that a model is always fed full.

Several batches are under way at once, each on a thread of its own from the augmented frames to the logits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from augimpact.analysis import FOLLOW
from augimpact.asking import CHUNK, Conditions
from augimpact.data.image import read_image
from augimpact.data.pipeline import NPY, load_array
from augimpact.drift import Drift, drift
from augimpact.errors import ModelError
from augimpact.explain.combine import combined
from augimpact.explain.methods import find_method
from augimpact.explain.target import Target
from augimpact.impact.labels import UNKNOWN
from augimpact.impact.lanes import Lanes
from augimpact.impact.plan import Plan
from augimpact.measures import MEASURES, measure
from augimpact.models.hooks import alone, evaluating
from augimpact.models.model import Model
from augimpact.profiling.ahead import ahead
from augimpact.subject import ImageSubject

__all__ = ["Answers", "canvas_of", "measured_samples"]

# Frames that a CPU is asked about at a time, on each of its threads: so few that they stay in its caches.
CPU_CHUNK = 8
Telling = Callable[[int], object]


class Answers(NamedTuple):
    """What n samples gave under S settings.

    predicted: `(n, S)` int32. scores: `(n, S)` float32. measures: `(n, S, 5)` float32, in the order of `MEASURES`.
    drifts: `(n, S, 4)` float32, as `augimpact.drift.Drift`, or None.
    """

    predicted: NDArray[np.int32]
    scores: NDArray[np.float32]
    measures: NDArray[np.float32]
    drifts: NDArray[np.float32] | None


class _Batch(NamedTuple):
    """What the model was fed at once, and gave: which sample and setting each frame is of, and how it was moved.

    maps: of each layer, where they are asked for.
    """

    samples: NDArray[np.int64]
    settings: NDArray[np.int64]
    moved: NDArray[np.float64]
    logits: Tensor
    maps: tuple[Tensor, ...]


def canvas_of(content: bytes, model: Model) -> Tensor:
    """The image of a file's bytes, or of an array's, as frames of it are made.

    Raises:
        ImageError: it is none.
    """
    return model.canvas(read_image(load_array(content) if content.startswith(NPY) else content))


def measured_samples(
    canvases: Sequence[Tensor], labels: Sequence[int], lanes: Lanes, plan: Plan, told: Telling | None = None
) -> Answers:
    """Asks a classifier about every sample under every setting.

    Args:
        canvases: n images as `model.canvas` makes them.
        labels: the right class of each, or −1.
        lanes: of a classifier of images.
        plan: the settings.
        told: after each batch the number of frames in it.

    Raises:
        ModelError: its outputs are not numbers.
    """
    model = lanes.model
    answers = _answers(len(canvases), plan)
    asking = _Asking(canvases, lanes, plan, answers.measures)
    right = torch.tensor(list(labels), device=model.device)
    # A device's answers are fetched at the end, so that it never waits for the host.
    asked: list[tuple[_Batch, Tensor, Tensor]] = []
    for batch in ahead(asking, asking.places(), lanes.count):
        scores = model.outputs.scores(batch.logits)
        asked.append((batch, *_of_label(scores, batch, right)))
        if told is not None:
            told(len(batch.samples))
    for batch, predicted, of_label in asked:
        values = of_label.cpu().numpy()
        if not np.isfinite(values).all():
            raise ModelError(f"{model.name} gives outputs that are not finite; expected numbers")
        answers.predicted[batch.samples, batch.settings] = predicted.cpu().numpy()
        answers.scores[batch.samples, batch.settings] = values
    if plan.explained is None:
        return answers
    return answers._replace(drifts=_drifts([batch for batch, *_ in asked], len(canvases), len(plan.settings)))


def _answers(count: int, plan: Plan) -> Answers:
    shape = (count, len(plan.settings))
    return Answers(
        np.empty(shape, np.int32), np.empty(shape, np.float32), np.empty((*shape, len(MEASURES)), np.float32), None
    )


def _of_label(scores: Tensor, batch: _Batch, right: Tensor) -> tuple[Tensor, Tensor]:
    """The class with the highest score of each frame, and the score of the label.

    Where a label is not known, it becomes in `right` what is predicted of the neutral frame, which is a sample's first.
    """
    samples = torch.from_numpy(batch.samples).to(scores.device)
    predicted = scores.argmax(dim=1)
    neutral = np.flatnonzero(batch.settings == 0)
    if len(neutral):
        rows = torch.from_numpy(neutral).to(scores.device)
        places = samples[rows]
        right[places] = torch.where(right[places] == UNKNOWN, predicted[rows], right[places])
    return predicted, scores.gather(1, right[samples][:, None])[:, 0]


class _Asking:
    """Asks about some frames, which all of it may be done on any thread.

    Args:
        canvases, lanes, plan: see `measured_samples`.
        measures: of all frames, `(n, S, 5)`; is filled.
    """

    def __init__(self, canvases: Sequence[Tensor], lanes: Lanes, plan: Plan, measures: NDArray[np.float32]) -> None:
        self._canvases, self._lanes, self._measures = canvases, lanes, measures
        self._values, self._count = plan.values(), len(plan.settings)
        self._how = Conditions(**plan.conditions)
        self._explained = plan.explained

    def places(self) -> list[NDArray[np.int64]]:
        """The frames of each batch, by number: all of the first sample, then those of the next."""
        total = len(self._canvases) * self._count
        size = self._how.chunk or CHUNK.get(self._lanes.model.device.type, CPU_CHUNK)
        return [np.arange(first, min(first + size, total)) for first in range(0, total, size)]

    def __call__(self, places: NDArray[np.int64]) -> _Batch:
        """What the model gives for these frames, which are measured as well."""
        samples, settings = np.divmod(places, self._count)
        how, prepared, moved, contents = self._how, [], [], []
        with self._lanes.one() as model:
            for sample in np.unique(samples):
                rows = settings[samples == sample]
                some = {name: each[rows] for name, each in self._values.items()}
                subject = ImageSubject(self._canvases[sample], {}, model.inputs, None)  # type: ignore[arg-type]
                content = subject.room(len(rows), subject.canvas.device)
                moved += subject.fill(content, some, erase_fill=how.erase_fill, border=how.border, seed=how.seed)
                seen = model.inputs.scaled(subject.batch(content))  # type: ignore[union-attr]
                prepared.append(model.inputs.normalised(seen))  # type: ignore[union-attr]
                contents.append((seen.permute(0, 2, 3, 1), sample, rows))
            inputs = torch.cat(prepared) if len(prepared) > 1 else prepared[0]
            with alone(model.module), how.autocast(model.device):
                logits, maps = self._answer(model, inputs)
        for content, sample, rows in contents:
            self._measures[sample, rows] = np.stack(list(measure(content).values()), axis=1)
        return _Batch(samples, settings, np.concatenate(moved), logits, maps)

    def _answer(self, model: Model, inputs: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        if self._explained is None:
            with torch.inference_mode(), evaluating(model.asked):
                return model.asked(inputs), ()
        way, layers, target = _explaining(model, self._explained)
        found = way.explain(model.asked, inputs, layers, target)
        return found.logits, found.maps


def _explaining(model: Model, explained: Mapping[str, Any]) -> tuple[Any, Any, Target]:
    """The method, the layers and the target of maps."""
    target = explained.get("target", FOLLOW)
    return (
        find_method(explained.get("method", "gradcam")),
        model.find_layers(explained.get("layer")),
        Target() if target == FOLLOW else Target(model.outputs.index_of(target)),
    )


def _drifts(batches: Sequence[_Batch], count: int, settings: int) -> NDArray[np.float32]:
    """How far the map of each frame moved from its sample's neutral one, `(n, S, 4)`."""
    found = np.empty((count, settings, len(Drift._fields)), np.float32)
    if not count:
        return found
    parts = [torch.cat(each).float() for each in zip(*(batch.maps for batch in batches), strict=True)]
    moved = np.concatenate([batch.moved for batch in batches]).reshape(count, settings, 3, 3)
    for sample in range(count):
        rows = slice(sample * settings, (sample + 1) * settings)
        # Layers are brought to one scale over the frames of one sample, as over those of one sweep.
        maps = combined([each[rows] for each in parts]).cpu().numpy()
        found[sample] = np.stack(drift(maps, moved[sample], maps[0], moved[sample, 0]), axis=1)
    return found
