"""A saved run once more: what a `.json` says is done again, and the scores are compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augimpact.analysis import analyze
from augimpact.data.image import EXAMPLE
from augimpact.errors import ParameterError, UserError
from augimpact.models.load import load_classifier
from augimpact.models.model import Model
from augimpact.sweep import Sweep
from augimpact.trace import Trace

__all__ = ["TOLERANCE", "Replay", "replay"]

# Of scores, and of values in shares of their range. Another version of torch or another device differs by less.
TOLERANCE = 1e-3
# What every recipe has.
EXPECTED = {"image", "second", "classifier", "sweep", "classes", "method", "target", "erase_fill", "border", "seed",
            "precision", "versions"}  # fmt: skip


@dataclass(frozen=True)
class Replay:
    """What came of it.

    Attributes:
        trace: the run of today.
        difference: the highest difference between a recorded score and today's; of values in shares of their range.
        other_versions: what was recorded and is at hand, where they are not the same.
        same_image: whether image and second image are the recorded ones, to the last pixel.
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
    second: Any = None,
    classifier: Model | str | None = None,
    device: str = "auto",
    trust: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> Replay:
    """Does again what made a `.json` that `Trace.save` wrote.

    Args:
        path: the file.
        image: in place of the recorded one, where that is neither in its place nor beside the file.
        second: likewise, of the image that is mixed in.
        classifier: likewise; needed where the recorded one was made from an object rather than a name. It is
            explained at its own layer.
        device: see `augimpact.load_classifier`.
        trust: likewise; a pickle is never trusted because a file says so.
        progress: called with frames done and frames in all.

    Raises:
        UserError: it is no such file, or its image or classifier cannot be found by name; and all that `analyze`
            raises.
    """
    recipe, frames = _read(Path(path))
    about, sweep, mixed = recipe["classifier"], recipe["sweep"], recipe["second"]
    recorded_model = classifier is None
    if classifier is None:
        if about["origin"] is None:
            raise UserError(
                f"{str(path)!r} was made with the object {about['name']!r}; expected a classifier to be given"
            )
        origin = {name: value for name, value in about["origin"].items() if name != "trust"}
        classifier = load_classifier(**origin, device=device, trust=trust)
    elif isinstance(classifier, str):
        classifier = load_classifier(classifier, device=device, trust=trust)
    if mixed is not None and second is None:
        second = _found(mixed["source"], Path(path), "a second image")
    trace = analyze(
        _found(recipe["image"]["source"], Path(path), "an image") if image is None else image,
        _sweep(sweep),
        classifier,
        second=second,
        classes=recipe["classes"],
        method=recipe["method"],
        target=recipe["target"],
        layer=about["layers"] if recorded_model else None,
        erase_fill=recipe["erase_fill"],
        border=recipe["border"],
        seed=recipe["seed"],
        precision=recipe["precision"],
        flip_tolerance=recipe.get("flip_tolerance"),
        progress=progress,
    )
    recorded, now = recipe["versions"], trace.recipe["versions"]
    return Replay(
        trace=trace,
        difference=max(_difference(trace, index, frame) for index, frame in enumerate(frames)),
        other_versions={name: (old, now.get(name, "none")) for name, old in recorded.items() if now.get(name) != old},
        same_image=all(
            (trace.recipe[each] or {}).get("hash") == (recipe[each] or {}).get("hash") for each in ("image", "second")
        ),
    )


def _read(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        recipe, frames = document["recipe"], document["frames"]
        missing = EXPECTED - set(recipe)
        if missing or not frames or len(frames) != recipe["sweep"]["frames"]:
            raise ValueError(f"its recipe lacks {', '.join(sorted(missing))}" if missing else "frames are missing")
        if not all(set(frame) & {"top", "values"} for frame in frames) or not isinstance(recipe["image"], dict):
            raise ValueError("it does not say what was found")
    except FileNotFoundError as error:
        raise UserError(f"there is no file {str(path)!r}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{str(path)!r} is not a sweep that was saved as .json: it is no text") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(f"{str(path)!r} is not a sweep that was saved as .json: {reason}") from error
    return recipe, frames


def _found(source: str | None, path: Path, what: str) -> str:
    """The image where it was, or beside the file."""
    if source is None:
        raise UserError(f"{str(path)!r} was made with {what} that has no name; expected {what} to be given")
    beside = path.parent / Path(source).name
    return source if source.startswith(EXAMPLE) or Path(source).exists() or not beside.exists() else str(beside)


def _sweep(recorded: Mapping[str, Any]) -> Sweep:
    parameters = _paths(recorded["parameters"])
    try:
        return Sweep(frames=recorded["frames"], easing=recorded["easing"], **parameters)
    except ParameterError as error:
        raise ParameterError(f"{error} (one of your own is registered first: --plugin FILE)") from error


def _paths(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows no tuples; a list of two is a pair all the same."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in parameters.items()}


def _difference(trace: Trace, index: int, frame: Mapping[str, Any]) -> float:
    """The highest difference between what was recorded of a frame and what is found now."""
    find, row = trace.outputs.index_of, trace.scores[index]
    if "top" in frame:
        known = [(each.get("index"), each["label"], float(each["score"])) for each in frame["top"]]
        # Two classes may have one name; of another model the name counts.
        same = [index is not None and trace.labels[index : index + 1] == (name,) for index, name, _ in known]
        places = [index if own else find(name) for own, (index, name, _) in zip(same, known, strict=True)]
        return max(abs(float(row[place]) - score) for place, (_, _, score) in zip(places, known, strict=True))
    values = {find(name): value for name, value in frame["values"].items()}
    spans = {output: high - low for output in values for low, high in [trace.outputs.axis([output])]}
    return max(abs(float(row[output]) - float(value)) / spans[output] for output, value in values.items())
