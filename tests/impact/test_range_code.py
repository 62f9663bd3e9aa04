"""The code of ranges runs, and shows what a sweep shows: in each library, each parameter, alone and with others."""

from __future__ import annotations

import ast
import importlib
import os
import pickle
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

# What it warns of while it is first imported is not what the code does.
import fastai.vision.augment  # noqa: F401
import numpy as np
import pytest
import torch
from fastai.torch_core import TensorImage, TensorMask
from fasttransform import Pipeline
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

from augimpact.augment.apply import EFFECTS, augment
from augimpact.augment.own import augmentation, forget
from augimpact.augment.parameters import CATALOGUE
from augimpact.data.image import example
from augimpact.errors import ParameterError
from augimpact.impact.range_code import FOREIGN, LIBRARIES, code_of_ranges
from augimpact.impact.range_steps import GEOMETRY
from augimpact.source import WIDTH

# Albumentations asks the network for a newer version when it is imported, unless it is told not to.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

SIDE = 224
# What was promised: the mean absolute difference to the sweep.
PROMISED = 0.01
# What is seen, half a step of 255 before and after two roundings, or OpenCV's 32nds of a pixel.
SEEN = 0.004
NAMES = [name for name, parameter in CATALOGUE.items() if parameter.group != "mixing"]
# Noise is drawn anew, and is compared by its distribution.
EXACT = [name for name in NAMES if name != "noise"]
# What a parameter needs before it changes anything, or anything that can be told apart.
NEEDED: Mapping[str, Mapping[str, float]] = {
    "crop_x": {"crop": 0.4}, "crop_y": {"crop": 0.4}, "motion_angle": {"motion_blur": 10},
    "erase_w": {"erase_h": 0.5}, "erase_h": {"erase_w": 0.5}, "grid_cells": {"grid_mask": 0.5},
    "erase_x": {"erase_w": 0.3, "erase_h": 0.4}, "erase_y": {"erase_w": 0.3, "erase_h": 0.4},
    "grid_mask": {"grid_cells": 2},
}  # fmt: skip
# Where draws are looked for in place of the sweep's range: more bits than that are hard to tell from others.
TOLD_APART = {"posterize": (1, 4)}
PHOTOGRAPHS = ("cat", "motorcycle", "rocket")


@pytest.fixture(scope="module")
def pictures() -> dict[str, np.ndarray]:
    """Photographs as bytes, `(224, 224, 3)`."""
    return {name: np.asarray(example(name).resize((SIDE, SIDE))) for name in PHOTOGRAPHS}


def as_tensor(pixels: np.ndarray) -> torch.Tensor:
    """`(3, S, S)` in [0, 1], of bytes or floats `(S, S, 3)`."""
    values = torch.from_numpy(pixels.copy()).permute(2, 0, 1)
    return values / 255 if pixels.dtype == np.uint8 else values


def run(code: str) -> Any:
    """What the code calls `augmentation`, in a namespace of its own; a warning is an error."""
    names: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(compile(code, "code", "exec"), names)
    return names["augmentation"]


