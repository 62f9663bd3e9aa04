"""What training sets are fed from, as pairs, and what they are written to: tables, COCO, large images, folders."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augimpact.data.image import read_image
from augimpact.data.images import ImageDataset
from augimpact.data.pipeline import ImagePipeline
from augimpact.data.samples import SampleTable
from augimpact.errors import DataError
from augimpact.files import filled_folder
from augimpact.store.labels import Grid, as_label, own_classes
from augimpact.store.training_set import TrainingSet

__all__ = ["Window", "coco_classes", "iterwindows", "pairs_of_coco", "pairs_of_table", "write_coco", "write_folder"]

Pairs = Iterator[tuple[Any, Any, dict[str, Any]]]


def pairs_of_table(table: SampleTable, kind: str = "classification", size: int | None = None) -> Pairs:
    """The samples of a table: their classes by name, or the boxes or masks of the columns that it has.

    Args:
        table: of images that are all of one size, unless one is given.
        kind: of the training set.
        size: to which images are brought, see `augimpact.data.pipeline.ImagePipeline`.

    Raises:
        DataError: the table has no such labels, or a file cannot be read.
    """
    column = {"classification": "label", "object_detection": "boxes", "segmentation": "mask"}[kind]
    dataset = ImageDataset(table, ImagePipeline(size))
    if column not in dataset.properties:
        raise DataError(f"the table has no column {column!r}, of which a set of {kind} is made")
    view, names = dataset.view(["image", column]), table.classes
    for number, path in enumerate(table["path"]):
        image, label = view[number]
        values = image.mul(255).round().byte().numpy()
        yield values, _as_fed(kind, label, names[number]), {"name": str(path).rpartition("/")[2]}


def _as_fed(kind: str, label: Any, name: str) -> Any:
    if kind == "classification":
        return name
    return {name: label} if kind == "object_detection" else label.numpy()


def coco_classes(path: str | Path) -> list[str]:
    """The names of the categories of a COCO file, in their order."""
    return sorted(str(each["name"]) for each in _read_json(path)["categories"])


def pairs_of_coco(path: str | Path, folder: str | Path, kind: str, size: int | None = None) -> Pairs:
    """The images of a COCO file (Lin et al. 2014, arXiv:1405.0312), with their boxes, or with masks of their classes.

    Args:
        path: of the file.
        folder: of the images.
        kind: `object_detection` or `segmentation`.
        size: to whose square images are brought, and what is marked in them.

    Raises:
        DataError: it is no such file, or an annotation cannot be read.
    """
    document = _read_json(path)
    names = {each["id"]: str(each["name"]) for each in document["categories"]}
    classes = sorted(set(names.values()))
    marked: dict[Any, list[Any]] = {}
    for each in document["annotations"]:
        marked.setdefault(each.get("image_id"), []).append(each)
    for about in document["images"]:
        image = read_image(Path(folder, about["file_name"]))
        whole = image.size
        if size is not None:
            image = image.resize((size, size), Image.Resampling.BICUBIC)
        boxes: dict[str, list[Any]] = {name: [] for name in classes}
        mask = np.zeros(image.size[::-1], np.uint16)
        for each in marked.get(about["id"], []):
            try:
                name = names[each["category_id"]]
                if kind == "object_detection":
                    boxes[name].append(_corners(each, whole, image.size))
                else:
                    mask[_inside(each, whole, image.size)] = classes.index(name) + 1
            except (KeyError, TypeError, ValueError) as error:
                told = f"{type(error).__name__}: {error}"
                raise DataError(f"the annotation {each.get('id')} of {str(path)!r} cannot be read ({told})") from error
        label = boxes if kind == "object_detection" else {"mask": mask, "classes": classes}
        yield image, label, {"name": str(about["file_name"])}


def _corners(annotation: Mapping[str, Any], whole: tuple[int, int], size: tuple[int, int]) -> NDArray[np.float64]:
    """Its box, at the size (width, height)."""
    left, top, width, height = annotation["bbox"]
    corners = np.array([[left, top], [left + width, top + height]]) * (np.array(size) / whole)
    return corners.reshape(-1)


def _inside(annotation: Mapping[str, Any], whole: tuple[int, int], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Where an annotation is, at the size (width, height)."""
    shape = annotation.get("segmentation")
    if isinstance(shape, Mapping) and isinstance(shape.get("counts"), list):
        values = np.arange(len(shape["counts"])) % 2
        mask = np.repeat(values, shape["counts"]).reshape(whole).T.astype(np.uint8)
        return np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST)) > 0
    if not isinstance(shape, list):
        raise DataError(f"the annotation {annotation.get('id')} is packed; expected polygons or counts")
    scale = np.array(size) / whole
    rings = [(np.reshape(each, (-1, 2)) * scale).tolist() for each in shape]
    # Every polygon is a part of the object: none cuts a hole into another.
    feature = {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}
    return as_label("segmentation", [feature], size[::-1], ["a"]).numbers > 0


def _read_json(path: str | Path) -> Any:
    try:
        document = json.loads(Path(path).read_bytes())
        if not {"images", "annotations", "categories"} <= set(document):
            raise ValueError("it has no images, annotations and categories")
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{str(path)!r} is no COCO file ({error})") from error
    return document


class Window(NamedTuple):
    """A piece of a large image, as `TrainingSet.feed` takes it.

    array: `(C, H, W)`. grid: where it lies in the image's projection. sensor: what took it, if that is known.
    """

    array: NDArray[Any]
    grid: Grid
    sensor: str | None


