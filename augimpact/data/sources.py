"""Where samples come from: folders and lists of files, tables, other libraries' datasets, arrays."""

from __future__ import annotations

import io
import logging
import os
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import Image

from augimpact.data.hashing import content_ids, default_memory, hash_of, text_id
from augimpact.data.locations import File, find_files, is_local, joined, version_of
from augimpact.errors import DataError, unknown
from augimpact.progress import Telling

if TYPE_CHECKING:
    from augimpact.data.samples import SampleTable

__all__ = ["IDENTITIES", "from_arrays", "from_csv", "from_fastai", "from_folder", "from_image_folder", "from_list"]

logger = logging.getLogger(__name__)
# What a sample is known by.
IDENTITIES = ("content", "etag", "path")
ClassMapping = Mapping[str, str | tuple[str, ...]]
# Columns of a table that may be meant to be its `category`: what is called so elsewhere.
CLASSES = ("label", "class")
# Hashes are remembered in the default place unless another, or None, is given.
DEFAULT_MEMORY: Any = object()


def from_folder(
    url: str | os.PathLike[str],
    *,
    pattern: str | re.Pattern[str] | None = None,
    class_mapping: ClassMapping | None = None,
    classes: Iterable[str] | None = None,
    purpose: str | None = None,
    **identified: Any,
) -> SampleTable:
    """All images below a folder, sorted by path.

    Args:
        url: a path, or an address of fsspec: `s3://bucket/folder`, `zip://inner::/data/archive.zip`…
        pattern: of the names, such as `*.jpg`; with a slash in it of the paths below the folder, where `*` stands for
            slashes, too; or a regular expression. By default what has the suffix of an image.
        class_mapping: what a folder, or several with slashes between them, stands for: one class or a tuple.
        classes: keeps what is of one of these.
        purpose: that all of them are for.
        **identified: `identity`, by default the hash of the `"content"`, else the store's `"etag"` or the `"path"`,
            for which nothing is read; `memory`, the file that remembers hashes, or None; `progress`; `options` of the
            store.

    Raises:
        DataError: there is no such folder, class, identity, or it holds no image.

    >>> import skimage
    >>> table = from_folder(Path(skimage.__file__).parent / "data", pattern="c*.png", identity="path")
    >>> table.frame[["folder", "size"]].head(1).values.tolist()
    [['data', 139512]]
    """
    options = identified.get("options") or {}
    found = find_files(url, pattern, options)
    if pattern is None:
        suffixes = _image_suffixes()
        found = [file for file in found if _suffix(file.relative) in suffixes]
    if not found:
        named = "image" if pattern is None else f"file like {getattr(pattern, 'pattern', pattern)!r}"
        raise DataError(f"the folder {os.fspath(url)!r} holds no {named}")
    # There are few folders, and many files in each.
    folders = [file.relative.rpartition("/")[0] for file in found]
    parts = {folder: PurePosixPath(folder).parts for folder in set(folders)}
    mapped = {folder: _mapped(each, class_mapping or {}) for folder, each in parts.items()}
    categories = [mapped[folder] for folder in folders]
    if classes is not None:
        wanted = set(classes)
        there = {name for category in categories for name in category}
        for name in sorted(wanted - there):
            raise DataError(unknown("class", name, sorted(there)))
        kept = [number for number, category in enumerate(categories) if wanted.intersection(category)]
        found, folders = [found[number] for number in kept], [folders[number] for number in kept]
        categories = [mapped[folder] for folder in folders]
    outermost = os.fspath(url).partition("::")[0].rstrip("/").rpartition("/")[2]
    rest = {
        "category": categories,
        "folder": [(parts[folder] or (outermost,))[-1] for folder in folders],
        "purpose": [purpose] * len(found),
    }
    return _table(found, rest, **identified)


