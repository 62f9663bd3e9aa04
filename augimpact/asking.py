"""Asking a model about the settings of a subject, chunk by chunk, under the same conditions for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from augimpact.errors import Cancelled, ModelError, UserError, unknown
from augimpact.memory import memory_is_kept
from augimpact.models.hooks import alone, evaluating
from augimpact.models.model import Model
from augimpact.subject import Subject

__all__ = ["CHUNK", "PRECISIONS", "Conditions", "batches", "score_settings"]

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
# Frames that the model is fed at a time: as many as keep a GPU busy. On a CPU more of them pay where freed memory is
# kept; where it is not, larger tensors are asked of the system page by page.
CHUNK = {"cuda": 64, "mps": 32}
CPU_CHUNK = {True: 16, False: 8}


@dataclass(frozen=True)
class Conditions:
    """What is the same for all frames of a run, however they are asked about.

    Args:
        erase_fill: what hidden parts show: `black`, `mean` or `noise`.
        border: what lies beyond the edges: `black`, `mean`, `edge` or `reflect`.
        seed: of the noise.
        precision: in which the model computes: `float32`, `bfloat16` or `float16` (by autocast).
        chunk: about how many frames at a time; bounds the model's memory and changes no result beyond rounding.
        progress: called with frames done and frames in all, after each chunk.
        cancelled: asked before each chunk whether to stop.

    Raises:
        UserError: an unknown precision, a seed or chunk that is no such number.
    """

    erase_fill: str = "black"
    border: str = "black"
    seed: int = 0
    precision: str = "float32"
    chunk: int | None = None
    progress: Callable[[int, int], object] | None = None
    cancelled: Callable[[], bool] | None = None

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise UserError(unknown("precision", self.precision, PRECISIONS))
        for name, least in (("seed", 0), ("chunk", 1)):
            value = getattr(self, name)
            whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
            if value is not None and not (whole and value >= least):
                raise UserError(f"{name} is {value!r}; expected a whole number from {least} on")

    def autocast(self, device: torch.device) -> torch.autocast:
        """The context in which the model computes in this precision."""
        precision = PRECISIONS[self.precision]
        return torch.autocast(device.type, precision, enabled=precision is not torch.float32)

    def recipe(self) -> dict[str, Any]:
        """What of it decides the result, in plain types."""
        return {name: getattr(self, name) for name in ("erase_fill", "border", "precision")} | {"seed": int(self.seed)}


def score_settings(subject: Subject, settings: pd.DataFrame, model: Model, **conditions: Any) -> NDArray[np.float32]:
    """Scores or values `(N, C)` of each setting, without maps and without keeping a frame; see also `Conditions`."""
    how = Conditions(**conditions)
    scores = []
    for batch in batches(subject, settings, model, how, None, []):
        with alone(model.module), torch.inference_mode(), evaluating(model.asked), how.autocast(batch.device):
            scores.append(model.outputs.scores(model.asked(batch)))
    found: NDArray[np.float32] = torch.cat(scores).cpu().numpy()
    wrong = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if len(wrong):
        setting = settings.iloc[int(wrong[0])]
        words = [f"{each.label} {each.format(setting[name])}" for name, each in subject.catalogue.items()
                 if setting[name] != each.neutral]  # fmt: skip
        where = ", ".join(words) or "the neutral setting"
        raise ModelError(f"{model.name} gives outputs that are not finite at {where}; expected numbers")
    return found


def batches(
    subject: Subject,
    settings: pd.DataFrame,
    model: Model,
    how: Conditions,
    content: Tensor | None,
    matrices: list[NDArray[np.float64]],
) -> Iterator[Tensor]:
    """What the model is fed, chunk by chunk.

    `content`, on the host, and `matrices` are filled on the way. Nothing here waits for a GPU.
    """
    device, count = subject.canvas.device, len(settings)
    values = dict(zip(map(str, settings.columns), settings.to_numpy(dtype=np.float64).T, strict=True))
    for part in _parts(count, how.chunk or CHUNK.get(device.type, CPU_CHUNK[memory_is_kept()])):
        if how.cancelled is not None and how.cancelled():
            raise Cancelled
        on_host = content is not None and device.type == "cpu"
        shown = content[part] if content is not None and on_host else subject.room(part.stop - part.start, device)
        some = {name: each[part] for name, each in values.items()}
        matrices += subject.fill(shown, some, erase_fill=how.erase_fill, border=how.border, seed=how.seed)
        if content is not None and not on_host:
            content[part].copy_(shown, non_blocking=True)
        yield model.prepare(subject.batch(shown))
        if how.progress is not None:
            how.progress(part.stop, count)
    if content is not None and device.type == "cuda":
        torch.cuda.current_stream(device).synchronize()


def _parts(count: int, size: int) -> Iterator[slice]:
    """Parts of nearly equal length, about `size`: one frame left over alone would cost almost as much as many."""
    edges = np.linspace(0, count, max(1, round(count / max(size, 1))) + 1).round().astype(int).tolist()
    return (slice(start, stop) for start, stop in pairwise(edges))
