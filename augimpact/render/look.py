"""How a trace is drawn: what a person may choose about its pictures, checked once."""

from __future__ import annotations

from dataclasses import dataclass

from augimpact.errors import UserError, unknown

__all__ = ["COLOUR_MAPS", "SCALES", "Look"]

COLOUR_MAPS = ("inferno", "viridis", "turbo", "magma")
SCALES = ("sweep", "frame")
MINIMAL_WIDTH, MAXIMAL_WIDTH = 16, 4096


@dataclass(frozen=True)
class Look:
    """The choices, with what is usual.

    Args:
        opacity: of the map over the frame where it is highest, in [0, 1]; where it is low the frame is seen through,
            but for an opacity of 1.
        colour_map: one of `COLOUR_MAPS`.
        scale: `sweep` shows all maps on one scale, so that frames can be compared; `frame` each on its own.
        caption: whether prediction, setting and class scores are written under the picture.
        width: of the pictures in pixels, which keep their proportions; by default that of the frames.

    Raises:
        UserError: a value is none of those.
    """

    opacity: float = 0.5
    colour_map: str = COLOUR_MAPS[0]
    scale: str = SCALES[0]
    caption: bool = True
    width: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.opacity <= 1:
            raise UserError(f"opacity is {self.opacity!r}; expected a number from 0 to 1")
        if self.colour_map not in COLOUR_MAPS:
            raise UserError(unknown("colour map", self.colour_map, COLOUR_MAPS))
        if self.scale not in SCALES:
            raise UserError(unknown("scale", self.scale, SCALES))
        if self.width is not None and not MINIMAL_WIDTH <= self.width <= MAXIMAL_WIDTH:
            raise UserError(f"width is {self.width!r}; expected {MINIMAL_WIDTH} to {MAXIMAL_WIDTH} pixels")
