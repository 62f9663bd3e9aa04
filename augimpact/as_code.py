"""The Python that makes a result again, from the recipe that the result carries."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from augimpact.augment.parameters import BUILT_IN
from augimpact.augment.signal_parameters import SIGNAL_CATALOGUE
from augimpact.data.image import DEFAULT_SECOND, EXAMPLE, example_of_hash
from augimpact.source import WIDTH, Call, Name, quoted, source_of
from augimpact.sweep import DEFAULT_FRAMES, EASINGS

if TYPE_CHECKING:
    from augimpact.trace import Trace

__all__ = ["DEFAULTS", "code_of"]

# What need not be said.
DEFAULTS: Mapping[str, Any] = {
    "method": "gradcam", "target": "follow", "erase_fill": "black", "border": "black", "seed": 0,
    "precision": "float32", "flip_tolerance": None, "classes": None,
}  # fmt: skip
GRID_DEFAULTS: Mapping[str, Any] = {**DEFAULTS, "target": "neutral"}
# The layer of the built-in classifier that is explained where none is named.
BUILTIN_LAYERS = ["bn2"]
# What an image and a signal are called that have no name.
UNNAMED = ("image", "signal")

Recipe = Mapping[str, Any]


def code_of(result: Any) -> str:
    """The Python that makes a `Trace`, a `Surface` or a `Comparison` again, to the last bit on the same machine.

    Only what differs from the defaults is said; lines are up to 100 columns. What has no name that it could be loaded
    by, as a classifier that was made of a module, is a variable that a comment explains. How many frames at a time the
    model was fed (`chunk`) and on which device is not said, and makes no difference but in rounding.

    >>> import augimpact as ai
    >>> print(code_of(ai.analyze("example:cat", ai.Sweep(rotation=(-45, 45), frames=3), target="tabby")))
    import augimpact as ai
    <BLANKLINE>
    trace = ai.analyze("example:cat", ai.Sweep(rotation=(-45, 45), frames=3), target="tabby")
    <BLANKLINE>
    """
    notes: dict[str, None] = {}
    if hasattr(result, "traces"):
        name, call = "comparison", _comparing([_with_sweep(each) for each in result.traces.values()], notes)
    elif "grid" in result.recipe:
        name, call = "surface", _asking_over_grid(result.recipe, notes)
    else:
        name, call = "trace", _analyzing(_with_sweep(result), notes)
    statement = f"{name} = {source_of(call, before=len(name) + 3)}"
    comments = [line for note in notes for line in _comment(note)]
    return "\n".join(["import augimpact as ai", "", *comments, statement, ""])


def _with_sweep(trace: Trace) -> Recipe:
    """The trace's recipe; where its settings were no sweep, one of the same settings."""
    if "sweep" in trace.recipe:
        return trace.recipe
    path = {name: trace.settings[name].tolist() for name in trace.changed}
    return trace.recipe | {"sweep": {"parameters": path, "frames": len(trace), "easing": EASINGS[0]}}


def _analyzing(recipe: Recipe, notes: dict[str, None]) -> Call:
    positional = [_image(recipe, notes), _sweep(recipe["sweep"], notes)]
    about = recipe.get("classifier", {})
    if not _is_builtin(about):
        positional.append(_classifier(about, Name("classifier"), notes))
    return Call("ai.analyze", positional, _options(recipe, DEFAULTS, notes) | _layer(about))


def _asking_over_grid(recipe: Recipe, notes: dict[str, None]) -> Call:
    parameters = recipe["grid"]["parameters"]
    _explain_own(parameters, notes)
    axes = {name: tuple(value) if isinstance(value, list) else value for name, value in parameters.items()}
    positional = [_image(recipe, notes), Call("ai.Grid", named=axes)]
    about = recipe["classifier"]
    if not _is_builtin(about):
        positional.append(_classifier(about, Name("classifier"), notes))
    return Call("ai.analyze_grid", positional, _options(recipe, GRID_DEFAULTS, notes))