def shown_by(augmentation: Any, library: str, pixels: np.ndarray) -> torch.Tensor:
    """The picture that a library makes of bytes, `(3, S, S)` in [0, 1]; a warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if library == "albumentations":
            return as_tensor(augmentation(image=pixels)["image"])
        if library == "fastai":
            batch = TensorImage(as_tensor(pixels)[None])
            return Pipeline(augmentation, split_idx=0)(batch)[0].as_subclass(torch.Tensor)
        if library == "augimpact":
            return augmentation(as_tensor(pixels), "a sample")
        return augmentation(as_tensor(pixels)).as_subclass(torch.Tensor)


def pinned(setting: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    return {name: (value, value) for name, value in setting.items()}


def differences(setting: Mapping[str, float], library: str, pixels: np.ndarray) -> list[float]:
    """How far a library is from our frame, given all that it takes."""
    made = run(code_of_ranges(pinned(setting), library))
    ours = augment(as_tensor(pixels), setting).images[0]
    given = [pixels] if library != "albumentations" else [pixels, np.float32(pixels) / 255]
    return [float((shown_by(made, library, each) - ours).abs().mean()) for each in given]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", EXACT)
def test_each_parameter_shows_what_our_sweep_shows(pictures, library, name):
    parameter = CATALOGUE[name]
    for place, value in enumerate(np.linspace(parameter.minimum, parameter.maximum, 4)):
        setting = {**NEEDED.get(name, {}), name: float(value)}
        pixels = pictures[PHOTOGRAPHS[place % len(PHOTOGRAPHS)]]
        assert max(differences(setting, library, pixels)) <= SEEN, setting


@pytest.mark.parametrize("library", LIBRARIES)
@settings(max_examples=15)
@given(name=st.sampled_from(EXACT), share=st.floats(0, 1), photograph=st.sampled_from(PHOTOGRAPHS))
def test_any_value_of_any_parameter_shows_what_our_sweep_shows(pictures, library, name, share, photograph):
    parameter = CATALOGUE[name]
    value = parameter.minimum * (1 - share) + parameter.maximum * share
    setting = {**NEEDED.get(name, {}), name: float(np.clip(value, parameter.minimum, parameter.maximum))}
    assert max(differences(setting, library, pictures[photograph])) <= PROMISED


@st.composite
def several(draw: Callable[..., Any], names: list[str], most: int) -> dict[str, float]:
    """A setting of several parameters within what is offered as their sweeps, in any order."""
    chosen = draw(st.lists(st.sampled_from(names), min_size=2, max_size=most, unique=True))
    return {name: draw(st.floats(*sorted(CATALOGUE[name].sweep))) for name in chosen}


@pytest.mark.parametrize("library", LIBRARIES)
@settings(max_examples=15)
@given(setting=several(EXACT, 6))
def test_several_at_once_show_what_our_sweep_shows(pictures, library, setting):
    # Bytes are rounded after each step, which a strong contrast makes visible: floats are compared.
    assert differences(setting, library, pictures["cat"])[-1] <= PROMISED, setting


@pytest.mark.parametrize("library", FOREIGN)
@settings(max_examples=15)
@given(setting=several(list(GEOMETRY), 5))
def test_all_that_moves_pixels_resamples_them_once(pictures, library, setting):
    assert max(differences(setting, library, pictures["motorcycle"])) <= SEEN, setting


def test_an_ordinary_training_augmentation_agrees_in_bytes_too(pictures):
    setting = {"rotation": -12, "zoom": 1.2, "brightness": 1.3, "contrast": 0.8, "hue": 9, "blur": 0.7, "jpeg": 60}
    for library in LIBRARIES:
        assert max(differences(setting, library, pictures["cat"])) <= PROMISED, library


@pytest.mark.parametrize("library", LIBRARIES)
def test_noise_is_as_strong_and_new_for_every_image(pictures, library):
    pixels, strength = pictures["cat"], 0.2
    made = run(code_of_ranges({"noise": (strength, strength)}, library))
    image = as_tensor(pixels)
    ours = augment(image, {"noise": strength}).images[0] - image
    first = shown_by(made, library, pixels)
    # How far the two distributions are from each other.
    assert ((first - image).flatten().sort()[0] - ours.flatten().sort()[0]).abs().mean() <= PROMISED
    if library != "augimpact":
        assert (shown_by(made, library, pixels) - first).abs().mean() > strength / 2


@pytest.fixture
def seeded() -> Iterator[None]:
    states = random.getstate(), torch.random.get_rng_state()
    random.seed(5)
    torch.manual_seed(5)
    yield
    random.setstate(states[0])
    torch.random.set_rng_state(states[1])


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("library", FOREIGN)
@pytest.mark.parametrize("name", EXACT)
def test_values_are_drawn_uniformly_from_the_range_and_from_nowhere_else(library, name):
    """Each draw is recognised as the nearest of many frames of a sweep that goes beyond the range at both ends."""
    first, last = TOLD_APART.get(name, sorted(CATALOGUE[name].sweep))
    low, high = first + 0.2 * (last - first), last - 0.2 * (last - first)
    # Shares of the range, and the values that they are.
    shares = np.linspace(-0.2, 1.2, 141)
    pixels = np.asarray(example("cat").resize((48, 48)))
    needed = NEEDED.get(name, {})
    frames = augment(as_tensor(pixels), {name: low + shares * (high - low), **needed}).images
    made = run(code_of_ranges({name: (low, high), **pinned(needed)}, library))
    if library == "albumentations":
        made.set_random_seed(5)
    drawn = []
    for _ in range(40):
        apart = (frames - shown_by(made, library, pixels)).abs().mean(dim=(1, 2, 3)).numpy()
        # Values that show the same, as qualities of a JPEG between whole numbers, are equally likely.
        alike = shares[np.isclose(apart, apart.min(), atol=1e-6)]
        inside = alike[(alike >= -0.03) & (alike <= 1.03)]
        assert len(inside), alike
        drawn.append(inside.mean())
    assert kstest(drawn, "uniform").statistic < 0.3


def test_every_library_knows_every_parameter_in_our_order():
    owners = {effect.parameter for effect in EFFECTS if CATALOGUE[effect.parameter].group != "mixing"}
    for library in FOREIGN.values():
        assert set(library.steps) == owners
    assert list(GEOMETRY) == [name for name in CATALOGUE if CATALOGUE[name].group == "geometry"]


@pytest.mark.parametrize("library", FOREIGN)
def test_the_code_of_everything_is_short_lines_and_imports_what_it_uses(library):
    ranges = {name: CATALOGUE[name].sweep for name in NAMES}
    code = code_of_ranges(ranges, library)
    assert all(len(line) <= WIDTH for line in code.splitlines()), code
    tree = ast.parse(code)
    imported = [
        (each.asname or each.name) for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))
        for each in node.names
    ]  # fmt: skip
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert set(imported) <= used
    assert "augimpact" not in code
    for name in NAMES:
        assert f"# {name}, " in code


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_code_of_everything_can_be_given_to_another_process(library, tmp_path, monkeypatch):
    module = f"code_of_{library}"
    (tmp_path / f"{module}.py").write_text(code_of_ranges({name: CATALOGUE[name].sweep for name in NAMES}, library))
    monkeypatch.syspath_prepend(tmp_path)
    made = importlib.import_module(module).augmentation
    sent = pickle.loads(pickle.dumps(made))
    pixels = np.asarray(example("cat").resize((64, 64)))
    assert shown_by(sent, library, pixels).shape == (3, 64, 64)
    del sys.modules[module]


def test_what_is_native_is_used():
    def line(name, low, high, library):
        return code_of_ranges({name: (low, high)}, library)

    assert "v2.RandomRotation((-12, 20)," in line("rotation", -12, 20, "torchvision")
    assert "v2.RandomAffine(0, scale=(0.5, 2)," in line("zoom", 0.5, 2, "torchvision")
    assert "v2.ColorJitter(hue=(-30 / 360, 45 / 360))" in line("hue", -30, 45, "torchvision")
    assert "A.Affine(rotate=(-12, 20)," in line("rotation", -12, 20, "albumentations")
    assert 'A.Affine(scale={"x": (-1, 1), "y": (1, 1)},' in line("stretch_x", -1, 1, "albumentations")
    assert "A.RandomGamma((0.4 * 100, 2.5 * 100), p=1)" in line("gamma", 0.4, 2.5, "albumentations")
    assert "Rotate(draw=partial(uniform, -20, 12), p=1," in line("rotation", -12, 20, "fastai")
    assert "Zoom(0.5, 2, p=1, draw_x=0.5, draw_y=0.5," in line("zoom", 0.5, 2, "fastai")


def test_the_shortest_code_is_short():
    code = code_of_ranges({"brightness": (1.5, 0.8)}, "torchvision")
    assert code == (
        "import torch\n"
        "from torchvision.transforms import v2\n"
        "\n"
        "# For square images, as PIL or as tensors of bytes or floats in [0, 1]; it gives floats in [0, 1].\n"
        "augmentation = v2.Compose([\n"
        "    v2.ToImage(),\n"
        "    v2.ToDtype(torch.float32, scale=True),\n"
        "    # brightness, 0.8 to 1.5 (factor): multiplies every pixel; what passes white is cut.\n"
        "    v2.ColorJitter(brightness=(0.8, 1.5)),\n"
        "])\n"
    )


@pytest.mark.parametrize("library", FOREIGN)
def test_what_changes_nothing_is_a_comment(pictures, library):
    ranges = {"crop_x": (0, 1), "erase_w": (0.2, 0.4), "erase_x": (0, 1), "rotation": (0, 0), "grid_cells": (3, 5)}
    code = code_of_ranges(ranges, library)
    for said in (
        "# crop_x changes nothing without crop.", "# erase_w changes nothing without erase_h.",
        "# erase_x changes nothing without erase_w and erase_h.", "# rotation stays 0, which changes nothing.",
        "# grid_cells changes nothing without grid_mask.",
    ):  # fmt: skip
        assert said in code or said.replace("erase_w and ", "") in code
    assert torch.equal(shown_by(run(code), library, pictures["cat"]), as_tensor(pictures["cat"]))
    assert torch.equal(shown_by(run(code_of_ranges({}, library)), library, pictures["cat"]), as_tensor(pictures["cat"]))


def test_torchvision_takes_pil_images_batches_and_masks(pictures):
    made = run(code_of_ranges(pinned({"stretch_x": -1, "translate_x": 0.2, "posterize": 3}), "torchvision"))
    image = as_tensor(pictures["cat"])
    alone = made(image)
    assert torch.allclose(made(F.to_pil_image(torch.from_numpy(pictures["cat"].copy()).permute(2, 0, 1))), alone)
    assert torch.allclose(made(image.expand(2, -1, -1, -1))[1], alone, atol=1e-5)
    white = tv_tensors.Mask(torch.ones(SIDE, SIDE, dtype=torch.uint8))
    shown, mask = made(tv_tensors.Image(image), white)
    assert torch.equal(shown, alone)
    # Posterizing leaves it alone, moving does not.
    assert mask.unique().tolist() == [0, 1]
    assert float((mask == 0).float().mean()) == pytest.approx(0.2, abs=0.01)


def test_albumentations_moves_masks():
    made = run(code_of_ranges(pinned({"stretch_x": -1, "translate_x": 0.2, "posterize": 3}), "albumentations"))
    white = np.ones((SIDE, SIDE), np.uint8)
    shown = made(image=np.full((SIDE, SIDE, 3), 255, np.uint8), mask=white)
    assert shown["image"].dtype == np.uint8
    assert float((shown["mask"] == 0).mean()) == pytest.approx(0.2, abs=0.01)
    assert set(np.unique(shown["mask"])) == {0, 1}


def test_fastai_moves_masks_draws_for_every_image_and_only_in_training():
    made = run(code_of_ranges({"stretch_x": (-1, -1), "translate_x": (0.2, 0.2), "gamma": (0.5, 2)}, "fastai"))
    images = TensorImage(torch.full((8, 3, 32, 32), 0.5))
    masks = TensorMask(torch.ones(8, 32, 32, dtype=torch.int64))
    shown, moved = Pipeline(made, split_idx=0)((images, masks))
    assert len(shown[:, 0, 16, 16].unique()) == 8
    assert float((moved == 0).float().mean()) == pytest.approx(0.2, abs=0.02)
    still, _ = Pipeline(made, split_idx=1)((images.clone(), masks.clone()))
    assert torch.allclose(still.as_subclass(torch.Tensor), images.as_subclass(torch.Tensor), atol=1e-6)


def test_fastai_uses_it_in_a_data_block(pictures):
    from fastai.vision.all import DataBlock, ImageBlock, Normalize, imagenet_stats

    setting = {"rotation": 30, "translate_y": 0.1, "brightness": 1.4, "blur": 1, "hue": 20}
    made = run(code_of_ranges(pinned(setting), "fastai"))
    block = DataBlock(
        blocks=(ImageBlock, ImageBlock),
        get_x=lambda name: pictures[name],
        get_y=lambda name: pictures[name],
        splitter=lambda names: (list(range(len(names))), [0]),
        batch_tfms=[*made, Normalize.from_stats(*imagenet_stats)],
    )
    loaders = block.dataloaders(list(PHOTOGRAPHS), bs=3, num_workers=0, shuffle=False, drop_last=False)
    batch = loaders.train.one_batch()[0]
    mean, std = (torch.tensor(each)[:, None, None] for each in imagenet_stats)
    shown = [image.as_subclass(torch.Tensor).cpu() * std + mean for image in batch]
    wanted = [augment(as_tensor(pictures[name]), setting).images[0] for name in PHOTOGRAPHS]
    for image in shown:
        assert min(float((image - each).abs().mean()) for each in wanted) <= SEEN


def test_one_of_ones_own_is_known_to_augimpact_alone(pictures):
    @augmentation("dim", range=(0, 1), neutral=1)
    def dim(batch, value):
        return batch * value

    try:
        code = code_of_ranges({"dim": (0.5, 0.5)}, "augimpact")
        assert "# Run the code that registers dim first." in code
        assert torch.allclose(shown_by(run(code), "augimpact", pictures["cat"]), as_tensor(pictures["cat"]) / 2)
        for library in FOREIGN:
            with pytest.raises(ParameterError, match=f"dim is an augmentation of one's own, which {library} does not"):
                code_of_ranges({"dim": (0.5, 1)}, library)
    finally:
        forget("dim")


@pytest.mark.parametrize(
    ("ranges", "library", "message"),
    [
        ({}, "torchvison", "unknown library 'torchvison'; did you mean torchvision?"),
        ({"rotatoin": (0, 1)}, "fastai", "unknown parameter 'rotatoin'; did you mean rotation?"),
        ({"rotation": (0, 200)}, "fastai", "rotation is 200; expected a number from -180 to 180"),
        ({"rotation": 5}, "fastai", "the range of rotation is 5; expected a pair of numbers"),
        ({"rotation": (1, 2, 3)}, "augimpact", "expected a pair of numbers"),
        ({"mixup": (0, 1)}, "augimpact", "mixup mixes in a second image"),
        ({"cutmix_x": (0, 1)}, "albumentations", "cutmix_x mixes in a second image"),
    ],
)
def test_mistakes_are_told(ranges, library, message):
    with pytest.raises(ParameterError) as error:
        code_of_ranges(ranges, library)
    assert message in str(error.value)
