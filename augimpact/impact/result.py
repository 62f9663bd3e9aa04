"""What a sweep did to a classifier over a dataset: arrays to compute with, tables to read, files to keep."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from augimpact.drift import Drift
from augimpact.errors import DataError
from augimpact.files import written_whole
from augimpact.impact.outcomes import Outcomes
from augimpact.impact.parts import DRIFTS, Parts, known_samples
from augimpact.impact.plan import Plan
from augimpact.measures import MEASURES

if TYPE_CHECKING:
    from augimpact.impact.ranges import SafeRanges

__all__ = ["Impact", "impact_of"]

RECIPE, SAMPLES, PARTS = "run.json", "samples.parquet", "parts"


@dataclass(frozen=True, eq=False)
class Impact:
    """What `augimpact.measure_impact` returns.

    Attributes:
        outcomes: what came of every sample under every setting.
        errors: a row a sample that could not be measured: `sample_id` (empty where it could not even be read),
            `path`, `error`.
        recipe: what made it, in plain types.
    """

    outcomes: Outcomes
    errors: pd.DataFrame
    recipe: Mapping[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        count, settings = self.outcomes.predicted.shape
        failed = f", {len(self.errors)} of them in the ledger" if len(self.errors) else ""
        return f"Impact({count + len(self.errors)} samples{failed}, {settings} settings, {self.recipe['name']})"

    @classmethod
    def load(cls, folder: str | Path) -> Impact:
        """What `measure_impact(…, folder=…)` has measured so far.

        Raises:
            DataError: nothing was measured there, or a file is damaged.
        """
        place = Path(folder) / RECIPE
        try:
            recipe = json.loads(place.read_text(encoding="utf-8"))
            samples = pd.read_parquet(Path(folder) / SAMPLES)
        except FileNotFoundError as error:
            raise DataError(f"{str(folder)!r} has no impact; expected a folder that measure_impact wrote") from error
        except (OSError, ValueError) as error:
            raise DataError(f"the impact in {str(folder)!r} cannot be read ({error})") from error
        return impact_of(Parts(Path(folder) / PARTS / recipe["key"]), samples, recipe)

    def table(self) -> pd.DataFrame:
        """A row a sample and setting: `sample_id`, `path`, `class`, the parameters, and what was found.

        `label` and `predicted` are names of the classifier's; `correct` is missing where the label is not known.
        """
        o = self.outcomes
        count, settings = o.predicted.shape
        names = np.array([*o.names, None], dtype=object)
        repeated = {name: np.repeat(o.samples[name].to_numpy(), settings) for name in ("sample_id", "path", "class")}
        correct = pd.array(o.correct.reshape(-1), dtype="boolean")
        correct[np.repeat(o.labels < 0, settings)] = pd.NA
        values = {str(name): np.tile(column.to_numpy(), count) for name, column in o.settings.items()}
        numbers = {name: each.reshape(-1) for name, each in {**o.measures, **o.drifts}.items()}
        return pd.DataFrame({
            **repeated, "setting": np.tile(np.arange(settings), count), **values,
            "label": np.repeat(names[o.labels], settings), "predicted": names[o.predicted.reshape(-1)],
            "score": o.scores.reshape(-1), "correct": correct, "agrees": o.agrees.reshape(-1), **numbers,
        })  # fmt: skip

    def curves(self, by: str | None = None) -> pd.DataFrame:
        """Accuracy, agreement and score against strength, with intervals; see `augimpact.impact.curves.curves`."""
        from augimpact.impact.curves import curves

        return curves(self.outcomes, by)

    def ranges(self, **options: Any) -> SafeRanges:
        """How far one may go; see `augimpact.impact.ranges.safe_ranges`."""
        from augimpact.impact.ranges import safe_ranges

        return safe_ranges(self.outcomes, **options)

    def save(self, path: str | Path, **options: Any) -> list[Path]:
        """Writes a file by its suffix, or all into a folder, see `augimpact.impact.report.save_report`.

        Args:
            path: of a `.html`, `.pdf`, `.json`, `.csv` or `.parquet`; or of a folder.
            **options: of the safe ranges, such as `points`.
        """
        from augimpact.impact.report import save_report

        return save_report(self, Path(path), **options)

    def _repr_html_(self) -> str:
        from augimpact.impact.report import impact_html

        return impact_html(self)


def impact_of(parts: Parts, samples: pd.DataFrame, recipe: Mapping[str, Any]) -> Impact:
    """What parts hold of the samples; equal ones share what was measured of one.

    Raises:
        DataError: nothing was measured of any of them.
    """
    plan = Plan.from_document(recipe["plan"])
    known = known_samples(samples)
    places, columns = parts.rows(known, plan)
    failed = parts.errors()
    errors = [
        {"sample_id": each.sample_id, "path": path, "error": failed[each].error}
        for each, path in zip(known, samples["path"], strict=True)
        if each not in places and each in failed
    ]
    errors += [{"sample_id": "", "path": path, "error": error} for path, error in recipe.get("unread", ())]
    if not places:
        first = f"; the first error was: {errors[0]['error']}" if errors else ""
        raise DataError(f"not one of {len(samples)} samples could be measured{first}")
    there = np.array([each in places for each in known])
    order = np.array([places[each] for each in known if each in places])
    moved = {name: column for name, column in zip(Drift._fields, DRIFTS, strict=True) if column in columns}
    outcomes = Outcomes(
        samples=samples[there].reset_index(drop=True),
        settings=plan.settings,
        paths=plan.paths,
        names=tuple(recipe["names"]),
        labels=samples["label"].to_numpy(np.int64)[there],
        predicted=columns["predicted"][order],
        scores=columns["score"][order],
        measures={name: columns[name][order] for name in MEASURES},
        drifts={name: columns[column][order] for name, column in moved.items()},
    )
    return Impact(outcomes, pd.DataFrame(errors, columns=["sample_id", "path", "error"]), recipe)


def keep(folder: Path, recipe: Mapping[str, Any], samples: pd.DataFrame) -> None:
    """Writes what is needed to read the parts of a folder."""
    with written_whole(folder / SAMPLES) as temporary:
        samples.to_parquet(temporary, index=False)
    with written_whole(folder / RECIPE) as temporary:
        temporary.write_text(json.dumps(recipe, indent=1, allow_nan=False), encoding="utf-8")


def samples_frame(frame: pd.DataFrame, classes: Sequence[str], labels: Sequence[int]) -> pd.DataFrame:
    """The samples as they are kept: with `class` and `label`, categories as text, without what is no plain value."""
    kept: dict[str, Any] = {"category": [as_text("/".join(map(str, each))) for each in frame["category"]]}
    for name, column in frame.items():
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            kept[str(name)] = column.to_numpy()
        elif name not in kept and all(isinstance(each, str) or pd.isna(each) for each in column):
            kept[str(name)] = [as_text(each) if isinstance(each, str) else None for each in column]
    kept |= {"class": [as_text(each) for each in classes], "label": np.asarray(labels, np.int64)}
    return pd.DataFrame(kept)


def as_text(text: str) -> str:
    """As UTF-8 can hold it; a path may have bytes that are no text."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
