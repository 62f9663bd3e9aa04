"""The catalogue: every parameter that can change, once, for the sliders, the command line and the documents.

A *setting* gives every parameter a value; what is not named is neutral. Neither torch nor an image is needed
here, so a page can draw its sliders before anything heavy is imported.
"""

from __future__ import annotations

import keyword
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from augimpact.errors import ParameterError, unknown

__all__ = [
    "BORDERS",
    "BUILT_IN",
    "CATALOGUE",
    "ERASE_FILLS",
    "MIXING",
    "Catalogue",
    "Parameter",
    "forget",
    "neutral_setting",
    "register",
    "resolve",
]

# What an erased box or a grid's squares show.
ERASE_FILLS = ("black", "mean", "noise")
# What is seen beyond the image's border, where the geometry leads there.
BORDERS = ("black", "mean", "edge", "reflect")
# Words that names shorten.
SPELT_OUT = {"w": "width", "h": "height"}
# The parameters that need a second image.
MIXING = ("mixup", "cutmix")


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
        return " ".join(SPELT_OUT.get(word, word) for word in self.name.split("_"))

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

    def format(self, value: float) -> str:
        """A value as a person reads it, with a true minus sign and degree sign; one decimal where the range is wide.

        >>> CATALOGUE["rotation"].format(-12.25), CATALOGUE["brightness"].format(1.4), CATALOGUE["jpeg"].format(35)
        ('−12.2°', '1.40', '35.0')
        """
        degrees = self.unit == "degrees"
        decimals = 1 if degrees or self.maximum - self.minimum >= 10 else 2
        digits = f"{abs(value):.{decimals}f}"
        sign = "−" if value < 0 and float(digits) != 0 else ""
        return f"{sign}{digits}{'°' if degrees else ''}"


class Catalogue(Mapping[str, Parameter]):
    """Parameters by name, in the order in which they are shown; `register` extends it, `forget` takes away.

    Whoever walks through it walks through what it held at that moment, so that another thread may extend it meanwhile.
    """

    def __init__(self, parameters: Iterable[Parameter]) -> None:
        self._parameters = {parameter.name: parameter for parameter in parameters}

    def __getitem__(self, name: str) -> Parameter:
        return self._parameters[name]

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._parameters))

    def __len__(self) -> int:
        return len(self._parameters)

    def _replace(self, parameters: dict[str, Parameter]) -> None:
        self._parameters = parameters


CATALOGUE = Catalogue([
    Parameter("crop", "geometry", 0.05, 1, 1, (1, 0.3), "share of the side",
              "keeps this share of the side and shows it at full size"),
    Parameter("crop_x", "geometry", 0, 1, 0.5, (0, 1), "share of the side",
              "centre of the crop from left to right; the crop stays inside the image", ("crop",)),
    Parameter("crop_y", "geometry", 0, 1, 0.5, (0, 1), "share of the side",
              "centre of the crop from top to bottom; the crop stays inside the image", ("crop",)),
    Parameter("stretch_x", "geometry", -2, 2, 1, (1, -1), "factor",
              "stretches the width about the centre; below 0 the image is mirrored left to right"),
    Parameter("stretch_y", "geometry", -2, 2, 1, (1, -1), "factor",
              "stretches the height about the centre; below 0 the image is mirrored top to bottom"),
    Parameter("zoom", "geometry", 0.1, 4, 1, (0.3, 2), "factor",
              "enlarges the image about its centre (below 1: makes it smaller)"),
    Parameter("shear_x", "geometry", -75, 75, 0, (-45, 45), "degrees",
              "slants the upright lines: the top moves right, the bottom left"),
    Parameter("shear_y", "geometry", -75, 75, 0, (-45, 45), "degrees",
              "slants the level lines: the left moves down, the right up"),
    Parameter("rotation", "geometry", -180, 180, 0, (-60, 60), "degrees",
              "turns the image about its centre, counter-clockwise"),
    Parameter("translate_x", "geometry", -1, 1, 0, (-0.5, 0.5), "share of the side",
              "moves the image to the right (negative: to the left)"),
    Parameter("translate_y", "geometry", -1, 1, 0, (-0.5, 0.5), "share of the side",
              "moves the image down (negative: up)"),
    Parameter("perspective_x", "geometry", -1, 1, 0, (-0.7, 0.7), "share of the edge",
              "shrinks the right edge (negative: the left) towards its middle by this share"),
    Parameter("perspective_y", "geometry", -1, 1, 0, (-0.7, 0.7), "share of the edge",
              "shrinks the bottom edge (negative: the top) towards its middle by this share"),
    Parameter("brightness", "colour", 0, 3, 1, (0.2, 2.5), "factor",
              "multiplies every pixel; what passes white is cut"),
    Parameter("contrast", "colour", 0, 5, 1, (0.2, 2.5), "factor",
              "moves every pixel away from the image's mean grey (below 1: towards it)"),
    Parameter("saturation", "colour", 0, 5, 1, (0, 3), "factor",
              "moves every pixel away from its own grey; 0 leaves the greys alone"),
    Parameter("hue", "colour", -180, 180, 0, (-180, 180), "degrees",
              "turns every colour around the colour wheel, from red towards yellow"),
    Parameter("gamma", "colour", 0.2, 5, 1, (0.4, 2.5), "exponent",
              "raises every pixel to this power; above 1 the dark parts get darker"),
    Parameter("sharpness", "colour", 0, 5, 1, (0, 5), "factor",
              "moves every pixel away from the mean of its neighbours (below 1: towards it)"),
    Parameter("posterize", "colour", 1, 8, 8, (8, 1), "bits",
              "keeps this many bits of every colour"),
    Parameter("solarize", "colour", 0, 1, 1, (1, 0), "threshold",
              "inverts every colour that is at least as bright as this"),
    Parameter("blur", "quality", 0, 10, 0, (0, 4), "% of the side",
              "blurs with a Gaussian of this standard deviation"),
    Parameter("motion_blur", "quality", 0, 25, 0, (0, 15), "% of the side",
              "blurs along a line of this length, as if the camera had moved"),
    Parameter("motion_angle", "quality", -90, 90, 0, (-90, 90), "degrees",
              "direction of the motion; 0 is level, counter-clockwise from there", ("motion_blur",)),
    Parameter("noise", "quality", 0, 0.5, 0, (0, 0.3), "standard deviation",
              "adds one and the same field of Gaussian noise, this strong"),
    Parameter("jpeg", "quality", 1, 100, 100, (100, 1), "quality",
              "compresses as a JPEG file of this quality; 100 is no compression at all"),
    Parameter("pixelate", "quality", 0, 25, 0, (0, 10), "% of the side",
              "shows square blocks of this size in their mean colour"),
    Parameter("mixup", "mixing", 0, 1, 0, (0, 1), "share",
              "blends in the second image: 0 shows none of it, 1 nothing else"),
    Parameter("cutmix", "mixing", 0, 1, 0, (0, 0.6), "share of the area",
              "a square box of this area shows the second image"),
    Parameter("cutmix_x", "mixing", 0, 1, 0.5, (0, 1), "share of the side",
              "centre of that box from left to right; the box stays inside the image", ("cutmix",)),
    Parameter("cutmix_y", "mixing", 0, 1, 0.5, (0, 1), "share of the side",
              "centre of that box from top to bottom; the box stays inside the image", ("cutmix",)),
    Parameter("erase_w", "occlusion", 0, 1, 0, (0, 0.6), "share of the side",
              "width of the erased box", ("erase_h",)),
    Parameter("erase_h", "occlusion", 0, 1, 0, (0, 0.6), "share of the side",
              "height of the erased box", ("erase_w",)),
    Parameter("erase_x", "occlusion", 0, 1, 0, (0, 0.7), "share of the side",
              "left edge of the erased box", ("erase_w", "erase_h")),
    Parameter("erase_y", "occlusion", 0, 1, 0, (0, 0.7), "share of the side",
              "top edge of the erased box", ("erase_w", "erase_h")),
    Parameter("grid_mask", "occlusion", 0, 1, 0, (0, 0.8), "share of the cell",
              "hides a square in every cell of a grid, this share of the cell's side"),
    Parameter("grid_cells", "occlusion", 1, 20, 8, (2, 16), "cells per side",
              "how many cells that grid has from side to side", ("grid_mask",)),
])  # fmt: skip
BUILT_IN = frozenset(CATALOGUE)
# A sweep's own keywords: no parameter can be named like one of them.
RESERVED = frozenset({"frames", "easing"})


