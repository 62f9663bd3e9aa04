"""One image and N settings in, N frames out, in one pass on the image's device.

The order is fixed: geometry (one resampling), colour, quality, mixing, occlusion, and one's own augmentations. Each
effect is a function on a batch, and is given only the frames for which its parameter is not neutral.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from augimpact.augment import colour, mixing, occlusion, quality
from augimpact.augment.geometry import homographies, warp
from augimpact.augment.own import own_effects
from augimpact.augment.parameters import BORDERS, CATALOGUE, ERASE_FILLS, resolve
from augimpact.errors import ParameterError, unknown
from augimpact.once import once

__all__ = ["EFFECTS", "Effect", "Frames", "augment"]


class Frames(NamedTuple):
    """The augmented images and how each came from the original.

    images: `(N, 3, S, S)` in [0, 1], on the device of the original.
    homographies: `(N, 3, 3)` float64, original to frame, see `augimpact.augment.geometry`.
    """

    images: Tensor
    homographies: NDArray[np.float64]


class Effect(NamedTuple):
    """What one parameter does to a batch, beyond geometry.

    function: takes the batch, the values of `parameter`, those of the parameters in `also`, and what `given` names.
    given: names of attributes of `Given`.
    """

    parameter: str
    function: Callable[..., Tensor]
    also: tuple[str, ...] = ()
    given: tuple[str, ...] = ()


# What is done first stands first.
EFFECTS: tuple[Effect, ...] = (
    Effect("brightness", colour.brightness_),
    Effect("contrast", colour.contrast),
    Effect("saturation", colour.saturation),
    Effect("hue", colour.hue),
    Effect("gamma", colour.gamma),
    Effect("sharpness", colour.sharpness),
    Effect("posterize", colour.posterize),
    Effect("solarize", colour.solarize),
    Effect("blur", quality.blur),
    Effect("motion_blur", quality.motion_blur, also=("motion_angle",)),
    Effect("noise", quality.noise, given=("seed",)),
    Effect("jpeg", quality.jpeg),
    Effect("pixelate", quality.pixelate),
    Effect("mixup", mixing.mixup, given=("second",)),
    Effect("cutmix", mixing.cutmix_, also=("cutmix_x", "cutmix_y"), given=("second",)),
    Effect("erase_w", occlusion.erase_, also=("erase_h", "erase_x", "erase_y"), given=("pattern",)),
    Effect("grid_mask", occlusion.grid_mask, also=("grid_cells",), given=("pattern",)),
)


class Given:
    """What effects can ask for beside the batch and their values; made when it is asked for."""

    def __init__(self, image: Tensor, erase_fill: str, second: Tensor | None, seed: int) -> None:
        self.image, self.erase_fill, self.seed = image, erase_fill, seed
        self._second = second

    @once
    def pattern(self) -> Tensor:
        """What hidden parts show, `(3, S, S)`."""
        return occlusion.fill_pattern(self.image, self.erase_fill, self.seed)

    @property
    def second(self) -> Tensor:
        """The image to mix in, `(3, S, S)`."""
        if self._second is None:
            raise ParameterError("mixup and cutmix mix in a second image, and none is given; expected one as `second`")
        if self._second.shape != self.image.shape:
            shapes = tuple(self._second.shape), tuple(self.image.shape)
            raise ParameterError(f"the second image has shape {shapes[0]}; expected that of the first, {shapes[1]}")
        return self._second.to(self.image)


def augment(
    image: Tensor,
    settings: Mapping[str, ArrayLike],
    *,
    erase_fill: str = "black",
    border: str = "black",
    second: Tensor | None = None,
    seed: int = 0,
) -> Frames:
    """The image under each setting: geometry, resampled once; then colour, quality, mixing, occlusion, one's own.

    Args:
        image: `(3, S, S)` float in [0, 1]; stays as it is.
        settings: a number or N numbers per parameter; what is not named is neutral, and an all-neutral frame is the
            image itself, bit for bit.
        erase_fill: what an erased box or a grid's squares show: `black`, `mean` (of the image) or `noise`.
        border: what is seen beyond the image: `black`, `mean`, `edge` or `reflect`; see `geometry.warp`.
        second: the image that `mixup` and `cutmix` mix in, of the same shape; it is not augmented.
        seed: of all noise.

    Raises:
        ParameterError: an unknown parameter, fill or border, a value outside its range, an image that is not square,
            mixing without a second image or with one of another shape.

    >>> import torch
    >>> frames = augment(torch.rand(3, 32, 32), {"rotation": [-10, 0, 10], "brightness": 1.2})
    >>> frames.images.shape, frames.homographies.shape
    (torch.Size([3, 3, 32, 32]), (3, 3, 3))
    """
    if image.ndim != 3 or image.shape[0] != 3 or image.shape[1] != image.shape[2]:
        raise ParameterError(f"the image has shape {tuple(image.shape)}; expected (3, side, side)")
    if erase_fill not in ERASE_FILLS:
        raise ParameterError(unknown("erase fill", erase_fill, ERASE_FILLS))
    if border not in BORDERS:
        raise ParameterError(unknown("border", border, BORDERS))
    own = [Effect(name, function, given=("seed",)) for name, function in own_effects()]
    values = resolve(settings)
    matrices = homographies(values)
    batch = warp(image, matrices, border)
    given = Given(image, erase_fill, second, seed)
    for effect in (*EFFECTS, *own):
        batch = _apply(effect, batch, values, given)
    return Frames(batch, matrices)


def _apply(effect: Effect, batch: Tensor, values: Mapping[str, NDArray[np.float64]], given: Given) -> Tensor:
    """The batch with the effect on the rows that ask for it; a batch that may be changed in place."""
    active = values[effect.parameter] != CATALOGUE[effect.parameter].neutral
    if not active.any():
        return batch
    options: dict[str, Any] = {name: getattr(given, name) for name in effect.given}
    numbers = [values[name][active] for name in (effect.parameter, *effect.also)]
    if active.all():
        return effect.function(batch, *numbers, **options)
    rows = _rows(active, batch.device)
    batch[rows] = effect.function(batch[rows], *numbers, **options)
    return batch


def _rows(active: NDArray[np.bool_], device: torch.device) -> slice | Tensor:
    """Where the mask holds: as a slice if they stand together, which copies nothing."""
    places = np.flatnonzero(active)
    first, last = int(places[0]), int(places[-1])
    if last - first + 1 == len(places):
        return slice(first, last + 1)
    return torch.from_numpy(places).to(device, non_blocking=True)
