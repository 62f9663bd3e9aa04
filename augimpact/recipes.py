"""A saved run once more: what a `.json` says is done again, and the scores are compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augimpact.analysis import analyze
from augimpact.errors import UserError
from augimpact.models.load import load_classifier
from augimpact.models.model import Model
from augimpact.sweep import Sweep
from augimpact.trace import Trace

__all__ = ["TOLERANCE", "Replay", "replay"]

# Of scores, and of values in shares of their range. Another version of torch or another device differs by less.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Replay:
    """What came of it.

    Attributes:
        trace: the run of today.
        difference: the highest difference between a recorded score and today's; of values in shares of their range.
        other_versions: what was recorded and is at hand, where they are not the same.
        same_image: whether the image is the recorded one, to the last pixel.
    """

    trace: Trace
    difference: float
    other_versions: Mapping[str, tuple[str, str]]
    same_image: bool

    @property
    def agrees(self) -> bool:
        """Whether the scores are those that were recorded."""
        return self.difference <= TOLERANCE

    def __str__(self) -> str:
        if self.agrees:
            return f"the scores agree: they differ by at most {self.difference:.1g} over {len(self.trace)} frames"
        reasons = [] if self.same_image else ["the image is another one"]
        reasons += [f"{name} was {old} and is {new}" for name, (old, new) in self.other_versions.items()]
        known = f" ({', '.join(reasons)})" if reasons else ""
        return f"the scores differ by up to {self.difference:.3g}{known}"


def replay(
    path: str | Path,
    *,
    image: Any = None,
    classifier: Model | str | None = None,
    device: str = "auto",
    trust: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> Replay:
    """Does again what made a `.json` that `Trace.save` wrote.

    Args:
        path: the file.
        image: in place of the recorded one, where that cannot be found.
        classifier: likewise; needed where the recorded one was made from an object rather than a name.
        device: see `augimpact.load_classifier`.
        trust: likewise; a pickle is never trusted because a file says so.
        progress: called with frames done and frames in all.

    Raises:
        UserError: it is no such file, or its image or classifier cannot be found by name; and all that `analyze`
            raises.
    """
    recipe, frames = _read(Path(path))
    about = recipe["classifier"]
    if classifier is None:
        if about["origin"] is None:
            raise UserError(
                f"{str(path)!r} was made with the object {about['name']!r}; expected a classifier to be given"
            )
        origin = {name: value for name, value in about["origin"].items() if name != "trust"}
        classifier = load_classifier(**origin, device=device, trust=trust)
    if image is None:
        image = recipe["image"]["source"]
        if image is None:
            raise UserError(f"{str(path)!r} was made with an image that has no name; expected an image to be given")
    second = None if recipe["second"] is None else recipe["second"]["source"]
    sweep = recipe["sweep"]
    trace = analyze(
        image,
        Sweep(frames=sweep["frames"], easing=sweep["easing"], **_paths(sweep["parameters"])),
        classifier,
        second=second,
        classes=recipe["classes"],
        method=recipe["method"],
        target=recipe["target"],
        layer=about["layers"],
        erase_fill=recipe["erase_fill"],
        border=recipe["border"],
        seed=recipe["seed"],
        precision=recipe["precision"],
        progress=progress,
    )
    recorded, now = recipe["versions"], trace.recipe["versions"]
    return Replay(
        trace=trace,
        difference=max(_difference(trace, index, frame) for index, frame in enumerate(frames)),
        other_versions={name: (old, now.get(name, "none")) for name, old in recorded.items() if now.get(name) != old},
        same_image=trace.recipe["image"]["hash"] == recipe["image"]["hash"],
    )


def _read(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        recipe, frames = document["recipe"], document["frames"]
        expected = {"image", "second", "classifier", "sweep", "classes", "method", "target", "versions"}
        if not expected <= set(recipe) or not frames or len(frames) != recipe["sweep"]["frames"]:
            raise ValueError("its recipe is not complete")
    except FileNotFoundError as error:
        raise UserError(f"there is no file {str(path)!r}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{str(path)!r} is not a sweep that was saved as .json: {error}") from error
    return recipe, frames


def _paths(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows no tuples; a list of two is a pair all the same."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in parameters.items()}


def _difference(trace: Trace, index: int, frame: Mapping[str, Any]) -> float:
    """The highest difference between what was recorded of a frame and what is found now."""
    find, row = trace.outputs.index_of, trace.scores[index]
    if "top" in frame:
        return max(abs(float(row[find(each["label"])]) - float(each["score"])) for each in frame["top"])
    values = {find(name): value for name, value in frame["values"].items()}
    spans = {output: high - low for output in values for low, high in [trace.outputs.axis([output])]}
    return max(abs(float(row[output]) - float(value)) / spans[output] for output, value in values.items())
