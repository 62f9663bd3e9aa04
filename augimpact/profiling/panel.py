"""One panel of a profile: statistics, a sentence, a figure; and how every figure looks.

A figure is as wide as a phone, so that its letters are there as large as the page's. Charts are dark on white, which a
dark page inverts; pictures lie on nothing, and their captions on plates, so that they are read on white and on black.
"""

from __future__ import annotations

import io
import math
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "COLOURS", "PART", "Panel", "classes_are", "counted", "draw_nothing", "draw_pictures", "quiet_fonts", "shortened",
    "strict",
]  # fmt: skip

# Of the splits, in this order: as the page has them.
COLOURS = ("#2457d6", "#d1495b", "#1f9e89", "#b07aa1")
# Why what is not there may be elsewhere.
PART = "Only part of the data was looked at"
# In inches.
SIZE = (4.8, 2.9)
INK, MUTED, LINE = "#1b1f24", "#667080", "#e3e7ec"
# In points; matplotlib's own size is changed, others were asked for.
SMALL, USUAL = 9, 10
# Letters of a label along a figure, and up along it; and of a caption in a row of pictures.
ACROSS, UPWARDS, CAPTION = 62, 34, 72
# Classes that a sentence names, and the letters of each.
NAMED, NAMED_LETTERS = 3, 24
# Of a legend above a figure, and what the mark of a name takes of it.
LEGEND, MARK = 42, 3
CAPTION_INCHES, DPI = 0.2, 110
# Of a table, in inches.
ROW = 0.28
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Panel:
    """What one question about a dataset comes to.

    Attributes:
        name: by which it is found.
        title: as a person reads it.
        statistics: numbers, texts, lists and mappings of these; strict JSON.
        sentence: what it shows, and when to worry.
        draw: puts it on a figure.
        pictures: whether its figure shows pictures, whose colours stay in the dark.
    """

    name: str
    title: str
    statistics: Mapping[str, Any]
    sentence: str
    draw: Callable[[Figure], None]
    pictures: bool = False

    def figure(self) -> Figure:
        """The panel as a matplotlib figure of its own."""
        from matplotlib.figure import Figure

        figure = Figure(SIZE, layout="constrained")
        self.draw(figure)
        _dress(figure)
        return figure

    def __repr__(self) -> str:
        return f"Panel({self.name!r})"

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        with quiet_fonts():
            self.figure().savefig(file, format="png", dpi=DPI)
        return file.getvalue()


