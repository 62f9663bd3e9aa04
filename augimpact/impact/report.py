"""An impact as files: one page, PDF, JSON, tables, and the safe ranges as code for a training script."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augimpact.errors import DataError, OutputError, unknown
from augimpact.files import check_writable, filled_folder, written_whole
from augimpact.impact.panels import impact_panels
from augimpact.impact.safe_range import SafeRanges
from augimpact.profiling.drawing import Drawing, write_pdf
from augimpact.profiling.page import fragment, page
from augimpact.profiling.panel import strict

if TYPE_CHECKING:
    from augimpact.impact.result import Impact

__all__ = ["SCHEMA", "document_of", "impact_html", "ranges_of", "save_report"]

logger = logging.getLogger(__name__)
SCHEMA = "augimpact-impact/1"
LIBRARIES = ("augimpact", "torchvision", "albumentations", "fastai")


class _Report:
    """What files are made of, each part once."""

    def __init__(self, impact: Impact, ranges: SafeRanges | None) -> None:
        self.impact, self.ranges = impact, ranges
        self.drawings = [Drawing(panel) for panel in impact_panels(impact, ranges)]
        self.document = document_of(impact, [drawing.panel for drawing in self.drawings])

    @property
    def told(self) -> str:
        """Of what it is, in a line."""
        count, settings = self.impact.outcomes.predicted.shape
        return f"{self.impact.recipe['name']}: {count:,} images under {settings} settings"


def document_of(impact: Impact, panels: Sequence[Any]) -> dict[str, Any]:
    """All statistics as JSON has them, with the version of their schema and what made them.

    `schema` is `augimpact-impact/1`; `recipe` what was asked; `panels` has by name `title`, `sentence`, `statistics`.
    """
    told = {
        panel.name: strict({"title": panel.title, "sentence": panel.sentence, "statistics": panel.statistics})
        for panel in panels
    }
    recipe = {name: value for name, value in impact.recipe.items() if name != "names"}
    return {"schema": SCHEMA, "complete": True, "recipe": strict(recipe), "panels": told}


def impact_html(impact: Impact) -> str:
    """The panels as a fragment of a page, figures inside."""
    return fragment(_Report(impact, ranges_of(impact)).drawings, complete=True)


def ranges_of(impact: Impact, **options: Any) -> SafeRanges | None:
    """The safe ranges, see `Impact.ranges`; None where a path does not pass neutral."""
    try:
        return impact.ranges(**options)
    except DataError as error:
        logger.warning("no safe ranges: %s", error)
        return None


def check_place(path: Path) -> None:
    """So that a long run does not end in a refusal.

    Raises:
        OutputError: an unknown suffix, or a place that cannot be written.
    """
    if path.suffix and not path.is_dir():
        _writer_of(path)
        check_writable(path)


def save_report(impact: Impact, path: Path, **options: Any) -> list[Path]:
    """Writes one file by its suffix; without a suffix all of them into a folder, each there whole or not at all.

    Args:
        impact: what is told.
        path: of a `.html`, `.pdf`, `.json`, `.csv` (the curves) or `.parquet` (the table); or of a folder.
        **options: of the safe ranges.

    Raises:
        OutputError: an unknown suffix, or a place that cannot be written.
    """
    report = _Report(impact, ranges_of(impact, **options))
    if path.suffix and not path.is_dir():
        write = _writer_of(path)
        with written_whole(path) as temporary:
            write(report, temporary)
        return [path]
    with filled_folder(path) as temporary:
        for name in NAMES:
            _writer_of(Path(name))(report, temporary / name)
        names = [*NAMES, *_write_code(report, temporary)]
    return [path / name for name in names]


def _writer_of(path: Path) -> Callable[[_Report, Path], None]:
    if path.suffix not in WRITERS:
        raise OutputError(unknown("suffix of a report", path.suffix, WRITERS))
    return WRITERS[path.suffix]


def _write_html(report: _Report, path: Path) -> None:
    text = page(report.drawings, report.document, title="Impact of augmentation", told=report.told)
    path.write_text(text, encoding="utf-8")


def _write_pdf(report: _Report, path: Path) -> None:
    write_pdf(report.drawings, path)


def _write_json(report: _Report, path: Path) -> None:
    path.write_text(json.dumps(report.document, indent=1, ensure_ascii=False, allow_nan=False), encoding="utf-8")


def _write_csv(report: _Report, path: Path) -> None:
    report.impact.curves().to_csv(path, index=False)


def _write_parquet(report: _Report, path: Path) -> None:
    report.impact.table().to_parquet(path, index=False)


def _write_code(report: _Report, folder: Path) -> list[str]:
    """The ranges as code, a file a library; none where not one parameter may leave neutral."""
    if report.ranges is None or all(low == high for low, high in report.ranges.values()):
        return []
    for library in LIBRARIES:
        text = report.ranges.as_code(library)
        (folder / f"augment_{library}.py").write_text(text, encoding="utf-8")
    return [f"augment_{library}.py" for library in LIBRARIES]


WRITERS: dict[str, Callable[[_Report, Path], None]] = {
    ".html": _write_html,
    ".pdf": _write_pdf,
    ".json": _write_json,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}
NAMES = ("report.html", "report.pdf", "impact.json", "curves.csv", "table.parquet")
