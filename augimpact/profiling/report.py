"""A profile as files, all from its panels: JSON, text, one self-contained page, PDF, a table of samples."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from augimpact.errors import OutputError, unknown
from augimpact.files import written_whole
from augimpact.measures import MEASURES
from augimpact.profiling.panel import Panel, strict

if TYPE_CHECKING:
    from augimpact.profiling.extract import Profile

__all__ = ["SCHEMA", "document_of", "panels_html", "save_report", "text_of"]

SCHEMA = "augimpact-profile/1"
DPI = 110
STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --muted: #667080; --line: #dfe3e8; --page: #f6f7f9; --card: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ebef; --muted: #97a1ae; --line: #2f3640; --page: #14171b; --card: #1c2026; }
  .profile img { filter: invert(.9) hue-rotate(180deg); }
  .profile .pictures img { filter: none; }
}
.profile { font: 14px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); padding: 16px; }
.profile .panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 420px), 1fr)); gap: 14px; }
.profile section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; }
.profile h2 { font-size: 15px; margin: 0; } .profile p { color: var(--muted); margin: 4px 0 8px; }
.profile img { width: 100%; height: auto; }
"""


def document_of(profile: Profile) -> dict[str, Any]:
    """All statistics as JSON has them: no NaN, sorted as they are read, with the version of their schema."""
    panels = {
        panel.name: {"title": panel.title, "sentence": panel.sentence, "statistics": strict(panel.statistics)}
        for panel in profile.panels
    }
    return {"schema": SCHEMA, "complete": profile.complete, "panels": panels}


def text_of(profile: Profile) -> str:
    """The same as text: a paragraph a panel, a line a number."""
    lines = [] if profile.complete else ["Not all samples were seen.", ""]
    for panel in profile.panels:
        lines += [panel.title, "=" * len(panel.title), panel.sentence, ""]
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


def panels_html(profile: Profile) -> str:
    """The panels as a fragment of a page, figures inside."""
    cards = "".join(_card(panel) for panel in profile.panels)
    told = "" if profile.complete else "<p>Not all samples were seen.</p>"
    return f'<style>{STYLE}</style><div class="profile">{told}<div class="panels">{cards}</div></div>'


def _card(panel: Panel) -> str:
    title = escape(panel.title)
    picture = base64.b64encode(_png(panel)).decode()
    # Photographs are not inverted in the dark.
    kind = " class=pictures" if panel.pictures else ""
    return (
        f'<section id="{escape(panel.name)}"{kind}><h2>{title}</h2><p>{escape(panel.sentence)}</p>'
        f'<img alt="{title}" src="data:image/png;base64,{picture}"></section>'
    )


def save_report(profile: Profile, path: Path) -> list[Path]:
    """Writes one file by its suffix; without a suffix all of them into a folder.

    Raises:
        OutputError: an unknown suffix, or a place that cannot be written.
    """
    if path.suffix:
        if path.suffix not in WRITERS:
            raise OutputError(unknown("suffix of a report", path.suffix, WRITERS))
        with written_whole(path) as temporary:
            WRITERS[path.suffix](profile, temporary)
        return [path]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write to the folder {str(path)!r}: {error.strerror or error}") from error
    names = ("profile.json", "profile.txt", "report.html", "report.pdf", "samples.csv")
    return [each for name in names for each in save_report(profile, path / name)]


def _write_html(profile: Profile, path: Path) -> None:
    data = json.dumps(document_of(profile), ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    path.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Profile</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head><body style="margin:0">'
        f'{panels_html(profile)}<script type="application/json" id="profile">{data}</script></body></html>',
        encoding="utf-8",
    )


def _write_pdf(profile: Profile, path: Path) -> None:
    """A page a panel: its title, its sentence, its figure."""
    import textwrap

    from matplotlib.backends.backend_pdf import PdfPages

    with PdfPages(path) as pages:
        for panel in profile.panels:
            figure = panel.figure()
            figure.suptitle(panel.title, x=0.02, ha="left", fontsize=12)
            figure.set_size_inches(8.3, 5.2)
            figure.supxlabel("\n".join(textwrap.wrap(panel.sentence, 110)), x=0.02, ha="left", fontsize=8)
            pages.savefig(figure)


def _write_csv(profile: Profile, path: Path) -> None:
    """A row a sample: its split, index, class, size and measures; where it lies, if that may be told."""
    parts = []
    for split, frame in profile.frames.items():
        shown = frame[["index", "width", "height", *MEASURES]].copy()
        shown.insert(0, "split", split)
        names = [profile.naming.label(label) if label >= 0 else "" for label in frame["label"]]
        shown.insert(2, "class", names)
        if split in profile.paths:
            shown["path"] = [profile.paths[split].get(index, "") for index in frame["index"]]
        parts.append(shown)
    pd.concat(parts).to_csv(path, index=False)


def _png(panel: Panel) -> bytes:
    file = io.BytesIO()
    panel.figure().savefig(file, format="png", dpi=DPI)
    return file.getvalue()


def _write_json(profile: Profile, path: Path) -> None:
    path.write_text(json.dumps(document_of(profile), indent=1, ensure_ascii=False, allow_nan=False), encoding="utf-8")


def _write_text(profile: Profile, path: Path) -> None:
    path.write_text(text_of(profile), encoding="utf-8")


WRITERS: dict[str, Callable[[Profile, Path], None]] = {
    ".json": _write_json,
    ".txt": _write_text,
    ".html": _write_html,
    ".pdf": _write_pdf,
    ".csv": _write_csv,
}
