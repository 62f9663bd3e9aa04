"""The files that keep a trace: arrays exactly as they are, or what a person and other programs read."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
import pandas as pd

from augimpact.as_code import code_of
from augimpact.augment.parameters import Parameter
from augimpact.errors import OutputError, unknown
from augimpact.models.outputs import Outputs
from augimpact.payload import described, payload_of
from augimpact.render.animate import LOOPS, MILLISECONDS, check_playback, write_gif, write_strip, write_webp
from augimpact.render.document import html_page
from augimpact.render.look import Look
from augimpact.render.video import write_mp4

if TYPE_CHECKING:
    from augimpact.profiling.reference import Reference
    from augimpact.trace import Trace

__all__ = [
    "FORMATS", "PICTURE_FORMATS", "Format", "file_bytes", "format_of", "read_npz", "write_code", "write_csv",
    "write_document",
]  # fmt: skip

ARRAYS = ("frames", "scores", "maps", "targets", "homographies")
NPZ_FORMAT = 2
TOP = 5

PICTURE_OPTIONS = tuple(each.name for each in fields(Look))
PLAYBACK_OPTIONS = ("milliseconds", "hold", "loop")
ANIMATION_OPTIONS = (*PICTURE_OPTIONS, "panels", *PLAYBACK_OPTIONS)
# What a page begins with, whoever reads it may choose anew; and what its frames are compared with.
PAGE_OPTIONS = ("opacity", "colour_map", "scale", "milliseconds", "loop", "reference")


class Format(NamedTuple):
    """write: `(trace, binary file, **options)`. options: the names of those."""

    write: Callable[..., None]
    options: tuple[str, ...] = ()


def format_of(path: str | Path, options: Iterable[str] = (), formats: Mapping[str, Format] | None = None) -> Format:
    """The format that the suffix names, by default one of a trace, if it has these options.

    Raises:
        OutputError: the suffix names none, or the format has no such option.
    """
    known = FORMATS if formats is None else formats
    suffix = Path(path).suffix.lower()
    if suffix not in known:
        raise OutputError(f"{str(path)!r} has the suffix {suffix!r}; expected one of {', '.join(known)}")
    for name in options:
        if name not in known[suffix].options:
            raise OutputError(f"{str(path)!r}: " + unknown(f"option of {suffix} files", name, known[suffix].options))
    return known[suffix]


def file_bytes(
    shown: Any, suffix: str, wishes: Mapping[str, Any], formats: Mapping[str, Format] | None = None
) -> bytes:
    """The content of the file that this suffix names, by default of a trace; of the `wishes` its format's are heard.

    Raises:
        OutputError: the suffix names no format.
    """
    chosen = format_of(f"file{suffix}", formats=formats)
    file = io.BytesIO()
    chosen.write(shown, file, **{name: wishes[name] for name in chosen.options if name in wishes})
    return file.getvalue()


def _animated(encode: Callable[..., None]) -> Format:
    """`encode` makes pictures move, see `augimpact.render.animate.write_gif`."""

    def write(shown: Any, file: BinaryIO, **options: Any) -> None:
        playback = {name: options.pop(name) for name in PLAYBACK_OPTIONS if name in options}
        encode(file, shown.pictures(**options), **playback)

    return Format(write, ANIMATION_OPTIONS)


def _write_strip(shown: Any, file: BinaryIO, **options: Any) -> None:
    write_strip(file, shown.pictures(**options))


def write_csv(file: BinaryIO, table: pd.DataFrame) -> None:
    """The table as comma-separated UTF-8, its index first."""
    file.write(table.to_csv().encode())


def write_code(file: BinaryIO, result: Any) -> None:
    """The Python that makes the result again, see `augimpact.as_code`."""
    file.write(code_of(result).encode())


def write_document(file: BinaryIO, document: Any) -> None:
    """The document as JSON that a person can read; a number that is none is an error."""
    file.write((json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())


def _write_html(
    trace: Trace,
    file: BinaryIO,
    *,
    milliseconds: int = MILLISECONDS,
    loop: str = LOOPS[0],
    reference: Reference | None = None,
    **options: Any,
) -> None:
    check_playback(milliseconds, milliseconds, loop)
    look = Look(**options)
    begin = {
        "opacity": look.opacity,
        "colours": look.colour_map,
        "scale": look.scale,
        "loop": loop,
        "milliseconds": milliseconds,
    }
    distributions = None if reference is None else reference.payload()
    page = html_page(payload_of(trace), **described(trace), look=begin, reference=distributions)
    # The name of a file may hold what is no text at all.
    file.write(page.encode(errors="replace"))


def _write_json(trace: Trace, file: BinaryIO) -> None:
    settings = trace.settings.to_dict(orient="records")
    targets = zip(trace.target_names(), trace.target_scores().tolist(), strict=True)
    frames = [
        {"setting": setting, **outputs, "target": target, "target_score": score}
        for setting, outputs, (target, score) in zip(settings, _outputs(trace), targets, strict=True)
    ]
    write_document(file, {"recipe": trace.recipe, "frames": frames, "flips": trace.flips().to_dict(orient="records")})


def _outputs(trace: Trace) -> list[dict[str, Any]]:
    """What the model said of each frame: the five top classes, or every value."""
    if not trace.outputs.are_classes:
        return [{"values": dict(zip(trace.labels, row, strict=True))} for row in trace.scores.tolist()]
    order = np.argsort(-trace.scores, axis=1, kind="stable")[:, :TOP]
    return [
        {"top": [{"label": trace.labels[index], "index": index, "score": float(row[index])} for index in indices]}
        for row, indices in zip(trace.scores, order.tolist(), strict=True)
    ]


def _write_npz(trace: Trace, file: BinaryIO) -> None:
    meta = {
        "format": NPZ_FORMAT,
        "parameters": [asdict(each) for each in trace.parameters],
        "outputs": trace.outputs.to_dict(),
        "against": trace.against,
        "recipe": trace.recipe,
        "located": None if trace.located is None else trace.located.to_dict(orient="list"),
    }
    arrays = _arrays(trace)
    if trace.neutral is not None:
        arrays |= {f"neutral_{name}": array for name, array in _arrays(trace.neutral).items()}
    np.savez(file, meta=np.array(json.dumps(meta)), **arrays)  # type: ignore[arg-type]


def _arrays(trace: Trace) -> dict[str, np.ndarray[Any, Any]]:
    arrays = {"settings": trace.settings.to_numpy()} | {name: getattr(trace, name) for name in ARRAYS}
    return arrays if trace.signals is None else arrays | {"signals": trace.signals}


def read_npz(path: str | Path) -> dict[str, Any]:
    """What a trace is made of, and under `neutral` the same of its neutral frame, if it has one.

    Raises:
        OutputError: the file is missing, or not one that a trace wrote.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            meta = json.loads(str(stored["meta"]))
            if meta["format"] != NPZ_FORMAT:
                age = "a newer" if meta["format"] > NPZ_FORMAT else "an older"
                raise OutputError(f"{str(path)!r} was written by {age} augimpact (format {meta['format']})")
            parts = _parts(stored, meta, "")
            parts["neutral"] = _parts(stored, meta, "neutral_") if "neutral_frames" in stored else None
    except OutputError:
        raise
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise OutputError(f"{str(path)!r} is not a trace that was saved as .npz: {error}") from error
    return parts


