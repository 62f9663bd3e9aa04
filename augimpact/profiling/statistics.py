"""The numbers behind the panels, as pure functions of counts and columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from augimpact.measures import MEASURES
from augimpact.profiling.needs import PROPERTIES

__all__ = [
    "CHANCE", "LIKE_SIZE", "ODD", "chance_about", "class_distance", "count_odd", "drift_between", "fences",
    "information_about", "odd_ones", "quantiles",
]  # fmt: skip

QUANTILES = {"p1": 0.01, "p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95, "p99": 0.99}
# A difference is told only where chance alone would make one so large less often than this.
CHANCE = 0.01
# Groups of about equally many samples into which a property is cut where its information is told.
CUTS = 8
# An image is odd if it is darker than this, lighter, plainer (bits of entropy), or so far out in sharpness or size:
# beyond the quartiles by so many times their distance (Tukey 1977, Exploratory data analysis: "far out" is 3).
DARK, LIGHT, PLAIN, FAR_OUT = 0.08, 0.92, 2.0, 3.0
# Where most images are alike the quartiles are one, and any other image would be far out. Yet none is odd in size or
# aspect that is within 5 % of the median, and none is blurred that has half the median's sharpness. As logarithms.
LIKE_SIZE, LIKE_SHARPNESS = math.log2(1.05), 1.0
# Numbers that are nearer to each other are one.
EQUAL = 1e-9
# Of each kind, how many are listed.
LISTED = 12
Numbers = NDArray[np.float64]
# The ways in which an image may be odd, and in which property it is.
ODD: Mapping[str, str] = {
    "dark": "brightness", "light": "brightness", "plain": "entropy", "blurred": "sharpness", "odd_size": "size",
    "odd_aspect": "aspect",
}  # fmt: skip


def quantiles(values: ArrayLike) -> dict[str, float | None]:
    """Count, mean, deviation, least, most, and the quantiles; None where there are no values.

    >>> quantiles([1, 2, 3])["median"], quantiles([])["mean"]
    (2.0, None)
    """
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return {"count": 0, **dict.fromkeys(("mean", "std", "min", "max", *QUANTILES))}
    told = {"mean": known.mean(), "std": known.std(), "min": known.min(), "max": known.max()}
    found = np.quantile(known, list(QUANTILES.values()))
    told |= dict(zip(QUANTILES, found, strict=True))
    return {"count": len(known)} | {name: float(each) for name, each in told.items()}


def class_distance(first: pd.Series[int], second: pd.Series[int]) -> dict[str, Any]:
    """How two splits' classes differ.

    χ² of homogeneity over the classes that either has (Pearson 1900), its p-value, the Jensen-Shannon distance with
    logarithms of base 2, from 0 (equal shares) to 1 (no class in common) (Endres and Schindelin 2003); `new` classes
    are in the second alone, `missing` ones in the first alone.
    """
    from scipy.spatial.distance import jensenshannon
    from scipy.stats import chi2_contingency

    counts = np.stack([first.to_numpy(np.float64), second.reindex(first.index).fillna(0).to_numpy(np.float64)])
    there = counts.sum(axis=0) > 0
    told: dict[str, Any] = {
        "new": [str(name) for name in first.index[(counts[0] == 0) & (counts[1] > 0)]],
        "missing": [str(name) for name in first.index[(counts[0] > 0) & (counts[1] == 0)]],
        "chi2": None, "p": None, "jensen_shannon": None,
    }  # fmt: skip
    if there.sum() > 1 and (counts.sum(axis=1) > 0).all():
        tested = chi2_contingency(counts[:, there], correction=False)
        told |= {"chi2": float(tested.statistic), "p": float(tested.pvalue)}
    if (counts.sum(axis=1) > 0).all():
        # Rounding may lead below 0, of which the root is no number.
        told["jensen_shannon"] = float(np.nan_to_num(jensenshannon(counts[0], counts[1], base=2)))
    return told


def properties_of(frame: pd.DataFrame, properties: Collection[str]) -> pd.DataFrame:
    """These properties of each sample; sizes by their logarithm, which one scaling only shifts."""
    measured = {name: frame[name].astype(np.float64) for name in properties if name in MEASURES}
    shape = {"aspect": np.log2(frame["width"] / frame["height"]), "size": np.log2(frame["width"] * frame["height"]) / 2}
    return pd.DataFrame(measured | {name: each for name, each in shape.items() if name in properties})


def drift_between(
    first: pd.DataFrame, second: pd.DataFrame, properties: Collection[str] = PROPERTIES
) -> dict[str, dict[str, float | None]]:
    """For each property the Wasserstein distance, in the first's deviations, and the Kolmogorov-Smirnov test."""
    from scipy.stats import ks_2samp, wasserstein_distance

    one, other = properties_of(first, properties), properties_of(second, properties)
    if not len(one) or not len(other):
        return {name: {"wasserstein": None, "ks": None, "p": None} for name in properties}
    found = {}
    for name in properties:
        # Rounding leaves equal numbers a deviation of its own.
        deviation = one[name].std(ddof=0) if np.ptp(one[name]) > EQUAL else 0.0
        distance = wasserstein_distance(one[name], other[name])
        tested = ks_2samp(one[name], other[name])
        found[name] = {
            "wasserstein": None if not deviation and distance > EQUAL else float(distance / (deviation or 1)),
            "ks": float(tested.statistic),
            "p": float(tested.pvalue),
        }
    return found


