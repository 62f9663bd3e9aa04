"""Transforms of three libraries as augmentations, against calling them directly."""

from __future__ import annotations

import random
import subprocess
import sys

import albumentations
import kornia
import numpy as np
import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as TF

from augimpact.augment.apply import augment
from augimpact.augment.wrap import wrap
from augimpact.errors import ParameterError
from tests.augment.agreement import from_numpy, to_numpy

pytestmark = pytest.mark.usefixtures("clean_catalogue")


def seeded(call, seed=0):
    """What the call gives after seeding everything, as a user would who calls it directly."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)
    return call()


def global_states():
    return torch.random.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()


def elastic(alpha):
    return v2.ElasticTransform(alpha=alpha)


def noisy(deviation):
    return kornia.augmentation.RandomGaussianNoise(std=deviation, p=1.0)


# Name → make, value, and the direct call of an image.
CASES = {
    "torchvision, by chance": (elastic, 60.0, lambda image: seeded(lambda: elastic(60.0)(image))),
    "torchvision, a function": (
        lambda value: lambda image: TF.adjust_hue(image, value), 0.3, lambda image: TF.adjust_hue(image, 0.3),
    ),
    "torchvision, a chain": (
        lambda value: v2.Compose([v2.GaussianBlur(5, value), v2.Grayscale(3)]), 2.0,
        lambda image: TF.rgb_to_grayscale(TF.gaussian_blur(image, 5, 2.0), 3),
    ),
    "kornia, a module": (
        lambda value: kornia.enhance.AdjustContrast(value), 1.7,
        lambda image: kornia.enhance.adjust_contrast(image, 1.7),
    ),
    "kornia, by chance": (noisy, 0.1, lambda image: seeded(lambda: noisy(0.1)(image[None])[0])),
    "albumentations": (
        lambda value: albumentations.GaussianBlur(sigma_limit=(value, value), blur_limit=0, p=1), 2.5,
        lambda image: from_numpy(
            albumentations.GaussianBlur(sigma_limit=(2.5, 2.5), blur_limit=0, p=1)(
                image=to_numpy(image).astype(np.float32)
            )["image"]
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "value", "direct"), CASES.values(), ids=CASES)
def test_it_does_what_calling_it_directly_does(photographs, make, value, direct):
    wrap("wrapped", make, range=(0, 200), neutral=0)
    for image in photographs.values():
        before, states = image.clone(), global_states()
        frames = augment(image, {"wrapped": [0, value, value]}).images
        assert global_states() == states
        assert torch.equal(frames[0], image)
        assert torch.equal(image, before)
        assert torch.equal(frames[1], frames[2])
        # 1e-6: the memory is laid out otherwise, and so summed up in another order.
        assert torch.allclose(frames[1], direct(image).clamp(0, 1), atol=1e-6)
        assert not torch.allclose(frames[1], image, atol=0.01)


def test_albumentations_starts_from_the_seed(photographs):
    image = photographs["motorcycle"]

    def make(value):
        return albumentations.Compose([albumentations.GaussNoise(std_range=(value, value), p=1)])

    wrap("grain", make, range=(0, 1), neutral=0)
    direct = albumentations.Compose([albumentations.GaussNoise(std_range=(0.2, 0.2), p=1)], seed=3)
    expected = from_numpy(direct(image=to_numpy(image).astype(np.float32))["image"])
    assert torch.allclose(augment(image, {"grain": 0.2}, seed=3).images[0], expected, atol=1e-6)
    assert not torch.allclose(augment(image, {"grain": 0.2}, seed=4).images[0], expected, atol=0.01)


def test_a_transform_of_bytes_is_given_bytes(photographs):
    image = photographs["coffee"]
    wrap(
        "equalized",
        lambda value: albumentations.CLAHE(clip_limit=(value, value), p=1),
        range=(0, 8),
        neutral=0,
        as_bytes=True,
    )
    pixels = image.mul(255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    expected = albumentations.CLAHE(clip_limit=(4, 4), p=1)(image=pixels)["image"]
    assert torch.equal(augment(image, {"equalized": 4}).images[0], from_numpy(expected / 255))
    wrap(
        "posterized", lambda bits: lambda image: TF.posterize(image, int(bits)), range=(0, 8), neutral=8, as_bytes=True
    )
    expected = TF.posterize(image.mul(255).round().to(torch.uint8), 3) / 255
    assert torch.equal(augment(image, {"posterized": 3}).images[0], expected)


def test_what_comes_back_is_checked(photographs):
    wrap("smaller", lambda value: v2.Resize(int(value)), range=(0, 100), neutral=0)
    with pytest.raises(
        ParameterError, match=r"smaller returned \(1, 3, 50, 50\); expected a tensor \(1, 3, 128, 128\)"
    ):
        augment(photographs["cat"], {"smaller": 50})
    wrap("numbers", lambda value: lambda image: 3, range=(0, 1), neutral=0)
    with pytest.raises(ParameterError, match=r"numbers failed: .*returned int"):
        augment(photographs["cat"], {"numbers": 1})
    with pytest.raises(ParameterError, match="built-in"):
        wrap("blur", elastic, range=(0, 1), neutral=0)


def test_torchvisions_own_kind_of_image_is_a_tensor_like_any_other(photographs):
    wrap("typed", lambda value: lambda image: tv_tensors.Image(image * value), range=(0, 1), neutral=1)
    assert torch.equal(augment(photographs["cat"], {"typed": 0.5}).images[0], photographs["cat"] * 0.5)


def test_no_library_is_imported_to_recognise_it():
    code = "import sys, augimpact.augment.wrap; sys.exit(any(m in sys.modules for m in ('albumentations', 'kornia')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