def from_csv(
    path: str | os.PathLike[str],
    *,
    root: str | os.PathLike[str] | None = None,
    class_mapping: ClassMapping | None = None,
    **identified: Any,
) -> SampleTable:
    """The rows of a CSV file, or of any address of one.

    It needs a column `path`; of `sample_id`, `category` (with slashes), `folder`, `size`, `etag` and `purpose` those
    are taken that it has, and all others are kept. The class is the last of the `category`, or, without that column,
    the folder in the path.

    Args:
        path: of the CSV file.
        root: the folder from which paths are meant; by default that of the CSV file.
        class_mapping: see `from_folder`.
        **identified: see `from_folder`. Where there are ids in the file, nothing is read.

    Raises:
        DataError: it cannot be read, has no column `path`, or may have its classes in a column of another name:
            `label` or `class`, without `category` or a `class_mapping`.
    """
    try:
        frame = pd.read_csv(path, dtype={"sample_id": str, "folder": str, "category": str, "purpose": str, "etag": str})
    except (OSError, ValueError) as error:
        raise DataError(f"the table {os.fspath(path)!r} cannot be read ({error}); expected CSV") from error
    if "path" not in frame:
        raise DataError(f"the table {os.fspath(path)!r} has the columns {', '.join(frame.columns)}; expected `path`")
    doubtful = next((name for name in CLASSES if name in frame), None)
    if doubtful is not None and "category" not in frame and class_mapping is None:
        told = (
            f"the table {os.fspath(path)!r} has the columns {', '.join(frame.columns)}; expected classes in `category`"
        )
        raise DataError(f"{told}: rename `{doubtful}`, or leave it out where the folders are the classes")
    lacking = frame.index[frame["path"].map(lambda each: not isinstance(each, str) or not each.strip())]
    if len(lacking):
        raise DataError(f"the table {os.fspath(path)!r} has no path in its row {int(lacking[0]) + 1}; expected one")
    base = Path(path).parent if root is None else root
    paths = [_joined(base, each) if is_local(each) else each for each in frame["path"]]
    relative = [PurePosixPath(each) for each in frame["path"]]
    folders = [tuple(part for part in each.parts[:-1] if part != "/") for each in relative]
    derived = [_mapped(each, class_mapping or {}) for each in folders]
    if "category" in frame:
        derived = [tuple(each.split("/")) if each else () for each in frame["category"].fillna("")]
    plain = frame.astype(object).where(frame.notna(), None)
    own: dict[str, Any] = {str(name): plain[name].tolist() for name in frame}
    rest: dict[str, Any] = own | {
        "category": derived,
        "folder": own.get("folder", [each.parent.name for each in relative]),
        "purpose": own.get("purpose", [None] * len(frame)),
    }
    rest.pop("path")
    if "mask" in rest:
        rest["mask"] = [_joined(base, each) if each and is_local(each) else each for each in rest["mask"]]
    if "sample_id" in frame and frame["sample_id"].notna().all():
        unknown_yet = {"size": [-1] * len(paths), "etag": [None] * len(paths)}
        return _of_frame({"path": paths} | unknown_yet | rest, identified.get("options"))
    rest.pop("sample_id", None)
    return _table([_stated(each) for each in paths], rest, **identified)


def from_list(
    paths: Iterable[str | os.PathLike[str]],
    *,
    labels: Sequence[Hashable] | None = None,
    purposes: Sequence[str | None] | None = None,
    names: Sequence[str] | None = None,
    **identified: Any,
) -> SampleTable:
    """Files, in the order in which they are given.

    Args:
        paths: of this machine, or addresses of fsspec.
        labels: the class of each, by default the folder that it lies in.
        purposes: what each is for.
        names: all classes, in the order of their numbers; by default those that occur, sorted.
        **identified: see `from_folder`.

    Raises:
        DataError: there are not as many labels or purposes as paths.
    """
    texts = [os.fspath(path) for path in paths]
    texts = [os.path.abspath(text) if is_local(text) else text for text in texts]  # noqa: PTH100 - links stay as they are
    folders = [PurePosixPath(text).parent.name for text in texts]
    given = {"labels": labels, "purposes": purposes}
    for name, values in given.items():
        if values is not None and len(values) != len(texts):
            raise DataError(f"there are {len(values)} {name} for {len(texts)} paths; expected one for each")
    rest = {
        "category": [(each,) for each in (folders if labels is None else map(str, labels))],
        "folder": folders,
        "purpose": [None] * len(texts) if purposes is None else list(purposes),
    }
    return _table([_stated(each) for each in texts], rest, names=None if names is None else tuple(names), **identified)


