"""How somebody's data is read where a page does it: what else would be an argument of `profile`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from augimpact.errors import DataError, unknown
from augimpact.profiling.decode import Decoder
from augimpact.profiling.structure import Finder

__all__ = ["Reading"]


@dataclass(frozen=True)
class Reading:
    """What `augimpact.profile` can be told of data, each as an argument there of the same name.

    >>> Reading.of({"labels": "[1]"}).labels
    '[1]'
    """

    images: Finder = None
    labels: Finder = None
    class_names: Sequence[str] | Mapping[int, str] | None = None
    layout: str | None = None
    value_range: str | Sequence[float] | None = None
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    channels: str = "RGB"

    @classmethod
    def of(cls, options: Mapping[str, Any] | None) -> Reading:
        """With the options of these names.

        Raises:
            DataError: there is no such option, or its value makes no sense.
        """
        known = [field.name for field in fields(cls)]
        for name in options or {}:
            if name not in known:
                raise DataError(unknown("option of the data", name, known))
        reading = cls(**(options or {}))
        if reading.channels not in ("RGB", "BGR"):
            raise DataError(f"channels is {reading.channels!r}; expected RGB or BGR")
        reading.decoder()
        return reading

    def decoder(self) -> Decoder:
        """What decodes the images."""
        return Decoder(self.layout, self.value_range, self.mean, self.std, self.channels == "BGR")
