"""What masks and boxes say beyond classes: which of the two a dataset has is seen by its labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from augimpact.profiling.panel import Panel
from augimpact.profiling.panels import Naming
from augimpact.profiling.source import Sample

__all__ = ["Annotations", "annotation_panels"]


class Annotations:
    """The annotations of one split, sample by sample.

    Args:
        ignored: classes of masks that do not count.
    """

    def __init__(self, ignored: Sequence[int] = ()) -> None:
        self.ignored = tuple(ignored)

    def add(self, sample: Sample) -> None:
        """Takes in the mask or the boxes of a sample, if it has any."""


def annotation_panels(_splits: Mapping[str, Annotations], _naming: Naming) -> list[Panel]:
    """Those of masks, or of boxes; none where there are only classes."""
    return []
