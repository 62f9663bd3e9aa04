"""From a file's bytes to a tensor: decoders against OpenCV's, fitting against torchvision's and Pillow's own.

OpenCV decodes with libraries of its own, knows nothing of Pillow and gives the values as they are stored.
"""

from __future__ import annotations

import contextlib
import io
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from torchvision.transforms.v2 import functional as TF

from augimpact.data.image import EXAMPLES, MAX_PIXELS, example, read_image
from augimpact.data.pipeline import FITS, ImagePipeline, Region, load_array, size_of, unit_array
from augimpact.errors import DataError, ImageError

DATA = Path(skimage.__file__).parent / "data"
RANDOM = np.random.default_rng(0)
LEVEL = 1 / 255
# EXIF's orientations, by hand.
TURNED = {
    1: lambda seen: seen,
    2: lambda seen: seen[:, ::-1],
    3: lambda seen: seen[::-1, ::-1],
    4: lambda seen: seen[::-1],
    5: lambda seen: seen.swapaxes(0, 1),
    6: lambda seen: np.rot90(seen, -1),
    7: lambda seen: seen[::-1, ::-1].swapaxes(0, 1),
    8: lambda seen: np.rot90(seen, 1),
}
names = st.sampled_from(list(EXAMPLES))
sides = st.integers(1, 90)
targets = st.tuples(st.integers(1, 48), st.integers(1, 48))


def encoded(image: Image.Image | np.ndarray, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(file, kind, **options)
    return file.getvalue()


def npy(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def header(text: str) -> bytes:
    """A `.npy` file that says this of itself, and holds nothing."""
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def by_opencv(content: bytes, *, colour: bool = True) -> torch.Tensor:
    """`(C, H, W)` as stored, uint8 or more."""
    flag = cv2.IMREAD_COLOR_RGB if colour else cv2.IMREAD_UNCHANGED
    values = cv2.imdecode(np.frombuffer(content, np.uint8), flag | cv2.IMREAD_IGNORE_ORIENTATION * colour)
    return torch.from_numpy(np.atleast_3d(values)).permute(2, 0, 1)


def part(name: str, height: int, width: int) -> Image.Image:
    """A part of a photograph, of this size."""
    return example(name).crop((100, 80, 100 + width, 80 + height))


def floats(image: Image.Image) -> torch.Tensor:
    return TF.pil_to_tensor(image) / 255


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        # The decoders' own arithmetic: how they interpolate colour, which JPEG and WebP store at half the side.
        ("JPEG", {"quality": 90}, 4 * LEVEL),
        ("WEBP", {"quality": 90}, 4 * LEVEL),
    ],
)
@pytest.mark.parametrize("name", EXAMPLES)
def test_photographs_are_decoded_as_opencv_decodes_them(kind, options, tolerance, name):
    content = encoded(example(name), kind, **options)
    ours = ImagePipeline()(content)
    assert ours.dtype == torch.float32
    assert ours.is_contiguous()
    assert (ours - by_opencv(content) / 255).abs().max() <= tolerance + 1e-6


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP", "PNG"])
def test_of_several_pages_or_frames_the_first_is_the_image(kind):
    pages = [Image.fromarray(np.full((12, 16, 3), level, np.uint8)) for level in (10, 200, 90)]
    content = encoded(pages[0], kind, save_all=True, append_images=pages[1:], lossless=True)
    with Image.open(io.BytesIO(content)) as file:
        assert file.n_frames == 3
    assert torch.allclose(ImagePipeline()(content), torch.tensor(10 * LEVEL))


@pytest.mark.parametrize("mode", ["L", "1", "P"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "GIF", "BMP"])
def test_grey_two_colours_and_palettes_become_rgb(mode, kind):
    image = example("coffee").convert(mode)
    assert torch.equal(ImagePipeline()(encoded(image, kind)), floats(image.convert("RGB")))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_what_is_transparent_is_seen_on_white(mode, kind):
    opaque = example("cat").convert(mode.removesuffix("A") if mode == "LA" else "RGB")
    alpha = RANDOM.integers(0, 256, (opaque.height, opaque.width), np.uint8)
    content = encoded(Image.merge(mode, [*opaque.split(), Image.fromarray(alpha)]), kind)
    share = torch.from_numpy(alpha)[None] / 255
    expected = floats(opaque) * share + 1 - share
    # Pillow rounds to bytes.
    assert (ImagePipeline()(content) - expected).abs().max() <= LEVEL


