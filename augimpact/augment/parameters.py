"""The catalogue: every parameter that can change, once, for the sliders, the command line and the documents.

A *setting* gives every parameter a value; what is not named is neutral. Neither torch nor an image is needed
here, so a page can draw its sliders before anything heavy is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from augimpact.errors import ParameterError, unknown

__all__ = ["CATALOGUE", "ERASE_FILLS", "Parameter", "format_value", "neutral_setting", "resolve"]

ERASE_FILLS = ("black", "mean", "noise")


@dataclass(frozen=True)
class Parameter:
    """One thing that can change continuously.

    `sweep` is the range that is offered first; `needs` names parameters that must leave their neutral value
    before this one has any effect.
    """

    name: str
    group: str
    minimum: float
    maximum: float
    neutral: float
    sweep: tuple[float, float]
    unit: str
    description: str
    needs: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The name as a person reads it."""
        return self.name.replace("_", " ")

    def check(self, values: ArrayLike) -> NDArray[np.float64]:
        """The values as float64, of any shape.

        Raises:
            ParameterError: a value is no number, not finite, or outside the parameter's range.
        """
        expected = f"a number from {self.minimum:g} to {self.maximum:g}"
        try:
            numbers = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ParameterError(f"{self.name} is {values!r}; expected {expected}") from error
        wrong = ~((numbers >= self.minimum) & (numbers <= self.maximum))
        if wrong.any():
            raise ParameterError(f"{self.name} is {float(numbers[wrong].flat[0]):g}; expected {expected} ({self.unit})")
        return numbers


def _catalogue(*parameters: Parameter) -> Mapping[str, Parameter]:
    return {parameter.name: parameter for parameter in parameters}


CATALOGUE: Mapping[str, Parameter] = _catalogue(
    Parameter("crop", "geometry", 0.05, 1, 1, (1, 0.3), "share of the side",
              "keeps this share of the side and shows it at full size"),
    Parameter("crop_x", "geometry", 0, 1, 0.5, (0, 1), "share of the side",
              "centre of the crop from left to right; the crop stays inside the image", ("crop",)),
    Parameter("crop_y", "geometry", 0, 1, 0.5, (0, 1), "share of the side",
              "centre of the crop from top to bottom; the crop stays inside the image", ("crop",)),
    Parameter("rotation", "geometry", -180, 180, 0, (-60, 60), "degrees",
              "turns the image about its centre, counter-clockwise"),
    Parameter("perspective_x", "geometry", -1, 1, 0, (-0.7, 0.7), "share of the edge",
              "shrinks the right edge (negative: the left) towards its middle by this share"),
    Parameter("perspective_y", "geometry", -1, 1, 0, (-0.7, 0.7), "share of the edge",
              "shrinks the bottom edge (negative: the top) towards its middle by this share"),
    Parameter("brightness", "colour", 0, 3, 1, (0.2, 2.5), "factor",
              "multiplies every pixel; what passes white is cut"),
    Parameter("erase_w", "occlusion", 0, 1, 0, (0, 0.6), "share of the side",
              "width of the erased box", ("erase_h",)),
    Parameter("erase_h", "occlusion", 0, 1, 0, (0, 0.6), "share of the side",
              "height of the erased box", ("erase_w",)),
    Parameter("erase_x", "occlusion", 0, 1, 0, (0, 0.7), "share of the side",
              "left edge of the erased box", ("erase_w", "erase_h")),
    Parameter("erase_y", "occlusion", 0, 1, 0, (0, 0.7), "share of the side",
              "top edge of the erased box", ("erase_w", "erase_h")),
)  # fmt: skip


def neutral_setting() -> dict[str, float]:
    """The setting that leaves an image as it is.

    >>> neutral_setting()["brightness"]
    1
    """
    return {name: parameter.neutral for name, parameter in CATALOGUE.items()}


def resolve(settings: Mapping[str, Any]) -> dict[str, NDArray[np.float64]]:
    """Values for every parameter, all of one length N, in the catalogue's order.

    `settings` maps names to a number or to N numbers; numbers are repeated, what is not named is neutral.

    Raises:
        ParameterError: an unknown name, a value outside its range, or sequences of unequal length.

    >>> resolved = resolve({"rotation": [-10, 0, 10], "crop": 0.8})
    >>> resolved["rotation"].tolist(), resolved["crop"].tolist()
    ([-10.0, 0.0, 10.0], [0.8, 0.8, 0.8])
    """
    for name in settings:
        if name not in CATALOGUE:
            raise ParameterError(unknown("parameter", name, CATALOGUE))
    checked = {
        name: np.atleast_1d(parameter.check(settings.get(name, parameter.neutral)))
        for name, parameter in CATALOGUE.items()
    }
    lengths = {name: len(values) for name, values in checked.items() if len(values) != 1}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ParameterError(f"settings of unequal length: {found}; expected one length for all")
    length = next(iter(lengths.values()), 1)
    return {name: np.repeat(values, length) if len(values) == 1 else values for name, values in checked.items()}


def format_value(name: str, value: float) -> str:
    """A value as a person reads it, with a true minus sign and its degree sign.

    >>> format_value("rotation", -12.25), format_value("brightness", 1.4)
    ('−12.2°', '1.40')
    """
    degrees = CATALOGUE[name].unit == "degrees"
    text = f"{abs(value):.1f}°" if degrees else f"{abs(value):.2f}"
    return text if value >= 0 or float(text.rstrip("°")) == 0 else "−" + text
