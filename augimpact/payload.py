"""What the browser is given of a trace: JPEG bytes, maps as 16-bit numbers, and all that is said of them as text.

The player's widget sends it to the page; a self-contained page carries it inside.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augimpact.as_code import code_of
from augimpact.errors import UserError
from augimpact.profiling.panel import counted
from augimpact.readout import drift_of, event_of, flips_of, numbers_of, path_axis, stability_of
from augimpact.render.document import Cell
from augimpact.render.overlay import brightest
from augimpact.render.values import ValueAxis, decimals_for, number

if TYPE_CHECKING:
    import pandas as pd

    from augimpact.augment.parameters import Parameter
    from augimpact.trace import Trace

__all__ = ["Beside", "described", "encoded_maps", "payload_of", "still_of"]

JPEG_QUALITY = 88
# A draft is no smaller than this.
DRAFT_SIDE = 160
FULL = 65535
# Of a long list in a recipe so many are named.
LISTED = 12


@runtime_checkable
class Beside(Protocol):
    """Traces by name, such as a `Comparison`: the first of two is shown with the second beside it."""

    @property
    def traces(self) -> Mapping[str, Trace]:
        """Their names, as they are told apart by a person, and the traces."""
        ...


def payload_of(shown: Trace | Beside) -> dict[str, Any]:
    """All that the browser needs to play the trace of N frames, or the first of two with the second beside it.

    Returns:
        Lists of length N (`jpegs`, `highest`, `tags`, `predictions`, `values`, and `scores` of the `labels`), `maps` as
        `encoded_maps` gives them, `height` and `width` of a map, `flips`, `event` (what a flip is), `summary`, `axis`,
        `value_axis`, `threshold`, `numbers` and `stability` (see `augimpact.readout`), `code` (see
        `augimpact.as_code`), and `neutral`, which is what `still_of` gives, or None.
        Of two, `name` is that of the first, and `second` the same of the second: its `labels` begin with those of the
        first that it knows, its `numbers` are the drift alone, and it has no `jpegs` where they would be the same.

    Raises:
        UserError: there are not two traces, or they differ in length.
    """
    if isinstance(shown, Beside):
        told = all("classifier" in trace.recipe for trace in shown.traces.values())
        return _payload_of_two(*_two(shown)) | {"code": code_of(shown) if told else ""}
    return _payload_of_one(shown, shown.outputs_that_matter())


def still_of(shown: Trace | Beside, *, draft: bool = False) -> dict[str, Any]:
    """The first frame by itself: as `payload_of`, with one of what is a list there; `numbers` keep their form.

    A draft is what a drag shows on its way: half as high and wide where that is enough to see, and without numbers.
    """
    if not isinstance(shown, Beside):
        alone = shown[:1]
        numbers = [] if draft else numbers_of(alone)
        return _still_of_one(alone, alone.outputs_that_matter(), draft) | {"numbers": numbers}
    (name, trace), (other, beside) = _two(shown)
    one, two = trace[:1], beside[:1]
    numbers = [] if draft else drift_of(two)
    second = _still_of_one(two, _matching_outputs(one, two), draft) | {"name": other, "numbers": numbers}
    return _on_one_axis(still_of(one, draft=draft) | {"name": name, "second": second})


def _two(shown: Beside) -> list[tuple[str, Trace]]:
    pairs = list(shown.traces.items())
    lengths = {len(trace) for _, trace in pairs}
    if len(pairs) != 2 or len(lengths) > 1:
        counts = ", ".join(f"{name} ({len(trace)} frames)" for name, trace in pairs)
        raise UserError(f"the player was given {counts or 'nothing'}; expected two traces of equal length")
    return pairs


def _payload_of_two(first: tuple[str, Trace], second: tuple[str, Trace]) -> dict[str, Any]:
    (name, trace), (other, beside) = first, second
    same = trace.frames is beside.frames or np.array_equal(trace.frames, beside.frames)
    drawn = _payload_of_one(beside, _matching_outputs(trace, beside), pictures=not same)
    # The original stands once on the stage, with the first one's map.
    drawn |= {"name": other, "numbers": drift_of(beside), "neutral": None, "code": ""}
    return _on_one_axis(payload_of(trace) | {"name": name, "second": drawn})


def _matching_outputs(first: Trace, second: Trace, more: int = 2) -> list[int]:
    """What is shown of the second: the first's outputs by their names, and up to `more` that matter to it alone."""
    names = [first.labels[index] for index in first.outputs_that_matter()]
    places = {name: index for index, name in reversed(list(enumerate(second.labels)))}
    both = [places[name] for name in names if name in places]
    alone = [index for index in second.outputs_that_matter() if second.labels[index] not in names]
    return both + (alone[:more] if both else alone)


