"""A profile whose pixels are gone through by torch, on whichever device, is the profile that the host makes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from torch.utils.data import DataLoader

import augimpact as ai
from augimpact.data.image import EXAMPLES, example
from augimpact.errors import DataError, ModelError
from augimpact.profiling import arguments, extract
from augimpact.profiling import on_device as module
from augimpact.profiling.counting import CountedPixels
from augimpact.profiling.looking import Look
from augimpact.profiling.measuring import measured_from
from augimpact.profiling.on_device import OnDevice
from augimpact.profiling.source import Sample
from augimpact.tensor_measures import Row
from tests.pretended_gpu import DEVICES, GPU, IS_PRETENDED, pretending

images = hnp.arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24), st.integers(1, 6)))


@pytest.fixture(params=DEVICES)
def on_device(request, monkeypatch, gpu):
    """Makes a profile by torch: on a device that is the host as well where there is no other."""

    def made(*data, **options):
        with monkeypatch.context() as patch:
            patch.setattr(extract, "device_of", lambda _: torch.device(request.param))
            patch.setattr(Look, "at_group", pretending(Look.at_group))
            return ai.profile(*data, **options)

    made.device = request.param
    return made


def assert_same(found, expected):
    assert set(found.frames) == set(expected.frames)
    for split, frame in expected.frames.items():
        own = found.frames[split]
        assert list(own) == list(frame)
        for name in frame:
            if name == "saturation":
                np.testing.assert_allclose(own[name], frame[name], rtol=0, atol=1e-9)
            elif frame[name].dtype == np.float64:
                np.testing.assert_allclose(own[name], frame[name], rtol=1e-12, atol=1e-15, err_msg=name)
            else:
                assert own[name].equals(frame[name]), name
    assert [panel.name for panel in found.panels] == [panel.name for panel in expected.panels]
    for name in ("summary", "colours", "duplicates", "errors"):
        np.testing.assert_equal(found[name].statistics, expected[name].statistics)


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("device", DEVICES)
@given(several=st.lists(images, min_size=1, max_size=6), layouts=st.lists(st.booleans(), min_size=6, max_size=6))
def test_bytes_of_all_sizes_and_channels_are_measured_as_on_the_host(device, several, layouts):
    laid = [
        np.ascontiguousarray(image.transpose(2, 0, 1)).transpose(1, 2, 0) if planar else image
        for image, planar in zip(several, layouts, strict=False)
    ]
    samples = [Sample(number, image, number, None) for number, image in enumerate(laid)]
    found = OnDevice(torch.device(device), lambda image: image)(samples)
    expected = measured_from(samples, [image.shape for image in several], CountedPixels(several))
    for ours, theirs in zip(found, expected, strict=True):
        assert ours._replace(numbers={}, colours=None, small=None, image=None) == theirs._replace(
            numbers={}, colours=None, small=None, image=None
        )
        assert list(ours.numbers) == list(theirs.numbers)
        for name, value in theirs.numbers.items():
            is_float = isinstance(value, float)
            assert ours.numbers[name] == (pytest.approx(value, rel=1e-9, abs=1e-9) if is_float else value), name
        for name in ("colours", "small", "image"):
            assert np.array_equal(getattr(ours, name), getattr(theirs, name)), name


@pytest.fixture(scope="module")
def photographs():
    """Of one size, floats as loaders have them, with a class each."""
    pieces = [
        example(name).crop((left, 20, left + 90, 100)).resize((72, 64)) for name in EXAMPLES for left in (0, 60, 120)
    ]
    batch = np.stack([np.asarray(piece) for piece in pieces]).transpose(0, 3, 1, 2)
    return [(torch.from_numpy(image.copy()).float() / 255, number % 3) for number, image in enumerate(batch)]


def test_a_folder_of_files_of_all_kinds(tmp_path, on_device):
    for number, name in enumerate(EXAMPLES):
        place = tmp_path / f"class{number % 2}"
        place.mkdir(exist_ok=True)
        example(name).save(place / f"{name}.jpg")
        example(name).convert("L").resize((50, 40)).save(place / f"{name}.png")
    (tmp_path / "class0" / "broken.jpg").write_bytes(b"\xff\xd8\xff no image")
    for options in ({}, {"samples": 4}, {"features": ["brightness", "colours"]}):
        found, expected = on_device(tmp_path, **options), ai.profile(tmp_path, device="cpu", **options)
        if "features" in options:
            np.testing.assert_equal(found["colours"].statistics, expected["colours"].statistics)
        else:
            assert_same(found, expected)
            assert found["errors"].statistics["train"]["count"] == 1
        if "samples" in options:
            np.testing.assert_equal(found["extremes"].statistics, expected["extremes"].statistics)


@pytest.mark.parametrize("loaded", ["on the host", "on the device"])
@pytest.mark.parametrize("kind", ["unit", "bytes", "16 bits", "normalised", "BGR"])
def test_a_loaders_batches(photographs, on_device, kind, loaded):
    made = {
        "unit": lambda image: image,
        "bytes": lambda image: (image * 255).round().byte(),
        "16 bits": lambda image: (image * 65535).round().to(torch.uint16),
        "normalised": lambda image: (image - 0.45) / 0.22,
        "BGR": lambda image: image.flip(0),
    }[kind]
    place = on_device.device if loaded == "on the device" else "cpu"
    data = [(made(image).to(place), label) for image, label in photographs]
    options = {
        "normalised": {"mean": (0.45,) * 3, "std": (0.22,) * 3},
        "BGR": {"channels": "BGR"},
    }.get(kind, {})
    found = on_device(DataLoader(data, batch_size=5), **options)
    assert_same(found, ai.profile(DataLoader(data, batch_size=5), device="cpu", **options))
    expected = ai.profile(photographs, device="cpu")
    if kind == "BGR":
        # The line to copy is in the order of the images.
        for each in (found, expected):
            for name in ("normalize", "normalize_as"):
                each["summary"].statistics["train"].pop(name, None)
    assert_same(found, expected)


def test_one_bad_image_among_good_ones_is_told_and_the_others_are_measured(photographs, on_device):
    data = [(image.clone(), label) for image, label in photographs]
    data[4][0][0, 3, 3] = torch.nan
    found = on_device(DataLoader(data, batch_size=5))
    assert_same(found, ai.profile(DataLoader(data, batch_size=5), device="cpu"))
    assert found.frames["train"]["index"].tolist() == [number for number in range(len(data)) if number != 4]
    assert found["errors"].statistics["train"]["indices"] == [4]


def test_a_range_that_cannot_be_told_is_asked_for(photographs, on_device):
    data = [((image - 0.45) / 0.22, label) for image, label in photographs]
    with pytest.raises(DataError, match=r"pass mean=… and std=…"):
        on_device(DataLoader(data, batch_size=5))


def test_masks_and_boxes_beside_images_on_the_device(on_device):
    draw = np.random.default_rng(0)
    pictures = [torch.from_numpy(draw.integers(0, 256, (3, 40, 50), dtype=np.uint8)) for _ in range(6)]
    mask = torch.zeros(40, 50, dtype=torch.int64)
    mask[5:15, 10:30] = 1
    boxes = {"boxes": torch.tensor([[1.0, 2.0, 20.0, 30.0]]), "labels": torch.tensor([1])}
    for label, kinds in ((mask, ("mask", "object")), (boxes, ("box",))):
        place = on_device.device
        here = {name: each.to(place) for name, each in label.items()} if isinstance(label, dict) else label.to(place)
        found = on_device([(picture.to(place), here) for picture in pictures])
        expected = ai.profile([(picture, label) for picture in pictures], device="cpu")
        assert_same(found, expected)
        annotated = [panel for panel in expected.panels if panel.name.startswith(kinds)]
        assert len(annotated) > 5
        for panel in annotated:
            np.testing.assert_equal(found[panel.name].statistics, panel.statistics)


def test_images_are_augmented_on_the_device(photographs, on_device):
    augmentation = ai.RandomAugmentation(rotation=(-20, 20), brightness=(0.5, 1.5), noise=(0, 0.1), seed=3)
    found = on_device(photographs, augmentation=augmentation)
    expected = ai.profile(photographs, augmentation=augmentation, device="cpu")
    if on_device.device == "cpu":
        assert_same(found, expected)
    # Another device may round a value to another byte here and there.
    for split, frame in expected.frames.items():
        np.testing.assert_allclose(found.frames[split]["brightness"], frame["brightness"], atol=1e-4)


@pytest.mark.parametrize("name", ["auto"] + [GPU.type] * (not IS_PRETENDED))
def test_each_device_by_name(photographs, name):
    assert arguments.device_of("cpu") is None
    assert (arguments.device_of(name) is None) == (not torch.cuda.is_available())
    assert_same(ai.profile(photographs, device=name), ai.profile(photographs, device="cpu"))


def test_what_is_too_large_for_the_device_is_measured_on_the_host(photographs, on_device, monkeypatch):
    large = [(torch.nn.functional.interpolate(image[None], scale_factor=2)[0], label) for image, label in photographs]
    mixed = [each for pair in zip(photographs, large, strict=True) for each in pair]
    sent = []

    class Watched(Row):
        def __init__(self, sizes, device):
            sent.extend(sizes)
            super().__init__(sizes, device)

    monkeypatch.setattr(module, "CHUNK_PIXELS", 64 * 72)
    monkeypatch.setattr(module, "Row", Watched)
    assert_same(on_device(mixed), ai.profile(mixed, device="cpu"))
    assert sent == [(64, 72)] * len(photographs)


@pytest.mark.parametrize("trouble", [torch.OutOfMemoryError, torch.AcceleratorError])
def test_a_device_without_room_is_no_fault_of_the_images(photographs, on_device, monkeypatch, trouble):
    def full(*_):
        raise trouble("CUDA out of memory")

    monkeypatch.setattr(module, "Row", full)
    found = on_device(DataLoader(photographs, batch_size=5))
    assert_same(found, ai.profile(photographs, device="cpu"))
    assert found["errors"].statistics["train"]["count"] == 0


def test_a_gpu_that_cannot_be_used_is_not_chosen(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr(arguments, "_works", lambda _: False)
    assert arguments.device_of("auto") is None
    monkeypatch.setattr(arguments, "_works", lambda _: True)
    # By its number, which other threads know as well.
    assert arguments.device_of("auto") == torch.device("cuda", 1)
    monkeypatch.undo()
    assert arguments._works(torch.device("cpu"))
    if not torch.cuda.is_available():
        monkeypatch.setattr(torch, "ones", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("no kernel image")))
        assert not arguments._works(torch.device("cpu"))


def test_a_device_that_is_not_there_is_told(monkeypatch):
    with pytest.raises(DataError, match=r"device is 'mps'; expected auto, cpu or cuda"):
        ai.profile([], device="mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert arguments.device_of("auto") is None
    expected = r"device 'cuda:99' cannot be used on this machine; expected auto, cpu or cuda$"
    with pytest.raises(ModelError, match=expected):
        ai.profile([], device="cuda:99")


def test_torch_is_not_loaded_where_there_can_be_no_gpu(tmp_path):
    Image.new("RGB", (30, 20), "red").save(tmp_path / "red.png")
    script = f"""
import sys
from augimpact.profiling import arguments
arguments.DRIVER = "no such library"
from augimpact.profiling.extract import profile
print(len(profile({str(tmp_path)!r}).frames["train"]), "torch" in sys.modules)
"""
    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert found.stdout == "1 False\n"
