"""The impact beside an Explorer: given, read from a folder, or measured over the page's data with the page's sweep."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augimpact.augment.parameters import CATALOGUE
from augimpact.errors import UserError
from augimpact.widgets.choices import MAX_PAGE_FRAMES, conditions_of, held_of
from augimpact.widgets.given_data import GivenData

if TYPE_CHECKING:
    from augimpact.data.samples import SampleTable
    from augimpact.impact.along import Bands
    from augimpact.impact.result import Impact
    from augimpact.models.model import Model
    from augimpact.trace import Trace

__all__ = ["ImpactBeside", "check_impact"]

# Of the data so many are measured in a page, drawn by chance, at so many settings: a minute or two of two cores.
MOST_SAMPLES, MOST_FRAMES, SEED = 200, 21, 0
# What `augimpact.impact.result` writes first.
RECIPE = "run.json"


class ImpactBeside:
    """What is known of a dataset's impact.

    Args:
        impact: an `Impact`, the folder of one, or None.
        given: the data that can be measured, if there is some; see `augimpact.impact.drawn.drawn_samples`.

    Attributes:
        known: the impact, once it is there.
        data: where its images are no files of their own, the samples that hold them.

    Raises:
        UserError: the folder has no impact.
    """

    def __init__(self, impact: Any, given: GivenData) -> None:
        self._folder: Path | None = None
        self.known: Impact | None = None
        self.data: Any = None
        if isinstance(impact, (str, os.PathLike)):
            check_impact(impact)
            self._folder = Path(impact)
        else:
            self.known = impact
        self._given = given
        self._table: SampleTable | None = None
        self._bands: tuple[Impact, Bands] | None = None
        self._place: tempfile.TemporaryDirectory[str] | None = None

    @property
    def can_measure(self) -> bool:
        """Whether there is data to measure."""
        return self._given.exists

    @property
    def is_sealed(self) -> bool:
        """Whether no image of what is known may be shown."""
        return self._given.sealed and self.data is not None

    def load(self) -> Impact | None:
        """Reads the folder, once.

        Raises:
            DataError: it is damaged.
        """
        if self.known is None and self._folder is not None:
            from augimpact.impact.result import Impact

            self.known, self._folder = Impact.load(self._folder), None
        return self.known

    def measure(
        self,
        state: Mapping[str, Any],
        model: Model,
        progress: Callable[[int, int], None],
        cancelled: Callable[[], bool],
    ) -> Impact:
        """Measures the chosen sweep of the page over some of the data; what `Cancelled` stopped goes on where it was.

        Raises:
            Cancelled: it was asked to stop.
            UserError: nothing changes, or what cannot be measured so.
        """
        from augimpact.errors import Cancelled
        from augimpact.impact.drawn import drawn_samples, labels_or_none
        from augimpact.impact.run import measure_impact
        from augimpact.sweep import Sweep

        def tell(done: int, total: int) -> None:
            # Between two batches: whoever moves a slider shall not wait for a whole part.
            if cancelled():
                raise Cancelled
            progress(done, total)

        if self._table is None:
            with self._given.turn(cancelled):
                self._table = drawn_samples(self._given.source, MOST_SAMPLES, SEED, self._given.reading)
        if self._place is None:
            self._place = tempfile.TemporaryDirectory(prefix="augimpact-")
        path: dict[str, Any] = held_of(state) | {name: tuple(ends) for name, ends in state["ranges"].items()}
        sweep = Sweep(frames=_frames(state), easing=state["easing"], **path)
        labels = labels_or_none(self._table, model.labels)
        measured = measure_impact(
            self._table, sweep, model, folder=self._place.name, labels=labels, progress=tell, cancelled=cancelled,
            **conditions_of(state),
        )  # fmt: skip
        self.forget()
        self.known, self.data, self._folder = measured, self._table, None
        return measured

    def forget(self) -> None:
        """Removes what was kept for going on."""
        if self._place is not None:
            self._place.cleanup()
            self._place = None

    def band(self, trace: Trace) -> dict[str, Any]:
        """Where the dataset's scores lie along a sweep of the same model; see `augimpact.impact.along.Bands`."""
        if self.known is None or not trace.outputs.are_classes or trace.signals is not None:
            return {}
        from augimpact.impact.along import Bands

        name = str(self.known.recipe["name"])
        # Scores of other outputs, or of some of them alone, are no numbers of the same kind.
        same = trace.recipe.get("classifier", {}).get("name") == name
        if not same or tuple(trace.labels) != tuple(self.known.outcomes.names):
            return {}
        if self._bands is None or self._bands[0] is not self.known:
            self._bands = self.known, Bands(self.known.outcomes)
        return self._bands[1].over(trace.settings, trace.swept)


def about_measuring(state: Mapping[str, Any]) -> str:
    """What would be measured, in words; empty where nothing changes."""
    told = [
        f"{CATALOGUE[name].label} {CATALOGUE[name].format(first)} to {CATALOGUE[name].format(last)}"
        for name, (first, last) in state["ranges"].items()
        if name in CATALOGUE and first != last
    ]
    if not told:
        return ""
    return f"{' with '.join(told)} in {_frames(state)} steps, over at most {MOST_SAMPLES} images drawn from the data"


def check_impact(folder: str | os.PathLike[str]) -> None:
    """Tells a mistake before there is a page.

    Raises:
        UserError: there is no impact in that folder.
    """
    if not (Path(folder) / RECIPE).is_file():
        raise UserError(f"{os.fspath(folder)!r} has no impact; expected a folder that `augimpact impact -o` wrote")


def _frames(state: Mapping[str, Any]) -> int:
    return min(int(state["frames"]), MAX_PAGE_FRAMES, MOST_FRAMES)