def test_a_cmyk_jpeg_has_the_colours_that_it_shows():
    photograph = example("rocket")
    # JPEG's own loss, and nothing is undone that Adobe inverts.
    content = encoded(photograph.convert("CMYK"), "JPEG", quality=95)
    assert (ImagePipeline()(content) - floats(photograph)).abs().mean() <= 0.01


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_keep_their_depth(kind):
    values = RANDOM.integers(0, 65536, (20, 30), np.uint16)
    content = encoded(values, kind)
    ours = ImagePipeline(channels=1)(content)
    assert np.array_equal(ours[0], (values / 65535).astype(np.float32))
    assert torch.equal(ours, by_opencv(content, colour=False).double().div(65535).float())
    assert torch.equal(ImagePipeline()(content), ours.expand(3, -1, -1))
    # Fitted, there are still more steps than bytes have.
    assert len(ImagePipeline(16, channels=1)(content).mul(255).frac().unique()) > 64


@pytest.mark.parametrize("white", [1, 255])
def test_a_tiff_of_floats_is_from_black_to_one_or_to_255(white):
    values = RANDOM.random((20, 30), np.float32) * white
    assert np.allclose(ImagePipeline(channels=None)(encoded(values, "TIFF"))[0], values / white, atol=1e-7)


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG", "16 bits"])
def test_exif_turns_the_image_and_its_size(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.asarray(part("coffee", 24, 40)) if kind != "16 bits" else RANDOM.integers(0, 65536, (24, 40), np.uint16)
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    content = encoded(stored, "PNG" if kind == "16 bits" else kind, exif=exif, **options)
    expected = np.atleast_3d(TURNED[orientation](stored)) / np.iinfo(stored.dtype).max
    ours = ImagePipeline(channels=None)(content).permute(1, 2, 0).numpy()
    assert size_of(content) == expected.shape[:2]
    # A JPEG of the best quality still rounds.
    assert ours.shape == expected.shape
    assert np.abs(ours - expected).max() <= (4 * LEVEL if kind == "JPEG" else 1e-6)


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "?", "f2", "f4", "f8"])
@pytest.mark.parametrize("channels", [None, 1, 3, 7])
@pytest.mark.parametrize("first", [False, True])
def test_arrays_keep_all_their_channels_and_their_depth(dtype, channels, first):
    shape = (20, 30) if channels is None else (20, 30, channels)
    unit = RANDOM.random(shape)
    kind = np.dtype(dtype)
    white = np.iinfo(kind).max if kind.kind == "u" else 1
    values = (unit * white).round().astype(kind) if kind.kind in "ub" else unit.astype(kind)
    expected = np.atleast_3d(values.astype(np.float64) / white).transpose(2, 0, 1)
    stored = np.moveaxis(values, -1, 0) if first and channels else values
    ours = ImagePipeline(channels=None)(npy(stored))
    assert size_of(npy(stored)) == (20, 30)
    assert ours.dtype == torch.float32
    assert np.allclose(ours, expected, atol=1e-7)


@given(height=sides, width=sides, channels=st.sampled_from([1, 3]), floating=st.booleans())
def test_an_array_with_channels_last_is_one_at_any_size(height, width, channels, floating):
    values = np.random.default_rng(height).random((height, width, channels))
    stored = values.astype(np.float32) if floating else (values * 255).astype(np.uint8)
    expected = stored.transpose(2, 0, 1) / (1 if floating else 255)
    assert np.allclose(ImagePipeline(channels=None)(npy(stored)), expected, atol=1e-7)
    assert np.allclose(ImagePipeline()(npy(stored)), np.broadcast_to(expected, (3, height, width)), atol=1e-7)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_one_channel_of_three_is_luma(dtype):
    image = part("coffee", 40, 60)
    values = np.asarray(image) if dtype == np.uint8 else np.asarray(image, np.float32) / 255
    expected = TF.rgb_to_grayscale(floats(image))
    for content in (npy(values), encoded(image)):
        # Bytes are rounded, and torchvision's weights to four digits.
        assert (ImagePipeline(channels=1)(content) - expected).abs().max() <= LEVEL


