"""Ranges in Albumentations' words.

Its own transforms where they draw uniformly what a sweep shows; else `Uniform`, which draws and calls a function, of
OpenCV wherever there is one. `Affine` moves by whole pixels and shears after it rotates, `Perspective` and
`CoarseDropout` choose places of their own, `Posterize` takes whole bits, `GaussianBlur` pixels, and `ImageCompression`
compresses red as if it were blue, so these are none of ours.
"""

from __future__ import annotations

from collections.abc import Mapping

from augimpact.impact.range_steps import (
    BORDER,
    NOISE,
    WRITTEN_STEPS,
    Library,
    Ranges,
    Step,
    call_of_move,
)
from augimpact.impact.range_tensors import LINE

__all__ = ["ALBUMENTATIONS"]

# The order of what `Affine` does is scale, rotation, shear: what of it is ours does not rotate and shear.
AFFINE = ("stretch_x", "stretch_y", "zoom", "rotation")
SHEARS = ("shear_x", "shear_y")


def _jitter(name: str, drawn: str) -> Step:
    """`ColorJitter` of one thing alone: several come in any order, and what is not named changes as well."""
    words = {"brightness": "(1, 1)", "contrast": "(1, 1)", "saturation": "(1, 1)", "hue": "(0, 0)", name: drawn}
    return Step(f"A.ColorJitter({', '.join(f'{word}={value}' for word, value in words.items())}, p=1)")


STEPS: Mapping[str, Step] = {
    **WRITTEN_STEPS,
    "brightness": _jitter("brightness", "{brightness}"),
    "contrast": _jitter("contrast", "{contrast}"),
    "saturation": _jitter("saturation", "{saturation}"),
    "hue": _jitter("hue", "({hue.turns})"),
    "gamma": Step("A.RandomGamma(({gamma.percent}), p=1)"),
    "sharpness": Step("Uniform(sharpen, factor={sharpness})"),
    "solarize": Step("A.Solarize({solarize}, p=1)"),
    "noise": Step("A.GaussNoise(std_range={noise}, p=1)", NOISE),
}

DEFINITIONS: Mapping[str, str] = {
    "sharpen": """
def sharpen(image, factor):
    smooth = cv2.filter2D(image, -1, np.float32([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13)
    return np.clip(cv2.addWeighted(image, factor, smooth, 1 - factor, 0), 0, 1)
""",
    "posterize": """
def posterize(image, bits):
    step = 2 ** (8 - bits)
    # A byte that was divided by 255 may come back a hair below itself.
    return np.floor((image * 255 + 1e-4) / step) * step / 255
""",
    "blur": """
def blur(image, percent):
    sigma = max(percent / 100 * len(image), 1e-3)
    size = 2 * int(4 * sigma + 0.5) + 1
    return cv2.GaussianBlur(image, (size, size), sigma, borderType=cv2.BORDER_REFLECT_101)
""",
    "line": LINE,
    "motion_blur": """
def motion_blur(image, percent, degrees):
    kernel = line(percent / 100 * len(image), degrees)
    return cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
""",
    "jpeg": """
def jpeg(image, quality):
    pixels = cv2.cvtColor(np.uint8(np.rint(image * 255)), cv2.COLOR_RGB2BGR)
    file = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, round(quality)])[1]
    return np.float32(cv2.cvtColor(cv2.imdecode(file, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)) / 255
""",
    "pixelate": """
def pixelate(image, percent):
    side = len(image)
    block = (np.arange(side) + 0.5) / max(percent / 100 * side, 1)
    # The hair is for centres of pixels that lie between two blocks.
    block = (block + 1e-9).astype(int)
    first = np.flatnonzero(np.diff(block, prepend=-1))
    count = np.float32(np.bincount(block))
    total = np.add.reduceat(np.add.reduceat(image, first, axis=0), first, axis=1)
    return (total / np.outer(count, count)[..., None])[block][:, block]
""",
    "erase": """
def erase(image, left, top, width, height):
    edges = (left, left + width, top, top + height)
    left, right, top, bottom = (round(min(each, 1) * len(image)) for each in edges)
    image = image.copy()
    image[top:bottom, left:right] = 0
    return image
""",
    "grid_mask": """
def grid_mask(image, share, cells):
    place = (np.arange(len(image)) + 0.5) / len(image) * cells % 1
    hidden = abs(place - 0.5) <= share / 2
    return np.where((hidden[:, None] & hidden)[..., None], 0, image)
""",
    "Uniform": '''
class Uniform(A.ImageOnlyTransform):
    """Calls a function with an image and values that are drawn uniformly from their ranges."""

    def __init__(self, function, **ranges):
        super().__init__(p=1)
        self.function, self.ranges = function, ranges

    def get_params(self):
        draw = self.py_random.uniform
        return {"values": {name: draw(*each) for name, each in self.ranges.items()}}

    def apply(self, img, values, **params):
        return float32_io(self.function)(img, **values)
''',
    "Geometry": '''
class Geometry(A.Perspective):
    """Moves an image, its masks and its boxes by a function of points, resampled once."""

    def __init__(self, function, **ranges):
        super().__init__(p=1)
        self.function, self.ranges = function, ranges

    def get_params_dependent_on_data(self, params, data):
        height, width = params["shape"][:2]
        values = {name: self.py_random.uniform(*each) for name, each in self.ranges.items()}
        x, y = np.array([-1.0, 1, 1, -1]), np.array([-1.0, -1, 1, 1])
        start, end = (
            np.float32((np.stack(each, axis=1) + 1) / 2 * (width, height) - 0.5)
            for each in ((x, y), self.function(x, y, **values))
        )
        matrix = cv2.getPerspectiveTransform(start, end)
        return {"matrix": matrix, "matrix_bbox": matrix, "max_height": height, "max_width": width}
''',
}


def _geometry(ranges: Ranges) -> Step:
    shears = [name for name in SHEARS if name in ranges]
    others = [name for name in ranges if name not in shears]
    stretches = [name for name in ("stretch_x", "stretch_y") if name in ranges]
    is_affine = set(others) <= set(AFFINE) and not (stretches and "zoom" in ranges)
    if not is_affine or len(shears) > 1 or (shears and "rotation" in ranges):
        return Step(call_of_move(ranges), BORDER)
    words = []
    if "zoom" in ranges:
        words.append("scale={zoom}, keep_ratio=True")
    if stretches:
        words.append(f"scale={_by_axis('stretch', ranges, '(1, 1)')}")
    if "rotation" in ranges:
        words.append("rotate={rotation}")
    if shears:
        words.append(f"shear={_by_axis('shear', ranges, '(0, 0)')}")
    return Step(f"A.Affine({', '.join(words)}, border_mode=cv2.BORDER_CONSTANT, p=1)", BORDER)


def _by_axis(name: str, ranges: Ranges, neutral: str) -> str:
    """A dictionary of both axes, with its braces doubled, for it becomes part of a template."""
    values = [f'"{axis}": {{{name}_{axis}}}' if f"{name}_{axis}" in ranges else f'"{axis}": {neutral}' for axis in "xy"]
    return f"{{{{{', '.join(values)}}}}}"


ALBUMENTATIONS = Library(
    opening="augmentation = A.Compose([",
    closing="])",
    use=('For square images, (S, S, 3), bytes or float32 in [0, 1]: augmentation(image=image)["image"].',),
    steps=STEPS,
    geometry=_geometry,
    definitions=DEFINITIONS,
    imports={
        "math": "math",
        "A": "albumentations as A",
        "cv2": "cv2",
        "np": "numpy as np",
        "float32_io": "albucore:float32_io",
    },
)
