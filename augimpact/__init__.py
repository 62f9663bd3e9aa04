"""See what image augmentation does to a classifier: sweeps, explained frame by frame, played and saved.

Nothing heavy is imported until one of these names is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from augimpact.analysis import analyze as analyze
    from augimpact.memory import keep_freed_memory as keep_freed_memory
    from augimpact.models.classifier import Classifier as Classifier
    from augimpact.models.load import load_classifier as load_classifier
    from augimpact.sweep import Sweep as Sweep
    from augimpact.trace import Trace as Trace
    from augimpact.widgets.explorer import Explorer as Explorer
    from augimpact.widgets.player import Player as Player

_HOME = {
    "Classifier": "augimpact.models.classifier",
    "Explorer": "augimpact.widgets.explorer",
    "Player": "augimpact.widgets.player",
    "Sweep": "augimpact.sweep",
    "Trace": "augimpact.trace",
    "analyze": "augimpact.analysis",
    "keep_freed_memory": "augimpact.memory",
    "load_classifier": "augimpact.models.load",
}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'augimpact' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
