"""What torchvision and fastai share, which work on the same tensors: steps that draw a value and call a function.

The function is torchvision's, or written out in torch. It takes an image `(3, S, S)` of floats in [0, 1], on any
device, and its values.
"""

from __future__ import annotations

from collections.abc import Mapping

from augimpact.impact.range_steps import NOISE, WRITTEN_STEPS, Step

__all__ = ["LINE", "TENSOR_FUNCTIONS", "TENSOR_IMPORTS", "TENSOR_STEPS"]

TENSOR_STEPS: Mapping[str, Step] = {
    **WRITTEN_STEPS,
    "gamma": Step("Uniform(F.adjust_gamma, gamma={gamma})"),
    "sharpness": Step("Uniform(F.adjust_sharpness, sharpness_factor={sharpness})"),
    "solarize": Step("Uniform(F.solarize, threshold={solarize})"),
    "noise": Step("Uniform(F.gaussian_noise, sigma={noise})", NOISE),
}

# numpy's, and so for any library.
LINE = '''
def line(length, degrees):
    """The kernel of a motion: pieces of a line, each shared by the pixels around it."""
    pieces, pixels = 16 * math.ceil(length), np.arange(2 * math.ceil(length / 2) + 1)
    along = ((np.arange(pieces) + 0.5) / pieces - 0.5) * length
    places = np.cos(np.radians(degrees)) * along, -np.sin(np.radians(degrees)) * along
    x, y = (np.maximum(1 - abs(pixels - len(pixels) // 2 - each[:, None]), 0) for each in places)
    return np.float32(y.T @ x / pieces)
'''

TENSOR_FUNCTIONS: Mapping[str, str] = {
    "posterize": """
def posterize(image, bits):
    step = 2 ** (8 - bits)
    # A byte that was divided by 255 may come back a hair below itself.
    return ((image * 255 + 1e-4) / step).floor() * step / 255
""",
    "blur": """
def blur(image, percent):
    sigma = max(percent / 100 * image.shape[-1], 1e-3)
    size = 2 * int(4 * sigma + 0.5) + 1
    # One axis after the other: a wide kernel takes a hundredth of the time.
    return F.gaussian_blur(F.gaussian_blur(image, [size, 1], sigma), [1, size], sigma)
""",
    "line": LINE,
    "motion_blur": """
def motion_blur(image, percent, degrees):
    kernel = torch.from_numpy(line(percent / 100 * image.shape[-1], degrees)).to(image)
    padded = F.pad(image, [kernel.shape[0] // 2], padding_mode="reflect").flatten(0, -3)
    return torch.conv2d(padded[:, None], kernel[None, None]).reshape(image.shape)
""",
    "jpeg": """
def jpeg(image, quality):
    file = io.BytesIO()
    pixels = (image * 255).round().to("cpu", torch.uint8)
    F.to_pil_image(pixels).save(file, "JPEG", quality=round(quality))
    return F.to_dtype(F.pil_to_tensor(Image.open(file)), torch.float32, scale=True).to(image.device)
""",
    "pixelate": """
def pixelate(image, percent):
    side = image.shape[-1]
    block = (np.arange(side) + 0.5) / max(percent / 100 * side, 1)
    # The hair is for centres of pixels that lie between two blocks.
    block = torch.from_numpy((block + 1e-9).astype(int)).to(image.device)
    belongs = torch.nn.functional.one_hot(block).to(image)
    mean = belongs / belongs.sum(0)
    return (mean.T @ image @ mean)[..., block, :][..., block]
""",
    "erase": """
def erase(image, left, top, width, height):
    edges = (left, left + width, top, top + height)
    left, right, top, bottom = (round(min(each, 1) * image.shape[-1]) for each in edges)
    return F.erase(image, top, left, bottom - top, right - left, torch.zeros(()))
""",
    "grid_mask": """
def grid_mask(image, share, cells):
    side = image.shape[-1]
    place = (np.arange(side) + 0.5) / side * cells % 1
    hidden = torch.from_numpy(abs(place - 0.5) <= share / 2).to(image.device)
    return image.masked_fill(hidden[:, None] & hidden, 0)
""",
}

TENSOR_IMPORTS: Mapping[str, str] = {
    "io": "io",
    "math": "math",
    "np": "numpy as np",
    "torch": "torch",
    "Image": "PIL:Image",
    "F": "torchvision.transforms.v2:functional as F",
}
