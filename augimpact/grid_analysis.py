"""Image × classifier × grid → surface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from augimpact.analysis import NEUTRAL, find_target, plain, recipe_of, subject_and_model
from augimpact.asking import Conditions, score_settings
from augimpact.errors import TargetError
from augimpact.grid import Grid, Surface
from augimpact.models.model import Model

__all__ = ["analyze_grid"]


def analyze_grid(
    image: Any,
    grid: Grid,
    classifier: Model | nn.Module | str | None = None,
    *,
    target: str | int = NEUTRAL,
    second: Any = None,
    classes: Sequence[str | int] | None = None,
    **conditions: Any,
) -> Surface:
    """Asks a model about every setting of a grid: forward passes only, no maps.

    Args:
        image: see `augimpact.analyze`.
        grid: two parameters against each other.
        classifier: see `augimpact.analyze`.
        target: the class whose score is drawn: `neutral` (the top class of the image as it was), or a name or index.
        second: see `augimpact.analyze`.
        classes: likewise.
        **conditions: see `augimpact.asking.Conditions`.

    Raises:
        ImageError, SignalError, ParameterError, ModelError, TargetError: see those.
        Cancelled: `cancelled` said so.
    """
    subject, model = subject_and_model(image, classifier, second=second, classes=classes)
    how = Conditions(**conditions)
    explained = find_target(model, subject, target, how)
    if explained.index is None or explained.against is not None:
        raise TargetError(f"target {target!r} is more than one class; a grid draws the score of one")
    scores = score_settings(subject, grid.settings(subject.catalogue), model, **conditions)
    return Surface(
        axes=(grid.catalogue[grid.axes[0]], grid.catalogue[grid.axes[1]]),
        across=grid.values[0],
        up=grid.values[1],
        scores=scores.reshape(*grid.shape, -1),
        outputs=model.outputs,
        target=explained.index,
        recipe=recipe_of(subject, model, how) | {"target": plain(target), "grid": grid.recipe()},
    )
