"""A table of samples: what there is to sweep, to profile and to train on, a row each. All else is a view on it.

Where samples come from (folders, lists, other libraries' datasets, arrays) is in `sources.py`; what is done with them
in `integrity.py`, `split.py`, `sampling.py` and `images.py`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.data import sources
from augimpact.data.locations import read_bytes
from augimpact.errors import DataError, unknown
from augimpact.files import written_whole

if TYPE_CHECKING:
    import os

    from pandas.core.groupby import DataFrameGroupBy

__all__ = ["COLUMNS", "SampleTable"]

COLUMNS = ("sample_id", "path", "category", "folder", "size", "etag", "purpose")


def _no_errors() -> pd.DataFrame:
    return pd.DataFrame({"path": [], "error": []}, dtype=object)


@dataclass(frozen=True, eq=False)
class SampleTable:
    """Samples, as a pandas frame and what it takes to read them.

    Attributes:
        frame: a row a sample, numbered from 0: `sample_id` (the BLAKE2b hash of the content, if it was not asked for
            another), `path`, `category` (the folders above it, or what they were mapped to, as a tuple), `folder` (the
            one that it lies in), `size` in bytes, `etag` where the store has one, `purpose` or None; and any others.
        errors: `path` and `error` of what could not be read and is no sample.
        contents: the bytes of samples that are no files, by path.
        options: of the store, as fsspec takes them.
        names: the classes in the order of their numbers, where that is given from elsewhere.
        annotation_names: those of masks and boxes, likewise.
        whole_stand_ins: of a part, the `stand_ins` of the whole.
    """

    frame: pd.DataFrame
    errors: pd.DataFrame = field(default_factory=_no_errors)
    contents: Mapping[str, bytes] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] | None = None
    annotation_names: tuple[str, ...] | None = None
    whole_stand_ins: frozenset[str] | None = None

    def __post_init__(self) -> None:
        lacking = [name for name in COLUMNS if name not in self.frame]
        if lacking:
            raise DataError(f"the frame has no column {', '.join(lacking)}; expected {', '.join(COLUMNS)}")
        object.__setattr__(self, "frame", self.frame.reset_index(drop=True))

    @classmethod
    def from_folder(cls, url: str | os.PathLike[str], **options: Any) -> SampleTable:
        """All images below a folder; see `sources.from_folder` for what can be said of them."""
        return sources.from_folder(url, **options)

    @classmethod
    def from_csv(cls, path: str | os.PathLike[str], **options: Any) -> SampleTable:
        """The rows of a CSV file with a column `path`; see `sources.from_csv`."""
        return sources.from_csv(path, **options)

    @classmethod
    def from_list(cls, paths: Iterable[str | os.PathLike[str]], **options: Any) -> SampleTable:
        """Files, by their paths; see `sources.from_list`."""
        return sources.from_list(paths, **options)

    @classmethod
    def from_image_folder(cls, dataset: Any, **options: Any) -> SampleTable:
        """The files of torchvision's `ImageFolder`, with its classes; see `sources.from_image_folder`."""
        return sources.from_image_folder(dataset, **options)

    @classmethod
    def from_fastai(cls, loaders: Any, **options: Any) -> SampleTable:
        """The files of fastai's `ImageDataLoaders`, with vocabulary and split; see `sources.from_fastai`."""
        return sources.from_fastai(loaders, **options)

    @classmethod
    def from_arrays(cls, images: Iterable[Any], labels: Sequence[Hashable] | None = None) -> SampleTable:
        """Images that are arrays; see `sources.from_arrays`."""
        return sources.from_arrays(images, labels)

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, key: Any) -> Any:
        """A column by its name; a table of the rows that a mask, a slice or positions choose."""
        if isinstance(key, str):
            return self.frame[key]
        places = key if isinstance(key, slice) else np.asarray(key if np.size(key) else np.zeros(0, np.int64))
        chosen = np.arange(len(self))[places]
        # A part knows the classes of the whole: their numbers stay.
        frame, names = self.frame.iloc[np.atleast_1d(chosen)], self.class_names
        return replace(self, frame=frame, names=names, whole_stand_ins=self.stand_ins)

    def __repr__(self) -> str:
        return f"SampleTable({len(self)} samples, {len(self.class_names)} classes, {len(self.errors)} errors)"

    def _repr_html_(self) -> str:
        return self.frame.to_html(max_rows=10)

    def groupby(self, by: Any) -> DataFrameGroupBy[Any, Any]:
        """The frame's own `groupby`."""
        return self.frame.groupby(by)

    @property
    def classes(self) -> pd.Series[str]:
        """The class of each sample: the last of its category, or the folder where it has none."""
        pairs = zip(self.frame["category"], self.frame["folder"], strict=True)
        return pd.Series([category[-1] if category else folder for category, folder in pairs], dtype=object)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, sorted, unless they came in another order."""
        return self._names_of(self.classes)

    @property
    def stand_ins(self) -> frozenset[str]:
        """Those of the classes that no category names: a folder's name, where what lies in it has no category."""
        if self.whole_stand_ins is not None:
            return self.whole_stand_ins
        categories, folders = self.frame["category"].tolist(), self.frame["folder"].tolist()
        bare = {folder for category, folder in zip(categories, folders, strict=True) if not category}
        return frozenset(bare.difference(category[-1] for category in categories if category) if bare else ())

    @property
    def labels(self) -> NDArray[np.int64]:
        """The number of each sample's class among the `class_names`."""
        classes = self.classes.tolist()
        numbers = {name: number for number, name in enumerate(self._names_of(classes))}
        return np.array([numbers[name] for name in classes], np.int64)

    def _names_of(self, classes: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(set(classes))) if self.names is None else self.names

    def read(self, position: int) -> bytes:
        """The content of a sample, as it is stored.

        Raises:
            DataError: there is no sample at that position.
            OSError: the file cannot be read; other stores raise errors of their own.
        """
        if not -len(self) <= position < len(self):
            raise DataError(f"there is no sample {position}; expected a number below {len(self)}")
        path = str(self.frame["path"].iat[position])
        return self.contents[path] if path in self.contents else read_bytes(path, self.options)

    def where(self, **chosen: Any) -> SampleTable:
        """The samples whose column has the value, or one of the values if several are given in a list or set.

        Raises:
            DataError: there is no such column.
        """
        mask = np.ones(len(self), bool)
        for column, values in chosen.items():
            if column not in self.frame:
                raise DataError(unknown("column", column, self.frame.columns))
            several = values if isinstance(values, (list, set, frozenset)) else [values]
            mask &= self.frame[column].isin(list(several)).to_numpy()
        return cast("SampleTable", self[mask])

    def with_frame(self, frame: pd.DataFrame) -> SampleTable:
        """The same with another frame."""
        return replace(self, frame=frame)

    def save(self, path: str | Path) -> None:
        """Writes the frame as CSV, from which `from_csv` makes the table again without reading any sample.

        Raises:
            OutputError: the file cannot be written.
        """
        frame = self.frame.assign(category=["/".join(category) for category in self.frame["category"]])
        with written_whole(path) as temporary:
            frame.to_csv(temporary, index=False)
