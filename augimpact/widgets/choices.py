"""What a person can choose in the page, and what of it the analysis is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from augimpact.augment.parameters import BORDERS, CATALOGUE, ERASE_FILLS, neutral_setting
from augimpact.errors import UserError, unknown
from augimpact.explain.methods import METHODS
from augimpact.sweep import DEFAULT_FRAMES, EASINGS, Sweep

if TYPE_CHECKING:
    from augimpact.impact.along import Walk

__all__ = ["MAX_PAGE_FRAMES", "conditions_of", "held_of", "opened_state", "options_of", "state_of", "sweep_of"]

State = Mapping[str, Any]
# A device or a layer that nobody chose.
AUTO = ""
# More frames than this in one page are a slip of the finger.
MAX_PAGE_FRAMES = 500
GRID_STEPS = 15


def state_of(images: Iterable[str], models: Iterable[str], choices: Mapping[str, Any]) -> dict[str, Any]:
    """All choices, as `Controls.state` describes them: the given ones, and for the rest what the page begins with.

    Raises:
        UserError: a choice that there is not.
    """
    names = list(images)
    state = {
        "image": names[0],
        # Mixing an image with itself shows nothing.
        "second": names[-1],
        "model": next(iter(models)),
        "device": AUTO,
        "method": next(iter(METHODS)),
        "layer": AUTO,
        "target": "follow",
        "classes": [],
        "beside_model": "",
        "beside_method": "",
        "erase_fill": ERASE_FILLS[0],
        "border": BORDERS[0],
        "settings": neutral_setting(),
        "ranges": {"rotation": list(CATALOGUE["rotation"].sweep)},
        "frames": DEFAULT_FRAMES,
        "easing": EASINGS[0],
        "sweeps": 0,
        "grid_steps": GRID_STEPS,
        "grids": 0,
        "draft": False,
    }
    for name in choices:
        if name not in state:
            raise UserError(unknown("choice", name, state))
    settings = neutral_setting() | dict(choices.get("settings", {}))
    ranges = {name: list(ends) for name, ends in choices.get("ranges", state["ranges"]).items()}
    return state | dict(choices) | {"settings": settings, "ranges": ranges}


def opened_state(state: State, image: str, walk: Walk, conditions: Mapping[str, Any]) -> dict[str, Any]:
    """The choices once an image is opened under a sweep; what else was chosen stays."""
    opened: dict[str, Any] = {
        "image": image,
        "settings": neutral_setting() | walk.held,
        "ranges": {name: list(ends) for name, ends in walk.ranges.items()},
        "frames": walk.frames,
        "easing": walk.easing,
        "sweeps": state["sweeps"] + 1,
        "draft": False,
    }
    return dict(state) | opened | {name: conditions[name] for name in ("erase_fill", "border") if name in conditions}


def held_of(state: State) -> dict[str, float]:
    """The parameters that are away from neutral and not swept."""
    return {
        name: value
        for name, value in state["settings"].items()
        if name not in state["ranges"] and value != CATALOGUE[name].neutral
    }


def sweep_of(state: State) -> Sweep:
    """The sweep that was chosen.

    Raises:
        SweepError, ParameterError: it cannot be walked.
    """
    path: dict[str, Any] = held_of(state) | {name: tuple(ends) for name, ends in state["ranges"].items()}
    return Sweep(frames=min(int(state["frames"]), MAX_PAGE_FRAMES), easing=state["easing"], **path)


def conditions_of(state: State) -> dict[str, Any]:
    """How frames are made, whatever is asked about them."""
    return {name: state[name] for name in ("erase_fill", "border")}


def options_of(state: State) -> dict[str, Any]:
    """What `explain_settings` is told besides method and classes."""
    return conditions_of(state) | {"target": state["target"], "layer": state["layer"] or None}
