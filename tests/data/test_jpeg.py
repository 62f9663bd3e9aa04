"""JPEGs decoded without Pillow, against Pillow."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, UnidentifiedImageError

from augimpact.data.image import EXAMPLES, example
from augimpact.data.jpeg import plain_jpeg
from augimpact.data.pipeline import ImagePipeline
from augimpact.errors import ImageError

ALWAYS = {
    "quality": st.integers(1, 100),
    "progressive": st.booleans(),
    "optimize": st.booleans(),
    "restart_marker_blocks": st.sampled_from([0, 1, 7]),
}
# What is kept as RGB is not subsampled.
OPTIONS = st.fixed_dictionaries(
    {**ALWAYS, "subsampling": st.sampled_from(["4:4:4", "4:2:2", "4:2:0"])}
) | st.fixed_dictionaries({**ALWAYS, "keep_rgb": st.just(True)})


def jpeg_of(picture: Image.Image, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", **options)
    return file.getvalue()


def by_pillow(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


@given(name=st.sampled_from(sorted(EXAMPLES)), width=st.integers(1, 400), height=st.integers(1, 300), options=OPTIONS)
def test_photographs_have_the_pixels_that_pillow_gives(name, width, height, options):
    picture = example(name)
    content = jpeg_of(picture.crop((0, 0, width, height)), **options)
    found = plain_jpeg(content)
    assert found.flags.c_contiguous
    assert np.array_equal(found, by_pillow(content))


@given(
    pixels=hnp.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))),
    options=OPTIONS,
)
def test_so_has_noise(pixels, options):
    content = jpeg_of(Image.fromarray(pixels), **options)
    assert np.array_equal(plain_jpeg(content), by_pillow(content))


@pytest.mark.parametrize("subsampling", ["411", "440", "444", "422", "420"])
@pytest.mark.parametrize("quality", [5, 60, 95])
@pytest.mark.parametrize("name", EXAMPLES)
def test_so_have_those_of_another_encoder(name, quality, subsampling):
    pixels = np.ascontiguousarray(np.asarray(example(name))[:111, :203])
    content = simplejpeg.encode_jpeg(pixels, quality, colorsubsampling=subsampling)
    assert np.array_equal(plain_jpeg(content), by_pillow(content))


def test_imagenette_has_the_pixels_that_pillow_gives(imagenette):
    plain = 0
    for path in sorted(imagenette.rglob("*.*")):
        content = path.read_bytes()
        found = plain_jpeg(content)
        if found is not None:
            plain += 1
            assert np.array_equal(found, by_pillow(content)), path
    assert plain > 400


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return jpeg_of(example("cat"), exif=exif)


def with_xmp() -> bytes:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    return jpeg_of(example("cat"), xmp=xmp)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no image",
        jpeg_of(example("cat").convert("L")),
        jpeg_of(example("cat").convert("CMYK")),
        *(turned(orientation) for orientation in (1, 3, 6)),
        with_xmp(),
        jpeg_of(example("cat"))[:-2000],
    ],
)
def test_what_is_not_plain_is_left_to_pillow(content):
    assert plain_jpeg(content) is None


def test_a_large_one_is_not_decoded(monkeypatch):
    content = jpeg_of(example("cat"))
    for module in ("image", "jpeg"):
        monkeypatch.setattr(f"augimpact.data.{module}.MAX_PIXELS", 10_000)
    monkeypatch.setattr(simplejpeg, "decode_jpeg", lambda *_: pytest.fail("it was decoded"))
    assert plain_jpeg(content) is None
    with pytest.raises(ImageError, match="is too large"):
        ImagePipeline(channels=None).picture(content)


@cache
def small(**options) -> bytes:
    return jpeg_of(example("cat").resize((48, 40)), subsampling="4:2:0", **options)


def is_left_or_what_pillow_sees(content: bytes) -> bool:
    """Whether it is left to Pillow; else it has to be just what Pillow sees, which then must not fail."""
    found = plain_jpeg(content)
    if found is not None:
        assert np.array_equal(found, by_pillow(content))
    return found is None


@settings(max_examples=500)
@given(
    places=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=8), cut=st.floats(0, 1)
)
def test_a_damaged_one_is_left_or_what_pillow_sees(places, cut):
    content = bytearray(small())
    for place, value in places:
        content[int(place * len(content))] = value
    is_left_or_what_pillow_sees(bytes(content[: int(len(content) * (1 - cut / 4))]))


@settings(max_examples=1000)
@given(places=st.lists(st.tuples(st.integers(2, 640), st.integers(0, 255)), min_size=1, max_size=3))
def test_so_is_one_with_a_damaged_header(places):
    content = bytearray(small())
    for place, value in places:
        content[place] = value
    is_left_or_what_pillow_sees(bytes(content))


def parts_of(content: bytes) -> list[int]:
    """Where the parts of the header begin."""
    places, place = [], 2
    while content[place + 1] != 0xDA:
        places.append(place)
        place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return [*places, place]


# Each marker with what its part begins with where a program looks into it.
BEGINNINGS = [
    (0xE0, b"JFIF\0"), (0xE0, b"JFXX\0"), (0xE1, b"Exif\0\0"), (0xE1, b"http://ns.adobe.com/xap/1.0/\0"),
    (0xE2, b"ICC_PROFILE\0"), (0xE2, b"MPF\0"), (0xE2, b"FPXR\0"), (0xEC, b"Ducky"), (0xED, b"Photoshop 3.0\0"),
    (0xEE, b"Adobe"), (0xEF, b""), (0xFE, b""), (0xDD, b"\0"), (0xDB, b"\0"), (0xDB, b"\x11"), (0xC4, b"\x10"),
    (0xC0, b"\x08\0\x28\0\x30\x03"), (0xC2, b"\x08\0\x28\0\x30\x03"), (0xC1, b"\x0c"),
]  # fmt: skip
BEGUN = st.sampled_from(BEGINNINGS) | st.tuples(st.integers(0xC0, 0xFE), st.just(b""))
RESTS = st.binary(max_size=40) | st.sampled_from([2, 9, 64, 128, 129, 300]).flatmap(
    lambda size: st.binary(min_size=size, max_size=size)
)


@settings(max_examples=1000)
@given(
    begun=BEGUN, rest=RESTS, missing=st.sampled_from([0] * 9 + [-2, -1, 1, 2, 700]), place=st.integers(0, 9),
    progressive=st.booleans(),
)  # fmt: skip
def test_so_is_one_with_any_other_part(begun, rest, missing, place, progressive):
    marker, begins = begun
    length = max(0, len(begins + rest) + 2 + missing)
    part = bytes([0xFF, marker]) + length.to_bytes(2, "big") + begins + rest
    content = small(progressive=progressive)
    places = parts_of(content)
    cut = places[place % len(places)]
    is_left_or_what_pillow_sees(content[:cut] + part + content[cut:])


@pytest.mark.parametrize(
    "part",
    [
        b"\xff\xee\x00\x0eAdobe\0\x64\0\0\0\0\x01", b"\xff\xec\x00\x09Ducky\0\1",
        b"\xff\xe2\x00\x14ICC_PROFILE\0\1\1\0\0\0\0", b"\xff\xfe\x00\x05cat", b"\xff\xdd\x00\x04\0\0",
        b"\xff\xdb\x00\x83\x13" + b"\0\1" * 64,
    ],
    ids=["Adobe", "Ducky", "a profile", "a comment", "no restarts", "a table of 16 bits"],
)  # fmt: skip
@pytest.mark.parametrize("progressive", [False, True])
def test_usual_parts_are_no_reason_to_leave_it(part, progressive):
    content = small(progressive=progressive)
    assert not is_left_or_what_pillow_sees(content[:2] + part + content[2:])


@pytest.mark.parametrize(
    "part",
    [b"\xff\xe2\x00\x0eICC_PROFILE\0", b"\xff\xee\x00\x07Adobe", b"\xff\xe0\x00\x07JFIF\0"],
    ids=["a profile cut short", "Adobe's part", "JFIF's part"],
)
def test_what_pillow_refuses_by_its_header_is_refused(part):
    content = jpeg_of(example("cat"))
    content = content[:2] + part + content[2:]
    with pytest.raises(UnidentifiedImageError):
        by_pillow(content)
    assert plain_jpeg(content) is None
    with pytest.raises(ImageError, match="is not an image that Pillow can read"):
        ImagePipeline(channels=None).picture(content)


def test_a_pipeline_gives_the_same_either_way(monkeypatch):
    content = jpeg_of(example("coffee"))
    pipeline = ImagePipeline(channels=None)
    found = pipeline.picture(content)
    monkeypatch.setattr("augimpact.data.pipeline.plain_jpeg", lambda _: None)
    assert np.array_equal(found, np.asarray(pipeline.picture(content)))
    with pytest.raises(ImageError, match="cannot be decoded"):
        pipeline.picture(content[:-2000])


def test_what_its_author_did_not_foresee_is_left_to_pillow(monkeypatch):
    def unknown(*_):
        raise KeyError(6)

    monkeypatch.setattr(simplejpeg, "decode_jpeg", unknown)
    assert plain_jpeg(jpeg_of(example("cat"))) is None
