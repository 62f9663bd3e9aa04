"""Images as loaders give them, in any layout, type and range, as bytes `(H, W, C)`; what cannot be told is asked for.

Tensors that lie on a GPU stay there: both kinds of numbers are read by the names of the Python array API standard.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augimpact.data.image import as_stored
from augimpact.errors import AmbiguousData, DataError, Option
from augimpact.profiling.ranges import FLOAT, RANGES, SIGNED, SLACK, UNSIGNED, Evidence, span_of

__all__ = ["GREYS", "LAYOUTS", "MOST_CHANNELS", "Decoder", "as_array", "is_float"]

Bytes = NDArray[np.uint8]
# Of grey images without an axis of channels, three axes are several.
GREYS = "HW"
LAYOUTS = ("CHW", "HWC", GREYS)
# Channels that an image may have where its layout is to be found; what has more is declared.
MOST_CHANNELS = 16
WHITE = 255
# Numbers for which torch lacks much of what is asked for here: their tensors are read on the host.
FEW_FUNCTIONS = ("torch.uint16", "torch.uint32", "torch.uint64")


def as_array(value: Any) -> NDArray[Any]:
    """The numbers of a tensor, array or Pillow image, on the host."""
    if not hasattr(value, "detach"):
        return np.asarray(value)
    tensor = value.detach().cpu()
    # The only numbers of torch's that numpy does not know.
    return np.asarray(tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor)


def _names_for(values: Any) -> Any:
    """The functions of the array API for an array or a tensor."""
    if isinstance(values, np.ndarray):
        return np
    from array_api_compat import array_namespace

    return array_namespace(values)


def is_float(values: Any) -> bool:
    """Whether the numbers of an array or a tensor are floats."""
    return _kind_of(values) == FLOAT


def _kind_of(values: Any) -> str | None:
    """The kind of an array's or a tensor's numbers; None of those that have one range only, such as bytes."""
    names = _names_for(values)
    if values.dtype == names.uint8:
        return None
    kinds = {"real floating": FLOAT, "signed integer": SIGNED, "unsigned integer": UNSIGNED}
    return next((kind for name, kind in kinds.items() if names.isdtype(values.dtype, name)), None)


@dataclass
class Decoder:
    """Turns what a loader gives into bytes.

    Args:
        layout: `CHW`, `HWC`, or `HW` of grey images without channels; by default found by the sizes.
        span: a name of `RANGES`, or the values of black and white in any sequence, by default found.
        mean, std: of normalised images, a number for each channel.
        reversed_channels: that the first three channels are blue, green, red.
        reads_files: that images are read from files, see `of_files`.
        stays_on: the type of the device, such as `cuda`, whose tensors stay where they are, but for wide whole numbers
            without a sign; others come to the host.
        evidence: of the ranges of images that were seen.

    Raises:
        DataError: options that make no sense.
    """

    layout: str | None = None
    span: Any = None
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    reversed_channels: bool = False
    reads_files: bool = False
    stays_on: str | None = None
    evidence: Evidence = field(default_factory=Evidence)

    def __post_init__(self) -> None:
        if self.layout is not None and self.layout not in LAYOUTS:
            raise DataError(f"the layout is {self.layout!r}; expected one of {', '.join(LAYOUTS)}")
        if self.span is not None and not (isinstance(self.span, str) and self.span in RANGES):
            self.span = span_of(self.span)
        if (self.mean is None) != (self.std is None):
            raise DataError("only one of mean and std is given; expected both, as images were normalised with them")
        if self.mean is not None:
            self.span = "normalized"
        if self.span == "normalized" and self.mean is None:
            raise DataError("the images are normalized; expected the mean and std that they were normalised with")

    def of_files(self) -> Decoder:
        """The same for files: none has blue first, or is normalised, and 16 bits are all used."""
        span = None if self.span == "normalized" else self.span
        return replace(self, span=span, mean=None, std=None, reversed_channels=False, reads_files=True)

    @property
    def is_decided(self) -> bool:
        """Whether floats seen so far can be read in one way only."""
        return self.span is not None or self.evidence.is_decided

    @property
    def is_doubtful(self) -> bool:
        """Whether values seen so far are such that nothing tells what white is."""
        return self.span is None and self.evidence.is_doubtful

    def refuse_doubt(self, channels: int | None = None) -> None:
        """To be called where nothing more is waited for.

        Args:
            channels: of an image; None of files.

        Raises:
            AmbiguousData: what the values mean is still doubtful.
        """
        if self.span is None:
            self.evidence.refuse_doubt(channels)

    def images_of(self, value: Any, count: int | None) -> list[Any]:
        """The single images, `(H, W, C)` each, in their own type and range.

        Args:
            value: one image or a batch.
            count: of labels beside it, or None for a single label; says whether three axes are a batch of grey images.

        Raises:
            DataError: a shape that no image has.
            AmbiguousData: a shape of which it cannot be told what it is.
        """
        if isinstance(value, (list, tuple)):
            return [
                self._shaped(self._numbers_of(each)) if not hasattr(each, "getbands") else _of_pillow(each)
                for each in value
            ]
        if hasattr(value, "getbands"):
            return [_of_pillow(value)]
        array = self._numbers_of(value)
        if array.ndim == 4:
            return [self._shaped(each) for each in array]
        if array.ndim == 3 and (self.layout == GREYS or (count is not None and count == len(array))):
            return [self._shaped(each) for each in array]
        return [self._shaped(array)]

    def learn(self, images: Sequence[Any]) -> None:
        """Rules out the ranges that the values of images do not fit.

        Raises:
            AmbiguousData: no range is left, or it has to be given.
        """
        if self.span is None:
            kinds = [_kind_of(image) if 0 not in image.shape else None for image in images]
            known = [(image, kind) for image, kind in zip(images, kinds, strict=True) if kind is not None]
            for (image, kind), (low, high) in zip(known, _extents([image for image, _ in known]), strict=True):
                # Where no value is finite there is neither.
                if low <= high:
                    self.evidence.add(kind, low, high, None if self.reads_files else image.shape[-1])

    def learned(self, image: Any) -> Any:
        """What `bytes_of` makes of an image for which nothing waits; what it tells of its range is kept.

        Any thread may ask.
        """
        self.learn([image])
        return self.bytes_of(image)

    def bytes_of(self, image: Any) -> Any:
        """An image as `images_of` gives it, or several in a row `(P, C)`, in 8 bits where it lies; RGB first.

        What lies in memory channel by channel, as the images of most tensors do, stays so; bytes are not copied.

        Raises:
            DataError: not a number is among the values, or they lie outside the range.
        """
        names = _names_for(image)
        values = _reversed(image) if self.reversed_channels and image.shape[-1] >= 3 else image
        if values.dtype == names.uint8:
            return values
        if names.isdtype(values.dtype, "bool"):
            return names.astype(values, names.uint8) * 255
        low, high = self._limits(values)
        # Bytes need no more digits than float32 has, and take half as long as in float64.
        kind = names.float32 if values.dtype == names.float32 else names.float64
        numbers = names.astype(values, kind, copy=False)
        if self.span == "normalized":
            mean, std = (names.asarray(each, dtype=kind, device=values.device) for each in (self.mean, self.std))
            for name, given in (("mean", mean), ("std", std)):
                count = math.prod(given.shape)
                if count not in (1, values.shape[-1]):
                    raise DataError(f"{name} has {count} numbers; expected one a channel, {values.shape[-1]}")
            numbers = numbers * std + mean
        # One that is not finite is neither.
        least, most = float(names.min(numbers)), float(names.max(numbers))
        if not np.isfinite([least, most]).all():
            raise DataError("some values are not finite")
        if (least - low) / (high - low) < -SLACK * 4 or (most - low) / (high - low) > 1 + SLACK * 4:
            raise DataError(f"values from {least:.4g} to {most:.4g}; expected {low:g} to {high:g}")
        if is_float(values) or high - low > WHITE:
            self.evidence.is_rounded = True
        # Multiplied: CUDA does so when it is told to divide by a number, and rounds otherwise than a division.
        levels = names.clip((numbers - low) * (WHITE / (high - low)), 0, WHITE)
        return names.astype(names.round(levels), names.uint8)

    def _limits(self, values: Any) -> tuple[float, float]:
        if isinstance(self.span, str):
            return RANGES[self.span] or (0.0, 1.0)
        return self.span if self.span is not None else (0.0, self.evidence.white(_kind_of(values) or FLOAT))

    def _numbers_of(self, value: Any) -> Any:
        """The numbers of an image or a batch: on the host, or a tensor where it lies."""
        place = getattr(getattr(value, "device", None), "type", None)
        if not hasattr(value, "detach") or place != self.stays_on or str(value.dtype) in FEW_FUNCTIONS:
            return as_array(value)
        return value.detach()

    def _shaped(self, array: Any) -> Any:
        """One image as `(H, W, C)`."""
        if array.ndim == 2:
            return array[..., None]
        if array.ndim != 3 or self.layout == GREYS:
            raise DataError(f"an image of shape {array.shape}; expected (H, W), (H, W, C) or (C, H, W)")
        layout = self.layout
        if layout is None:
            first, last = array.shape[0] <= MOST_CHANNELS, array.shape[-1] <= MOST_CHANNELS
            if first == last:
                usual = [array.shape[0] in (1, 3, 4), array.shape[-1] in (1, 3, 4)]
                if sum(usual) != 1:
                    message = f"an image of shape {array.shape}; pass layout='CHW' or layout='HWC'"
                    raise AmbiguousData(message, "layout", _layouts_of(array.shape))
                first = usual[0]
            layout = "CHW" if first else "HWC"
        return _names_for(array).permute_dims(array, (1, 2, 0)) if layout == "CHW" else array


def _extents(images: Sequence[Any]) -> list[tuple[float, float]]:
    """The least and the highest finite value of each; those of tensors are fetched all at once."""
    if not images or any(isinstance(image, np.ndarray) for image in images):
        return [_extent(as_array(image)) for image in images]
    names, device = _names_for(images[0]), images[0].device
    # Of some whole numbers torch finds no least.
    floats = [image if is_float(image) else names.astype(image, names.float64) for image in images]
    low, high = (
        [
            names.astype(end(names.where(names.isfinite(image), image, beyond)), names.float64).to(device)
            for image in floats
        ]
        for end, beyond in ((names.min, np.inf), (names.max, -np.inf))
    )
    lows, highs = names.stack([names.stack(low), names.stack(high)]).tolist()
    return list(zip(lows, highs, strict=True))


def _extent(image: NDArray[Any]) -> tuple[float, float]:
    # What is no number counts for neither.
    low, high = float(np.fmin.reduce(image, axis=None)), float(np.fmax.reduce(image, axis=None))
    if np.isfinite([low, high]).all():
        return low, high
    finite = image[np.isfinite(image)]
    return float(finite.min(initial=np.inf)), float(finite.max(initial=-np.inf))


def _reversed(image: Any) -> Any:
    """With the first three channels the other way round; a fourth, such as that of opacity, stays the fourth."""
    names = _names_for(image)
    turned = names.flip(image[..., :3], axis=-1)
    return turned if image.shape[-1] == 3 else names.concat([turned, image[..., 3:]], axis=-1)


def _layouts_of(shape: Sequence[int]) -> list[Option]:
    """Both layouts, each with what the image is in it."""
    sizes = {"CHW": (shape[0], shape[2], shape[1]), "HWC": (shape[2], shape[1], shape[0])}
    return [
        Option(f"{layout}: {channels} channels of {width}×{height}", {"layout": layout})
        for layout, (channels, width, height) in sizes.items()
    ]


def _of_pillow(image: Any) -> NDArray[Any]:
    """Its pixels; grey stays one channel, and numbers that are no bytes stay as they are.

    It is not turned as its EXIF says: neither are the tensors that are made of it, nor its mask or boxes.
    """
    if image.mode.startswith(("I", "F")):
        return np.asarray(image)[..., None]
    if image.mode in ("L", "1"):
        return np.asarray(image.convert("L"))[..., None]
    return np.asarray(as_stored(image))