def from_image_folder(dataset: Any, *, purpose: str | None = None, **identified: Any) -> SampleTable:
    """The files of torchvision's `ImageFolder` or `DatasetFolder`: same order, same numbers of classes.

    Raises:
        DataError: it is something else.
    """
    samples, names = getattr(dataset, "samples", None), getattr(dataset, "classes", None)
    if samples is None or names is None:
        raise DataError(f"a {type(dataset).__name__} has no samples and classes; expected torchvision's ImageFolder")
    paths, labels = [path for path, _ in samples], [names[number] for _, number in samples]
    return from_list(paths, labels=labels, purposes=[purpose] * len(paths), names=names, **identified)


def from_fastai(loaders: Any, *, purpose: str = "train", remainder: str = "devel", **identified: Any) -> SampleTable:
    """The files of fastai's `ImageDataLoaders`, the training set's first: same vocabulary, same split.

    Raises:
        DataError: their items are not files.
    """
    paths: list[Any] = []
    labels: list[str] = []
    purposes: list[str] = []
    names = [str(name) for name in loaders.vocab]
    for part, named in ((loaders.train_ds, purpose), (loaders.valid_ds, remainder)):
        items = list(part.items)
        if not all(isinstance(item, (str, os.PathLike)) for item in items):
            raise DataError(f"an item of the data loaders is {items[0]!r}; expected paths of images")
        paths += items
        # The last of the pipelines is the label's; the image's would read every file.
        labels += [names[int(part.tls[-1][number])] for number in range(len(items))]
        purposes += [named] * len(items)
    return from_list(paths, labels=labels, purposes=purposes, names=names, **identified)


def from_arrays(images: Iterable[Any], labels: Sequence[Hashable] | None = None) -> SampleTable:
    """Images in memory, each kept as it is, in the bytes of a `.npy` file.

    Args:
        images: arrays or tensors, see `augimpact.data.image.read_image`; known by the hash of shape, type and values.
        labels: the class of each.

    Raises:
        DataError: there are not as many labels as images.

    >>> from_arrays(np.zeros((2, 8, 8), np.uint8), ["cat", "dog"]).class_names
    ('cat', 'dog')
    """
    contents = {f"array:{number}": _npy(image) for number, image in enumerate(images)}
    if labels is not None and len(labels) != len(contents):
        raise DataError(f"there are {len(labels)} labels for {len(contents)} images; expected one for each")
    texts = ["array"] * len(contents) if labels is None else [str(label) for label in labels]
    columns = {
        "sample_id": [hash_of(content) for content in contents.values()],
        "path": list(contents),
        "category": [(text,) for text in texts],
        "folder": texts,
        "size": [len(content) for content in contents.values()],
        "etag": [None] * len(contents),
        "purpose": [None] * len(contents),
    }
    return _of_frame(columns, contents=contents)


def _table(
    files: Sequence[File],
    rest: Mapping[str, Any],
    *,
    identity: str = "content",
    memory: Path | None = DEFAULT_MEMORY,
    progress: Telling | None = None,
    options: Mapping[str, Any] | None = None,
    names: tuple[str, ...] | None = None,
) -> SampleTable:
    """A table of the files that can be read, with the columns of `rest`; the others become its errors."""
    if identity not in IDENTITIES:
        raise DataError(unknown("identity", identity, IDENTITIES))
    if identity == "content":
        found = _hashed(files, options, memory, progress)
    else:
        found = [_named(file, identity) for file in files]
    good = [number for number, each in enumerate(found) if isinstance(each, str)]
    whole: dict[str, Any] = {
        "sample_id": found,
        "path": [file.path for file in files],
        "size": [file.size for file in files],
        "etag": [file.etag for file in files],
    } | dict(rest)
    columns = {name: [values[number] for number in good] for name, values in whole.items()}
    bad = [(file.path, each) for file, each in zip(files, found, strict=True) if isinstance(each, Exception)]
    errors = pd.DataFrame({"path": [path for path, _ in bad], "error": [_told(each) for _, each in bad]}, dtype=object)
    return _of_frame(columns, options, errors=errors, names=names)


