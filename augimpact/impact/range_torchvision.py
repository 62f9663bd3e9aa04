"""Ranges in torchvision's words.

Its own transforms where they draw uniformly what a sweep shows; else `Uniform`, which draws and calls a function,
torchvision's wherever there is one. `RandomAffine` moves by whole pixels and equally far to both sides, and
`RandomPerspective`, `RandomResizedCrop` and `RandomErasing` choose places of their own, so these are none of ours.
"""

from __future__ import annotations

from collections.abc import Mapping

from augimpact.impact.range_steps import BORDER, Library, Ranges, Step, call_of_move
from augimpact.impact.range_tensors import TENSOR_FUNCTIONS, TENSOR_IMPORTS, TENSOR_STEPS

__all__ = ["TORCHVISION"]

BILINEAR = "interpolation=v2.InterpolationMode.BILINEAR"
# What `RandomAffine` does in our order: zoom, shear, rotation.
AFFINE = ("zoom", "shear_x", "shear_y", "rotation")

STEPS: Mapping[str, Step] = {
    **TENSOR_STEPS,
    "brightness": Step("v2.ColorJitter(brightness={brightness})"),
    "contrast": Step("v2.ColorJitter(contrast={contrast})"),
    "saturation": Step("v2.ColorJitter(saturation={saturation})"),
    "hue": Step("v2.ColorJitter(hue=({hue.turns}))"),
}

DEFINITIONS: Mapping[str, str] = {
    **TENSOR_FUNCTIONS,
    "Uniform": '''
class Uniform(v2.Transform):
    """Calls a function with an image and values that are drawn uniformly from their ranges."""

    def __init__(self, function, **ranges):
        super().__init__()
        self.function, self.ranges = function, ranges

    def make_params(self, flat_inputs):
        draw = torch.empty((), dtype=torch.float64)
        return {name: draw.uniform_(*each).item() for name, each in self.ranges.items()}

    def transform(self, inpt, params):
        if not isinstance(inpt, tv_tensors.Image):
            return inpt
        return tv_tensors.wrap(self.function(inpt, **params), like=inpt)
''',
    "Geometry": '''
class Geometry(Uniform):
    """Moves an image, its masks and its boxes by a function of points, resampled once."""

    def transform(self, inpt, params):
        x, y = np.array([-1, 1, 1, -1]), np.array([-1, -1, 1, 1])
        start, end = (
            ((np.stack(each, axis=1) + 1) / 2 * F.get_size(inpt)[::-1]).tolist()
            for each in ((x, y), self.function(x, y, **params))
        )
        return F.perspective(inpt, start, end, interpolation=v2.InterpolationMode.BILINEAR)
''',
}


def _geometry(ranges: Ranges) -> Step:
    if set(ranges) == {"rotation"}:
        return Step(f"v2.RandomRotation({{rotation}}, {BILINEAR})", BORDER)
    if not set(ranges) <= set(AFFINE):
        return Step(call_of_move(ranges), BORDER)
    # The angle cannot be left out.
    words = ["{rotation.mirrored}" if "rotation" in ranges else "0"]
    if "zoom" in ranges:
        words.append("scale={zoom}")
    if "shear_x" in ranges or "shear_y" in ranges:
        ends = [f"{{{name}.ends}}" if name in ranges else "0, 0" for name in ("shear_x", "shear_y")]
        words.append(f"shear=({', '.join(ends)})")
    note = f"{BORDER} torchvision counts degrees clockwise." if "rotation" in ranges else BORDER
    return Step(f"v2.RandomAffine({', '.join([*words, BILINEAR])})", note)


TORCHVISION = Library(
    opening="augmentation = v2.Compose([\n    v2.ToImage(),\n    v2.ToDtype(torch.float32, scale=True),",
    closing="])",
    use=("For square images, as PIL or as tensors of bytes or floats in [0, 1]; it gives floats in [0, 1].",),
    steps=STEPS,
    geometry=_geometry,
    definitions=DEFINITIONS,
    imports={
        **TENSOR_IMPORTS,
        "tv_tensors": "torchvision:tv_tensors",
        "v2": "torchvision.transforms:v2",
    },
)
