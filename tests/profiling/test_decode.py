from __future__ import annotations

import io
import threading
import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from torchvision.transforms.functional import pil_to_tensor

from augimpact.errors import AmbiguousData, DataError
from augimpact.profiling.ahead import ahead
from augimpact.profiling.decode import Decoder
from tests.pretended_gpu import DEVICES

pytestmark = pytest.mark.usefixtures("gpu")

pictures = arrays(np.uint8, st.tuples(st.integers(17, 24), st.integers(17, 24), st.sampled_from([1, 3, 4, 5])))


def bytes_of(decoder: Decoder, value: object, count: int | None = None) -> list[np.ndarray]:
    images = decoder.images_of(value, count)
    decoder.learn(images)
    return [decoder.bytes_of(image) for image in images]


@given(pictures)
def test_whatever_type_and_layout_it_has_the_bytes_come_back(picture):
    forms = [
        picture,
        torch.from_numpy(picture.copy()).permute(2, 0, 1),
        picture.astype(np.int64),
        picture.astype(np.uint16) * 257,
        (picture / 255).astype(np.float64) if picture.any() else picture,
    ]
    for form in forms:
        (found,) = bytes_of(Decoder(), form)
        assert np.array_equal(found, picture)
    (signed,) = bytes_of(Decoder(span="signed"), torch.from_numpy(picture / 127.5 - 1).float())
    assert np.array_equal(signed, picture)
    (own,) = bytes_of(Decoder(span=(10.0, 20.0)), picture / 25.5 + 10)
    assert np.array_equal(own, picture)


@given(
    pictures,
    st.lists(st.floats(0.1, 0.9), min_size=5, max_size=5),
    st.lists(st.floats(0.1, 0.5), min_size=5, max_size=5),
)
def test_normalised_images_are_turned_back(picture, mean, std):
    channels = picture.shape[-1]
    mean, std = mean[:channels], std[:channels]
    normalised = (picture / 255 - np.array(mean)) / np.array(std)
    (found,) = bytes_of(Decoder(mean=mean, std=std), normalised.astype(np.float32))
    assert np.array_equal(found, picture)


@pytest.mark.parametrize("device", DEVICES)
@given(pictures, st.sampled_from([torch.float64, torch.float32, torch.uint8, torch.int64]))
def test_tensors_that_stay_where_they_are_are_read_as_arrays_are(device, picture, kind):
    values = picture / 255 if kind.is_floating_point else picture
    tensor = torch.from_numpy(np.array(values)).permute(2, 0, 1).to(kind)
    span, mean = {"span": "byte"} if not picture.any() else {}, [0.4] * picture.shape[-1]
    ways = [span, {"reversed_channels": True, **span}]
    if kind.is_floating_point:
        ways += [{"span": "unit"}, {"span": (-0.5, 1.5)}, {"mean": mean, "std": [2.0] * picture.shape[-1]}]
    for way in ways:
        normalised = (tensor - 0.4) / 2 if "mean" in way else tensor
        (stays,) = bytes_of(Decoder(stays_on=device, **way), normalised.to(device))
        (fetched,) = bytes_of(Decoder(**way), normalised)
        assert isinstance(stays, torch.Tensor)
        assert isinstance(fetched, np.ndarray)
        assert np.array_equal(stays.cpu().numpy(), fetched)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_values_half_way_between_two_bytes_become_the_even_one_everywhere(device, kind):
    halves = (torch.arange(255, dtype=kind) + 0.5).reshape(1, 15, 17)
    expected = np.rint(np.arange(255) + 0.5).reshape(15, 17, 1)
    for span, scale in (("byte", 1), ((0.0, 4080.0), 16), ((0.0, 510.0), 2)):
        (stays,) = bytes_of(Decoder(span=span, stays_on=device), (halves * scale).to(device))
        (fetched,) = bytes_of(Decoder(span=span), halves * scale)
        assert np.array_equal(stays.cpu().numpy(), expected)
        assert np.array_equal(fetched, expected)


