"""Two impacts beside each other: two classifiers, or one before and after it was trained with augmentation.

The statistics are `augimpact.impact.comparing`'s; here they are one object, which shows and saves itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from augimpact.errors import DataError
from augimpact.impact.compared_panels import compared_panels
from augimpact.impact.comparing import DIFFERENCE, Pair, compared_curves, compared_ranges, only_one_right, paired
from augimpact.impact.report import Report, ranges_of, recipe_of
from augimpact.impact.result import Impact
from augimpact.profiling.panel import Panel

__all__ = ["SCHEMA", "ImpactComparison", "compare_impacts"]

SCHEMA = "augimpact-impact-comparison/1"


def compare_impacts(impacts: Mapping[str, Impact]) -> ImpactComparison:
    """Two impacts of the same samples and sweeps, each by its name; differences are the second's less the first's.

    Args:
        impacts: two, such as `{"without": before, "with": after}`.

    Raises:
        DataError: not two of them, one that is named `difference`, or other samples, settings or labels in one than in
            the other.

    >>> from augimpact.impact.example import example_outcomes
    >>> one, other = (Impact(example_outcomes(holds=each), pd.DataFrame(), {"name": "example"}) for each in (15, 25))
    >>> compared = compare_impacts({"without": one, "with": other})
    >>> compared, compared.ranges()["high"].tolist()
    (ImpactComparison('without', 'with': 200 samples, 7 settings), [10.0, 20.0])
    """
    named = {str(name): impact for name, impact in impacts.items()}
    if len(named) != 2 or DIFFERENCE in named:
        raise DataError(f"impacts are named {list(named)!r}; expected two names, neither {DIFFERENCE!r}")
    paired(*(impact.outcomes for impact in named.values()))
    return ImpactComparison(named)


@dataclass(frozen=True, eq=False)
class ImpactComparison:
    """What `augimpact.compare_impacts` returns.

    Attributes:
        impacts: the two, by their names.
    """

    impacts: Mapping[str, Impact]

    def __repr__(self) -> str:
        count, settings = self.pair.first.predicted.shape
        names = ", ".join(map(repr, self.names))
        return f"ImpactComparison({names}: {count} samples, {settings} settings)"

    @property
    def names(self) -> tuple[str, str]:
        """Of the two."""
        first, second = self.impacts
        return first, second

    @property
    def pair(self) -> Pair:
        """What came of every sample in both, in one order."""
        first, second = self.impacts.values()
        return paired(first.outcomes, second.outcomes)

    def table(self) -> pd.DataFrame:
        """The tables of both, see `Impact.table`, below each other; `impact` says whose a row is."""
        tables = [impact.table() for impact in self.impacts.values()]
        together = pd.concat(tables, ignore_index=True)
        together.insert(
            0, "impact", [name for name, table in zip(self.names, tables, strict=True) for _ in table.index]
        )
        return together

    def curves(self, by: str | None = None) -> pd.DataFrame:
        """The curves of both and their difference; see `augimpact.impact.comparing.compared_curves`."""
        return compared_curves(*self.pair, by, names=self.names)

    def ranges(self, **options: Any) -> pd.DataFrame:
        """The safe ranges of both, side by side; see `augimpact.impact.comparing.compared_ranges`."""
        return compared_ranges(*self.pair, names=self.names, **options)

    def only_one_right(self, strength: float, path: int = 0) -> pd.DataFrame:
        """Samples that only one of the two gets right; see `augimpact.impact.comparing.only_one_right`."""
        return only_one_right(*self.pair, strength, path, names=self.names)

    def panels(self, **options: Any) -> list[Panel]:
        """Of each path both safe ranges, both curves and their difference, classes, and what one alone gets right.

        Args:
            **options: of the safe ranges, such as `points`.
        """
        found = [ranges_of(impact, **options) for impact in self.impacts.values()]
        ranges = None if found[0] is None or found[1] is None else (found[0], found[1])
        return compared_panels(self.pair, self.names, ranges)

    def save(self, path: str | Path, **options: Any) -> list[Path]:
        """Writes a file by its suffix, or all into a folder, see `augimpact.impact.report.Report.save`.

        Args:
            path: of a `.html`, `.pdf`, `.json`, `.csv` (curves and difference) or `.parquet` (both tables); or of a
                folder.
            **options: of the safe ranges, such as `points`.

        Raises:
            OutputError: an unknown suffix, or a place that cannot be written.
        """
        return self._report(options).save(Path(path))

    def _repr_html_(self) -> str:
        return self._report({}).html

    def _report(self, options: Mapping[str, Any]) -> Report:
        count, settings = self.pair.first.predicted.shape
        first, second = self.names
        return Report(
            title="Two impacts of augmentation",
            told=f"{second} beside {first}: {count:,} images under {settings} settings",
            panels=self.panels(**options),
            about={"schema": SCHEMA, "recipes": {name: recipe_of(impact) for name, impact in self.impacts.items()}},
            curves=self.curves,
            table=self.table,
            stem="comparison",
        )