def register(parameter: Parameter) -> None:
    """Adds a parameter to the catalogue, or puts it in place of an earlier one that was registered by the same name.

    Raises:
        ParameterError: a name that is no Python identifier or is taken, or numbers that do not go together.
    """
    name = parameter.name
    if not name.isidentifier() or keyword.iskeyword(name) or name in RESERVED:
        raise ParameterError(f"an augmentation is named {name!r}; expected a Python identifier such as my_vignette")
    if name in BUILT_IN:
        raise ParameterError(f"an augmentation is named {name!r}; that is a built-in one, expected another name")
    if not -math.inf < parameter.minimum < parameter.maximum < math.inf:
        span = f"{parameter.minimum:g} to {parameter.maximum:g}"
        raise ParameterError(f"the range of {name} is {span}; expected two finite numbers, the smaller first")
    parameter.check([parameter.neutral, *parameter.sweep])
    CATALOGUE._replace({**CATALOGUE, name: parameter})


def forget(name: str) -> None:
    """Takes a registered parameter out of the catalogue; one that is not there is no error.

    Raises:
        ParameterError: a built-in parameter.
    """
    if name in BUILT_IN:
        raise ParameterError(f"{name} is a built-in parameter; expected the name of an augmentation of your own")
    CATALOGUE._replace({each: parameter for each, parameter in CATALOGUE.items() if each != name})


def neutral_setting() -> dict[str, float]:
    """The setting that leaves an image as it is.

    >>> neutral_setting()["brightness"]
    1
    """
    return {name: parameter.neutral for name, parameter in CATALOGUE.items()}


def resolve(
    settings: Mapping[str, Any], catalogue: Mapping[str, Parameter] | None = None
) -> dict[str, NDArray[np.float64]]:
    """Values for every parameter, all of one length N, in the catalogue's order, by default that of images.

    `settings` maps names to a number or to N numbers; numbers are repeated, what is not named is neutral.

    Raises:
        ParameterError: an unknown name, a value outside its range, or sequences of unequal length.

    >>> resolved = resolve({"rotation": [-10, 0, 10], "crop": 0.8})
    >>> resolved["rotation"].tolist(), resolved["crop"].tolist()
    ([-10.0, 0.0, 10.0], [0.8, 0.8, 0.8])
    """
    catalogue = CATALOGUE if catalogue is None else catalogue
    for name in settings:
        if name not in catalogue:
            raise ParameterError(unknown("parameter", name, catalogue))
    checked = {
        name: np.atleast_1d(parameter.check(settings.get(name, parameter.neutral)))
        for name, parameter in catalogue.items()
    }
    lengths = {name: len(values) for name, values in checked.items() if len(values) != 1}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ParameterError(f"settings of unequal length: {found}; expected one length for all")
    length = next(iter(lengths.values()), 1)
    return {name: np.repeat(values, length) if len(values) == 1 else values for name, values in checked.items()}
