"""A sample before and after augmentation, both in one square, so that one can be compared with the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps

from augimpact.augment.follow import move_boxes
from augimpact.augment.geometry import IDENTITY
from augimpact.data.pipeline import ImagePipeline
from augimpact.profiling.detection import CutTarget, boxes_of
from augimpact.profiling.measuring import as_rgb
from augimpact.profiling.segmentation import NOTHING, mask_of
from augimpact.profiling.source import Sample

if TYPE_CHECKING:
    import torch

    from augimpact.augment.random import RandomAugmentation

__all__ = ["CANVAS", "before_and_after"]

# The side of the square.
CANVAS = 224
SQUARE = ImagePipeline(CANVAS, fit="crop")


def before_and_after(
    sample: Sample, augmentation: RandomAugmentation, *, outside: int = 0, device: torch.device | None = None
) -> tuple[Sample, Sample]:
    """The middle square of a sample at 224², and the same augmented; masks and boxes are cut, and follow.

    Boxes without area, and those that the square cuts off altogether, are in neither; the first's label is a
    `CutTarget`, which has all boxes as they were.

    Args:
        sample: any, of bytes on the host.
        augmentation: what it draws depends on where the sample lies, or on its number.
        outside: the class of a mask beyond the image's border.
        device: where it is augmented, and both are then; by default the host, as arrays.

    Raises:
        DataError: boxes or a mask that are none.
    """
    import torch

    name = sample.path or str(sample.number)
    picture = Image.fromarray(as_rgb(sample.image))
    before = torch.from_numpy(np.array(ImageOps.fit(picture, (CANVAS, CANVAS), Image.Resampling.BILINEAR))).to(device)
    after = augmentation(before.permute(2, 0, 1).float() / 255, name).mul(255).round().clamp(0, 255).byte()
    images = [image if device is not None else image.numpy() for image in (before, after.permute(1, 2, 0).contiguous())]
    labels = _labels(sample, augmentation, name, outside)
    first, second = (sample._replace(image=image, label=label) for image, label in zip(images, labels, strict=True))
    return first, second


def _labels(sample: Sample, augmentation: RandomAugmentation, name: str, outside: int) -> tuple[Any, Any]:
    label, size = sample.label, (sample.image.shape[0], sample.image.shape[1])
    if isinstance(label, np.ndarray) and label.ndim == 3 and label.dtype.kind in "biu":
        numbers = mask_of(label, size)
        label = None if numbers is None else np.where(numbers == NOTHING, outside, numbers)
    if isinstance(label, np.ndarray) and label.shape == size and label.dtype.kind in "biu":
        mask = SQUARE.mask(label.astype(np.int64), outside=outside)
        return mask.numpy(), augmentation.mask(mask, name, outside=outside).numpy()
    if isinstance(label, Mapping):
        found = boxes_of(label)
        if found is None:
            return None, None
        boxes, classes = found
        # A box that is the wrong way round has none, and would be the right way round in the square.
        have_area = (boxes[:, :2] < boxes[:, 2:]).all(axis=1)
        boxes, classes = boxes[have_area], classes[have_area]
        cut, kept = move_boxes(SQUARE.boxes(boxes, size), IDENTITY, CANVAS)
        moved, still = augmentation.boxes(cut, name, CANVAS)
        before = CutTarget(_target(label, cut, classes[kept]), label, size)
        return before, _target(label, moved, classes[kept][still])
    return label, label


def _target(label: Mapping[str, Any], boxes: Any, classes: Any) -> dict[str, Any]:
    return {"boxes": boxes} | ({} if label.get("labels") is None else {"labels": classes})