@pytest.mark.parametrize(("mode", "count"), [("L", 1), ("1", 1), ("LA", 1), ("RGB", 3), ("P", 3), ("RGBA", 3)])
def test_without_a_wish_an_image_has_the_channels_that_it_has(mode, count):
    image = example("cat").convert("L" if mode == "LA" else mode).convert(mode)
    assert len(ImagePipeline(16, channels=None)(encoded(image))) == count


@given(low=st.floats(-3, 3), length=st.floats(0.1, 9), sign=st.sampled_from([-1, 1]))
def test_the_range_is_what_black_and_white_become(low, length, sign):
    high = low + sign * length
    for kind in (np.uint8, np.uint16):
        shown = ImagePipeline(range=(low, high))(encoded(np.array([[0, np.iinfo(kind).max]], kind)))
        assert shown[0, 0].tolist() == pytest.approx([low, high], abs=1e-5)


@given(name=names, height=sides, width=sides, target=targets)
def test_stretching_agrees_with_torchvision(name, height, width, target):
    image = part(name, height, width)
    ours = ImagePipeline(target, "stretch")(encoded(image))
    theirs = TF.resize(TF.pil_to_tensor(image), target, antialias=True) / 255
    # Both round to bytes, between the axes and after them.
    assert (ours - theirs).abs().max() <= 2 * LEVEL + 1e-6
    assert (ours - TF.resize(floats(image), target, antialias=True)).abs().mean() <= LEVEL


@given(height=sides, width=sides, target=targets)
def test_floats_are_stretched_as_torchvision_stretches_them(height, width, target):
    values = np.random.default_rng(height).random((height, width, 3), np.float32)
    ours = ImagePipeline(target, "stretch")(npy(values))
    theirs = TF.resize(torch.from_numpy(values).permute(2, 0, 1), target, antialias=True)
    # float32 on both sides.
    assert (ours - theirs).abs().max() <= 1e-5


@given(name=names, height=sides, width=sides, target=targets)
def test_cropping_agrees_with_pillows_own(name, height, width, target):
    image = part(name, height, width)
    theirs = ImageOps.fit(image, target[::-1], Image.Resampling.BILINEAR)
    # Both cut between pixels; the place is rounded differently.
    assert (ImagePipeline(target, "crop")(encoded(image)) - floats(theirs)).abs().max() <= LEVEL + 1e-6


@given(name=names, height=sides, width=sides, target=targets, fill=st.floats(0, 1), floating=st.booleans())
def test_padding_is_torchvisions_resize_amid_the_fill(name, height, width, target, fill, floating):
    image = part(name, height, width)
    content = npy(np.asarray(image, np.float32) / 255) if floating else encoded(image)
    ours = ImagePipeline(target, "pad", fill=fill)(content)
    share = min(target[0] / height, target[1] / width)
    inner = [max(1, round(height * share)), max(1, round(width * share))]
    top, left = ((whole - own) // 2 for whole, own in zip(target, inner, strict=True))
    theirs = torch.full((3, *target), fill if floating else round(fill * 255) / 255)
    resized = TF.resize(floats(image) if floating else TF.pil_to_tensor(image), inner, antialias=True)
    theirs[:, top : top + inner[0], left : left + inner[1]] = resized if floating else resized / 255
    assert ours.shape == (3, *target)
    assert (ours - theirs).abs().max() <= (1e-5 if floating else 2 * LEVEL + 1e-6)


@given(name=names, height=sides, width=sides, target=targets)
def test_padding_is_pillows_own_where_the_margins_are_equal(name, height, width, target):
    image = part(name, height, width)
    fitted = ImageOps.contain(image, target[::-1])
    # A side that Pillow rounds to nothing is one pixel here.
    if min(fitted.size) and (target[1] - fitted.width) % 2 == (target[0] - fitted.height) % 2 == 0:
        theirs = ImageOps.pad(image, target[::-1], Image.Resampling.BILINEAR)
        assert torch.equal(ImagePipeline(target)(encoded(image)), floats(theirs))


@given(name=names, left=st.integers(-50, 90), top=st.integers(-50, 90), width=sides, height=sides)
def test_a_region_is_cut_out_and_filled_beyond_the_edge(name, left, top, width, height):
    image = part(name, 60, 70)
    canvas = torch.full((3, 300, 300), 0.2)
    canvas[:, 100:160, 100:170] = floats(image)
    expected = canvas[:, 100 + top : 100 + top + height, 100 + left : 100 + left + width]
    ours = ImagePipeline(regions=Region(left, top, width, height), fill=0.2)(encoded(image))
    assert (ours - expected).abs().max() <= 1e-6
    as_floats = ImagePipeline(regions=(left, top, width, height), fill=0.2)(npy(np.asarray(image) / 255))
    assert (as_floats - expected).abs().max() <= 1e-6


@pytest.mark.parametrize("fit", FITS)
def test_several_regions_are_each_what_it_is_alone(fit):
    regions = [(0, 0, 50, 40), Region(-10, 30, 80, 20), (np.int64(3), 4, 5, 60)]
    content = encoded(part("coffee", 60, 70))
    ours = ImagePipeline((32, 24), fit, regions)(content)
    assert ours.shape == (3, 3, 32, 24)
    for each, region in zip(ours, regions, strict=True):
        assert torch.equal(each, ImagePipeline((32, 24), fit, region)(content))
    assert torch.equal(ours, ImagePipeline((32, 24), fit, np.array(regions))(content))
    assert ImagePipeline((32, 24), fit, regions[:1])(content).shape == (1, 3, 32, 24)
    assert ImagePipeline((32, 24), fit, regions).mask(np.zeros((60, 70), np.uint8)).shape == (3, 32, 24)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [32, (60, 160)])