def _parts(stored: Mapping[str, Any], meta: dict[str, Any], prefix: str) -> dict[str, Any]:
    parameters = tuple(Parameter(**_with_tuples(each)) for each in meta["parameters"])
    parts = {name: stored[prefix + name] for name in ARRAYS}
    return parts | {
        "settings": pd.DataFrame(stored[f"{prefix}settings"], columns=[each.name for each in parameters]),
        "signals": stored.get(f"{prefix}signals"),
        "outputs": Outputs.from_dict(meta["outputs"]),
        "parameters": parameters,
        "against": meta["against"],
        "recipe": meta["recipe"],
        "located": None if prefix or meta["located"] is None else pd.DataFrame(meta["located"]),
    }


def _with_tuples(document: dict[str, Any]) -> dict[str, Any]:
    """JSON knows no tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in document.items()}


# Of whatever has `pictures`.
PICTURE_FORMATS: Mapping[str, Format] = {
    ".gif": _animated(write_gif),
    ".webp": _animated(write_webp),
    ".mp4": _animated(write_mp4),
    ".png": Format(_write_strip, PICTURE_OPTIONS),
}
FORMATS: Mapping[str, Format] = {
    **PICTURE_FORMATS,
    ".csv": Format(lambda trace, file: write_csv(file, trace.table())),
    ".npz": Format(_write_npz),
    ".html": Format(_write_html, PAGE_OPTIONS),
    ".json": Format(_write_json),
    ".py": Format(lambda trace, file: write_code(file, trace)),
}
