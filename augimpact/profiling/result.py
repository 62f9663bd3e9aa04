"""What a pass over a dataset comes to: its panels, and what is written of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from augimpact.errors import DataError, unknown
from augimpact.profiling.naming import Naming
from augimpact.profiling.panel import Panel, counted
from augimpact.profiling.source import Failure

__all__ = ["Profile"]


@dataclass(frozen=True)
class Profile:
    """What a dataset is like.

    Attributes:
        panels: in the order in which they are read.
        frames: a row a sample and split: its size and label, and of measures and hashes those that the panels need; by
            the name of the split.
        complete: whether all was seen; not after an interruption, `max_samples`, or a loader that ended by an error.
        naming: what classes and files are called in everything that leaves.
        paths: where samples lie, by split and index, if they may be told.
        errors: all samples that could not be used, by split: the index (`number`), the `error`, its `kind` and
            `message`, and the `path`, if samples were asked for. For whoever repairs the dataset: it is in memory only,
            and of this no file has more than what the panel `errors` lists. Where names or classes are hidden, the
            error may be its kind alone.
        shows_samples: whether samples were asked for.
    """

    panels: tuple[Panel, ...]
    frames: Mapping[str, pd.DataFrame]
    complete: bool
    naming: Naming
    paths: Mapping[str, Mapping[int, str]]
    errors: Mapping[str, Sequence[Failure]] = field(default_factory=dict)
    shows_samples: bool = False

    def __getitem__(self, name: str) -> Panel:
        found = {panel.name: panel for panel in self.panels}
        if name not in found:
            raise DataError(unknown("panel", name, found))
        return found[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is a panel of this name."""
        return any(panel.name == name for panel in self.panels)

    def __iter__(self) -> Iterator[Panel]:
        """The panels, in the order in which they are read."""
        return iter(self.panels)

    def __len__(self) -> int:
        """How many panels there are."""
        return len(self.panels)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(frame)} in {split}" for split, frame in self.frames.items())
        return f"Profile({sizes}; {counted(len(self.panels), 'panel')})"

    def document(self) -> dict[str, Any]:
        """All statistics as JSON has them; see `augimpact.profiling.report`."""
        from augimpact.profiling.report import document_of

        return document_of(self)

    def save(self, path: str | Path) -> list[Path]:
        """Writes the report: by its suffix `.json`, `.txt`, `.html`, `.pdf` or `.csv`; without one all, into a folder.

        A folder gets TensorBoard's file as well, where TensorBoard is installed.

        Raises:
            OutputError: an unknown suffix, or a place that cannot be written.
        """
        from augimpact.profiling.report import save_report

        return save_report(self, Path(path))

    def save_tensorboard(self, folder: str | Path) -> Path:
        """Writes an event file for TensorBoard into a folder, its `--logdir`: numbers, histograms, sentences, figures.

        Raises:
            OutputError: TensorBoard is not installed, or the place cannot be written.
        """
        from augimpact.profiling.report import save_events

        return save_events(self, Path(folder))

    def _repr_html_(self) -> str:
        from augimpact.profiling.report import panels_html

        return panels_html(self)
