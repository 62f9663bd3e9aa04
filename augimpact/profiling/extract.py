"""One pass over a dataset: `ai.profile`."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from augimpact.errors import DataError, ImageError, UnreadableData
from augimpact.profiling.absent import tell_of_absent
from augimpact.profiling.ahead import ahead, torch_on_threads
from augimpact.profiling.annotations import Annotations, annotation_panels
from augimpact.profiling.arguments import (
    check_augmentation,
    check_finders,
    check_normalisation,
    check_numbers,
    device_of,
    hidden_of,
    ignored_of,
    names_of,
    names_of_labelled,
)
from augimpact.profiling.broken import broken_panel
from augimpact.profiling.collect import Collected
from augimpact.profiling.decode import Decoder
from augimpact.profiling.looking import Look, content_of, measuring_of, size_of_group, taken_in, work_of
from augimpact.profiling.naming import AUGMENTED, Naming
from augimpact.profiling.needs import MEAN_PICTURES, NEEDS, PICTURES, chosen_panels
from augimpact.profiling.numbering import ClassNumbers, numbers_in
from augimpact.profiling.opening import source_of
from augimpact.profiling.panels import general_panels
from augimpact.profiling.private import told_failure, told_paths
from augimpact.profiling.ranges import Evidence
from augimpact.profiling.result import Profile
from augimpact.profiling.source import Source
from augimpact.profiling.structure import Finder
from augimpact.profiling.white import Whites
from augimpact.progress import Telling, telling

if TYPE_CHECKING:
    from augimpact.augment.random import RandomAugmentation

__all__ = ["profile"]

logger = logging.getLogger(__name__)
TRAIN, VAL = "train", "val"


def profile(
    train: Any,
    val: Any = None,
    *,
    augmentation: RandomAugmentation | None = None,
    images: Finder = None,
    labels: Finder = None,
    class_names: Sequence[str] | Mapping[int, str] | None = None,
    ignored: Sequence[int] | int = (),
    layout: str | None = None,
    value_range: str | Sequence[float] | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    channels: str = "RGB",
    samples: int = 0,
    seed: int = 0,
    max_samples: int | None = None,
    hide_classes: Sequence[str | int] = (),
    hide_names: bool = False,
    features: Sequence[str] | None = None,
    device: str = "auto",
    progress: Telling | None = None,
) -> Profile:
    """Looks once at every sample, and tells what the dataset is like and what is wrong with it.

    Ctrl-C ends the pass, and gives the report of what was seen; before there is a sample it is raised.

    Args:
        train: a folder of images, a `SampleTable`, a dataset of ours, torchvision's or fastai's, or any iterable of
            samples or batches: tensors, arrays, Pillow images, in tuples, lists and mappings. Files that are opened
            here are turned as their EXIF says, images and masks, and of several pages or frames the first is taken;
            Pillow images are taken as they are. The class of a file is the folder that it lies in; what lies directly
            in the folder that was given has none.
        val: another split, to be compared.
        augmentation: compares each image with itself augmented, by panels of both and their difference; masks and boxes
            follow. Both are the image's middle square at 224², in three channels, and what lies outside is cut off;
            only faulty boxes are told of the boxes as they were given.
        images: where in an item the image is: a path such as `[0].rgb` or `["input.jpg"]`, or a function of the item;
            by default what by its type is an image.
        labels: likewise of the label: a class, as a number or one-hot; a mask of classes, of numbers or one-hot, but
            not with a layer for each object, where white (255) is class 1 if all masks have only 0, 1 and 255, and none
            both of the latter; a mapping with `boxes`, left, top, right, bottom, and their `labels`; or
            annotations of COCO's or VOC's. A text is the name of a class only where it is asked for so.
        class_names: by number, or the other way round. A number without a name is a class only where a label has it;
            classes of one name are told apart by their numbers.
        ignored: classes of masks and boxes that do not count.
        layout: `CHW`, `HWC`, or `HW` of grey images without an axis of channels, where the sizes do not tell.
        value_range: what black and white are, `unit`, `byte`, `signed`, or two numbers, where the values do not tell:
            of floats the highest tells nothing between 1 and 16, of whole numbers in 16 bits nothing up to 16383. Of
            files it is that of the numbers that are no bytes.
        mean: that images were normalised with, a number a channel; and `std`.
        std: see `mean`.
        channels: their order, `RGB` or `BGR`.
        samples: how many pictures of each split the report shows, drawn evenly; none by default. Any number also has
            it show the outermost images and the mean images of classes with few images, and say what the errors were;
            and the table of samples then has the path and class of every sample. Without it, mean images and maps of
            the places of masks and boxes are of at least 5 different images.
        seed: of the samples that are drawn; an augmentation draws with its own.
        max_samples: of each split.
        hide_classes: classes, by name or number, that are told as one, without a name, a picture or a path.
        hide_names: names neither classes nor files.
        features: names of panels that are made; or, with a `-` before each, that are not. Panels that tell of several
            measures and of sizes (`drift`, `shortcuts`, `extremes`, `odd`, `broken`) tell of those that are named; of
            all that are not left out, where none is. The table of samples has the columns that the panels are of, and
            what no panel needs is not measured. `-classes` leaves out that panel alone: names of classes are hidden by
            `hide_classes` and `hide_names`.
        device: where the pixels are gone through: `cpu` is all of its cores, `cuda` a GPU, and `auto` a GPU where there
            is one that can be used, as this process does from then on. The numbers are the same.
        progress: is told how many samples are done, of how many; by default a bar.

    Raises:
        DataError: there is no sample, an argument makes no sense, or there is no panel of those that were asked for.
        KeyboardInterrupt: Ctrl-C, before there was a sample.
        AmbiguousData: what is image, label, layout or range cannot be told; the sentence says what to pass.
        ModelError: there is no such device.

    >>> import numpy as np
    >>> dark = [(np.full((8, 8, 3), level, np.uint8), level % 2) for level in (10, 20, 30, 40)]
    >>> round(profile(dark)["brightness"].statistics["train"]["max"] * 255, 3)
    40.0
    """
    if channels not in ("RGB", "BGR"):
        raise DataError(f"channels is {channels!r}; expected RGB or BGR")
    check_numbers(samples=(samples, 0), seed=(seed, 0), max_samples=(max_samples, 1))
    check_finders(images=images, labels=labels)
    check_augmentation(augmentation)
    check_normalisation(mean, std)
    ignored = ignored_of(ignored)
    chosen = chosen_panels(features)
    needs = chosen.needs - (frozenset() if samples else PICTURES)
    given = {TRAIN: source_of(train)} | ({} if val is None else {VAL: source_of(val)})
    place = device_of(device)
    decoder = Decoder(layout, value_range, mean, std, channels == "BGR", stays_on=None if place is None else place.type)
    names = names_of(class_names, list(given.values()))
    naming = Naming(names, hidden_of(hide_classes, names), hide_names)
    limits = {split: _limit(source, max_samples) for split, source in given.items()}
    total = sum(each for each in limits.values() if each is not None)
    splits: dict[str, Collected] = {}
    annotations: dict[str, Annotations] = {}
    # Classes that only labels name, of all splits.
    met = ClassNumbers()
    # Splits are compared by the numbers of their classes.
    whites = Whites()
    complete = True

    def cut() -> None:
        nonlocal complete
        complete = False

    # Each image's decoding puts the process's filters aside: of several at a time, one puts back another's.
    with warnings.catch_warnings(), telling("profiling", progress) as tell, torch_on_threads(1):
        done = 0
        try:
            for split, source in given.items():
                passes = _passes(split, augmentation)
                fresh = replace(decoder, evidence=Evidence())
                own = needs if split == TRAIN else needs - {MEAN_PICTURES}
                for each in passes:
                    splits[each] = Collected(
                        samples=samples, seed=seed, classes=len(names) or None, needs=own, evidence=fresh.evidence
                    )
                    annotations[each] = Annotations(ignored, len(names) or None, needs, whites)
                # One more than the limit tells that there are more.
                most = None if max_samples is None else max_samples + 1
                counted = source.class_names if class_names is None else None
                named = ClassNumbers(counted or names) if names else met
                work = work_of(source, fresh, images, labels, named, needs, most=most, on_cut=cut)
                numbers = numbers_in(names, counted)
                measure = measuring_of(work, needs, augmentation, place)
                look = Look(
                    work, numbers, naming.hidden, augmentation, next(iter(ignored), 0), annotations[split], measure,
                    place,
                )  # fmt: skip
                looked_at = chain.from_iterable(ahead(look.at_group, work.groups, size=size_of_group))
                for number, several in enumerate(looked_at):
                    if max_samples is not None and number >= max_samples:
                        complete = False
                        break
                    for each, seen in zip(passes, several, strict=True):
                        splits[each].add(*taken_in(annotations[each], seen, content_of(several[0])))
                    done += 1
                    tell(done, max(total, done))
                work.end()
        except KeyboardInterrupt:
            if not any(map(len, splits.values())):
                raise
            logger.warning("interrupted: the report is of %d samples", done)
            complete = False
            # Of what had begun only.
            splits = {split: each for split, each in splits.items() if len(each)}
            annotations = {split: annotations[split] for split in splits}
    for collected in splits.values():
        collected.end()
    labelled = (
        source
        for split, source in given.items()
        if split in splits and (annotations[split].classes or (splits[split].frame["label"] >= 0).any())
    )
    naming = replace(naming, classes=names or met.names or names_of_labelled(labelled))
    _refuse_empty(splits, hide_names or bool(hide_classes))
    made = general_panels(
        splits, annotations, naming, shows_samples=samples > 0, chosen=chosen, complete=complete, order=channels
    )
    of_labels = annotation_panels(annotations, naming, shows_samples=samples > 0, complete=complete)
    made += [panel for panel in of_labels if panel.name in chosen.panels]
    if augmentation is not None and "broken" in chosen.panels and len(splits) > 1:
        made.append(broken_panel(splits, annotations, chosen.properties))
    if augmentation is not None:
        # Loads torch, which nothing else needs for files on the host.
        from augimpact.profiling.differences import with_differences

        made = with_differences(made, list(splits))
    panels = sorted(made, key=lambda panel: list(NEEDS).index(panel.name))
    frames = {split: each.frame for split, each in splits.items()}
    tell_of_absent(chosen, [panel.name for panel in panels], annotations, frames)
    told = any(panel.name == "samples" for panel in panels)
    paths = {split: told_paths(each, naming) for split, each in splits.items()} if told else {}
    errors = {
        split: tuple(told_failure(failure, naming, has_path=samples > 0) for failure in each.errors)
        for split, each in splits.items()
    }
    return Profile(tuple(panels), frames, complete, naming, paths, errors, samples > 0)


def _passes(split: str, augmentation: RandomAugmentation | None) -> list[str]:
    return [split] if augmentation is None else [split, split + AUGMENTED]


def _limit(source: Source, most: int | None) -> int | None:
    if source.length is None or most is None:
        return source.length if most is None else most
    return min(source.length, most)


def _refuse_empty(splits: Mapping[str, Collected], hides: bool) -> None:
    for split, collected in splits.items():
        if not len(collected):
            error = collected.errors[0].error if collected.errors else ""
            # A message may name the file.
            first = f"; the first error was {collected.errors[0].kind if hides else error}" if error else ""
            # Of others it is something else that is wrong, such as their labels.
            unread = error and all(each.kind == ImageError.__name__ for each in collected.errors)
            kind = UnreadableData if unread else DataError
            raise kind(f"{split} has no sample that can be used{first}; expected at least one")