def _comparing(recipes: list[Recipe], notes: dict[str, None]) -> Call:
    """All variants have image, path and options in common; in models and methods they differ."""
    first = recipes[0]
    models = {each["classifier"]["name"]: each["classifier"] for each in recipes}
    methods = list(dict.fromkeys(each["method"] for each in recipes))
    named: dict[str, Any] = {}
    if len(models) > 1 or not _is_builtin(first["classifier"]):
        variables = [
            Name(f"classifier_{place}" if len(models) > 1 else "classifier") for place in range(1, 1 + len(models))
        ]
        layers = [each["layers"] for each in models.values()]
        own_layers = any(each != layers[0] for each in layers)
        named["classifiers"] = [
            _classifier(each, variable, notes, with_layer=own_layers)
            for each, variable in zip(models.values(), variables, strict=True)
        ]
        layer = {} if own_layers else _layer(first["classifier"])
    else:
        layer = _layer(first["classifier"])
    if methods != [DEFAULTS["method"]]:
        named["methods"] = methods
    options = _options({**first, "method": DEFAULTS["method"]}, DEFAULTS, notes)
    return Call("ai.compare", [_image(first, notes), _sweep(first["sweep"], notes)], named | options | layer)


def _image(recipe: Recipe, notes: dict[str, None]) -> str:
    image = recipe["image"]
    named = _by_name(image)
    if named is not None:
        return named
    name = image["name"]
    if name not in UNNAMED:
        _note(notes, f"{quoted(name)} is the file that was opened or uploaded under this name: say where it lies.")
        return str(name)
    size = " × ".join(map(str, image.get("size", [])))
    _note(notes, f"`{name}` is the {name} that was given, {size}.")
    return Name(name)


def _second(second: Recipe, notes: dict[str, None]) -> str:
    named = _by_name(second)
    if named is not None:
        return named
    if "name" in second:
        _note(notes, f"{quoted(second['name'])} is the file that was mixed in: say where it lies.")
        return str(second["name"])
    _note(notes, "`second` is the image that was mixed in.")
    return Name("second")


def _by_name(image: Recipe) -> str | None:
    """What `read_image` finds it by: its place, or that it is one of the examples."""
    if image.get("source") is not None:
        return str(image["source"])
    example = example_of_hash(image.get("hash"))
    return None if example is None else EXAMPLE + example


def _sweep(sweep: Recipe, notes: dict[str, None]) -> Call:
    parameters = sweep["parameters"]
    _explain_own(parameters, notes)
    named: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) and len(value) == 2 else value
        for name, value in parameters.items()
    }
    lengths = [len(value) for value in named.values() if isinstance(value, list)]
    if sweep["frames"] != (lengths[0] if lengths else DEFAULT_FRAMES):
        named["frames"] = sweep["frames"]
    if sweep["easing"] != EASINGS[0]:
        named["easing"] = sweep["easing"]
    return Call("ai.Sweep", named=named)


def _explain_own(parameters: Iterable[str], notes: dict[str, None]) -> None:
    for name in parameters:
        if name not in BUILT_IN and name not in SIGNAL_CATALOGUE:
            _note(notes, f"{quoted(name)} is an augmentation of one's own: run the code that registers it first.")


def _is_builtin(about: Recipe) -> bool:
    from augimpact.models.builtin import BUILTIN

    return not about or about["origin"] == {"source": BUILTIN}


def _classifier(about: Recipe, variable: Name, notes: dict[str, None], *, with_layer: bool = False) -> Any:
    origin = about["origin"]
    if origin is None:
        _note(notes, f"`{variable}` is the model that was given, called {quoted(about['name'])}.")
        return variable
    named = {name: value for name, value in origin.items() if name != "source" and value is not None}
    if named.get("trust"):
        _note(notes, f"With `trust`, {quoted(origin['source'])} may run any code on this machine.")
    if with_layer and len(about["layers"]) == 1 and not (_is_builtin(about) and about["layers"] == BUILTIN_LAYERS):
        named["layer"] = about["layers"][0]
    return Call("ai.load_classifier", [origin["source"]], named)


def _layer(about: Recipe) -> dict[str, Any]:
    """The layers; a model may have been given with others than its own, so they are named but for the built-in one."""
    layers = about.get("layers")
    if not layers or (_is_builtin(about) and layers == BUILTIN_LAYERS):
        return {}
    return {"layer": layers[0] if len(layers) == 1 else layers}


def _options(recipe: Recipe, defaults: Recipe, notes: dict[str, None]) -> dict[str, Any]:
    named = {name: recipe[name] for name, usual in defaults.items() if recipe.get(name, usual) != usual}
    if isinstance(named.get("target"), list):
        named["target"] = tuple(named["target"])
    mixed = recipe.get("second")
    if mixed is not None and mixed["source"] != DEFAULT_SECOND:
        second = _second(mixed, notes)
        named |= {} if second == DEFAULT_SECOND else {"second": second}
    return named


def _note(notes: dict[str, None], text: str) -> None:
    """Keeps a comment, once."""
    notes[text] = None


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ")
