"""What the browser is given of a trace: JPEG bytes, maps as 16-bit numbers, and all that is said of them as text.

The player's widget sends it to the page; a self-contained page carries it inside.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augimpact.render.document import Cell
from augimpact.render.overlay import brightest
from augimpact.render.values import decimals_for, number

if TYPE_CHECKING:
    import pandas as pd

    from augimpact.augment.parameters import Parameter
    from augimpact.trace import Trace

__all__ = ["described", "encoded_maps", "payload_of", "still_of"]

JPEG_QUALITY = 88
FULL = 65535
# Of a long list in a recipe so many are named.
LISTED = 12


def payload_of(trace: Trace) -> dict[str, Any]:
    """All that the browser needs to play the trace of N frames.

    Returns:
        Lists of length N (`jpegs`, `highest`, `tags`, `predictions`, `values`, and `scores` of the `labels`), `maps` as
        `encoded_maps` gives them, `height` and `width` of a map, `flips`, `summary`, `axis`, `value_axis`, `threshold`,
        and `neutral`, which is what `still_of` gives, or None.
    """
    matter = trace.outputs_that_matter()
    names, values = trace.says()
    value_axis = trace.value_axis()
    axis = _axis(trace)
    flips = _flips(trace, axis)
    return {
        "jpegs": [_jpeg(frame) for frame in trace.frames],
        **encoded_maps(trace.maps, trace.frames.shape[1:3]),
        "tags": [caption or "original" for caption in trace.captions()],
        "predictions": names,
        "values": [value_axis.text(value) for value in values],
        "labels": [trace.labels[index] for index in matter],
        "scores": trace.scores[:, matter].tolist(),
        "flips": flips,
        "summary": _summary(trace, axis, flips),
        "axis": axis,
        "value_axis": value_axis.payload(),
        "threshold": None if trace.outputs.are_classes else trace.outputs.thresholds[trace.target],
        "neutral": None if trace.neutral is None else still_of(trace.neutral),
    }


def still_of(trace: Trace) -> dict[str, Any]:
    """The first frame of a trace by itself: as `payload_of`, with one of what is a list there."""
    first = trace[:1]
    matter = first.outputs_that_matter()
    names, values = first.says()
    value_axis = first.value_axis()
    maps = encoded_maps(first.maps, first.frames.shape[1:3])
    return {
        "jpeg": _jpeg(first.frames[0]),
        "map": maps["maps"],
        "highest": maps["highest"][0],
        "height": maps["height"],
        "width": maps["width"],
        "tag": first.captions()[0] or "original",
        "prediction": names[0],
        "value": value_axis.text(values[0]),
        "labels": [first.labels[index] for index in matter],
        "scores": first.scores[0, matter].tolist(),
        "value_axis": value_axis.payload(),
    }


def encoded_maps(maps: NDArray[np.float32], frame_size: tuple[int, ...]) -> dict[str, Any]:
    """Maps for the browser, half as heavy as they are.

    Args:
        maps: `(N, h, w)`; what is below 0 travels as 0.
        frame_size: height and width of the frames; a map that is finer than its frame is brought down to it.

    Returns:
        `maps`: N × height × width numbers of 16 bits (little-endian), in shares of 65535 of each map's `highest` value
        that is told apart (see `augimpact.render.overlay.brightest`), a list of N; `height` and `width`.

    >>> encoded = encoded_maps(np.array([[[0, 2, 4]]], np.float32), (8, 8))
    >>> np.frombuffer(encoded["maps"], "<u2").tolist(), encoded["highest"]
    ([0, 32768, 65535], [4.0])
    """
    highest = brightest(maps)
    shares = np.maximum(maps, 0) / np.where(highest > 0, highest, 1)[:, None, None]
    height, width = (min(sides) for sides in zip(maps.shape[1:], frame_size, strict=True))
    if (height, width) != maps.shape[1:]:
        shares = np.stack(
            [np.asarray(Image.fromarray(each).resize((width, height), Image.Resampling.BILINEAR)) for each in shares]
        )
    return {
        "maps": np.rint(shares.clip(0, 1) * FULL).astype("<u2").tobytes(),
        "highest": highest.tolist(),
        "height": height,
        "width": width,
    }


def _axis(trace: Trace) -> dict[str, Any]:
    """What the curves are drawn over: the first parameter that is swept, else the number of the frame."""
    for name in trace.swept:
        parameter = trace.parameter(name)
        return {"label": parameter.label, "unit": parameter.unit, "values": trace.settings[name].tolist(), "name": name}
    return {"label": "frame", "unit": "", "values": list(range(1, len(trace) + 1))}


def _flips(trace: Trace, axis: dict[str, Any]) -> list[dict[str, Any]]:
    """The first frame after each flip, its place on the axis, and where between the frames that is."""
    values = np.asarray(axis["values"], dtype=np.float64)
    flips = trace.flips()
    frames = flips["frame"].tolist()
    places = flips[axis["name"]].tolist() if "name" in axis else [frame + 0.5 for frame in frames]
    shares = [
        (at - values[frame - 1]) / (values[frame] - values[frame - 1]) if values[frame] != values[frame - 1] else 0.5
        for frame, at in zip(frames, places, strict=True)
    ]
    return [
        {"frame": frame, "at": float(at), "position": float(frame - 1 + share)}
        for frame, at, share in zip(frames, places, shares, strict=True)
    ]


def _summary(trace: Trace, axis: dict[str, Any], flips: list[dict[str, Any]]) -> str:
    """What there is to say of the whole sweep, in one sentence."""
    outputs, target = trace.outputs, trace.target
    if not flips:
        state = outputs.state_name(int(trace.predictions[0]), target)
        return f"{'the prediction is the same' if outputs.are_classes else state} in every frame"
    degrees = axis["unit"] == "degrees"
    places = ", ".join(f"{number(flip['at'], 1)}°" if degrees else number(flip["at"], 2) for flip in flips)
    event = (
        "prediction flips"
        if outputs.are_classes
        else f"{outputs.names[target]} crosses {outputs.threshold_text(target)}"
    )
    return f"{event} at {axis['label']} {places}"


def _jpeg(frame: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(frame).save(file, format="JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def described(trace: Trace) -> dict[str, Any]:
    """What a page says around the player, as `render.document.html_page` takes it: headings, table, recipe."""
    recipe = trace.recipe
    table = trace.table()
    parameters = {each.name: each for each in trace.parameters}
    columns = [_cells(parameters.get(str(name)), column) for name, column in table.items()]
    known = (recipe.get("classifier", {}).get("name"), recipe.get("method"), f"{len(trace)} frames")
    ordered = sorted(recipe.items(), key=lambda item: item[0] == "versions")
    return {
        "title": recipe["image"]["name"],
        "subtitle": " · ".join(str(each) for each in known if each),
        "columns": [str(name).replace("_", " ") for name in table],
        "rows": [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in range(len(trace))],
        "facts": [(name.replace("_", " "), _fact(name, value, parameters)) for name, value in ordered],
        "recipe": json.dumps(recipe, indent=1, ensure_ascii=False),
    }


def _cells(parameter: Parameter | None, column: pd.Series[Any]) -> list[Cell]:
    """The cells of one column: parameters in their own form, other numbers to about a thousandth of the largest."""
    if parameter is not None:
        return [(parameter.format(value), True) for value in column]
    if not np.issubdtype(column.to_numpy().dtype, np.floating):
        return [(str(value), np.issubdtype(column.to_numpy().dtype, np.integer)) for value in column]
    values = column.to_numpy(dtype=np.float64)
    highest = np.abs(values[np.isfinite(values)]).max(initial=0)
    decimals = decimals_for(max(highest, 1)) + 1
    return [(number(value, decimals), True) for value in values]


def _fact(name: str, value: Any, parameters: Mapping[str, Parameter]) -> str:
    if name == "sweep" and isinstance(value, Mapping) and isinstance(value.get("parameters"), Mapping):
        walked = [_path(each, values, parameters.get(each)) for each, values in value["parameters"].items()]
        others = {key: each for key, each in value.items() if key != "parameters"}
        return "; ".join([*walked, _words(others)])
    return _words(value)


def _path(name: str, values: Any, parameter: Parameter | None) -> str:
    """How one parameter is walked, in words."""
    label = name.replace("_", " ")
    if not isinstance(values, list):
        return f"{label} {_setting(parameter, values)}"
    between = "to" if len(values) == 2 else f"in {len(values)} values to"
    return f"{label} {_setting(parameter, values[0])} {between} {_setting(parameter, values[-1])}"


def _setting(parameter: Parameter | None, value: float) -> str:
    return f"{value:g}" if parameter is None else parameter.format(value)


def _words(value: Any) -> str:
    """Plain data as a person reads it."""
    if isinstance(value, Mapping):
        keys = ["" if key == "name" else f"{key} ".replace("_", " ") for key in value]
        return ", ".join(key + _words(each) for key, each in zip(keys, value.values(), strict=True))
    if isinstance(value, list | tuple):
        named = [_words(each) for each in value[:LISTED]]
        if len(value) == 2 and all(isinstance(each, int) for each in value):
            return " × ".join(named)
        return ", ".join(named) + (f" and {len(value) - LISTED} more" if len(value) > LISTED else "")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else str(value)
