"""Impacts as files: one page, PDF, JSON, tables, and safe ranges as code for a training script.

A `Report` is what files are made of, whatever it tells of: `impact_report` makes that of one impact,
`augimpact.impact.compared` that of two. `written` writes any of them.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from augimpact.errors import DataError, OutputError, ParameterError, unknown
from augimpact.files import check_writable, filled_folder, written_whole
from augimpact.impact.panels import impact_panels
from augimpact.impact.safe_range import SafeRanges
from augimpact.once import once
from augimpact.profiling.drawing import Drawing, write_pdf
from augimpact.profiling.page import fragment, page
from augimpact.profiling.panel import Panel, strict

if TYPE_CHECKING:
    from augimpact.impact.result import Impact

__all__ = ["SCHEMA", "Report", "check_place", "impact_html", "impact_report", "ranges_of", "recipe_of", "save_report"]

logger = logging.getLogger(__name__)
SCHEMA = "augimpact-impact/1"
LIBRARIES = ("augimpact", "torchvision", "albumentations", "fastai")
CODE = "augment_{}.py"


@dataclass(frozen=True, eq=False)
class Report:
    """What files are made of, each part once.

    Attributes:
        title: of the page.
        told: of what it is, in a line.
        panels: in the order in which they are read.
        about: what the JSON has besides the panels: `schema` and what made it.
        curves: makes the table of a `.csv`.
        table: makes that of a `.parquet`.
        code: makes what a folder has besides, texts by the names of their files.
        code_names: all that these files may be called.
        stem: what the JSON in a folder is called.
    """

    title: str
    told: str
    panels: Sequence[Panel]
    about: Mapping[str, Any]
    curves: Callable[[], pd.DataFrame]
    table: Callable[[], pd.DataFrame]
    code: Callable[[], Mapping[str, str]] = dict
    code_names: Sequence[str] = ()
    stem: str = "impact"

    @once
    def drawings(self) -> list[Drawing]:
        """The figures of the panels."""
        return [Drawing(panel) for panel in self.panels]

    @once
    def document(self) -> dict[str, Any]:
        """All statistics as JSON has them; `panels` has by name `title`, `sentence` and `statistics`."""
        told = {
            panel.name: strict({"title": panel.title, "sentence": panel.sentence, "statistics": panel.statistics})
            for panel in self.panels
        }
        return {**strict(self.about), "complete": True, "panels": told}

    @property
    def html(self) -> str:
        """The panels as a fragment of a page, figures inside."""
        return fragment(self.drawings, complete=True)

    def save(self, path: Path) -> list[Path]:
        """Writes one file by its suffix; without a suffix all into a folder, each there whole or not at all.

        Args:
            path: of a `.html`, `.pdf`, `.json`, `.csv` (the curves) or `.parquet` (the table); or of a folder.

        Raises:
            OutputError: an unknown suffix, or a place that cannot be written.
        """
        if path.suffix and not path.is_dir():
            write = _writer_of(path)
            with written_whole(path) as temporary:
                write(self, temporary)
            return [path]
        names = [name.format(self.stem) for name in NAMES]
        with filled_folder(path) as temporary:
            for name in names:
                _writer_of(Path(name))(self, temporary / name)
            code = self.code()
            for name, text in code.items():
                (temporary / name).write_text(text, encoding="utf-8")
        # What an earlier report allowed may be too much for this one.
        for name in set(self.code_names) - set(code):
            (path / name).unlink(missing_ok=True)
        return [path / name for name in [*names, *code]]


def impact_report(impact: Impact, ranges: SafeRanges | None) -> Report:
    """What is told of one impact.

    Args:
        impact: of N samples.
        ranges: its safe ranges, see `ranges_of`.
    """
    count, settings = impact.outcomes.predicted.shape
    return Report(
        title="Impact of augmentation",
        told=f"{impact.recipe['name']}: {count:,} images under {settings} settings",
        panels=impact_panels(impact, ranges),
        about={"schema": SCHEMA, "recipe": recipe_of(impact)},
        curves=impact.curves,
        table=impact.table,
        code=lambda: _code_of(ranges),
        code_names=[CODE.format(library) for library in LIBRARIES],
    )


def save_report(impact: Impact, path: Path, **options: Any) -> list[Path]:
    """Writes the report of an impact, see `Report.save`; a folder also has the safe ranges as code.

    Args:
        impact: what is told.
        path: of a file, or of a folder.
        **options: of the safe ranges.
    """
    return impact_report(impact, ranges_of(impact, **options)).save(path)


def impact_html(impact: Impact) -> str:
    """The panels of an impact as a fragment of a page."""
    return impact_report(impact, ranges_of(impact)).html


def ranges_of(impact: Impact, **options: Any) -> SafeRanges | None:
    """The safe ranges, see `Impact.ranges`; None where no path passes neutral."""
    try:
        return impact.ranges(**options)
    except DataError as error:
        logger.warning("no safe ranges: %s", error)
        return None


def recipe_of(impact: Impact) -> dict[str, Any]:
    """What made it, without the names of all the classifier's classes."""
    return {name: value for name, value in impact.recipe.items() if name != "names"}


def check_place(path: Path) -> None:
    """So that a long run does not end in a refusal.

    Raises:
        OutputError: an unknown suffix, or a place that cannot be written.
    """
    if path.suffix and not path.is_dir():
        _writer_of(path)
        check_writable(path)


def _code_of(ranges: SafeRanges | None) -> dict[str, str]:
    """The ranges as code, a file a library that has all of them; none where not one parameter may leave neutral."""
    found: dict[str, str] = {}
    if ranges is None or all(low == high for low, high in ranges.values()):
        return found
    for library in LIBRARIES:
        try:
            found[CODE.format(library)] = ranges.as_code(library)
        except ParameterError as error:
            logger.warning("no code for %s: %s", library, error)
    return found


def _writer_of(path: Path) -> Callable[[Report, Path], None]:
    if path.suffix not in WRITERS:
        raise OutputError(unknown("suffix of a report", path.suffix, WRITERS))
    return WRITERS[path.suffix]


def _write_html(report: Report, path: Path) -> None:
    text = page(report.drawings, report.document, title=report.title, told=report.told)
    path.write_text(text, encoding="utf-8")


def _write_pdf(report: Report, path: Path) -> None:
    write_pdf(report.drawings, path)


def _write_json(report: Report, path: Path) -> None:
    path.write_text(json.dumps(report.document, indent=1, ensure_ascii=False, allow_nan=False), encoding="utf-8")


def _write_csv(report: Report, path: Path) -> None:
    report.curves().to_csv(path, index=False)


def _write_parquet(report: Report, path: Path) -> None:
    report.table().to_parquet(path, index=False)


WRITERS: dict[str, Callable[[Report, Path], None]] = {
    ".html": _write_html,
    ".pdf": _write_pdf,
    ".json": _write_json,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}
NAMES = ("report.html", "report.pdf", "{}.json", "curves.csv", "table.parquet")