@pytest.mark.parametrize("device", [None, *DEVICES])
def test_bad_values_of_tensors_and_arrays_are_told_alike(device):
    def error_of(image: torch.Tensor, **options: object) -> str:
        with pytest.raises(DataError) as caught:
            bytes_of(Decoder(stays_on=device, **options), image.to(device or "cpu"))
        return str(caught.value)

    unit = torch.full((3, 20, 20), 0.5)
    broken = unit.clone()
    broken[1, 2, 3] = torch.nan
    assert error_of(broken) == "some values are not finite"
    assert error_of(broken * torch.inf, span="unit") == "some values are not finite"
    assert error_of(unit * 4, span="unit") == "values from 2 to 2; expected 0 to 1"
    assert error_of(unit, mean=[0.1, 0.2], std=[1.0, 1.0]) == "mean has 2 numbers; expected one a channel, 3"
    assert "have values from -1 to -1" in error_of(unit * -2)
    # What has no finite value decides nothing.
    decoder = Decoder(stays_on=device)
    for values in (unit * torch.nan, unit * 0):
        decoder.learn(decoder.images_of(values.to(device or "cpu"), None))
    assert not decoder.is_decided


def test_half_floats_of_torchs_own_are_numbers_too():
    picture = torch.randint(0, 256, (3, 20, 30), dtype=torch.uint8)
    (found,) = bytes_of(Decoder(), picture.to(torch.bfloat16))
    assert np.array_equal(found.transpose(2, 0, 1), picture.to(torch.bfloat16).float().round().numpy())


@pytest.mark.parametrize("bad", [1e30, 1.5, -0.5, np.inf])
def test_one_of_many_that_contradicts_them_is_at_fault_and_more_are_a_question(bad):
    good, other = np.full((20, 20, 3), 0.5), np.full((20, 20, 3), 0.5)
    other[0, 0, 0] = bad
    decoder = Decoder()
    for image in [good] * 99 + [other] + [good] * 99:
        decoder.learn([image])
    assert np.array_equal(decoder.bytes_of(good), np.full((20, 20, 3), 128))
    with pytest.raises(DataError, match=r"expected 0 to 1|not finite") as told:
        decoder.bytes_of(other)
    assert not isinstance(told.value, AmbiguousData)
    if np.isfinite(bad):
        early = Decoder()
        early.learn([good] * 98)
        for asked in (early, decoder):
            with pytest.raises(AmbiguousData, match="pass "):
                asked.learn([other, other])


def test_batches_are_taken_apart():
    batch = torch.randint(0, 256, (5, 3, 20, 30), dtype=torch.uint8)
    assert [each.shape for each in bytes_of(Decoder(), batch)] == [(20, 30, 3)] * 5
    assert [each.shape for each in bytes_of(Decoder(), batch[:, 0], 5)] == [(20, 30, 1)] * 5
    assert [each.shape for each in bytes_of(Decoder(), batch.permute(0, 2, 3, 1).numpy())] == [(20, 30, 3)] * 5
    sizes = [Image.new("RGB", (10, 20)), Image.new("L", (30, 40))]
    assert [each.shape for each in bytes_of(Decoder(), sizes)] == [(20, 10, 3), (40, 30, 1)]


@pytest.mark.parametrize("shape", [(8, 20, 12), (3, 20, 4), (30, 20, 40)])
def test_a_layout_that_cannot_be_told_is_asked_for(shape):
    with pytest.raises(DataError, match="pass layout='CHW' or layout='HWC'"):
        Decoder().images_of(np.zeros(shape, np.uint8), None)
    (first,) = Decoder(layout="CHW").images_of(np.zeros(shape, np.uint8), None)
    assert first.shape == (*shape[1:], shape[0])


def test_black_decides_nothing_and_what_comes_later_does():
    decoder = Decoder()
    black, unit, byte = (np.full((20, 20, 3), level, np.float32) for level in (0, 0.5, 128))
    decoder.learn([black])
    assert not decoder.is_decided
    decoder.learn([unit])
    assert decoder.is_decided
    with pytest.raises(DataError, match=r"an image has values up to 128 after others in \[0, 1\]"):
        decoder.learn([byte])
    other = Decoder()
    other.learn([byte])
    assert other.bytes_of(byte).max() == 128


@pytest.mark.parametrize("highest", [1.1, 2.64, 10.0, 16.0])
def test_a_little_above_one_decides_nothing_until_a_value_does(highest):
    low, middle, high = (np.full((20, 20, 3), level, np.float32) for level in (0.5, highest, 17))
    decoder = Decoder()
    for image in (low * 0, middle, low):
        decoder.learn([image])
    assert decoder.is_doubtful
    assert not decoder.is_decided
    with pytest.raises(AmbiguousData, match=f"values up to {highest:g}, too high") as caught:
        decoder.refuse_doubt(3)
    assert caught.value.argument == "value_range"
    told = [option.arguments for option in caught.value.options]
    assert {"value_range": "byte"} in told
    assert {"value_range": "unit"} not in told
    decoder.learn([high])
    decoder.refuse_doubt(3)
    assert decoder.is_decided
    assert decoder.bytes_of(middle).max() == round(highest)
    given = Decoder(span=(0.0, 20.0))
    given.learn([middle])
    assert not given.is_doubtful


