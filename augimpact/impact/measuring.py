"""Some samples under every setting: frames of several samples in one batch, so that a model is always fed full.

Images are decoded ahead by threads and frames are measured by others, while the model computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from augimpact.analysis import FOLLOW
from augimpact.asking import CHUNK, CPU_CHUNK, Conditions
from augimpact.data.image import read_image
from augimpact.data.pipeline import NPY, load_array
from augimpact.drift import Drift, drift
from augimpact.errors import ModelError
from augimpact.explain.combine import combined
from augimpact.explain.methods import find_method
from augimpact.explain.target import Target
from augimpact.impact.labels import UNKNOWN
from augimpact.impact.plan import Plan
from augimpact.measures import MEASURES, measure
from augimpact.memory import memory_is_kept
from augimpact.models.hooks import alone, evaluating
from augimpact.models.model import Model
from augimpact.subject import ImageSubject

__all__ = ["Answers", "canvas_of", "measured_samples"]

# Frames that wait to be measured, at most, in batches.
WAITING = 4
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
    """What the model is fed at once: which sample and setting each frame is of, the input, how frames were moved."""

    samples: NDArray[np.int64]
    settings: NDArray[np.int64]
    prepared: Tensor
    moved: NDArray[np.float64]


def canvas_of(content: bytes, model: Model) -> Tensor:
    """The image of a file's bytes, or of an array's, as frames of it are made.

    Raises:
        ImageError: it is none.
    """
    return model.canvas(read_image(load_array(content) if content.startswith(NPY) else content))


def measured_samples(
    canvases: Sequence[Tensor], labels: Sequence[int], model: Model, plan: Plan, told: Telling | None = None
) -> Answers:
    """Asks a classifier about every sample under every setting.

    Args:
        canvases: n images as `model.canvas` makes them.
        labels: the right class of each, or −1.
        model: a classifier of images.
        plan: the settings.
        told: after each batch the number of frames in it.

    Raises:
        ModelError: its outputs are not numbers.
    """
    how = Conditions(**plan.conditions)
    answers = _answers(len(canvases), plan)
    explaining = None if plan.explained is None else _Explaining(model, plan, len(canvases))
    right = torch.tensor(list(labels), device=model.device)
    # A device's answers are fetched at the end, so that it never waits for the host.
    asked: list[tuple[_Batch, Tensor, Tensor]] = []
    with ThreadPoolExecutor(1) as measuring:
        for batch in _batches(canvases, model, plan, how, answers.measures, measuring):
            with alone(model.module), how.autocast(model.device):
                logits = _logits(model, batch.prepared) if explaining is None else explaining.logits(model, batch)
            scores = model.outputs.scores(logits)
            asked.append((batch, *_of_label(scores, batch, right)))
            if told is not None:
                told(len(batch.samples))
    for batch, predicted, of_label in asked:
        values = of_label.cpu().numpy()
        if not np.isfinite(values).all():
            raise ModelError(f"{model.name} gives outputs that are not finite; expected numbers")
        answers.predicted[batch.samples, batch.settings] = predicted.cpu().numpy()
        answers.scores[batch.samples, batch.settings] = values
    return answers if explaining is None else answers._replace(drifts=explaining.drifts())


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


def _logits(model: Model, prepared: Tensor) -> Tensor:
    with torch.inference_mode(), evaluating(model.asked):
        logits: Tensor = model.asked(prepared)
    return logits


def _batches(
    canvases: Sequence[Tensor],
    model: Model,
    plan: Plan,
    how: Conditions,
    measures: NDArray[np.float32],
    measuring: ThreadPoolExecutor,
) -> Iterator[_Batch]:
    """All frames, in batches of one size; `measures` is filled on the way."""
    size = how.chunk or CHUNK.get(model.device.type, CPU_CHUNK[memory_is_kept()])
    values, count = plan.values(), len(plan.settings)
    total = len(canvases) * count
    waiting: list[Future[None]] = []
    for first in range(0, total, size):
        places = np.arange(first, min(first + size, total))
        samples, settings = np.divmod(places, count)
        prepared, moved = [], []
        for sample in np.unique(samples):
            rows = settings[samples == sample]
            some = {name: each[rows] for name, each in values.items()}
            subject = ImageSubject(canvases[sample], {}, model.inputs, None)  # type: ignore[arg-type]
            content = subject.room(len(rows), subject.canvas.device)
            moved += subject.fill(content, some, erase_fill=how.erase_fill, border=how.border, seed=how.seed)
            prepared.append(model.prepare(subject.batch(content)))
            waiting.append(measuring.submit(_measure, content, measures[sample], rows))
        inputs = torch.cat(prepared) if len(prepared) > 1 else prepared[0]
        yield _Batch(samples, settings, inputs, np.concatenate(moved))
        while len(waiting) > WAITING:
            waiting.pop(0).result()
    for each in waiting:
        each.result()


def _measure(content: Tensor, measures: NDArray[np.float32], rows: NDArray[np.int64]) -> None:
    measures[rows] = np.stack(list(measure(content.cpu().numpy()).values()), axis=1)


class _Explaining:
    """The maps of all frames, and how far each moved from its sample's neutral one."""

    def __init__(self, model: Model, plan: Plan, count: int) -> None:
        options = dict(plan.explained or {})
        self._way = find_method(options.get("method", "gradcam"))
        self._layers = model.find_layers(options.get("layer"))
        target = options.get("target", FOLLOW)
        self._target = Target() if target == FOLLOW else Target(model.outputs.index_of(target))
        self._shape = (count, len(plan.settings))
        self._known: list[tuple[_Batch, tuple[Tensor, ...]]] = []

    def logits(self, model: Model, batch: _Batch) -> Tensor:
        explanation = self._way.explain(model.asked, batch.prepared, self._layers, self._target)
        self._known.append((batch._replace(prepared=torch.empty(0)), explanation.maps))
        return explanation.logits

    def drifts(self) -> NDArray[np.float32]:
        """`(n, S, 4)`."""
        count, settings = self._shape
        parts = [torch.cat(each).float() for each in zip(*(maps for _, maps in self._known), strict=True)]
        moved = np.concatenate([batch.moved for batch, _ in self._known]).reshape(count, settings, 3, 3)
        found = np.empty((count, settings, len(Drift._fields)), np.float32)
        for sample in range(count):
            rows = slice(sample * settings, (sample + 1) * settings)
            # Layers are brought to one scale over the frames of one sample, as over those of one sweep.
            maps = combined([each[rows] for each in parts]).cpu().numpy()
            found[sample] = np.stack(drift(maps, moved[sample], maps[0], moved[sample, 0]), axis=1)
        return found
