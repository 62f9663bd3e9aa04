"""The files that keep a trace: arrays exactly as they are, or what a person and other programs read."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
import pandas as pd

from augimpact.errors import OutputError, unknown
from augimpact.render.animate import write_gif, write_strip, write_webp
from augimpact.render.look import Look

if TYPE_CHECKING:
    from augimpact.trace import Trace

__all__ = ["FORMATS", "file_bytes", "format_of", "read_npz"]

ARRAYS = ("frames", "scores", "maps", "targets", "homographies")
NPZ_FORMAT = 1
TOP = 5

PICTURE_OPTIONS = tuple(each.name for each in fields(Look))
ANIMATION_OPTIONS = ("milliseconds", "hold", "loop")


class Format(NamedTuple):
    """write: `(trace, binary file, **options)`. options: the names of those."""

    write: Callable[..., None]
    options: tuple[str, ...] = ()


def format_of(path: str | Path, options: Iterable[str] = ()) -> Format:
    """The format that the suffix names, if it has these options.

    Raises:
        OutputError: the suffix names none, or the format has no such option.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise OutputError(f"{str(path)!r} has the suffix {suffix!r}; expected one of {', '.join(FORMATS)}")
    for name in options:
        if name not in FORMATS[suffix].options:
            raise OutputError(f"{str(path)!r}: " + unknown(f"option of {suffix} files", name, FORMATS[suffix].options))
    return FORMATS[suffix]


def file_bytes(trace: Trace, suffix: str, wishes: Mapping[str, Any]) -> bytes:
    """The content of the file that this suffix names; of the `wishes` those are heard that this format has."""
    chosen = FORMATS[suffix]
    file = io.BytesIO()
    chosen.write(trace, file, **{name: wishes[name] for name in chosen.options if name in wishes})
    return file.getvalue()


def _animated(encode: Callable[..., None]) -> Callable[..., None]:
    def write(trace: Trace, file: BinaryIO, **options: Any) -> None:
        animation = {name: options.pop(name) for name in ANIMATION_OPTIONS if name in options}
        encode(file, trace.pictures(**options), **animation)

    return write


def _write_png(trace: Trace, file: BinaryIO, **options: Any) -> None:
    write_strip(file, trace.pictures(**options))


def _write_json(trace: Trace, file: BinaryIO) -> None:
    settings = trace.settings.to_dict(orient="records")
    order = np.argsort(-trace.scores, axis=1, kind="stable")[:, :TOP]
    frames = [
        {
            "setting": settings[frame],
            "top": [{"label": trace.labels[k], "score": float(trace.scores[frame, k])} for k in order[frame]],
            "target": trace.labels[trace.targets[frame]],
        }
        for frame in range(len(trace))
    ]
    document = {"recipe": trace.recipe, "frames": frames, "flips": trace.flips().to_dict(orient="records")}
    file.write((json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())


def _write_npz(trace: Trace, file: BinaryIO) -> None:
    meta = {
        "format": NPZ_FORMAT,
        "parameters": list(trace.settings),
        "labels": list(trace.labels),
        "recipe": trace.recipe,
    }
    arrays = _arrays(trace)
    if trace.neutral is not None:
        arrays |= {f"neutral_{name}": array for name, array in _arrays(trace.neutral).items()}
    np.savez(file, meta=np.array(json.dumps(meta)), **arrays)  # type: ignore[arg-type]


def _arrays(trace: Trace) -> dict[str, np.ndarray[Any, Any]]:
    return {"settings": trace.settings.to_numpy()} | {name: getattr(trace, name) for name in ARRAYS}


def read_npz(path: str | Path) -> dict[str, Any]:
    """What a trace is made of, and under `neutral` the same of its neutral frame, if it has one.

    Raises:
        OutputError: the file is missing, or not one that a trace wrote.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            meta = json.loads(str(stored["meta"]))
            if meta["format"] > NPZ_FORMAT:
                raise OutputError(f"{str(path)!r} was written by a newer augimpact (format {meta['format']})")
            parts = _parts(stored, meta, "")
            parts["neutral"] = _parts(stored, meta, "neutral_") if "neutral_frames" in stored else None
    except OutputError:
        raise
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise OutputError(f"{str(path)!r} is not a trace that was saved as .npz: {error}") from error
    return parts


def _parts(stored: Mapping[str, Any], meta: dict[str, Any], prefix: str) -> dict[str, Any]:
    parts = {name: stored[prefix + name] for name in ARRAYS}
    settings = pd.DataFrame(stored[f"{prefix}settings"], columns=meta["parameters"])
    return parts | {"settings": settings, "labels": tuple(meta["labels"]), "recipe": meta["recipe"]}


FORMATS: Mapping[str, Format] = {
    ".gif": Format(_animated(write_gif), PICTURE_OPTIONS + ANIMATION_OPTIONS),
    ".webp": Format(_animated(write_webp), PICTURE_OPTIONS + ANIMATION_OPTIONS),
    ".png": Format(_write_png, PICTURE_OPTIONS),
    ".npz": Format(_write_npz),
    ".json": Format(_write_json),
}
