"""What the code of ranges is made of in any library: ranges, steps, and the definitions that steps call.

A step is the source of one transform with `{name}` where the range of a parameter belongs. What moves pixels becomes
one step, so that the image is resampled once: the library's own transform where it has one that agrees with ours, else
`Geometry(move, …)`, where `move` is written for the parameters that change.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from augimpact.augment.geometry import LARGEST_SHARE, SMALLEST_STRETCH
from augimpact.source import WIDTH, source_of

__all__ = [
    "BORDER", "GEOMETRY", "NOISE", "WRITTEN_STEPS", "Library", "Range", "Ranges", "Step", "call_of_move",
    "definition_of_move",
]  # fmt: skip

# What a reader should know.
BORDER = "Bilinear; black beyond the border."
MIRRORED = "Borders are mirrored."
NOISE = "A sweep shows one field of noise; here every image has its own."


class Range(NamedTuple):
    """From where to where a parameter is drawn; as text it is a pair in Python."""

    low: float
    high: float

    def __str__(self) -> str:
        return source_of((self.low, self.high))

    @property
    def ends(self) -> str:
        """The two numbers without brackets."""
        return f"{source_of(self.low)}, {source_of(self.high)}"

    @property
    def mirrored(self) -> Range:
        """The same range, counted the other way round."""
        # Not −0, which nobody would write.
        return Range(0.0 - self.high, 0.0 - self.low)

    @property
    def turns(self) -> str:
        """The two numbers, which are degrees, as shares of a whole turn."""
        return f"{source_of(self.low)} / 360, {source_of(self.high)} / 360"

    @property
    def percent(self) -> str:
        """The two numbers as percent."""
        return f"{source_of(self.low)} * 100, {source_of(self.high)} * 100"

    def held(self, name: str) -> Range:
        """Where the sweep holds a parameter before it would make a line or a point of the image, so does the range."""
        return Range(_held(name, self.low), _held(name, self.high))


Ranges = Mapping[str, Range]


class Step(NamedTuple):
    """One transform: its source, with ranges by name, and what a reader should know beside the parameters."""

    source: str
    note: str = ""


@dataclass(frozen=True)
class Library:
    """How a library's code is written.

    Attributes:
        opening: what stands before the transforms, and `closing` behind them.
        around: what stands before and behind all that moves no pixels.
        use: how the result is used, as lines of a comment.
        steps: by the parameter that owns the effect.
        geometry: the step for all geometric parameters that change.
        definitions: functions and classes by name, each before those that are made of it.
        imports: what a name is imported by: a module (`math`, `numpy as np`) or a module's part (`torchvision:v2`).
    """

    opening: str
    closing: str
    use: tuple[str, ...]
    steps: Mapping[str, Step]
    geometry: Callable[[Ranges], Step]
    definitions: Mapping[str, str]
    imports: Mapping[str, str]
    around: tuple[str, str] | None = None


# Of functions that are written out in any library.
WRITTEN_STEPS: Mapping[str, Step] = {
    "posterize": Step("Uniform(posterize, bits={posterize})"),
    "blur": Step("Uniform(blur, percent={blur})", MIRRORED),
    "motion_blur": Step("Uniform(motion_blur, percent={motion_blur}, degrees={motion_angle})", MIRRORED),
    "jpeg": Step("Uniform(jpeg, quality={jpeg})"),
    "pixelate": Step("Uniform(pixelate, percent={pixelate})"),
    "erase_w": Step("Uniform(erase, left={erase_x}, top={erase_y}, width={erase_w}, height={erase_h})"),
    "grid_mask": Step("Uniform(grid_mask, share={grid_mask}, cells={grid_cells})"),
}

# What each geometric parameter does to a point, in the order of `augimpact.augment.geometry`.
GEOMETRY: Mapping[str, tuple[str, ...]] = {
    "crop": ("x, y = x / crop, y / crop",),
    "crop_x": ("x = x - (2 * np.clip(crop_x, crop / 2, 1 - crop / 2) - 1) / crop",),
    "crop_y": ("y = y - (2 * np.clip(crop_y, crop / 2, 1 - crop / 2) - 1) / crop",),
    "stretch_x": ("x = stretch_x * x",),
    "stretch_y": ("y = stretch_y * y",),
    "zoom": ("x, y = zoom * x, zoom * y",),
    "shear_x": ("x = x - np.tan(np.radians(shear_x)) * y",),
    "shear_y": ("y = y - np.tan(np.radians(shear_y)) * x",),
    "rotation": (
        "cos, sin = np.cos(np.radians(rotation)), np.sin(np.radians(rotation))",
        "x, y = cos * x + sin * y, cos * y - sin * x",
    ),
    "translate_x": ("x = x + 2 * translate_x",),
    "translate_y": ("y = y + 2 * translate_y",),
    "perspective_x": (
        "short, depth = abs(perspective_x), 1 + (perspective_x * x - abs(perspective_x)) / 2",
        "x, y = (x + (perspective_x - short * x) / 2) / depth, (1 - short) * y / depth",
    ),
    "perspective_y": (
        "short, depth = abs(perspective_y), 1 + (perspective_y * y - abs(perspective_y)) / 2",
        "x, y = (1 - short) * x / depth, (y + (perspective_y - short * y) / 2) / depth",
    ),
}


def call_of_move(names: Iterable[str]) -> str:
    """The template of a step that moves all at once, for these parameters.

    >>> call_of_move(["crop", "rotation"])
    'Geometry(move, crop={crop}, rotation={rotation})'
    """
    return f"Geometry({', '.join(['move', *(f'{name}={{{name}}}' for name in names)])})"


def definition_of_move(names: Sequence[str]) -> str:
    """The function that `Geometry` is given, for the parameters that change, in the sweep's order.

    >>> print(definition_of_move(["zoom"]))
    def move(x, y, zoom):
        \"\"\"Where points go, that lie from -1 to 1 across and down.\"\"\"
        x, y = zoom * x, zoom * y
        return x, y
    """
    arguments = ", ".join(["x", "y", *names])
    head = [f"def move({arguments}):"]
    if len(head[0]) > WIDTH:
        head = ["def move(", *(f"    {line}" for line in textwrap.wrap(f"{arguments},", WIDTH - 4)), "):"]
    says = '"""Where points go, that lie from -1 to 1 across and down."""'
    body = [says, *(line for name in names for line in GEOMETRY[name]), "return x, y"]
    return "\n".join([*head, *(f"    {line}" for line in body)])


def _held(name: str, value: float) -> float:
    if name.startswith("perspective"):
        return max(-LARGEST_SHARE, min(value, LARGEST_SHARE))
    if name.startswith("stretch") and abs(value) < SMALLEST_STRETCH:
        return -SMALLEST_STRETCH if value < 0 else SMALLEST_STRETCH
    return value