@pytest.mark.parametrize(("name", "orientation"), [("retina.jpg", 1), ("hubble_deep_field.jpg", 6)])
def test_a_large_jpeg_decoded_at_a_part_of_its_size_is_nearly_the_same(fit, size, name, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(Image.open(DATA / name).crop((3, 0, 900, 701)), "JPEG", quality=95, exif=exif)
    pipeline = ImagePipeline(size, fit)
    drafted, full = pipeline(content), pipeline(encoded(read_image(content)))
    # On average: blocks are averaged before they are interpolated, and a side is rounded up to whole blocks.
    assert 0 < (drafted - full).abs().mean() <= 2 * LEVEL


@given(height=sides, width=sides, target=targets, fit=st.sampled_from(FITS), outside=st.integers(-1, 300))
def test_a_mask_has_no_class_but_its_own_and_the_one_outside(height, width, target, fit, outside):
    mask = np.random.default_rng(width).choice([3, 7, 200], (height, width)).astype(np.uint8)
    fitted = ImagePipeline(target, fit).mask(mask, outside=outside)
    assert fitted.dtype == torch.int64
    assert fitted.shape == target
    assert set(fitted.unique().tolist()) <= {*np.unique(mask).tolist(), outside}
    assert torch.equal(fitted, ImagePipeline(target, fit).mask(encoded(mask), outside=outside))
    if fit == "stretch":
        theirs = F.interpolate(torch.from_numpy(mask)[None, None].float(), target, mode="nearest-exact")[0, 0]
        # Where a place falls between two pixels, the last digit decides.
        exact = [(np.arange(of) + 0.5) * whole / of % 1 for whole, of in zip((height, width), target, strict=True)]
        clear = [torch.from_numpy(np.minimum(each, 1 - each) > 1e-4) for each in exact]
        assert torch.equal(fitted[clear[0]][:, clear[1]], theirs[clear[0]][:, clear[1]].long())


@pytest.mark.parametrize("fit", FITS)
@given(data=st.data(), height=st.integers(20, 90), width=st.integers(20, 90))
def test_a_mask_lies_where_the_image_lies(fit, data, height, width):
    mask = np.zeros((height, width), np.uint8)
    top, left = data.draw(st.integers(0, height - 8)), data.draw(st.integers(0, width - 8))
    mask[top : top + data.draw(st.integers(8, 60)), left : left + data.draw(st.integers(8, 60))] = 1
    region = data.draw(st.none() | st.just(Region(-5, 3, width, height)))
    pipeline = ImagePipeline((40, 56), fit, region, channels=1)
    shown = pipeline(encoded(mask * 255))[0]
    fitted = pipeline.mask(mask)
    # Away from the edges of the rectangle.
    assert (fitted[shown > 0.999] == 1).all()
    assert (fitted[shown < 0.001] == 0).all()


@pytest.mark.parametrize("kind", ["palette", "16 bits", "two classes", "array"])
def test_masks_of_any_kind_of_file_are_read(kind):
    classes = RANDOM.integers(0, 2 if kind == "two classes" else 9, (12, 10)).astype(np.uint8)
    image = Image.fromarray(classes)
    if kind == "palette":
        image.putpalette(RANDOM.integers(0, 256, 768, np.uint8).tobytes())
    if kind == "array":
        content = npy(classes)
    else:
        content = encoded({"16 bits": classes.astype(np.uint16), "two classes": classes.astype(bool)}.get(kind, image))
    assert np.array_equal(ImagePipeline().mask(content), classes)


@pytest.mark.parametrize("fit", FITS)
@given(data=st.data(), height=st.integers(1, 200), width=st.integers(1, 200), target=targets, turned=st.booleans())
def test_boxes_lie_where_the_image_shows_what_is_in_them(fit, data, height, width, target, turned):
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    right, bottom = data.draw(st.integers(left + 1, width)), data.draw(st.integers(top + 1, height))
    drawn = np.zeros((height, width), np.uint8)
    drawn[top:bottom, left:right] = 255
    region = data.draw(st.none() | st.just(Region(-3, 2, width + 5, height)))
    exif = Image.Exif()
    exif[0x0112] = 6 if turned else 1
    content = encoded(np.ascontiguousarray(np.rot90(drawn, 1)) if turned else drawn, exif=exif)
    pipeline = ImagePipeline(target, fit, region, channels=1)
    assert size_of(content) == (height, width)
    (box,) = pipeline.boxes(np.array([[left, top, right, bottom]]), size_of(content))
    for axis, length in ((0, target[1]), (1, target[0])):
        profile = pipeline(content)[0].amax(dim=axis)
        first, last = np.clip(box[axis::2], 0, length)
        places = np.arange(length)
        # A pixel of the frame is wholly inside or outside a pixel away from the edge, or as far as bilinear reaches.
        reach = 1 + max(1.0, (box[axis + 2] - box[axis]) / max(1, [right - left, bottom - top][axis]))
        assert (profile[(places + 1 < first - reach) | (places > last + reach)] == 0).all()
        inside = (places > first + reach) & (places + 1 < last - reach)
        other = np.clip(box[1 - axis :: 2], 0, target[axis])
        if other[1] - other[0] > 2 * reach + 2:
            assert (profile[inside] > 0.95).all()


def test_boxes_in_a_region_are_counted_from_its_corner():
    boxes = [[10, 20, 30, 50]]
    assert ImagePipeline(regions=(5, 6, 50, 50)).boxes(boxes, (60, 70)).tolist() == [[5, 14, 25, 44]]
    assert ImagePipeline(100, regions=(10, 20, 20, 20)).boxes(boxes, (60, 70)).tolist() == [[0, 0, 100, 150]]
    assert ImagePipeline(7).boxes(np.zeros((0, 4)), (60, 70)).shape == (0, 4)
    with pytest.raises(DataError, match="boxes lie in one image; expected a pipeline with a single region"):
        ImagePipeline(regions=[(0, 0, 9, 9)]).boxes(boxes, (60, 70))


@given(height=sides, width=sides)
def test_without_a_size_an_image_stays_as_it_is(height, width):
    image = part("rocket", height, width)
    assert torch.equal(ImagePipeline()(encoded(image)), floats(image))
    assert size_of(encoded(image)) == (height, width)
    assert ImagePipeline().boxes([[1, 2, 3, 4]], (height, width)).tolist() == [[1, 2, 3, 4]]


def test_a_pipeline_can_be_pickled_and_is_what_it_was():
    pipeline = ImagePipeline((32, 24), "crop", [(0, 0, 9, 9)], 1, (-1, 1), 0.5)
    content = encoded(part("cat", 40, 40))
    expected = pipeline(content)
    assert torch.equal(pickle.loads(pickle.dumps(pipeline))(content), expected)
    assert pickle.loads(pickle.dumps(pipeline)) == pipeline


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "0 bytes is not an image"),
        (b"hello", "5 bytes is not an image"),
        (encoded(example("cat"), "JPEG")[:9000], "cannot be decoded: image file is truncated"),
        (encoded(example("cat"))[:90000], "cannot be decoded"),
        (npy(np.array([[{}]], object)), "Object arrays cannot be loaded"),
        (npy(np.zeros((4, 6)))[:-1], r"cannot be read .* expected \.npy"),
        (npy(np.zeros((4, 6)))[:60], r"cannot be read .* expected \.npy"),
        (header("(((("), r"cannot be read .* expected \.npy"),
        (header("{'descr': '|u1', 'fortran_order': False, 'shape': (100000000, 100000000), }\n"), "cannot be read"),
        (npy(np.zeros((4, 6), complex)), r"shape \(4, 6, 1\) and type complex128; expected numbers"),
        (npy(np.zeros((2, 3, 4, 5))), r"shape \(2, 3, 4, 5\)"),
        (npy(np.zeros((0, 5), np.float32))[:], r"shape \(0, 5, 1\)"),
        (npy(np.zeros(())), r"shape \(\)"),
        (npy(np.zeros((20, 30, 7))), "an image of 7 channels; expected 1 or 3, or a pipeline with channels=None"),
    ],
)
def test_what_is_no_image_is_refused_in_a_sentence(content, words):
    with pytest.raises(ImageError, match=words) as caught:
        ImagePipeline(8)(content)
    assert "\n" not in str(caught.value)


