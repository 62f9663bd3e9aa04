"""Time series from end to end: two kinds of waveform are told apart, swept, mapped, drawn and saved."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter1d

import augimpact as ai
from augimpact.data.signal import read_signal
from augimpact.errors import ParameterError, SignalError
from augimpact.trace import Trace
from tests.tasks import SAMPLES, wave_network, waves


@pytest.fixture(scope="module")
def classifier():
    return ai.Classifier(wave_network(), ["sine", "square"], signal=(1, SAMPLES), name="waves")


@pytest.fixture(scope="module")
def square():
    return waves([1], torch.Generator().manual_seed(11))[0].numpy()


@pytest.fixture(scope="module")
def trace(classifier, square):
    """A square wave whose edges are smoothed away until it is a sine."""
    return ai.analyze(square, ai.Sweep(smooth=(0, 6), frames=13), classifier, flip_tolerance=0.05)


def test_the_network_tells_the_waves_apart(classifier):
    generator = torch.Generator().manual_seed(5)
    kinds = torch.randint(0, 2, (200,), generator=generator)
    with torch.no_grad():
        assert (classifier.module(waves(kinds.tolist(), generator)).argmax(1) == kinds).float().mean() > 0.97


def test_signals_scores_and_maps_are_those_of_the_settings(trace, classifier, square):
    assert trace.signals.shape == (13, 1, SAMPLES)
    assert trace.maps.shape == (13, 1, SAMPLES // 4)
    assert np.array_equal(trace.neutral.signals[0], square)
    for frame in (3, 9):
        sigma = trace.settings["smooth"][frame] / 100 * SAMPLES
        expected = gaussian_filter1d(square, sigma, axis=1, mode="mirror", truncate=4)
        assert np.abs(trace.signals[frame] - expected).max() < 2e-3
    with torch.no_grad():
        scores = classifier.module(torch.from_numpy(trace.signals)).softmax(1).numpy()
    assert trace.scores == pytest.approx(scores, abs=1e-5)


def test_a_smoothed_square_wave_flips_to_sine(trace):
    flips = trace.flips()
    assert flips[["from", "to"]].to_numpy().tolist() == [["square", "sine"]]
    assert 0 < flips["smooth"].iloc[0] < 6
    stable = trace.stable_range().loc["smooth"]
    assert (stable["low"], stable["high"]) == (0, flips["smooth"].iloc[0])


def test_a_shifted_signals_map_shifts_with_it(classifier, square):
    """Carried back, maps of a shifted signal stay where they were; the network is a convolution, but for its ends."""
    trace = ai.analyze(
        square, ai.Sweep(shift=(0, 0.25), frames=5), classifier, target="square", border="reflect", layer="3"
    )
    drift = trace.drift()
    assert (drift["correlation"] > 0.95).all()
    assert (drift["shift"] < 0.05).all()
    assert drift["visible"].iloc[-1] == pytest.approx(0.75, abs=0.01)


@pytest.mark.parametrize("method", ["gradcam", "cam", "gradient", "guided-gradient", "guided-gradcam", "layercam"])
def test_every_method_that_can_gives_a_map_over_time(classifier, square, method):
    maps = ai.analyze(square, ai.Sweep(scale=(0.5, 2), frames=3), classifier, method=method).maps
    assert maps.shape[:2] == (3, 1)
    assert (maps.max(axis=2) > 0).all()


def test_the_curve_is_drawn_where_the_samples_are(trace):
    """White where the first signal runs; columns are shares of time."""
    picture = trace.frames[0].astype(int)
    height, width = picture.shape[:2]
    low, high = trace.signals.min(), trace.signals.max()
    low, high = min(low, trace.neutral.signals.min()), max(high, trace.neutral.signals.max())
    bright = picture.min(axis=2) > 200
    for column in range(20, width - 20, 7):
        sample = trace.signals[0, 0, int(column * SAMPLES / width)]
        row = 12 + (high - sample) / (high - low) * (height - 24)
        assert bright[max(0, int(row) - 5) : int(row) + 6, column - 2 : column + 3].any()


def test_it_is_played_and_saved_as_images_are(trace, tmp_path):
    for suffix in ("gif", "webp", "mp4", "png", "html", "csv", "json", "npz", "py"):
        trace.save(tmp_path / f"wave.{suffix}")
    with Image.open(tmp_path / "wave.gif") as animation:
        assert animation.n_frames > 10
        assert animation.width > animation.height
    again = Trace.load(tmp_path / "wave.npz")
    assert np.array_equal(again.signals, trace.signals)
    assert again.swept == ("smooth",)
    assert "measured_brightness" not in trace.table()
    assert ai.Player(trace).payload["height"] == 1


def test_signals_are_read_from_files(square, classifier, tmp_path):
    np.save(tmp_path / "wave.npy", square)
    np.savetxt(tmp_path / "wave.csv", square.T, delimiter=",", header="volts", comments="")
    assert np.array_equal(read_signal(tmp_path / "wave.npy"), square)
    assert read_signal(tmp_path / "wave.csv") == pytest.approx(square, abs=1e-6)
    trace = ai.analyze(tmp_path / "wave.npy", ai.Sweep(jitter=(0, 1), frames=3), classifier)
    assert trace.recipe["image"]["name"] == "wave.npy"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.zeros((1, 3)), r"a signal of shape \(1, 3\); expected \(1, 256\) \(channels, samples; a sample a line"),
        (np.zeros((1, 2, 3)), r"the signal has shape \(1, 2, 3\)"),
        (np.array([np.nan] * SAMPLES), "values that are not finite"),
        ("missing.npy", "there is no signal 'missing.npy'"),
        ("wave.wav", "suffix '.wav'; expected a signal as .npy or .csv"),
    ],
)
def test_what_is_no_signal_is_refused(classifier, given, words):
    with pytest.raises(SignalError, match=words):
        ai.analyze(given, ai.Sweep(frames=2), classifier)


def test_parameters_of_the_other_kind_are_named(classifier, square):
    with pytest.raises(ParameterError, match="rotation changes images; expected parameters of signals"):
        ai.analyze(square, ai.Sweep(rotation=(0, 9), frames=2), classifier)
    with pytest.raises(ParameterError, match="rotation changes images and smooth signals"):
        ai.Sweep(rotation=3, smooth=2)
    with pytest.raises(ParameterError, match="smooth changes signals; expected parameters of images"):
        ai.analyze("example:cat", ai.Sweep(smooth=2, frames=2))
