"""Surfaces of known scores, where nothing needs to be asked."""

from __future__ import annotations

import numpy as np

import augimpact as ai
from augimpact.models.outputs import VALUES, Outputs


def surface_of(scores, outputs, target=0, grid=None, name="some picture.jpg"):
    """A surface of the scores `(R, K, C)` over a grid of as many rows and columns."""
    rows, columns, _ = scores.shape
    grid = grid or ai.Grid(rotation=(-90, 90, columns), brightness=(0.5, 2, rows))
    return ai.Surface(
        axes=(grid.catalogue[grid.axes[0]], grid.catalogue[grid.axes[1]]),
        across=grid.values[0],
        up=grid.values[1],
        scores=np.asarray(scores, dtype=np.float32),
        outputs=outputs,
        target=target,
        recipe={"image": {"name": name}, "classifier": {"name": "known"}, "grid": grid.recipe()},
    )


def of_classes(states, names, target=0, **options):
    """The class of each setting is known, `(R, K)`; its score runs from 0.55 to 0.95 over the settings."""
    states = np.asarray(states)
    highest = np.linspace(0.55, 0.95, states.size).reshape(states.shape)
    scores = np.repeat(((1 - highest) / max(1, len(names) - 1))[..., None], len(names), axis=-1)
    np.put_along_axis(scores, states[..., None], highest[..., None], axis=-1)
    return surface_of(scores, Outputs.of_classes(names), target, **options)


def of_values(values, span=(-10.0, 10.0), threshold=5.0):
    """One value, `dots` in mm, of each setting `(R, K)`."""
    outputs = Outputs(VALUES, ("dots",), ("mm",), (span,), (threshold,))
    return surface_of(np.asarray(values)[..., None], outputs)
