"""What a page asks, whoever answers: its own process (`asker.py`, `dataset.py`) or a cluster (`remote.py`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from augimpact.comparison import Comparison
    from augimpact.grid import Surface
    from augimpact.models.model import Model
    from augimpact.profiling.reference import Reference
    from augimpact.trace import Trace

__all__ = ["Cancelling", "DataAsking", "Images", "ModelAsking", "State", "Telling"]

State = Mapping[str, Any]
# Told what is done, and of how much.
Telling = Callable[[int, int], None]
Cancelling = Callable[[], bool]


class Images(Protocol):
    """Images by name; see `augimpact.widgets.gallery.Gallery`."""

    def source(self, name: str) -> Any:
        """The same object as long as the name means the same image."""

    def open(self, name: str) -> Any:
        """What `augimpact.subject.subject_of` takes."""


class ModelAsking(Protocol):
    """Asks models about one image at a time; see `augimpact.widgets.asker.Asker`."""

    def is_ready(self, state: State) -> bool:
        """Whether no model must be loaded first."""

    def about(self, state: State) -> dict[str, Any]:
        """What there is to choose of the model."""

    def device(self, state: State) -> str:
        """Where the model is."""

    def explained(self, state: State, setting: Mapping[str, float]) -> Trace | Comparison:
        """One frame."""

    def swept(self, state: State, *, progress: Telling, cancelled: Cancelling) -> Trace | Comparison:
        """The chosen sweep."""

    def grid(self, state: State, *, progress: Telling, cancelled: Cancelling) -> Surface:
        """The two parameters that are ranges, against each other."""

    def model(self, state: State) -> Model:
        """The chosen model itself, if it is here."""

    def close(self) -> None:
        """Ends what is open."""


class DataAsking(Protocol):
    """Measures the data beside a page; see `augimpact.widgets.dataset.DataBeside`."""

    exists: bool

    def wanted(self, state: State) -> Any:
        """For which input of a model the data would be measured now, or None."""

    def known(self, wanted: Any) -> Reference | None:
        """What was measured for this input."""

    def measure(self, wanted: Any, progress: Telling, cancelled: Cancelling) -> Reference:
        """Measures the data."""
