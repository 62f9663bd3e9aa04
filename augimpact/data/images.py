"""The images of a table of samples as a modular dataset: read, cached, decoded, augmented, each only when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from augimpact.data.cache import Cache
from augimpact.data.dataset import Context, Dataset
from augimpact.data.hashing import THREADS, text_id
from augimpact.data.locations import is_local, read_bytes
from augimpact.data.pipeline import ImagePipeline, size_of
from augimpact.data.samples import SampleTable
from augimpact.errors import DataError, ImageError
from augimpact.once import once

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Augmentation", "ImageDataset"]


class Augmentation(Protocol):
    """What an image dataset asks of an augmentation; see `augimpact.augment.random.RandomAugmentation`."""

    def __call__(self, image: Tensor, sample_id: str, context: dict[str, Any] | None = None) -> Tensor:
        """The augmented image."""

    def mask(self, mask: Tensor, sample_id: str, *, outside: int = 0) -> Tensor:
        """The mask, moved as the image is."""

    def boxes(
        self, boxes: NDArray[Any], sample_id: str, side: float, *, least: float = 0.0
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The boxes, moved as the image is, and which of the given ones they are."""


class ImageDataset(Dataset):
    """What a table's samples have: `image`, `label`, `content` (the file's bytes), `path`, `sample_id`, `purpose`.

    A table with a column `mask` (the path of each sample's mask of classes) has a `mask`, one with a column `boxes` (an
    array `(N, 4)` of left, top, right, bottom in pixels, each) has `boxes`, and with `box_labels` (numbers `(N,)` of
    their classes) has these, too; all are moved as the image is.

    Args:
        table: the samples.
        pipeline: from a file's bytes to a tensor; by default as large as each image is, RGB in [0, 1].
        augmentation: applied to the tensor, known by the sample's id; it tells the context what it drew.
        cache: of the files' bytes, by id, path, size and etag. It may be shared, and is closed by who made it.
        outside: the class of what a mask does not know: padding, and what is beyond the original.
        least_seen: a box is dropped of which a smaller share is seen; the context's `boxes` are told which stay.

    >>> import pathlib, skimage
    >>> folder = pathlib.Path(skimage.__file__).parent / "data"
    >>> table = SampleTable.from_folder(folder, pattern="c*.png", identity="path")
    >>> with ImageDataset(table, ImagePipeline(64)) as dataset:
    ...     image, label = dataset.view("image label")[0]
    >>> image.shape, dataset.class_names[label]
    (torch.Size([3, 64, 64]), 'data')
    """

    def __init__(
        self,
        table: SampleTable,
        pipeline: ImagePipeline | None = None,
        *,
        augmentation: Augmentation | None = None,
        cache: Cache | None = None,
        outside: int = 0,
        least_seen: float = 0.0,
    ) -> None:
        self.table = table
        self.pipeline = ImagePipeline() if pipeline is None else pipeline
        # What augments takes black as 0 and white as 1.
        self._unit = replace(self.pipeline, range=(0, 1))
        self.augmentation, self.cache = augmentation, cache
        self.class_names, self.annotation_names = table.class_names, table.annotation_names
        self.stand_ins = table.stand_ins
        self._outside, self._least_seen = outside, least_seen
        self._labels = table.labels
        # Columns as lists: a frame's own access takes as long as reading a small file.
        self._paths, self._ids = table["path"].tolist(), table["sample_id"].tolist()
        if cache is not None:
            # Before it is copied to worker processes, each of which would compute them anew.
            _ = self._names

    def __len__(self) -> int:
        return len(self.table)

    @property
    def properties(self) -> tuple[str, ...]:
        """Those for which the table has a column."""
        optional = ("mask", "boxes", "box_labels")
        return tuple(name for name in super().properties if name not in optional or name in self.table.frame)

    @property
    def labels(self) -> NDArray[np.int64]:
        """The labels of all samples."""
        return self._labels

    def get_content(self, index: int, context: Context) -> bytes:  # noqa: ARG002
        """The bytes of the file, from the cache if there is one.

        Raises:
            DataError: it cannot be read.
        """
        return self._contents([index])[0]

    def get_image(self, index: int, context: Context) -> Tensor:
        """The tensor that the pipeline makes, augmented.

        Raises:
            DataError: the file cannot be read.
            ImageError: it is no image, or damaged.
        """
        return self._image(index, self.get_content(index, context), context)

    def get_label(self, index: int, context: Context) -> int:  # noqa: ARG002
        """The number of the class among `class_names`."""
        return int(self._labels[index])

    def get_path(self, index: int, context: Context) -> str:  # noqa: ARG002
        """Where the file lies."""
        return str(self._paths[index])

    def get_sample_id(self, index: int, context: Context) -> str:  # noqa: ARG002
        """What the sample is known by."""
        return str(self._ids[index])

    def get_purpose(self, index: int, context: Context) -> str | None:  # noqa: ARG002
        """What it is for."""
        purpose = self.table["purpose"].iat[index]
        # In a column of texts pandas makes NaN of None.
        return purpose if isinstance(purpose, str) else None

    def get_mask(self, index: int, context: Context) -> Tensor:  # noqa: ARG002
        """The mask of classes, `(H, W)` int64."""
        with _naming(self.table["mask"].iat[index]) as path:
            mask = self.pipeline.mask(self._read_path(path), outside=self._outside)
        if self.augmentation is None:
            return mask
        return self.augmentation.mask(mask, self._ids[index], outside=self._outside)

    def get_boxes(self, index: int, context: Context) -> NDArray[np.float64]:
        """The boxes in the tensor, `(N, 4)`: left, top, right, bottom in pixels."""
        with _naming(self._paths[index]):
            size = size_of(self.get_content(index, context))
            boxes = self.pipeline.boxes(self.table["boxes"].iat[index], size)
        height, width = self.pipeline.target or size
        kept = np.arange(len(boxes))
        if self.augmentation is not None:
            if height != width:
                raise DataError(f"an image of {width}×{height} pixels is augmented; expected a pipeline to a square")
            boxes, kept = self.augmentation.boxes(boxes, self._ids[index], width, least=self._least_seen)
        context["boxes"] = {"kept": kept}
        return boxes

    def get_box_labels(self, index: int, context: Context) -> NDArray[np.int64]:  # noqa: ARG002
        """The numbers of the classes of the boxes in the tensor, `(N,)`."""
        labels: NDArray[np.int64] = np.asarray(self.table["box_labels"].iat[index], np.int64)
        if self.augmentation is None:
            return labels
        # Which boxes are left is drawn with them.
        own = Context()
        self.get_boxes(index, own)
        kept: NDArray[np.int64] = own["boxes"]["kept"]
        return labels[kept]

    def load_many(self, name: str, indices: Sequence[int], contexts: Sequence[Context]) -> list[Any]:
        """One property of several samples; of images, all files are asked for at once."""
        if name == "content":
            return list(self._contents(indices))
        if name == "image":
            contents = self._contents(indices)
            return [self._image(*each) for each in zip(indices, contents, contexts, strict=True)]
        return super().load_many(name, indices, contexts)

    @once
    def _names(self) -> list[str]:
        """What the cache knows each file by: ids may be a user's own, and others' too."""
        columns = (self.table[name] for name in ("sample_id", "path", "size", "etag"))
        return [text_id("\0".join(map(str, each))) for each in zip(*columns, strict=True)]

    def _contents(self, indices: Sequence[int]) -> list[bytes]:
        if self.cache is None:
            return self._read(indices)
        names = [self._names[index] for index in indices]
        kept = self.cache.fetch_many(names)
        missing = [place for place, content in enumerate(kept) if content is None]
        read = self._read([indices[place] for place in missing])
        found = list(kept)
        for place, content in zip(missing, read, strict=True):
            found[place] = content
            self.cache[names[place]] = content
        return [content for content in found if content is not None]

    def _read(self, indices: Sequence[int]) -> list[bytes]:
        if len(indices) < 2 or all(is_local(self._paths[index]) for index in indices):
            return [self._read_one(index) for index in indices]
        # Another machine's answers are waited for together.
        with ThreadPoolExecutor(min(THREADS, len(indices))) as pool:
            return list(pool.map(self._read_one, indices))

    def _read_one(self, index: int) -> bytes:
        path = self._paths[index]
        with _naming(path):
            return self._read_path(path)

    def _read_path(self, path: str) -> bytes:
        return self.table.contents[path] if path in self.table.contents else read_bytes(path, self.table.options)

    def _image(self, index: int, content: bytes, context: Context) -> Tensor:
        with _naming(self._paths[index]):
            image = self._unit(content)
        if self.augmentation is not None:
            image = self.augmentation(image, self._ids[index], context)
        return self.pipeline.ranged(image)


@contextmanager
def _naming(path: str) -> Iterator[str]:
    """Says of which file an error is."""
    try:
        yield path
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error
    except DataError:
        raise
    except Exception as error:  # of the store, each with classes of its own
        raise DataError(f"{path} cannot be read ({type(error).__name__}: {error})") from error
