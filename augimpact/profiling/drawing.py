"""The figures of a report, each made and laid out once, however many files show it."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augimpact.once import once
from augimpact.profiling.panel import INK, MUTED, Panel, quiet_fonts, strict
from augimpact.profiling.tables import tables_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Drawing", "write_pdf"]

# Twice what a page shows, for fine screens; of pictures as many as they have.
DPI, PICTURES_DPI = 160, 120
# A page of A5, in inches; a figure that is higher has a higher one.
PAGE, MARGIN = (5.83, 8.27), 0.5
# Letters in a line of a page, of the sentence and of the numbers; inches between lines; lines of numbers at most.
SENTENCE, NUMBERS = 84, 76
LINE, NUMBER_LINE, MOST_LINES = 0.17, 0.142, 240
TITLE = 0.35


class Drawing:
    """A panel's figure, as a picture and as pages.

    Args:
        panel: of which it is.
    """

    def __init__(self, panel: Panel) -> None:
        self.panel = panel

    @once
    def figure(self) -> Figure:
        """Laid out for good: each further layout would take as long as drawing does."""
        figure = self.panel.figure()
        engine = figure.get_layout_engine()
        if engine is not None:
            with quiet_fonts():
                engine.execute(figure)
            figure.set_layout_engine(None)
        return figure

    @once
    def png(self) -> bytes:
        """Charts on white, pictures on nothing."""
        file = io.BytesIO()
        pictures = self.panel.pictures
        with quiet_fonts():
            self.figure.savefig(file, format="png", dpi=self._dpi, transparent=pictures, metadata={"Software": None})
        return file.getvalue()

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height of the PNG."""
        width, height = self.figure.get_size_inches()
        return int(width * self._dpi), int(height * self._dpi)

    @property
    def _dpi(self) -> int:
        return PICTURES_DPI if self.panel.pictures else DPI

    def add_pages(self, pages: Any) -> None:
        """Title, sentence, figure and numbers; the numbers on as many pages as they need.

        Args:
            pages: a `PdfPages`.
        """
        from matplotlib.figure import Figure

        figure = self.figure
        width, height = figure.get_size_inches()
        sentence = textwrap.wrap(strict(self.panel.sentence), SENTENCE)
        above = MARGIN + TITLE + LINE * len(sentence) + 0.1
        below = max(PAGE[1] - above - height, MARGIN)
        left, right = (width - PAGE[0]) / 2, (width + PAGE[0]) / 2
        lines = list(_lines_of(self.panel))
        room = int((below - MARGIN) / NUMBER_LINE)
        # All is said around the figure, outside of what its PNG shows.
        start = left + MARGIN
        texts = [
            _put(figure, start, height + above - MARGIN, [strict(self.panel.title)], size=13, weight="bold"),
            _put(figure, start, height + above - MARGIN - TITLE, sentence, size=8, color=MUTED, linespacing=1.3),
            _put(figure, start, -0.12, lines[:room], size=7.5, family="monospace", linespacing=1.2),
        ]
        with quiet_fonts():
            pages.savefig(figure, bbox_inches=_box(left, -below, right, height + above))
            for text in texts:
                text.remove()
            for first in range(room, len(lines), int((PAGE[1] - 2 * MARGIN) / NUMBER_LINE)):
                page = Figure(PAGE)
                part = lines[first : first + int((PAGE[1] - 2 * MARGIN) / NUMBER_LINE)]
                _put(page, MARGIN, PAGE[1] - MARGIN, part, size=7.5, family="monospace", linespacing=1.2)
                pages.savefig(page)


def _put(figure: Figure, left: float, top: float, lines: Sequence[str], **looks: Any) -> Any:
    """Lines of text at a place in inches, which may lie outside the figure."""
    width, height = figure.get_size_inches()
    looks = {"color": INK, **looks}
    return figure.text(left / width, top / height, "\n".join(lines), ha="left", va="top", parse_math=False, **looks)


def _box(left: float, bottom: float, right: float, top: float) -> Any:
    from matplotlib.transforms import Bbox

    return Bbox.from_extents(left, bottom, right, top)


def _lines_of(panel: Panel) -> Iterator[str]:
    """The numbers as lines of equally wide letters."""
    lines: list[str] = []
    for table in tables_of(panel.statistics):
        rows = [table.header, *table.rows]
        names = max(len(row[0]) for row in rows)
        others = max((len(cell) for row in rows for cell in row[1:]), default=0)
        names = min(names, 40)
        others = min(others, (NUMBERS - names) // max(1, len(table.header) - 1) - 2)
        lines += ([table.title] if table.title else []) + [
            f"{_cut(row[0], names):<{names}}" + "".join(f"  {_cut(cell, others):>{others}}" for cell in row[1:])
            for row in rows
            if any(row)
        ]
        lines.append("")
    yield from lines[:MOST_LINES]
    if len(lines) > MOST_LINES:
        yield f"… and {len(lines) - MOST_LINES} lines more: profile.json has all"


def _cut(text: str, letters: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= letters else f"{text[: max(1, letters - 1)]}…"


def write_pdf(drawings: Sequence[Drawing], path: Path) -> None:
    """A page or more a panel: its title, its sentence, its figure, its numbers."""
    from matplotlib.backends.backend_pdf import PdfPages

    with PdfPages(path, metadata={"Creator": "augimpact", "Producer": None, "CreationDate": None}) as pages:
        for drawing in drawings:
            drawing.add_pages(pages)
