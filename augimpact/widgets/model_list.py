"""The models that can be chosen in a page, loaded when they are needed."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from augimpact.errors import UserError, unknown

if TYPE_CHECKING:
    from augimpact.models.model import Model

__all__ = ["BUILTIN", "BUILTIN_LABEL", "ModelList"]

BUILTIN_LABEL = "EfficientNet-Lite0 · ImageNet"
# As `augimpact.models.builtin` names it, which imports torch.
BUILTIN = "efficientnet-lite0"
# The one that is explored, and the one beside it.
KEPT = 2


class ModelList:
    """Models by name; the last ones are kept in memory. For several threads.

    Args:
        sources: each what `augimpact.load_classifier` takes.
        kept: how many.
        private: that nobody who uses the page may learn where a model's file lies: recipes tell its name alone.

    Attributes:
        names: as the page shows them, in order, each once.
    """

    def __init__(self, sources: Iterable[Any], *, private: bool = False, kept: int = KEPT) -> None:
        self._private = private
        self._kept = kept
        self._loading = Lock()
        self._sources: dict[str, Any] = {}
        for source in sources:
            name = _name_of(source)
            count = 1
            while name in self._sources and self._sources[name] is not source:
                count += 1
                name = f"{_name_of(source)} {count}"
            self._sources[name] = source
        self.names = list(self._sources)
        self._loaded: dict[tuple[str, str], Model] = {}

    def is_loaded(self, name: str, device: str) -> bool:
        """Whether `load` gives it at once."""
        return (name, device) in self._loaded

    def load(self, name: str, device: str) -> Model:
        """The model of this name, on this device; one that was given as an object stays where it is.

        Raises:
            UserError: there is none, or it takes no images; and what `load_classifier` raises.
        """
        if name not in self._sources:
            raise UserError(unknown("model", name, self.names))
        with self._loading:
            known = self._loaded.pop((name, device), None) or self._made(name, device)
            self._loaded[name, device] = known
            for old in list(self._loaded)[: -self._kept]:
                del self._loaded[old]
        return known

    def _made(self, name: str, device: str) -> Model:
        from augimpact.models.load import load_classifier

        made = load_classifier(self._sources[name], device=device or "auto")
        if made.inputs.domain != "image":
            raise UserError(f"{made.name} takes time series; the Explorer shows images, expected such a model")
        origin = made.origin
        if self._private and origin is not None and name != BUILTIN_LABEL:
            made = copy(made)
            made.origin = origin | {"source": name}
        return made


def _name_of(source: Any) -> str:
    if isinstance(source, str):
        # Of a file its name is enough, and where it lies is nobody's business.
        is_file = bool(Path(source.rpartition(":")[0] or source).suffix)
        return BUILTIN_LABEL if source == BUILTIN else Path(source).name if is_file else source
    return str(getattr(source, "name", type(source).__name__))