# Whole numbers that are no bytes.


def whole(*levels: int, kind: str = "uint16", stays: bool = False) -> object:
    """An image of these values, at least 20 × 20, as an array or a tensor."""
    image = np.resize(np.array(levels, kind), (20, 20, 3))
    return torch.from_numpy(image) if stays else image


@pytest.mark.parametrize("stays", [False, True])
@given(levels=st.lists(st.integers(0, 65535), min_size=1, max_size=9))
def test_sixteen_bits_are_doubtful_until_a_value_needs_more_than_fourteen(stays, levels):
    decoder = Decoder(stays_on="cpu" if stays else None)
    image = whole(*levels, stays=stays)
    decoder.learn([whole(0, stays=stays)])
    assert not decoder.is_doubtful
    decoder.learn([image])
    high = max(levels)
    assert decoder.is_doubtful == (0 < high <= 16383)
    if decoder.is_doubtful:
        with pytest.raises(AmbiguousData, match=f"whole numbers up to {high:.5g} in 16 bits") as caught:
            decoder.refuse_doubt(3)
        told = [option.arguments["value_range"] for option in caught.value.options]
        assert told[-1] is None
        pairs = [each for each in told if isinstance(each, tuple)]
        assert pairs == [(0, white) for white in (1023, 4095, 16383, 65535) if high <= white]
        assert ("byte" in told, "unit" in told, "signed" in told) == (high <= 255, high <= 1, False)
        for span in told[:-1]:
            white = {"unit": 1, "byte": 255}.get(span) or span[1]
            found = Decoder(span=span).bytes_of(np.asarray(image))
            assert np.abs(found - np.asarray(image, float) / white * 255).max() <= 0.5 + 1e-9
        decoder.learn([whole(16384, stays=stays)])
    decoder.refuse_doubt(3)
    expected = np.rint(np.asarray(image, float) / 257)
    assert np.array_equal(np.asarray(decoder.bytes_of(image)), expected)


@pytest.mark.parametrize("stays", [False, True])
@pytest.mark.parametrize("kind", ["int16", "int32", "int64"])
def test_whole_numbers_with_a_sign_are_bytes_or_are_asked_for(kind, stays):
    def end_with(decoder: Decoder, image: object) -> None:
        decoder.learn([image])
        decoder.refuse_doubt(3)

    def asked(*levels: int, decoder: Decoder | None = None) -> AmbiguousData:
        decoder = decoder or Decoder(stays_on="cpu" if stays else None)
        with pytest.raises(AmbiguousData) as caught:
            end_with(decoder, whole(*levels, kind=kind, stays=stays))
        assert caught.value.argument == "value_range"
        return caught.value

    def spans(error: AmbiguousData) -> list[object]:
        return [option.arguments.get("value_range") for option in error.options]

    tomography = asked(-995, 996)
    assert str(tomography) == (
        "the images have whole numbers from -995 to 996; pass value_range=(black, white), "
        "such as (-1024, 3071) of computed tomography"
    )
    assert spans(tomography) == [(-1024, 3071), (-32768, 32767), None]
    assert "computed" not in str(asked(-2000, 996))
    assert spans(asked(-2000, 996)) == [(-32768, 32767), None]
    assert spans(asked(-1, 0, 1)) == ["signed", None]
    high = asked(0, 30000)
    assert str(high).startswith("the images have values up to 30000; pass value_range=(0, 65535) if white is 65535")
    assert spans(high) == [(0, 65535), None]
    assert spans(asked(0, 3000)) == [(0, 4095), (0, 16383), (0, 65535), None]
    assert spans(asked(0, 16)) == ["byte", None]
    decoder = Decoder(stays_on="cpu" if stays else None)
    for levels in ((0,), (3, 16), (0, 17)):
        decoder.learn([whole(*levels, kind=kind, stays=stays)])
    decoder.refuse_doubt(3)
    image = whole(3, 200, kind=kind, stays=stays)
    assert np.array_equal(np.asarray(decoder.bytes_of(image)), np.asarray(image))
    assert "values up to 256 after others in [0, 255]; pass value_range=" in str(asked(256, decoder=decoder))