def _hashed(
    files: Sequence[File], options: Mapping[str, Any] | None, memory: Path | None, progress: Telling | None
) -> list[str | Exception]:
    if memory is not DEFAULT_MEMORY:
        return content_ids(files, options, memory=memory, progress=progress)
    try:
        return content_ids(files, options, memory=default_memory(), progress=progress)
    except DataError as error:
        # Nobody asked for it: a home that cannot be written is no reason to stop.
        logger.warning("hashes are not remembered: %s", error)
        return content_ids(files, options, memory=None, progress=progress)


def _of_frame(columns: Mapping[str, Any], options: Mapping[str, Any] | None = None, **rest: Any) -> SampleTable:
    from augimpact.data.samples import COLUMNS, SampleTable

    ordered = [*COLUMNS, *(name for name in columns if name not in COLUMNS)]
    # What is not known stays None: pandas would make it a float.
    plain = {name: pd.Series(columns[name], dtype=object) for name in ordered}
    inferred = {name: each.infer_objects() for name, each in plain.items() if name == "size" or name not in COLUMNS}
    return SampleTable(pd.DataFrame(plain | inferred), options=options or {}, **rest)


def _joined(base: str | os.PathLike[str], path: str) -> str:
    """The path, from a folder of this machine or of another store."""
    root = os.fspath(base)
    return os.path.abspath(os.path.join(root, path)) if is_local(root) else joined(root, path)  # noqa: PTH100, PTH118


def _stated(path: str) -> File:
    """Size and time of a file of this machine; what lies elsewhere, or nowhere, has neither."""
    try:
        status = os.stat(path) if is_local(path) else None  # noqa: PTH116 - half the time of Path's
    except OSError:
        status = None
    if status is None:
        return File(path, path, -1, "", None)
    return File(path, path, status.st_size, *version_of({"mtime": status.st_mtime}))


def _named(file: File, identity: str) -> str | Exception:
    if identity == "path":
        return text_id(file.path)
    return file.etag or DataError(f"{file.path!r} has no etag; expected a store that gives one, or another identity")


def _told(error: Exception) -> str:
    if isinstance(error, DataError):
        return str(error)
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _mapped(folders: tuple[str, ...], mapping: ClassMapping) -> tuple[str, ...]:
    """What the folders stand for: all of them together, or each by itself.

    >>> _mapped(("bad", "cap"), {"bad/cap": "defect"}), _mapped(("a", "good"), {"good": ("fine", "whole")})
    (('defect',), ('a', 'fine', 'whole'))
    """
    whole = "/".join(folders)
    parts = [mapping[whole]] if whole in mapping else [mapping.get(folder, folder) for folder in folders]
    return tuple(name for part in parts for name in ((part,) if isinstance(part, str) else part))


def _suffix(path: str) -> str:
    """As `PurePosixPath` has it, which is much slower, in lower case."""
    name = path.rpartition("/")[2]
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


def _npy(image: Any) -> bytes:
    values = np.ascontiguousarray(image.detach().cpu() if hasattr(image, "detach") else image)
    file = io.BytesIO()
    try:
        np.save(file, values, allow_pickle=False)
    except ValueError as error:
        raise DataError(f"an image is of type {values.dtype}; expected numbers") from error
    return file.getvalue()


@cache
def _image_suffixes() -> frozenset[str]:
    """Those of the formats that Pillow reads, and of arrays."""
    Image.init()
    suffixes = {suffix for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    # Documents and films that Pillow knows are no photographs.
    return frozenset(suffixes - {".pdf", ".mpg", ".mpeg", ".eps", ".ps", ".h5", ".hdf", ".grib", ".bufr"} | {".npy"})