def test_an_image_that_is_too_large_is_refused_before_it_is_decoded():
    side = int(MAX_PIXELS**0.5) + 1
    content = encoded(Image.new("1", (side, side)))
    for read in (ImagePipeline(8), size_of, ImagePipeline(8).mask):
        with pytest.raises(ImageError, match=f"too large \\({side}×{side} pixels\\); expected at most 89 megapixels"):
            read(content)


@given(cut=st.integers(0, 400), changed=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=4))
def test_a_damaged_array_is_an_image_or_one_error(cut, changed):
    content = bytearray(npy(RANDOM.random((5, 6, 3))))
    for place, value in changed:
        content[place] = value
    with contextlib.suppress(ImageError):
        load_array(bytes(content[: len(content) - cut]))


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (encoded(example("cat")), "a mask of mode RGB; expected one number a pixel: grey, or of a palette"),
        (np.zeros((4, 4)), r"a mask of shape \(4, 4\) and type float64; expected \(H, W\) whole numbers"),
        (np.zeros((4, 4, 3), np.uint8), r"a mask of shape \(4, 4, 3\)"),
        (np.zeros((0, 4), np.uint8), r"a mask of shape \(0, 4\)"),
        (b"hello", "not an image"),
    ],
)
def test_what_is_no_mask_is_refused(mask, words):
    with pytest.raises(ImageError, match=words):
        ImagePipeline(8).mask(mask)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": 0}, "the size is 0; expected a side, or height and width, of at least one pixel"),
        ({"size": (4, -1)}, r"the size is \(4, -1\)"),
        ({"size": (4, 5, 6)}, r"the size is \(4, 5, 6\)"),
        ({"size": 3.5}, "the size is 3.5"),
        ({"size": "large"}, "the size is 'large'"),
        ({"fit": "squash"}, "unknown fit 'squash'; expected one of pad, crop, stretch"),
        ({"channels": 2}, "channels is 2; expected 1, 3 or None"),
        ({"channels": "RGB"}, "channels is 'RGB'"),
        ({"range": (1, 1)}, r"the range is \(1, 1\); expected two different numbers"),
        ({"range": (0, float("nan"))}, r"the range is \(0, nan\)"),
        ({"range": 1}, "the range is 1;"),
        ({"fill": 255}, "the fill is 255; expected a number from 0 to 1"),
        ({"fill": "white"}, "the fill is 'white'"),
        ({"regions": (0, 0, 0, 5)}, r"the regions are \(0, 0, 0, 5\); expected left, top, width and height"),
        ({"regions": [(0, 0, 5)]}, r"the regions are \[\(0, 0, 5\)\]"),
        ({"regions": [(0, 0, 5, 5), (0, 0, 5)]}, "the regions are"),
        ({"regions": []}, r"the regions are \[\]"),
        ({"regions": "middle"}, "the regions are 'middle'"),
    ],
)
def test_options_that_make_no_sense_are_refused_when_they_are_given(options, words):
    with pytest.raises(DataError, match=words):
        ImagePipeline(**options)


def test_numbers_of_numpy_are_numbers():
    content = encoded(part("cat", 40, 40))
    expected = ImagePipeline(8)(content)
    assert torch.equal(ImagePipeline(np.int64(8))(content), expected)
    assert torch.equal(ImagePipeline(tuple(np.array([8, 8])))(content), expected)


def test_an_array_of_other_dimensions_is_no_image():
    with pytest.raises(ImageError, match=r"expected numbers \(H, W\[, C\]\)"):
        unit_array(np.zeros(5))
