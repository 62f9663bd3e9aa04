"""The catalogue of what can change in a time series, as `parameters.py` has it for images."""

from __future__ import annotations

from collections.abc import Mapping

from augimpact.augment.parameters import Parameter

__all__ = ["SIGNAL_CATALOGUE"]

SIGNAL_CATALOGUE: Mapping[str, Parameter] = {
    parameter.name: parameter
    for parameter in (
        Parameter("window", "time", 0.05, 1, 1, (1, 0.3), "share of the length",
                  "keeps this share of the signal and shows it at full length"),
        Parameter("window_centre", "time", 0, 1, 0.5, (0, 1), "share of the length",
                  "centre of the window; it stays inside the signal", ("window",)),
        Parameter("stretch", "time", 0.25, 4, 1, (0.5, 2), "factor",
                  "slows the signal down about its middle (time warp); below 1 it is faster"),
        Parameter("shift", "time", -1, 1, 0, (-0.5, 0.5), "share of the length",
                  "moves the signal to a later (negative: earlier) time"),
        Parameter("scale", "amplitude", -3, 3, 1, (0.2, 2.5), "factor",
                  "multiplies every sample; −1 turns the signal over"),
        Parameter("offset", "amplitude", -3, 3, 0, (-2, 2), "deviations",
                  "adds this many of the signal's standard deviations"),
        Parameter("jitter", "amplitude", 0, 3, 0, (0, 1.5), "deviations",
                  "adds one field of Gaussian noise, of this many of the signal's standard deviations"),
        Parameter("smooth", "amplitude", 0, 10, 0, (0, 5), "% of the length",
                  "Gaussian blur over time, by its standard deviation"),
        Parameter("erase_length", "occlusion", 0, 1, 0, (0, 0.6), "share of the length",
                  "length of the erased interval"),
        Parameter("erase_start", "occlusion", 0, 1, 0, (0, 0.7), "share of the length",
                  "beginning of the erased interval", ("erase_length",)),
    )
}  # fmt: skip
