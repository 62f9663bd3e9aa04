"""Stacks of masks, a layer for each object: told from one-hot masks by their layers, of which each image has others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from augimpact.errors import AmbiguousData
from augimpact.profiling.segmentation import ONE_MASK_EXPECTED
from augimpact.profiling.source import Failure, Sample

__all__ = ["refuse_stacks"]


def refuse_stacks(samples: Iterable[Sample | Failure]) -> Iterator[Sample | Failure]:
    """The samples.

    Raises:
        AmbiguousData: the masks of two have different numbers of layers, so that no layer is a class.
    """
    first = None
    for sample in samples:
        count = _layers_of(sample.label, tuple(sample.image.shape[:2])) if isinstance(sample, Sample) else None
        first = count if first is None else first
        if count is not None and count != first:
            told = f"the masks of two images have {first} layers and {count}: each object has one there, and no class"
            raise AmbiguousData(f"{told}; {ONE_MASK_EXPECTED}", "labels", [])
        yield sample


def _layers_of(label: Any, size: tuple[int, ...]) -> int | None:
    """How many a mask has of an image of this height and width; None of what is no mask."""
    if not isinstance(label, np.ndarray) or label.dtype.kind not in "biu":
        return None
    # Of a single layer there is no axis.
    if label.shape == size:
        return 1
    if label.ndim != 3 or size not in (label.shape[1:], label.shape[:2]):
        return None
    return int(label.shape[0] if label.shape[1:] == size else label.shape[-1])
