"""The table of an impact as Parquet files, one for some samples at a time: each there whole or not at all.

A part's name follows from the classifier, the settings and its samples' content, so that a run that was stopped goes
on where it was, and whatever is done twice is written once. What could not be read stands in the part of its samples.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
from numpy.typing import NDArray

from augimpact.drift import Drift
from augimpact.errors import DataError
from augimpact.files import make_folder, written_whole
from augimpact.impact.plan import Plan
from augimpact.measures import MEASURES

if TYPE_CHECKING:
    from augimpact.impact.measuring import Answers

__all__ = ["DRIFTS", "Failed", "Known", "Parts", "known_samples", "part_name", "part_of"]

SUFFIX = ".parquet"
ERRORS = b"augimpact-errors"
DRIFTS = tuple(f"drift_{name}" for name in Drift._fields)


class Known(NamedTuple):
    """A sample as parts know it: by its content, and the label that its scores are of."""

    sample_id: str
    label: int


class Failed(NamedTuple):
    """A sample that could not be measured, and why; whether that lasts: its content is no image."""

    sample_id: str
    label: int
    error: str
    lasting: bool


def known_samples(samples: pd.DataFrame) -> list[Known]:
    """The samples of a table with `sample_id` and `label`."""
    return [Known(str(name), int(label)) for name, label in zip(samples["sample_id"], samples["label"], strict=True)]


def part_name(samples: Sequence[Known]) -> str:
    """How the part of these samples is called, whichever of them can be read."""
    text = "\n".join(f"{each.sample_id} {each.label}" for each in samples)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def part_of(samples: Sequence[Known], answers: Answers, failed: Sequence[Failed], plan: Plan) -> bytes:
    """A part as a Parquet file: a row a sample and setting.

    Its columns are `sample_id`, `label` (−1 where it is not known), `setting` (its number, 0 is neutral), the
    parameters that change, `predicted`, `score`, `correct` (null without a label), `agrees`, the measures, and with
    maps the drift.

    Args:
        samples: n of them, those that `answers` are of.
        answers: what they gave.
        failed: the others of this part.
        plan: the settings.
    """
    count, settings = answers.predicted.shape
    label = np.repeat(np.array([each.label for each in samples], np.int32), settings)
    predicted = answers.predicted.reshape(-1)
    ids = pyarrow.array([each.sample_id for each in samples], pyarrow.string()).dictionary_encode()
    columns: dict[str, Any] = {
        "sample_id": ids.take(pyarrow.array(np.repeat(np.arange(count), settings))),
        "label": label,
        "setting": np.tile(np.arange(settings, dtype=np.int32), count),
        **{str(name): np.tile(each.to_numpy(np.float64), count) for name, each in plan.settings.items()},
        "predicted": predicted,
        "score": answers.scores.reshape(-1),
        "correct": pyarrow.array(predicted == label, mask=label < 0),
        "agrees": (answers.predicted == answers.predicted[:, :1]).reshape(-1),
        **dict(zip(MEASURES, answers.measures.reshape(-1, len(MEASURES)).T, strict=True)),
    }
    if answers.drifts is not None:
        columns |= dict(zip(DRIFTS, answers.drifts.reshape(-1, len(DRIFTS)).T, strict=True))
    table = pyarrow.table(columns)
    table = table.replace_schema_metadata({ERRORS: json.dumps([list(each) for each in failed]).encode()})
    file = io.BytesIO()
    pyarrow.parquet.write_table(table, file, compression="zstd", use_dictionary=_repeating(plan))
    return file.getvalue()


def _repeating(plan: Plan) -> list[str]:
    """Columns of few values."""
    return ["sample_id", "label", "setting", "predicted", *map(str, plan.settings)]


class Parts:
    """The parts of one run in a folder.

    Raises:
        OutputError: the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_folder(folder)

    def write(self, name: str, content: bytes) -> None:
        """Puts a part there, in place of the same one.

        Raises:
            OutputError: it cannot be written.
        """
        with written_whole(self.folder / f"{name}{SUFFIX}") as temporary:
            temporary.write_bytes(content)

    def has(self, name: str) -> bool:
        """Whether a part is there."""
        return (self.folder / f"{name}{SUFFIX}").exists()

    def measured(self) -> set[Known]:
        """The samples that some part is of."""
        known: set[Known] = set()
        for table in self._tables(["sample_id", "label", "setting"]):
            first = table.filter(pyarrow.compute.equal(table["setting"], 0))
            known.update(map(Known, first["sample_id"].to_pylist(), first["label"].to_pylist()))
        return known

    def rows(self, samples: Iterable[Known], plan: Plan) -> tuple[dict[Known, int], dict[str, NDArray[Any]]]:
        """What is known of the samples: a place for each, and the columns `(n, S)` in these places."""
        wanted, settings = set(samples), len(plan.settings)
        places: dict[Known, int] = {}
        parts: list[Mapping[str, NDArray[Any]]] = []
        for table in self._tables():
            first = slice(None, None, settings)
            ids = map(Known, table["sample_id"][first].to_pylist(), table["label"][first].to_pylist())
            new = [(number, each) for number, each in enumerate(ids) if each in wanted and each not in places]
            places |= {each: len(places) + place for place, (_, each) in enumerate(new)}
            chosen = np.array([number for number, _ in new], np.int64)
            parts.append({name: _column(table, name, settings)[chosen] for name in _numbers(table)})
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
        return places, columns

    def errors(self) -> dict[Known, Failed]:
        """What could not be measured, at some time."""
        found: dict[Known, Failed] = {}
        for file in self._files():
            metadata = pyarrow.parquet.read_schema(file).metadata or {}
            for each in json.loads(metadata.get(ERRORS, b"[]")):
                failed = Failed(*each)
                found[Known(failed.sample_id, failed.label)] = failed
        return found

    def _files(self) -> list[Path]:
        return sorted(file for file in self.folder.glob(f"*{SUFFIX}") if not file.name.startswith("."))

    def _tables(self, columns: Sequence[str] | None = None) -> Iterator[pyarrow.Table]:
        for file in self._files():
            try:
                yield pyarrow.parquet.read_table(file, columns=columns)
            except (OSError, pyarrow.ArrowException) as error:
                raise DataError(f"{str(file)!r} is damaged ({error}); remove it to have it measured again") from error

    def frame(self) -> pd.DataFrame:
        """All parts as one table."""
        tables = [table.unify_dictionaries() for table in self._tables()]
        return pyarrow.concat_tables(tables, promote_options="default").to_pandas() if tables else pd.DataFrame()


def _numbers(table: pyarrow.Table) -> list[str]:
    return [name for name in table.column_names if name in ("predicted", "score", *MEASURES, *DRIFTS)]


def _column(table: pyarrow.Table, name: str, settings: int) -> NDArray[Any]:
    return np.asarray(table[name].to_numpy()).reshape(-1, settings)