def iterwindows(
    path: str | Path, count: int, window_shape: tuple[int, int] = (256, 256), *, seed: int = 0
) -> Iterator[Window]:
    """Drawn windows of a GeoTIFF, or of what else rasterio reads; only they are read.

    Args:
        path: of the file.
        count: how many.
        window_shape: height and width of each.
        seed: of where they lie.

    Raises:
        DataError: rasterio is not there, the file cannot be read, is turned, or is smaller than a window.
    """
    try:
        import rasterio
        from rasterio.windows import Window as Part
    except ImportError as error:
        raise DataError("rasterio is not installed; expected `pip install augimpact[geo]`") from error
    height, width = window_shape
    generator = np.random.default_rng(seed)
    try:
        with rasterio.open(path) as image:
            if image.transform.b or image.transform.d:
                raise DataError(
                    f"the image {str(path)!r} is turned against its projection; expected rows from west to east"
                )
            if height > image.height or width > image.width:
                raise DataError(f"the windows are {window_shape}; expected at most {(image.height, image.width)}")
            sensor = image.tags().get("TIFFTAG_IMAGEDESCRIPTION") or image.tags().get("SENSOR")
            for _ in range(count):
                top = int(generator.integers(0, image.height - height + 1))
                left = int(generator.integers(0, image.width - width + 1))
                step = image.transform
                grid = Grid(step.c + left * step.a, step.a, step.f + top * step.e, step.e)
                yield Window(image.read(window=Part(left, top, width, height)), grid, sensor)
    except rasterio.errors.RasterioError as error:
        raise DataError(f"the image {str(path)!r} cannot be read ({error})") from error


def write_folder(training_set: TrainingSet, folder: str | Path) -> None:
    """Images in folders `group/class`; masks as `group/masks`, boxes in COCO's files beside the images.

    Images of 8 bits and 1 or 3 channels are PNG, and masks of at most 255 classes; all others `.npy`, `(C, H, W)`.

    Raises:
        OutputError: the folder is there and not empty, or cannot be written.
    """
    if training_set.mltype == "object_detection":
        write_coco(training_set, folder)
        return
    # The background is a level of the masks as well.
    levels = np.uint8 if len(training_set.classes) <= np.iinfo(np.uint8).max + 1 else np.uint16
    with filled_folder(Path(folder)) as place:
        for number, pair in enumerate(training_set[:]):
            if training_set.mltype == "classification":
                name = training_set.class_of(pair)
                _write_image(pair.array(), place / _as_file(pair.group) / _as_file(name) / f"{number:06}")
            else:
                _write_image(pair.array(), place / _as_file(pair.group) / "images" / f"{number:06}")
                _write_image(pair.y[None].astype(levels), place / _as_file(pair.group) / "masks" / f"{number:06}")


def write_coco(training_set: TrainingSet, folder: str | Path) -> None:
    """A COCO file `group.json` for each group, beside a folder `group` of its images.

    Raises:
        DataError: of classifications, which COCO does not know.
        OutputError: the folder is there and not empty, or cannot be written.
    """
    if training_set.mltype == "classification":
        raise DataError("COCO has no classes of images; expected a set of object_detection or segmentation")
    names = own_classes(training_set.mltype, training_set.classes)
    categories = [{"id": number, "name": name} for number, name in enumerate(names, 1)]
    documents: dict[str, dict[str, Any]] = {}
    with filled_folder(Path(folder)) as place:
        for number, pair in enumerate(training_set[:], 1):
            document = documents.setdefault(pair.group, {"images": [], "annotations": [], "categories": categories})
            file = _write_image(pair.array(), place / _as_file(pair.group) / f"{number:06}")
            height, width = training_set.shape[1:]
            document["images"].append({"id": number, "file_name": file.name, "height": height, "width": width})
            for each in _annotations(pair.y, names):
                document["annotations"].append(each | {"id": len(document["annotations"]) + 1, "image_id": number})
        for group, document in documents.items():
            (place / f"{_as_file(group)}.json").write_text(json.dumps(document))


def _as_file(name: str) -> str:
    """A name of a group or class, which anybody may have given, as that of one file: never a way out of the folder."""
    return re.sub(r'^\.|[/\\%:*?"<>|\x00-\x1f]', lambda found: f"%{ord(found[0]):02X}", name)


def _annotations(label: Any, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    if isinstance(label, np.ndarray) and label.dtype == np.uint16:
        for number in np.unique(label[label > 0]).tolist():
            inside = label == number
            rows, columns = np.nonzero(inside)
            # Runs down the columns, of what is outside first.
            flat = np.concatenate([[False], inside.T.reshape(-1), [False]])
            changes = np.flatnonzero(flat[1:] != flat[:-1])
            counts = np.diff(np.concatenate([[0], changes, [inside.size]])).tolist()
            box = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
            yield {
                "category_id": number, "iscrowd": 1, "area": int(inside.sum()), "bbox": [int(each) for each in box],
                "segmentation": {"counts": counts, "size": list(label.shape)},
            }  # fmt: skip
        return
    for name, boxes in label.items() if isinstance(label, Mapping) else [(names[0] if names else "", label)]:
        for left, top, right, bottom in boxes.tolist():
            box = [left, top, right - left, bottom - top]
            yield {"category_id": names.index(name) + 1, "iscrowd": 0, "area": box[2] * box[3], "bbox": box}


def _write_image(values: NDArray[Any], place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    if values.dtype == np.uint8 and len(values) in (1, 3):
        file = place.with_suffix(".png")
        Image.fromarray(values[0] if len(values) == 1 else values.transpose(1, 2, 0)).save(file)
        return file
    file = place.with_suffix(".npy")
    np.save(file, values, allow_pickle=False)
    return file
