"""One sweep, several models or methods: side by side in one animation, and below each other in one table."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.errors import UserError
from augimpact.files import written_whole
from augimpact.formats import PICTURE_FORMATS, Format, format_of, write_code, write_csv
from augimpact.profiling.beside import AnyPanel, cards_of
from augimpact.render.animate import write_webp
from augimpact.render.beside import beside
from augimpact.render.panels import beside_panels
from augimpact.sweep import Sweep
from augimpact.trace import Trace

if TYPE_CHECKING:
    from torch import nn

    from augimpact.models.model import Model

__all__ = ["COMPARISON_FORMATS", "Comparison", "compare"]

PICTURE_WIDTH = 320


def compare(
    image: Any,
    sweep: Sweep,
    classifiers: Sequence[Model | nn.Module | str | None] = (None,),
    methods: Sequence[str] = ("gradcam",),
    *,
    progress: Callable[[int, int], object] | None = None,
    **options: Any,
) -> Comparison:
    """Sweeps an image once with every classifier and every method.

    Args:
        image: see `augimpact.analyze`.
        sweep: the path that all walk.
        classifiers: each a model or a name, see `augimpact.load_classifier`; None is the built-in one.
        methods: see `augimpact methods`.
        progress: called with frames done and frames in all.
        **options: as for `augimpact.analyze`.

    Raises:
        UserError: there is nothing to compare, or the same thing twice; and all that `analyze` raises.
    """
    # A comparison can be shown and saved where there is no torch.
    from augimpact.analysis import analyze
    from augimpact.models.load import load_classifier

    for what, given in (("classifiers", classifiers), ("methods", methods)):
        if isinstance(given, str):
            raise UserError(f"{what} are {given!r}; expected a list of names")
    models = [load_classifier() if each is None else load_classifier(each) for each in classifiers]
    pairs = [(model, method) for model in models for method in methods]
    if len(pairs) < 2:
        raise UserError(f"{len(models)} classifiers and {len(methods)} methods; expected two or more to compare")
    names = [
        " · ".join(part for part, several in ((model.name, len(models)), (method, len(methods))) if several > 1)
        for model, method in pairs
    ]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{name!r} is compared with itself; expected different names (`Classifier(…, name=…)`)")
    traces = {}
    for place, (name, (model, method)) in enumerate(zip(names, pairs, strict=True)):

        def step(done: int, total: int, before: int = place) -> None:
            if progress is not None:
                progress(before * total + done, len(pairs) * total)

        traces[name] = analyze(image, sweep, model, method=method, progress=step, **options)
    return Comparison(_sharing(traces))


def _sharing(traces: Mapping[str, Trace]) -> dict[str, Trace]:
    """The traces, of which those of equal frames hold them but once."""
    shared: dict[str, Trace] = {}
    for name, trace in traces.items():
        same = (each.frames for each in shared.values() if np.array_equal(each.frames, trace.frames))
        shared[name] = replace(trace, frames=next(same, trace.frames))
    return shared


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `augimpact.compare` returns: a trace for each name, of equal length."""

    traces: Mapping[str, Trace]

    def __repr__(self) -> str:
        return f"Comparison({', '.join(repr(name) for name in self.traces)})"

    def table(self, top: int = 1) -> pd.DataFrame:
        """A row a variant and frame; columns as `Trace.table` has them."""
        return self._stacked(lambda trace: trace.table(top))

    def flips(self) -> pd.DataFrame:
        """The flips of each variant."""
        return self._stacked(lambda trace: trace.flips().rename_axis("flip"))

    def pictures(self, *, panels: Iterable[AnyPanel] = (), **options: Any) -> NDArray[np.uint8]:
        """The frames of all variants beside each other, their names above, `(N, height, width, 3)`.

        Args:
            panels: as for `Trace.pictures`; those that are marked are the first variant's frames.
            **options: see `augimpact.render.look.Look`; the width is that of each variant.
        """
        look = {"width": PICTURE_WIDTH} | {name: value for name, value in options.items() if value is not None}
        pictures = beside([trace.pictures(**look) for trace in self.traces.values()], list(self.traces))
        return beside_panels(pictures, cards_of(panels, next(iter(self.traces.values()))))

    def save(self, path: str | Path, **options: Any) -> Path:
        """Writes an animation (`.gif`, `.webp`, `.mp4`), film strip (`.png`) table (`.csv`) or code (`.py`) of all.

        Options as for `Trace.save`.

        Raises:
            OutputError: the suffix is none of these, or the file cannot be written.
        """
        write = format_of(path, options, COMPARISON_FORMATS).write
        with written_whole(path) as temporary, temporary.open("wb") as file:
            write(self, file, **options)
        return Path(path)

    def _stacked(self, table: Callable[[Trace], pd.DataFrame]) -> pd.DataFrame:
        return pd.concat({name: table(trace) for name, trace in self.traces.items()}, names=["variant"])

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, Any]:
        file = io.BytesIO()
        write_webp(file, self.pictures())
        return {"image/webp": base64.b64encode(file.getvalue()).decode(), "text/plain": repr(self)}


COMPARISON_FORMATS: Mapping[str, Format] = {
    **PICTURE_FORMATS,
    ".csv": Format(lambda comparison, file: write_csv(file, comparison.table())),
    ".py": Format(lambda comparison, file: write_code(file, comparison)),
}