def information_about(
    frame: pd.DataFrame, labels: pd.Series[str], properties: Collection[str] = PROPERTIES
) -> dict[str, float]:
    """What each property, cut into groups as `_groups` has them, tells of the label: I(L; P) / H(L).

    The uncertainty coefficient, from 0 to 1 (Theil 1970). The mutual information of independent draws is above 0 by
    about (groups − 1)(classes − 1) / 2n (Miller 1955), which is taken off.
    """
    found = {}
    for name, table in _tables(frame, labels, properties).items():
        entropy = _entropy(table.sum(axis=0))
        shared = _entropy(table.sum(axis=1)) + entropy - _entropy(table)
        by_chance = (len(table) - 1) * (table.shape[1] - 1) / (2 * len(labels))
        found[name] = float(np.clip((shared - by_chance) / entropy, 0, 1)) if entropy else 0.0
    return found


def chance_about(
    frame: pd.DataFrame, labels: pd.Series[str], properties: Collection[str] = PROPERTIES
) -> dict[str, float]:
    """How likely labels that have nothing to do with a property would be as uneven in its groups: χ² (Pearson 1900)."""
    from scipy.stats import chi2_contingency

    tables = _tables(frame, labels, properties)
    return {name: float(chi2_contingency(table, correction=False).pvalue) for name, table in tables.items()}


def _tables(frame: pd.DataFrame, labels: pd.Series[str], properties: Collection[str]) -> dict[str, NDArray[np.float64]]:
    """How many samples of each label are in each of a property's groups, `(groups, labels)`."""
    codes = pd.factorize(labels.to_numpy())[0]
    found = {}
    for name, values in properties_of(frame, properties).items():
        groups = _groups(values)
        table = np.zeros((groups.max() + 1, codes.max() + 1))
        np.add.at(table, (groups, codes), 1)
        found[str(name)] = table[table.sum(axis=1) > 0]
    return found


def _groups(values: pd.Series[float]) -> NDArray[np.int64]:
    """In which of `CUTS` groups of equal size each value is, equal ones in one; few different values are a group each.

    >>> _groups(pd.Series([7.0, 7.0, 7.0, 9.0])).tolist(), np.bincount(_groups(pd.Series(np.arange(24.0)))).tolist()
    ([0, 0, 0, 1], [3, 3, 3, 3, 3, 3, 3, 3])
    """
    different, numbers = np.unique(values, return_inverse=True)
    if len(different) <= CUTS:
        return np.asarray(numbers, np.int64)
    # Equal values lie together where the middle of them lies, however many they are.
    edges = 1 + (len(values) - 1) * np.arange(1, CUTS) / CUTS
    return np.searchsorted(edges, values.rank()).astype(np.int64)


def _entropy(counts: NDArray[Any]) -> float:
    """In nats."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def odd_ones(frame: pd.DataFrame, properties: Collection[str] = PROPERTIES) -> dict[str, dict[str, Any]]:
    """How many images are odd, in each way, and the indices of those that are it most."""
    told = {}
    for name, beyond in _beyond(frame, properties).items():
        order = np.argsort(-beyond, kind="stable")
        found = order[beyond[order] > 0]
        told[name] = {"count": len(found), "indices": frame["index"].to_numpy()[found[:LISTED]].tolist()}
    return told


def count_odd(frame: pd.DataFrame, properties: Collection[str] = PROPERTIES) -> int:
    """How many images are odd in any way, each once."""
    return int(np.any([beyond > 0 for beyond in _beyond(frame, properties).values()], axis=0).sum())


def _beyond(frame: pd.DataFrame, properties: Collection[str]) -> dict[str, Numbers]:
    """By how much each image is odd, in each way; an ordinary one by 0 or less."""
    ways: dict[str, Callable[[Numbers], Numbers]] = {
        "dark": lambda values: DARK - values,
        "light": lambda values: values - LIGHT,
        "plain": lambda values: PLAIN - values,
        "blurred": _blurred,
        "odd_size": _far_out,
        "odd_aspect": _far_out,
    }
    told = properties_of(frame, [name for name in properties if name in ODD.values()])
    return {way: ways[way](told[name].to_numpy()) for way, name in ODD.items() if name in told}


def _blurred(sharpness: Numbers) -> Numbers:
    logged = np.log2(np.maximum(sharpness, 1e-9))
    return fences(logged, LIKE_SHARPNESS)[0] - logged


def fences(values: Numbers, like: float) -> tuple[float, float]:
    """Below the one and above the other a value is odd; within `like` of the median none is.

    >>> fences(np.array([3.0, 3.0, 3.0, 3.0, 9.0]), 0.5), fences(np.array([0.0, 1.0, 2.0]), 0.5)
    ((2.5, 3.5), (-2.5, 4.5))
    """
    if not len(values):
        return 0.0, 0.0
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    beyond = FAR_OUT * (high - low)
    return float(min(low - beyond, median - like)), float(max(high + beyond, median + like))


def _far_out(values: Numbers) -> Numbers:
    """By how much values lie beyond either fence."""
    low, high = fences(values, LIKE_SIZE)
    return np.maximum(low - values, values - high)
