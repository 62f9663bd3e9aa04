"""Each parameter of a time series against numpy and SciPy, on chirps and random signals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from augimpact.augment.signal import augment_signal
from augimpact.augment.signal_parameters import SIGNAL_CATALOGUE
from augimpact.errors import ParameterError

LENGTH = 160
TIME = np.arange(LENGTH) / LENGTH
RANDOM = np.random.default_rng(0)
SIGNALS = {
    "chirp": np.stack([np.sin(40 * TIME**2), np.cos(25 * TIME) + 2]),
    "walk": np.cumsum(RANDOM.normal(size=(2, LENGTH)), axis=1) / 5,
    "step": np.stack([(TIME > 0.5) * 1.0, (TIME > 0.25) * -3.0]),
}
names = st.sampled_from(list(SIGNALS))


def under(name: str, setting: dict, **options) -> np.ndarray:
    return augment_signal(torch.from_numpy(SIGNALS[name]).float(), setting, **options).images.numpy().astype(float)


@given(
    name=names, window=st.floats(0.2, 1), centre=st.floats(0, 1), stretch=st.floats(0.25, 4), shift=st.floats(-0.8, 0.8)
)
def test_time_is_moved_as_linear_interpolation_moves_it(name, window, centre, stretch, shift):
    """numpy.interp at the places that window, stretch and shift lead back to; tolerance: float32 of those places."""
    ours = under(name, {"window": window, "window_centre": centre, "stretch": stretch, "shift": shift}, border="edge")[
        0
    ]
    middle = np.clip(centre, window / 2, 1 - window / 2)
    frame = (np.arange(LENGTH) + 0.5) / LENGTH
    original = ((frame - shift - 0.5) / stretch) * window + middle
    for channel, samples in enumerate(SIGNALS[name]):
        expected = np.interp(original * LENGTH - 0.5, np.arange(LENGTH), samples)
        slope = np.abs(np.diff(samples)).max()
        assert np.abs(ours[channel] - expected).max() <= 1e-4 * slope * LENGTH / 16 + 1e-6


@given(name=names, scale=st.floats(-3, 3), offset=st.floats(-3, 3), jitter=st.floats(0, 3))
def test_amplitude_is_plain_arithmetic(name, scale, offset, jitter):
    samples = SIGNALS[name]
    ours = under(name, {"scale": scale, "offset": offset, "jitter": jitter}, seed=3)[0]
    field = torch.randn(samples.shape, generator=torch.Generator().manual_seed(3)).numpy()
    deviation = samples.std(axis=1, keepdims=True)
    assert np.abs(ours - (samples * scale + offset * deviation + jitter * deviation * field)).max() <= 1e-4


def test_jitter_is_one_field_that_grows():
    still, little, much = under("chirp", {"jitter": [0, 0.5, 1]})
    assert np.allclose(much - still, 2 * (little - still), atol=1e-5)
    assert (much - still).std(axis=1) == pytest.approx(SIGNALS["chirp"].std(axis=1), rel=0.2)
    assert not np.array_equal(under("chirp", {"jitter": 1}, seed=1)[0], much)


@given(name=names, percent=st.floats(0.2, 10))
def test_smoothing_agrees_with_scipy(name, percent):
    """Both cut the Gaussian near four deviations, at most one sample apart: a weight of 1e-4."""
    expected = gaussian_filter1d(SIGNALS[name], percent / 100 * LENGTH, axis=1, mode="mirror", truncate=4)
    assert np.abs(under(name, {"smooth": percent})[0] - expected).max() <= 1e-3 * np.ptp(SIGNALS[name])


def test_an_erased_interval_shows_what_was_asked_for():
    setting = {"erase_start": 0.25, "erase_length": 0.5}
    inside = slice(40, 120)
    kept = np.r_[0:40, 120:160]
    for fill in ("black", "mean", "noise"):
        ours = under("chirp", setting, erase_fill=fill)[0]
        assert np.allclose(ours[:, kept], SIGNALS["chirp"][:, kept], atol=1e-6)
        if fill == "black":
            assert (ours[:, inside] == 0).all()
        if fill == "mean":
            assert ours[:, 50] == pytest.approx(SIGNALS["chirp"].mean(axis=1), abs=1e-5)
        if fill == "noise":
            assert ours[:, inside].std() > 0.1


@pytest.mark.parametrize(("border", "first"), [("black", 0), ("edge", 2.0), ("mean", None)])
def test_what_lies_before_the_beginning_is_what_was_asked_for(border, first):
    signal = np.stack([np.linspace(2, 5, LENGTH)] * 2)
    ours = augment_signal(torch.from_numpy(signal).float(), {"shift": 0.5}, border=border).images[0, 0]
    assert ours[:78].numpy() == pytest.approx(signal.mean() if first is None else first, abs=1e-5)


def test_a_reflected_border_mirrors_the_signal():
    ours = under("walk", {"shift": 0.25}, border="reflect")[0]
    assert np.abs(ours[:, :40] - SIGNALS["walk"][:, :40][:, ::-1]).max() <= 1e-4


@pytest.mark.parametrize("count", [1, 3])
def test_neutral_signals_are_copies_bit_for_bit(count):
    signal = torch.from_numpy(SIGNALS["walk"]).float()
    before = signal.clone()
    frames = augment_signal(signal, {"scale": [1.0] * count})
    assert all(torch.equal(each, signal) for each in frames.images)
    frames.images.zero_()
    assert torch.equal(signal, before)
    assert np.array_equal(frames.homographies, np.tile(np.eye(3), (count, 1, 1)))


@pytest.mark.parametrize("parameter", SIGNAL_CATALOGUE.values(), ids=lambda each: each.name)
def test_every_parameter_works_over_its_whole_range(parameter):
    companions = {"window": 0.5, "erase_length": 0.5}
    setting = {name: companions[name] for name in parameter.needs}
    ends = [parameter.minimum, parameter.neutral, parameter.maximum]
    frames = augment_signal(torch.from_numpy(SIGNALS["walk"]).float(), setting | {parameter.name: ends})
    assert torch.isfinite(frames.images).all()
    assert np.isfinite(np.linalg.inv(frames.homographies)).all()
    assert not (torch.equal(frames.images[0], frames.images[1]) and torch.equal(frames.images[2], frames.images[1]))


@pytest.mark.parametrize(
    ("setting", "options", "words"),
    [
        ({"rotation": 3}, {}, "unknown parameter 'rotation'; expected one of window"),
        ({"scale": 4}, {}, "scale is 4; expected a number from -3 to 3"),
        ({}, {"erase_fill": "blakc"}, "unknown erase fill 'blakc'; did you mean black"),
        ({}, {"border": "egde"}, "unknown border 'egde'; did you mean edge"),
    ],
)
def test_mistakes_are_named(setting, options, words):
    with pytest.raises(ParameterError, match=words):
        under("chirp", setting, **options)
    with pytest.raises(ParameterError, match=r"the signal has shape \(3,\)"):
        augment_signal(torch.zeros(3), {})
