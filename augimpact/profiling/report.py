"""A profile as files, all from its panels: JSON, text, one page, PDF, a table of samples, TensorBoard.

Figures are drawn in `drawing.py` once for all of them; HTML is in `page.py`, TensorBoard's format in `events.py`.

What leaves is what the panels say, with classes and samples called as `Naming` has it. No picture, path or class of a
single sample leaves unless samples were asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from augimpact.errors import OutputError, unknown
from augimpact.files import filled_folder, make_folder, written_whole
from augimpact.measures import MEASURES
from augimpact.profiling.drawing import Drawing, write_pdf
from augimpact.profiling.events import EVENTS, write_events
from augimpact.profiling.page import fragment, page
from augimpact.profiling.panel import counted, strict

if TYPE_CHECKING:
    from augimpact.profiling.result import Profile

__all__ = ["SCHEMA", "check_place", "document_of", "panels_html", "save_events", "save_report", "text_of"]

SCHEMA = "augimpact-profile/2"
# What a folder gets; TensorBoard's is in a folder of its own, which is its `--logdir`.
NAMES = ("profile.json", "profile.txt", "report.html", "report.pdf", "samples.csv")
TENSORBOARD = "tensorboard"


def document_of(profile: Profile) -> dict[str, Any]:
    """All statistics as JSON has them: no NaN, in the order in which they are read, with the version of their schema.

    `schema` is `augimpact-profile/2`; `complete` whether all samples were seen; `panels` has by name the `title`, the
    `sentence` and the `statistics`; with augmentation those by split have, as "train, difference", for each number that
    "train" and "train, augmented" have, augmented less raw. Of long lists there are the first: of the `indices` of odd
    images and the `images` of faulty boxes 12, of all other indices, `failures` and `groups` of duplicates 30; how many
    there are is beside them, as `count`, `image_count` and `group_count`. The number of the schema grows when something
    that was there is gone or means something else.
    """
    panels = {
        panel.name: strict({"title": panel.title, "sentence": panel.sentence, "statistics": panel.statistics})
        for panel in profile.panels
    }
    return {"schema": SCHEMA, "complete": profile.complete, "panels": panels}


def text_of(profile: Profile) -> str:
    """The same as text: a paragraph a panel, a line a number."""
    lines = [] if profile.complete else ["Not all samples were seen.", ""]
    for panel in profile.panels:
        title = strict(panel.title)
        lines += [title, "=" * len(title), strict(panel.sentence), ""]
        lines += [f"{name}: {value}" for name, value in flat(strict(panel.statistics))]
        lines.append("")
    return "\n".join(lines)


def flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Names with dots, and what they stand for; lists in one line."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from flat(each, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(each, (Mapping, list)) for each in value):
        for number, each in enumerate(value):
            yield from flat(each, f"{name}[{number}]")
    else:
        yield name, json.dumps(value, ensure_ascii=False)


def table_of(profile: Profile) -> pd.DataFrame:
    """A row a sample: its split, index, size and measures, as far as there are panels of them.

    Where samples were asked for also its class, if there is that panel, and its path, if the profile may tell it.
    """
    panels = {panel.name for panel in profile.panels}
    sizes = ["width", "height"] if "sizes" in panels else []
    parts = []
    for split, frame in profile.frames.items():
        shown = frame[["index", *sizes, *(name for name in MEASURES if name in panels)]].copy()
        shown.insert(0, "split", split)
        if profile.shows_samples and "classes" in panels:
            names = [strict(profile.naming.label(label)) if label >= 0 else "" for label in frame["label"]]
            shown.insert(2, "class", names)
        if any(profile.paths.values()):
            known = profile.paths.get(split, {})
            shown["path"] = [strict(known.get(index, "")) for index in frame["index"]]
        parts.append(shown)
    return pd.concat(parts, ignore_index=True)


def panels_html(profile: Profile) -> str:
    """The panels as a fragment of a page, figures inside."""
    return fragment(_drawings(profile), complete=profile.complete)


def check_place(path: Path) -> None:
    """So that a long pass does not end in a refusal.

    Raises:
        OutputError: an unknown suffix, or a place that cannot be written.
    """
    from augimpact.files import check_writable

    if not _is_folder(path):
        _writer_of(path)
        check_writable(path)
        return
    nearest = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not nearest.is_dir():
        raise OutputError(f"cannot write to the folder {str(path)!r}: {str(nearest)!r} is a file")
    check_writable(nearest / NAMES[0])


def save_report(profile: Profile, path: Path) -> list[Path]:
    """Writes one file by its suffix; without a suffix all of them into a folder, each there whole or not at all.

    Raises:
        OutputError: an unknown suffix, or a place that cannot be written.
    """
    drawings = _drawings(profile)
    if not _is_folder(path):
        return [_save_one(profile, drawings, path, path)]
    with filled_folder(path) as temporary:
        written = [_save_one(profile, drawings, temporary / name, path / name) for name in NAMES]
        if find_spec("tensorboard") is not None:
            (temporary / TENSORBOARD).mkdir()
            write_events(drawings, temporary / TENSORBOARD / EVENTS)
            written.append(path / TENSORBOARD / EVENTS)
    return written


def save_events(profile: Profile, folder: Path) -> Path:
    """Writes TensorBoard's file alone, in place of an earlier one.

    Raises:
        OutputError: there is no TensorBoard, or the place cannot be written.
    """
    if find_spec("tensorboard") is None:
        raise OutputError("tensorboard is not installed; expected it, by pip install 'augimpact[tensorboard]'")
    make_folder(folder)
    with written_whole(folder / EVENTS) as temporary:
        write_events(_drawings(profile), temporary)
    return folder / EVENTS


def _drawings(profile: Profile) -> list[Drawing]:
    return [Drawing(panel) for panel in profile.panels]


def _is_folder(path: Path) -> bool:
    return path.is_dir() or not path.suffix


def _writer_of(path: Path) -> Writer:
    if path.suffix not in WRITERS:
        raise OutputError(unknown("suffix of a report", path.suffix, WRITERS))
    return WRITERS[path.suffix]


def _save_one(profile: Profile, drawings: Sequence[Drawing], place: Path, named: Path) -> Path:
    write = _writer_of(place)
    with written_whole(place) as temporary:
        write(profile, drawings, temporary)
    return named


def _write_html(profile: Profile, drawings: Sequence[Drawing], path: Path) -> None:
    told = ", ".join(f"{counted(len(frame), 'image')} in {split}" for split, frame in profile.frames.items())
    path.write_text(page(drawings, document_of(profile), title="Profile of a dataset", told=told), encoding="utf-8")


def _write_pdf(_profile: Profile, drawings: Sequence[Drawing], path: Path) -> None:
    write_pdf(drawings, path)


def _write_csv(profile: Profile, _drawings: Sequence[Drawing], path: Path) -> None:
    table_of(profile).to_csv(path, index=False)


def _write_json(profile: Profile, _drawings: Sequence[Drawing], path: Path) -> None:
    path.write_text(json.dumps(document_of(profile), indent=1, ensure_ascii=False, allow_nan=False), encoding="utf-8")


def _write_text(profile: Profile, _drawings: Sequence[Drawing], path: Path) -> None:
    path.write_text(text_of(profile), encoding="utf-8")


Writer = Callable[["Profile", Sequence[Drawing], Path], None]
WRITERS: dict[str, Writer] = {
    ".json": _write_json,
    ".txt": _write_text,
    ".html": _write_html,
    ".pdf": _write_pdf,
    ".csv": _write_csv,
}
