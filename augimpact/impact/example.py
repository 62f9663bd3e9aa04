"""A made-up impact whose every number is known, to try statistics and pages on without a classifier."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from augimpact.augment.parameters import CATALOGUE
from augimpact.impact.outcomes import Outcomes, SweptPath
from augimpact.measures import MEASURES

__all__ = ["example_outcomes"]

NAMES = ("cat", "dog")


def example_outcomes(
    count: int = 200,
    strengths: ArrayLike = (-30, -20, -10, 0, 10, 20, 30),
    holds: float = 15.0,
    *,
    parameter: str = "rotation",
    wrong: float = 0.0,
    seed: int = 0,
) -> Outcomes:
    """Cats and dogs in turn, and a classifier that takes each for the other where a parameter is too far from neutral.

    Args:
        count: N samples.
        strengths: the tested values of the parameter, in the order of the path.
        holds: the distance from neutral up to which the classifier is right.
        parameter: of the catalogue.
        wrong: the share of predictions that are the other class than that, each by chance, also the neutral ones.
        seed: of that chance, and of the measures, which are uniform from 0 to 1 and do not change with strength.

    >>> outcomes = example_outcomes(4)
    >>> outcomes.correct.mean(axis=0).tolist()
    [1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]
    """
    random = np.random.default_rng(seed)
    tested = np.asarray(strengths, np.float64)
    neutral = float(CATALOGUE[parameter].neutral)
    values = np.concatenate([[neutral], tested[tested != neutral]])
    labels = np.arange(count) % 2
    right = (np.abs(values - neutral) <= holds) != (random.random((count, len(values))) < wrong)
    predicted = np.where(right, labels[:, None], 1 - labels[:, None]).astype(np.int32)
    samples = pd.DataFrame({
        "sample_id": [f"{number:05}" for number in range(count)],
        "path": [f"{number:05}.png" for number in range(count)],
        "class": [NAMES[label] for label in labels],
    })  # fmt: skip
    rows = np.where(tested == neutral, 0, np.cumsum(tested != neutral))
    path = SweptPath((parameter,), rows, tested[:, None])
    measures = {name: np.repeat(random.random((count, 1)), len(values), axis=1).astype(np.float32) for name in MEASURES}
    scores = np.where(right, 0.9, 0.2).astype(np.float32)
    return Outcomes(samples, pd.DataFrame({parameter: values}), (path,), NAMES, labels, predicted, scores, measures, {})
