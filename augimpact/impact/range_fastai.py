"""Ranges in fastai's words, as transforms of batches.

fastai's own `Rotate` and `Zoom` show what a sweep shows; what moves pixels otherwise is given to its `AffineCoordTfm`,
which takes masks and points along. Its `Brightness`, `Contrast` and `Saturation` work on logits, its `Warp` moves other
corners, and its `RandomErasing` chooses places of its own: instead of these, `Uniform` draws for every image of a batch
and calls a function, torchvision's wherever there is one. A `DataBlock` keeps one transform of each class and forgets
the others, so all these are in one, `InTurn`; its own `Hue` could not stand between them.
"""

from __future__ import annotations

from collections.abc import Mapping

from augimpact.impact.range_steps import BORDER, Library, Ranges, Step, call_of_move
from augimpact.impact.range_tensors import TENSOR_FUNCTIONS, TENSOR_IMPORTS, TENSOR_STEPS

__all__ = ["FASTAI"]

AUGMENT = ("AffineCoordTfm", "PadMode", "RandTransform", "Rotate", "Zoom", "apply_perspective", "find_coeffs")
BLACK = "pad_mode=PadMode.Zeros"

STEPS: Mapping[str, Step] = {
    **TENSOR_STEPS,
    "brightness": Step("Uniform(F.adjust_brightness, brightness_factor={brightness})"),
    "contrast": Step("Uniform(F.adjust_contrast, contrast_factor={contrast})"),
    "saturation": Step("Uniform(F.adjust_saturation, saturation_factor={saturation})"),
    "hue": Step("Uniform(F.adjust_hue, hue_factor=({hue.turns}))"),
}

DEFINITIONS: Mapping[str, str] = {
    **TENSOR_FUNCTIONS,
    "uniform": """
def uniform(low, high, batch):
    return batch.new_empty(len(batch)).uniform_(low, high)
""",
    "Uniform": '''
class Uniform:
    """Calls a function with an image and values that are drawn uniformly from their ranges."""

    def __init__(self, function, **ranges):
        self.function, self.ranges = function, ranges

    def drawn(self):
        return {name: random.uniform(*each) for name, each in self.ranges.items()}

    def __call__(self, image):
        return self.function(image, **self.drawn())
''',
    "InTurn": '''
class InTurn(RandTransform):
    """Changes each image of a batch; one transform, for a DataBlock keeps one of each class."""

    order = 40  # after what moves pixels, which has 30

    def __init__(self, *changes):
        super().__init__()
        self.changes = changes

    def changed(self, image):
        for change in self.changes:
            image = change(image)
        return image

    def encodes(self, x: TensorImage):
        return torch.stack([self.changed(image) for image in x])
''',
    "Geometry": '''
class Geometry(Uniform):
    """Moves each image of a batch by a function of points, as AffineCoordTfm asks for it."""

    def before_call(self, batch):
        x, y = np.array([-1.0, 1, 1, -1]), np.array([-1.0, -1, 1, 1])
        moved = [np.stack(self.function(x, y, **self.drawn()), axis=1) for _ in batch]
        self.moved = torch.from_numpy(np.stack(moved))
        self.still = torch.from_numpy(np.stack((x, y), axis=1)).expand_as(self.moved)

    def __call__(self, places, invert=False):
        start, end = (self.moved, self.still) if invert else (self.still, self.moved)
        return apply_perspective(places, find_coeffs(start, end).to(places))
''',
}


def _geometry(ranges: Ranges) -> Step:
    if set(ranges) == {"rotation"}:
        note = f"{BORDER} fastai counts degrees clockwise."
        return Step(f"Rotate(draw=partial(uniform, {{rotation.mirrored.ends}}), p=1, {BLACK})", note)
    if set(ranges) == {"zoom"}:
        return Step(f"Zoom({{zoom.ends}}, p=1, draw_x=0.5, draw_y=0.5, {BLACK})", BORDER)
    return Step(f"AffineCoordTfm(coord_fs={call_of_move(ranges)}, {BLACK}, align_corners=False)", BORDER)


FASTAI = Library(
    opening="augmentation = [",
    closing="]",
    around=("InTurn(", "),"),
    use=(
        "For batches of square images, in training: DataBlock(..., batch_tfms=augmentation), or with",
        "others batch_tfms=[*augmentation, Normalize.from_stats(*imagenet_stats)].",
    ),
    steps=STEPS,
    geometry=_geometry,
    definitions=DEFINITIONS,
    imports={
        **TENSOR_IMPORTS,
        "random": "random",
        "partial": "functools:partial",
        "TensorImage": "fastai.torch_core:TensorImage",
        **{name: f"fastai.vision.augment:{name}" for name in AUGMENT},
    },
)
