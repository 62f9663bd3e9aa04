"""The files that keep a trace: arrays exactly as they are, or what a person and other programs read."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from augimpact.errors import OutputError, unknown
from augimpact.render.animate import write_gif, write_strip, write_webp

if TYPE_CHECKING:
    from augimpact.trace import Trace

__all__ = ["FORMATS", "read_npz", "writer"]

ARRAYS = ("frames", "scores", "maps", "targets", "homographies")
NPZ_FORMAT = 1
TOP = 5

Writer = Callable[..., None]


def writer(path: str | Path) -> Writer:
    """The function `(trace, path, **options)` that writes the format of this suffix.

    Raises:
        OutputError: the suffix names none.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise OutputError(f"{str(path)!r}: " + unknown("suffix", suffix, FORMATS))
    return FORMATS[suffix]


def _write_gif(trace: Trace, path: Path, **options: Any) -> None:
    animation = {name: options.pop(name) for name in ("milliseconds", "hold", "loop") if name in options}
    write_gif(path, trace.pictures(**options), **animation)


def _write_webp(trace: Trace, path: Path, **options: Any) -> None:
    animation = {name: options.pop(name) for name in ("milliseconds", "hold", "loop") if name in options}
    write_webp(path, trace.pictures(**options), **animation)


def _write_png(trace: Trace, path: Path, **options: Any) -> None:
    write_strip(path, trace.pictures(**options))


def _write_json(trace: Trace, path: Path) -> None:
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
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def _write_npz(trace: Trace, path: Path) -> None:
    meta = {
        "format": NPZ_FORMAT,
        "parameters": list(trace.settings),
        "labels": list(trace.labels),
        "recipe": trace.recipe,
    }
    arrays = _arrays(trace)
    if trace.neutral is not None:
        arrays |= {f"neutral_{name}": array for name, array in _arrays(trace.neutral).items()}
    with path.open("wb") as file:
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


FORMATS: Mapping[str, Writer] = {
    ".gif": _write_gif,
    ".webp": _write_webp,
    ".png": _write_png,
    ".npz": _write_npz,
    ".json": _write_json,
}
