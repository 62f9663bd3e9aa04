"""What is read off a trace beside its pictures: numbers that go along with its frames, and what its path comes to.

Plain data: the page shows it in step with the frame, see `augimpact.payload`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from augimpact.measures import MEASURES
from augimpact.render.values import decimals_for, number

if TYPE_CHECKING:
    from augimpact.trace import Trace

__all__ = ["drift_of", "event_of", "flips_of", "numbers_of", "path_axis", "stability_of"]

DECIMALS, MOST_DECIMALS = 2, 6


def numbers_of(trace: Trace) -> list[dict[str, Any]]:
    """Measures of every frame, where it is a picture, and the drift of its map, where the neutral one is known.

    Returns:
        Each with `name`, `about` (in words), `unit`, `decimals`, `values` (N numbers, None for what is not one) and
        `original`: the number of the image as it was, or None where that is not known.
    """
    return ([] if trace.signals is not None else _measured(trace)) + drift_of(trace)


def drift_of(trace: Trace) -> list[dict[str, Any]]:
    """The drift alone, as `numbers_of` gives it: the distance that the map's centre moved, in percent of the side."""
    if trace.neutral is None:
        return []
    shift = trace.drift()["shift"].to_numpy() * 100
    about = "how far the centre of the map moved from the original's, in percent of the image's side"
    return [{"name": "drift", "about": about, "unit": "%", "decimals": 1, "values": _plain(shift), "original": None}]


def _measured(trace: Trace) -> list[dict[str, Any]]:
    measures = trace.measures()
    neutral = None if trace.neutral is None else trace.neutral.measures()
    series = []
    for name, measure in MEASURES.items():
        values = measures[name].to_numpy()
        # Sharpness has no usual size: it is told by what there is of it.
        highest = float(values.max(initial=0))
        decimals = min(MOST_DECIMALS, max(DECIMALS, decimals_for(highest) if 0 < highest < 1 else 0))
        series.append(
            {
                "name": name,
                "about": f"{measure.description}, {measure.unit}",
                "unit": "",
                "decimals": decimals if name == "sharpness" else DECIMALS,
                "values": _plain(values),
                "original": None if neutral is None else float(neutral[name].iloc[0]),
            }
        )
    return series


def _plain(values: ArrayLike) -> list[float | None]:
    """JSON has no word for what is not a number."""
    return [value if math.isfinite(value) else None for value in np.asarray(values, dtype=np.float64).tolist()]


def path_axis(trace: Trace) -> dict[str, Any]:
    """What curves are drawn over: the first parameter that is swept, else the number of the frame."""
    for name in trace.swept:
        parameter = trace.parameter(name)
        return {"label": parameter.label, "unit": parameter.unit, "values": trace.settings[name].tolist(), "name": name}
    return {"label": "frame", "unit": "", "values": list(range(1, len(trace) + 1))}


def flips_of(trace: Trace, axis: dict[str, Any]) -> list[dict[str, Any]]:
    """What is told of each flip.

    Returns:
        Each with the first `frame` after it, its place on the axis as number (`at`) and as `text`, the same counted in
        frames (`position`), and the states `from` and `to`.
    """
    values = np.asarray(axis["values"], dtype=np.float64)
    flips = trace.flips()
    frames = flips["frame"].tolist()
    places = flips[axis["name"]].tolist() if "name" in axis else [frame + 0.5 for frame in frames]
    shares = [
        (at - values[frame - 1]) / (values[frame] - values[frame - 1]) if values[frame] != values[frame - 1] else 0.5
        for frame, at in zip(frames, places, strict=True)
    ]
    degrees = axis["unit"] == "degrees"
    return [
        {
            "frame": frame,
            "at": float(at),
            "position": float(frame - 1 + share),
            "text": f"{number(at, 1)}°" if degrees else number(at, 2),
            "from": before,
            "to": after,
        }
        for frame, at, share, before, after in zip(frames, places, shares, flips["from"], flips["to"], strict=True)
    ]


def event_of(trace: Trace) -> str:
    """What a flip of this trace is, in words."""
    outputs, target = trace.outputs, trace.target
    return (
        "prediction flips"
        if outputs.are_classes
        else f"{outputs.names[target]} crosses {outputs.threshold_text(target)}"
    )


def stability_of(trace: Trace) -> dict[str, Any]:
    """How steady the path is about neutral.

    Returns:
        `ranges`: for each swept parameter with a stable range its `label`, and as text its neutral value (`around`),
        `low` and `high`, and whether there is a flip at those (`low_flips`, `high_flips`), or the sweep just ended.
        `area`: the confidence area as text, `about` what it is; None where no neutral frame is known.
    """
    ranges = []
    for name, row in trace.stable_range().iterrows():
        if not (math.isfinite(row["low"]) and math.isfinite(row["high"])):
            continue
        parameter = trace.parameter(str(name))
        ends = {end: parameter.format(row[end]) for end in ("low", "high")}
        flips = {end: bool(row[end]) for end in ("low_flips", "high_flips")}
        ranges.append({"label": parameter.label, "around": parameter.format(parameter.neutral), **ends, **flips})
    return {"ranges": ranges, "area": _area(trace)}


def _area(trace: Trace) -> dict[str, str] | None:
    if trace.neutral is None:
        return None
    if trace.outputs.are_classes:
        about = f"mean score of {trace.labels[trace.neutral.predictions[0]]}, the original's class, over the sweep"
    else:
        about = f"mean of {trace.labels[trace.target]} over the sweep, as a share of its range"
    return {"text": number(trace.confidence_area(), DECIMALS), "about": about}