def test_whole_numbers_of_pillow_are_those_of_an_array():
    values = np.random.default_rng(0).integers(0, 256, (20, 30))
    for kind, mode in (("int32", "I"), ("uint16", "I;16"), ("float32", "F")):
        scale = 257 if kind == "uint16" else 1
        image = Image.fromarray((values * scale).astype(kind))
        assert image.mode == mode
        (found,) = bytes_of(Decoder(), image)
        assert np.array_equal(found[..., 0], values)
    deep = Image.fromarray((values * 16).astype(np.int32))
    with pytest.raises(AmbiguousData, match=r"pass value_range=\(0, 4095\) if white is 4095"):
        bytes_of(Decoder(), deep)
    (found,) = bytes_of(Decoder(span=(0, 4080)), deep)
    assert np.array_equal(found[..., 0], values)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_of_pillow_are_not_turned_as_their_tensors_are_not(orientation, mode):
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    values = np.random.default_rng(orientation).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(values).convert(mode).save(file, "JPEG", exif=exif)
    held = Image.open(file)
    for image in (held, held.convert("L" if mode == "L" else "RGB")):
        found, again = Decoder().images_of([image, image], None)
        expected = pil_to_tensor(image.convert("L" if mode == "L" else "RGB")).permute(1, 2, 0)
        assert np.array_equal(found, expected)
        assert np.array_equal(again, expected)
    assert held.getexif()[0x0112] == orientation


@pytest.mark.parametrize("form", [tuple, list, np.array, torch.tensor, lambda pair: iter(pair)])
def test_black_and_white_are_given_in_any_sequence(form):
    assert Decoder(span=form([0, 4095])).span == (0.0, 4095.0)
    assert Decoder(span=form([-1.5, 4.0])).span == (-1.5, 4.0)


@pytest.mark.parametrize(
    "bad",
    [4095, 0.5, [4095], [0, 1, 2], [1, 0], (1, 1), [0, np.nan], (0, np.inf), "bytes", np.array(3), [[0, 1], [2, 3]],
     [0, None], {}, torch.tensor([3.0, 1.0]), (0, 10**400)],
    ids=str,
)  # fmt: skip
def test_what_is_no_black_and_white_is_one_sentence(bad):
    with pytest.raises(DataError) as caught:
        Decoder(span=bad)
    expected = "; expected one of unit, byte, signed, normalized, or two numbers: black, and a higher white"
    assert str(caught.value) == f"the range is {bad!r}{expected}"


@pytest.mark.parametrize("stays", [False, True])
@pytest.mark.parametrize("channels", [1, 3, 4, 6])
def test_only_the_first_three_channels_are_turned(channels, stays):
    picture = np.random.default_rng(0).integers(0, 256, (20, 20, channels), np.uint8)
    order = [2, 1, 0, *range(3, channels)] if channels > 1 else [0]
    given = torch.from_numpy(picture) if stays else picture
    found = Decoder(layout="HWC", reversed_channels=True, stays_on="cpu").bytes_of(given)
    assert np.array_equal(np.asarray(found), picture[..., order])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_no_image(bad):
    image = np.full((20, 20, 3), 0.5)
    image[3, 4, 1] = bad
    with pytest.raises(DataError, match=r"not finite|values up to inf"):
        bytes_of(Decoder(), image)


def test_items_come_in_their_order_and_errors_in_their_place():
    def fail_at_seven(number: int) -> int:
        if number == 7:
            raise ValueError("seven")
        return number

    squares = ahead(fail_at_seven, range(20))
    assert [next(squares) for _ in range(7)] == list(range(7))
    with pytest.raises(ValueError, match="seven"):
        next(squares)
    assert list(squares) == []

    def numbers():
        yield from range(5)
        raise KeyboardInterrupt

    interrupted = ahead(fail_at_seven, numbers())
    assert [next(interrupted) for _ in range(5)] == list(range(5))
    with pytest.raises(KeyboardInterrupt):
        next(interrupted)
    endless = ahead(lambda number: number, iter(int, 1))
    assert [next(endless) for _ in range(3)] == [0, 0, 0]
    endless.close()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_no_more_compute_at_once_than_are_asked_for_and_who_asks_is_one_of_them(threads):
    at_once, most, workers, lock = 0, 0, set(), threading.Lock()

    def slow(number: int) -> int:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
            workers.add(threading.get_ident())
        time.sleep(0.003)
        with lock:
            at_once -= 1
        if number == 30:
            raise ValueError("thirty")
        return number

    given = ahead(slow, range(60), threads)
    assert [next(given) for _ in range(30)] == list(range(30))
    with pytest.raises(ValueError, match="thirty"):
        next(given)
    assert most <= threads
    assert len(workers) == threads
    # With one, who asks goes on taking items.
    assert (threading.get_ident() in workers) == (threads > 1)