def draw_pictures(figure: Figure, pictures: Sequence[Bytes], captions: Sequence[str], columns: int) -> None:
    """Pictures in rows, each in the middle of a cell as large as the largest, its caption below.

    They are one image, which is drawn many times faster than each in axes of its own.

    Args:
        figure: becomes as high as they need.
        pictures: `(h, w, 3)` each.
        captions: one each, of one line or more; a line is cut where it is too long.
        columns: at most so many in a row.
    """
    from matplotlib.patches import Rectangle

    columns = max(1, min(columns, len(pictures)))
    high, wide = (max((each.shape[axis] for each in pictures), default=1) for axis in (0, 1))
    rows, across = -(-len(pictures) // columns), columns * wide * 13 // 12
    # Few pictures are no larger than many.
    width = min(SIZE[0], columns * 1.6)
    lines = max((caption.count("\n") + 1 for caption in captions), default=1)
    band = math.ceil(CAPTION_INCHES * lines * across / width)
    step = across // columns
    canvas = np.zeros((max(1, rows) * (high + band), across, 4), np.uint8)
    places = [((number // columns) * (high + band), (number % columns) * step) for number in range(len(pictures))]
    for (top, left), each in zip(places, pictures, strict=True):
        top, left = top + (high - each.shape[0]) // 2, left + (step - each.shape[1]) // 2
        canvas[top : top + each.shape[0], left : left + each.shape[1], :3] = each[..., :3]
        canvas[top : top + each.shape[0], left : left + each.shape[1], 3] = 255
    figure.set_size_inches(SIZE[0], SIZE[0] * canvas.shape[0] / across * width / SIZE[0])
    axes = figure.subplots()
    axes.imshow(canvas, aspect="equal")
    axes.axis("off")
    letters = int(CAPTION * width / SIZE[0] / columns)
    for (top, left), caption in zip(places, captions, strict=True):
        shown = "\n".join(shortened(line, letters) for line in caption.split("\n"))
        # A caption alone would have to be of a grey that is read neither on white nor on black with ease.
        plate = Rectangle((left + step * 0.01, top + high + band * 0.04), step * 0.98, band * 0.82, color=LINE)
        axes.add_patch(plate)
        axes.text(left + step / 2, top + high + band * 0.45, shown, size=8, ha="center", va="center")


def draw_nothing(figure: Figure) -> None:
    """What stands in the place of a chart without a bar."""
    axes = figure.subplots()
    axes.axis("off")
    axes.text(0.5, 0.5, "nothing to show", size=SMALL, ha="center", va="center")


@contextmanager
def quiet_fonts() -> Iterator[None]:
    """Within it, names in letters that the font lacks are drawn as boxes without a warning each."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        yield


def strict(value: Any) -> Any:
    """As JSON has it: plain types, no NaN or infinity, which become None; floats of six digits; texts that are UTF-8.

    >>> strict({"a": np.float32(0.5), "b": [float("nan"), np.int64(3)]})
    {'a': 0.5, 'b': [None, 3]}
    """
    if isinstance(value, Mapping):
        return {strict(str(key)): strict(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return strict(value.tolist())
    if isinstance(value, (list, tuple)):
        return [strict(each) for each in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return float(f"{number:.6g}") if math.isfinite(number) else None
    # A folder's name that is not UTF-8 has lone surrogates.
    return None if value is None else str(value).encode("utf-8", "replace").decode()


def counted(number: int, thing: str) -> str:
    """A number of things, in words.

    >>> counted(1, "image"), counted(2, "image")
    ('1 image', '2 images')
    """
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def classes_are(names: Sequence[str]) -> str:
    """How a sentence of these classes begins: it names the first.

    >>> classes_are(["owl"]), classes_are(["a", "b", "c", "d", "e"])
    ('1 class (owl) is', '5 classes (a, b, c, …) are')
    """
    told = ", ".join(shortened(str(name), NAMED_LETTERS) for name in names[:NAMED]) + ", …" * (len(names) > NAMED)
    return f"1 class ({told}) is" if len(names) == 1 else f"{len(names)} classes ({told}) are"


def shortened(text: str, letters: int) -> str:
    """In one line, and of so many letters at most: names differ at their ends, so that the middle is left out.

    >>> shortened("a photograph of a cat", 12)
    'a phot…a cat'
    """
    text = " ".join(strict(text).split())
    if len(text) <= letters:
        return text
    behind = max(0, letters - 1) // 2
    return f"{text[: max(1, letters - 1 - behind)]}…{text[len(text) - behind :]}"


def _dress(figure: Figure) -> None:
    """Gives whatever was drawn the looks of all figures."""
    from matplotlib.text import Text

    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(MUTED)
        if axes.axison:
            _dress_chart(axes)
    tables = [table for axes in figure.axes for table in axes.tables]
    for table in tables:
        rows = 1 + max(place[0] for place in table.get_celld())
        table.auto_set_font_size(False)
        for cell in table.get_celld().values():
            cell.visible_edges = "horizontal"
            cell.set(edgecolor=LINE, linewidth=0.8, fontsize=SMALL, height=0.96 / rows)
        if len(tables) == len(figure.axes) == 1:
            figure.set_size_inches(SIZE[0], ROW * rows)
    for text in figure.findobj(Text):
        # A class may be called `$x$`.
        text.set_parse_math(False)
        text.set_text(strict(text.get_text()))
        if text.get_color() == "black":
            text.set_color(INK)


def _dress_chart(axes: Axes) -> None:
    place = axes.get_subplotspec()
    beside = 1 if place is None else place.get_gridspec().ncols // len(place.colspan)
    axes.xaxis.label.set_text(textwrap.fill(axes.get_xlabel(), ACROSS // beside))
    axes.yaxis.label.set_text(textwrap.fill(axes.get_ylabel(), UPWARDS))
    for axis, limit in ((axes.xaxis, axes.set_xlim), (axes.yaxis, axes.set_ylim)):
        axis.set_tick_params(color=MUTED)
        if axis.label.get_fontsize() == USUAL:
            axis.label.set_fontsize(SMALL)
        ticks = axis.get_major_ticks()
        if ticks and ticks[0].label1.get_fontsize() == USUAL:
            axis.set_tick_params(labelsize=SMALL)
        if tuple(axis.get_data_interval()) == (0, 0):
            # Nothing but bars of no length.
            limit(0, 1)
    if not axes.images:
        has_names = type(axes.yaxis.get_major_formatter()).__name__ in ("StrCategoryFormatter", "FuncFormatter")
        axes.grid(axis="x" if has_names else "y", color=LINE, linewidth=0.8)
        axes.set_axisbelow(True)
    legend = axes.get_legend()
    if legend is not None:
        _lift(axes, [text.get_text() for text in legend.get_texts()], legend.legend_handles, beside)


def _lift(axes: Axes, names: Sequence[str], handles: Sequence[Any], beside: int) -> None:
    """Puts the legend above the axes, of which there are so many beside each other, where it hides nothing."""
    fitting = (each for each in (len(names), 2) if _width(names, each) < LEGEND // beside)
    columns = next(fitting, 2 if beside == 1 else 1)
    axes.legend(
        handles, names, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, fontsize=SMALL, frameon=False,
        borderaxespad=0.1, handlelength=1.2, columnspacing=1.2,
    )  # fmt: skip


def _width(names: Sequence[str], columns: int) -> int:
    """The letters of the longest name of each column and of its mark, which are filled one after the other."""
    rows = -(-len(names) // columns)
    return sum(MARK + max(map(len, names[first : first + rows])) for first in range(0, len(names), rows))