def _on_one_axis(payload: dict[str, Any]) -> dict[str, Any]:
    """Values of one unit are compared on one axis."""
    axes = [payload["value_axis"], payload["second"]["value_axis"]]
    if axes[0] != axes[1] and axes[0]["unit"] == axes[1]["unit"]:
        ends = [axis[end] for axis in axes for end in ("minimum", "maximum")]
        shared = ValueAxis(min(ends), max(ends), axes[0]["unit"], axes[0]["bars"]).payload()
        payload["value_axis"] = payload["second"]["value_axis"] = shared
    return payload


def _payload_of_one(trace: Trace, matter: Sequence[int], *, pictures: bool = True) -> dict[str, Any]:
    """`matter`: the outputs that are shown. `pictures`: whether the frames travel, too."""
    names, values = trace.says()
    value_axis = trace.value_axis()
    axis = path_axis(trace)
    flips = flips_of(trace, axis)
    return {
        **({"jpegs": [_jpeg(frame) for frame in trace.frames]} if pictures else {}),
        **encoded_maps(trace.maps, trace.frames.shape[1:3]),
        "tags": [caption or "original" for caption in trace.captions()],
        "predictions": names,
        "values": [value_axis.text(value) for value in values],
        "labels": [trace.labels[index] for index in matter],
        "scores": trace.scores[:, matter].tolist(),
        "flips": flips,
        "event": event_of(trace),
        "summary": _summary(trace, axis, flips),
        "axis": axis,
        "value_axis": value_axis.payload(),
        "threshold": None if trace.outputs.are_classes else trace.outputs.thresholds[trace.target],
        "numbers": numbers_of(trace) if pictures else [],
        "stability": stability_of(trace),
        "code": code_of(trace),
        "neutral": still_of(trace.neutral) if pictures and trace.neutral is not None else None,
    }


def _still_of_one(first: Trace, matter: Sequence[int], draft: bool = False) -> dict[str, Any]:
    """Of a trace of one frame, but for its numbers."""
    names, values = first.says()
    value_axis = first.value_axis()
    maps = encoded_maps(first.maps, first.frames.shape[1:3])
    return {
        "jpeg": _jpeg(first.frames[0], draft=draft),
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


def _summary(trace: Trace, axis: dict[str, Any], flips: list[dict[str, Any]]) -> str:
    """What there is to say of the whole sweep, in one sentence; of one frame of classes there is nothing."""
    outputs, target = trace.outputs, trace.target
    if not flips:
        state = "" if outputs.are_classes else outputs.state_name(int(trace.predictions[0]), target)
        return f"{state or 'the prediction is the same'} in every frame" if len(trace) > 1 else state
    return f"{event_of(trace)} at {axis['label']} {', '.join(flip['text'] for flip in flips)}"


def _jpeg(frame: NDArray[np.uint8], *, draft: bool = False) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(frame)
    if draft and min(image.size) >= 2 * DRAFT_SIDE:
        image = image.reduce(2)
    image.save(file, format="JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def described(trace: Trace) -> dict[str, Any]:
    """What a page says around the player, as `render.document.html_page` takes it: headings, table, recipe."""
    recipe = trace.recipe
    table = trace.table()
    parameters = {each.name: each for each in trace.parameters}
    columns = [_cells(parameters.get(str(name)), column) for name, column in table.items()]
    known = (recipe.get("classifier", {}).get("name"), recipe.get("method"), counted(len(trace), "frame"))
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
