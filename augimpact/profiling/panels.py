"""The panels of any dataset of images: what there is of it, how its images are, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from augimpact.data.integrity import NEAR, link, near_pairs
from augimpact.measures import MEASURES
from augimpact.profiling.collect import LEVELS, Collected, normalisation
from augimpact.profiling.decode import as_array
from augimpact.profiling.panel import COLOURS, Panel, draw_pictures, strict
from augimpact.profiling.statistics import PLAIN, class_distance, drift_between, information_about, odd_ones, quantiles

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["AUGMENTED", "Naming", "broken_panel", "general_panels"]

BINS = 40
# What the name of a split ends with whose images are augmented.
AUGMENTED = ", augmented"
# Of classes, samples and rows that a figure or a list shows.
SHOWN = 30
# Pictures in a row. A mean image of fewer images than this could be taken for one of them.
IN_A_ROW, FEWEST = 6, 5
# A class with fewer samples than this share of an even one is starved.
STARVED = 0.25
# Differences that are worth a word: of Jensen-Shannon distance, KS statistic, share of explained information.
WORTH, DRIFTED, SHORTCUT = 0.1, 0.1, 0.2
# Of what augmentation broke: by how much more of an image is clipped, what share of its sharpness is left.
CLIPPED, BLURRED = 0.2, 0.1


@dataclass(frozen=True)
class Naming:
    """What classes and samples are called in everything that leaves.

    Args:
        classes: the names by number, as far as they are known.
        hidden: numbers of classes that are told as one, without a name.
        anonymous: that no class and no file is named.
    """

    classes: Sequence[str] = ()
    hidden: frozenset[int] = frozenset()
    anonymous: bool = False

    def label(self, number: int) -> str:
        """The name of a class."""
        if number in self.hidden:
            return "hidden"
        known = number < len(self.classes) and not self.anonymous
        return self.classes[number] if known else f"class {number}"

    def labels(self, frame: pd.DataFrame) -> pd.Series[str]:
        """The name of each sample's class; samples without a label are left out."""
        known = frame["label"][frame["label"] >= 0]
        return known.map(self.label)


def general_panels(splits: Mapping[str, Collected], naming: Naming, *, shows_samples: bool = False) -> list[Panel]:
    """Those that every dataset has, in the order in which they are read; `shows_samples` if single ones may be seen."""
    frames = {split: collected.frame for split, collected in splits.items()}
    # The same images once more, augmented, are no other split of classes, and no duplicates.
    raw = {split: frame for split, frame in frames.items() if not split.endswith(AUGMENTED)}
    made: list[Panel] = [_summary(splits, frames), *_classes(raw, naming), _sizes(frames)]
    made += [_of_measure(name, frames) for name in MEASURES]
    made += [
        _colours(splits),
        *_mean_images(splits, naming, shows_samples),
        *_samples(splits, naming),
        *_extremes(splits, naming),
        _duplicates(raw),
    ]
    made += [_odd(frames), *_drift(frames), *_shortcuts(frames, naming), _errors(splits)]
    return made


def _summary(splits: Mapping[str, Collected], frames: Mapping[str, pd.DataFrame]) -> Panel:
    statistics: dict[str, Any] = {}
    for split, collected in splits.items():
        frame = frames[split]
        found = normalisation(collected.colours)
        statistics[split] = {
            "images": len(frame),
            "errors": len(collected.errors),
            "labels": int(frame.loc[frame["label"] >= 0, "label"].nunique()),
            "channels": {str(number): int(count) for number, count in frame["channels"].value_counts().items()},
            "width": quantiles(frame["width"]),
            "height": quantiles(frame["height"]),
        } | ({} if found is None else {"mean": found[0], "std": found[1], "normalize": _normalize(*found)})
    first = next(iter(statistics.values()))
    line = first.get("normalize")
    told = f"{first['images']} images" + (f"; {line} puts them around 0" if line else "")
    more = "".join(f", {statistics[split]['images']} in {split}" for split in list(statistics)[1:])

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.axis("off")
        rows = [[split, each["images"], each["errors"], each["labels"],
                 f"{each['width']['median']:.0f} × {each['height']['median']:.0f}" if each["images"] else "–"]
                for split, each in statistics.items()]  # fmt: skip
        table = axes.table(rows, colLabels=["", "images", "errors", "classes", "median size"], loc="center")
        table.scale(1, 1.6)

    return Panel(
        "summary", "Summary", statistics, f"{told}{more}. Worry about errors, and sizes that differ much.", draw
    )


def _normalize(mean: Sequence[float], std: Sequence[float]) -> str:
    told = [", ".join(f"{each:.3f}" for each in numbers) for numbers in (mean, std)]
    return f"Normalize(mean=[{told[0]}], std=[{told[1]}])"


def _classes(frames: Mapping[str, pd.DataFrame], naming: Naming) -> list[Panel]:
    counts = {split: naming.labels(frame).value_counts() for split, frame in frames.items()}
    if not any(map(len, counts.values())):
        return []
    known = [naming.label(number) for number in range(len(naming.classes))]
    names = sorted({*known, *(str(name) for each in counts.values() for name in each.index)}, key=_natural)
    table = pd.DataFrame({split: each.reindex(names).fillna(0).astype(int) for split, each in counts.items()})
    statistics: dict[str, Any] = {"counts": {split: table[split].to_dict() for split in table}}
    first = table.iloc[:, 0]
    even = first.sum() / max(1, (first > 0).sum())
    statistics["starved"] = [str(name) for name in first.index if 0 < first[name] < STARVED * even]
    statistics["empty"] = [str(name) for name in first.index if first[name] == 0]
    worries = [f"{len(statistics[key])} {key}" for key in ("starved", "empty") if statistics[key]]
    if table.shape[1] > 1:
        statistics["comparison"] = class_distance(first, table.iloc[:, 1])
        told = statistics["comparison"]
        worries += [f"{len(told[key])} {key}" for key in ("new", "missing") if told[key]]
        if told["jensen_shannon"] is not None and told["jensen_shannon"] > WORTH:
            worries.append(f"shares differ by a Jensen-Shannon distance of {told['jensen_shannon']:.2f}")

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        shown = table.iloc[np.argsort(-first.to_numpy(), kind="stable")][:SHOWN]
        width = 0.8 / table.shape[1]
        for place, split in enumerate(table):
            total = max(1, int(table[split].sum()))
            axes.bar(
                np.arange(len(shown)) + place * width, shown[split] / total, width, color=COLOURS[place], label=split
            )
        axes.set_xticks(np.arange(len(shown)), _short(shown.index), rotation=60, ha="right", fontsize=7)
        axes.set_ylabel("share of the split")
        axes.legend(fontsize=8)

    sentence = "How often each class is there. " + (
        f"Worry: {'; '.join(worries)}." if worries else "Nothing stands out."
    )
    return [Panel("classes", "Classes", statistics, sentence, draw)]


def _sizes(frames: Mapping[str, pd.DataFrame]) -> Panel:
    statistics = {
        split: {
            "width": quantiles(frame["width"]),
            "height": quantiles(frame["height"]),
            "aspect": quantiles(frame["width"] / frame["height"]),
            "sizes": len(frame[["width", "height"]].drop_duplicates()),
        }
        for split, frame in frames.items()
    }

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        for (split, frame), colour in zip(frames.items(), COLOURS, strict=False):
            sizes = frame.groupby(["width", "height"]).size()
            wide, high = sizes.index.get_level_values(0), sizes.index.get_level_values(1)
            left.scatter(wide, high, 6 + 40 * sizes / max(1, sizes.max()), color=colour, alpha=0.6, label=split)
            if len(frame):
                right.hist(frame["width"] / frame["height"], BINS, color=colour, alpha=0.6, density=True)
        left.set(xlabel="width, pixels", ylabel="height, pixels")
        right.set(xlabel="width over height")
        left.legend(fontsize=8)

    several = max(len(frame[["width", "height"]].drop_duplicates()) for frame in frames.values())
    return Panel(
        "sizes", "Sizes", statistics,
        f"Width, height and aspect of the images, in {several} {'size' if several == 1 else 'sizes'}. "
        "Worry when a model scales them all alike.", draw,
    )  # fmt: skip


def _of_measure(name: str, frames: Mapping[str, pd.DataFrame]) -> Panel:
    about = MEASURES[name]
    values = {split: frame[name].to_numpy(np.float64) for split, frame in frames.items()}
    high = max((float(each.max()) for each in values.values() if len(each)), default=1.0)
    edges = np.linspace(about.minimum, max(high, 1e-6) if about.maximum > 8 else about.maximum, BINS + 1)
    statistics = {
        split: quantiles(each) | {"histogram": np.histogram(each, edges)[0], "edges": edges}
        for split, each in values.items()
    }

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for (split, each), colour in zip(values.items(), COLOURS, strict=False):
            if len(each):
                shares = np.histogram(each, edges)[0] / len(each)
                axes.stairs(shares, edges, fill=True, color=colour, alpha=0.45, label=split)
                axes.axvline(float(np.median(each)), color=colour, linewidth=1)
        axes.set(xlabel=f"{name}: {about.description}, {about.unit}", ylabel="share of the images")
        axes.legend(fontsize=8)

    medians = ", ".join(f"{np.median(each):.3g} in {split}" for split, each in values.items() if len(each))
    worry = "Worry when the splits lie apart, or a model will see other values."
    return Panel(
        name, name.capitalize(), statistics, f"The {about.description} of each image; median {medians}. {worry}", draw
    )


def _colours(splits: Mapping[str, Collected]) -> Panel:
    statistics = {
        split: {f"{channels} channels": counts for channels, counts in collected.colours.items()}
        for split, collected in splits.items()
    }

    def draw(figure: Figure) -> None:
        axes = np.atleast_1d(figure.subplots(1, len(splits), sharey=True))
        for axis, (split, collected) in zip(axes, splits.items(), strict=True):
            for counts in collected.colours.values():
                colours = ("red", "green", "blue") if len(counts) in (3, 4) else [None] * len(counts)
                for channel, colour in zip(counts, [*colours, *[None] * len(counts)], strict=False):
                    axis.plot(np.arange(LEVELS), channel / max(1, channel.sum()), color=colour, linewidth=1)
            axis.set(xlabel=f"value, 0 to 255, in {split}", xlim=(0, LEVELS - 1))
        axes[0].set_ylabel("share of the pixels")

    return Panel(
        "colours", "Colours", statistics,
        "How often each value is in a channel. Worry about peaks at the ends: what is clipped is lost.",
        draw,
    )  # fmt: skip


def _mean_images(splits: Mapping[str, Collected], naming: Naming, shows_samples: bool) -> list[Panel]:
    """Mean images of classes that are not hidden, and have `FEWEST` images, unless single ones may be seen anyway."""
    split, collected = next(iter(splits.items()))
    merged: dict[str, list[Any]] = {}
    for label, (count, total, squares) in collected.means.items():
        if label in naming.hidden or (count < FEWEST and not shows_samples):
            continue
        name = "all" if label is None else naming.label(label)
        known = merged.setdefault(name, [0, 0.0, 0.0])
        known[0], known[1], known[2] = known[0] + count, known[1] + total, known[2] + squares
    if not merged:
        return []
    means = {name: total / count for name, (count, total, _) in merged.items()}
    deviations = {
        name: np.sqrt(np.maximum(squares / count - (total / count) ** 2, 0))
        for name, (count, total, squares) in merged.items()
    }
    names = sorted(means, key=_natural)
    statistics = {
        name: {"images": merged[name][0], "mean": means[name].mean() / 255, "deviation": deviations[name].mean() / 255}
        for name in names
    }

    def draw(figure: Figure) -> None:
        shown = names[: SHOWN // 2]
        pairs = [np.hstack([means[name], deviations[name] * 255 / max(1e-9, deviations[name].max())]) for name in shown]
        large = [_enlarged(np.clip(np.rint(pair), 0, 255).astype(np.uint8)) for pair in pairs]
        draw_pictures(figure, large, shown, IN_A_ROW // 2)

    return [Panel(
        "mean_images", "Mean images", statistics,
        f"The mean of each class in {split}, and beside it how much it varies. Worry when the mean gives the class "
        "away: then place or background tell it.", draw, True,
    )]  # fmt: skip


def _enlarged(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Three times as large."""
    image = Image.fromarray(picture)
    return np.asarray(image.resize((image.width * 3, image.height * 3), Image.Resampling.BICUBIC))


def _samples(splits: Mapping[str, Collected], naming: Naming) -> list[Panel]:
    thumbnails = [
        each for collected in splits.values() for each in collected.thumbnails if not _is_hidden(each[1], naming)
    ]
    if not thumbnails:
        return []
    labels = [naming.label(int(label)) if isinstance(label, (int, np.integer)) else "" for _, label, _ in thumbnails]

    def draw(figure: Figure) -> None:
        draw_pictures(figure, [picture for _, _, picture in thumbnails], labels, IN_A_ROW)

    statistics = {"indices": [index for index, _, _ in thumbnails], "classes": labels}
    return [
        Panel("samples", "Samples", statistics, "Some samples, drawn evenly. Worry about wrong labels.", draw, True)
    ]


def _extremes(splits: Mapping[str, Collected], naming: Naming) -> list[Panel]:
    """The outermost images themselves."""
    shown = [
        (split, kind, extreme)
        for split, collected in splits.items()
        for kind, several in collected.extremes.items()
        for extreme in several
        if not _is_hidden(extreme.label, naming)
    ]
    if not shown:
        return []
    captions = [f"{kind} {extreme.value:.2g}" for _, kind, extreme in shown]
    statistics: dict[str, Any] = {}
    for split, kind, extreme in shown:
        found = statistics.setdefault(split, {}).setdefault(kind, {"indices": [], "values": []})
        found["indices"].append(extreme.number)
        found["values"].append(extreme.value)

    def draw(figure: Figure) -> None:
        draw_pictures(figure, [extreme.picture for _, _, extreme in shown], captions, IN_A_ROW)

    sentence = "The darkest, lightest, plainest and most blurred images. Worry when nobody could name them."
    return [Panel("extremes", "Outermost images", statistics, sentence, draw, True)]


def _is_hidden(label: Any, naming: Naming) -> bool:
    """Whether a label, be it a mask or boxes, has a hidden class."""
    if isinstance(label, Mapping):
        label = label.get("labels", [])
    if label is None or not naming.hidden:
        return False
    return bool(np.isin(np.asarray(as_array(label)), list(naming.hidden)).any())


def _duplicates(frames: Mapping[str, pd.DataFrame]) -> Panel:
    everything = pd.concat([frame.assign(split=split) for split, frame in frames.items()], ignore_index=True)
    content = pd.factorize(everything["content"])[0]
    firsts = np.unique(content, return_index=True)[1]
    pairs = near_pairs(everything["perceptual"].to_numpy(np.uint64)[firsts], NEAR)
    plain = everything["entropy"].to_numpy()[firsts] < 1e-3
    # All uniform pictures have one perceptual hash.
    pairs = pairs[~(plain[pairs[:, 0]] | plain[pairs[:, 1]])] if len(pairs) else pairs
    groups = link(pairs, len(firsts))[content]

    def of(numbers: NDArray[np.int64], column: str | None = None) -> pd.Series[bool]:
        sizes = pd.Series(numbers).map(pd.Series(numbers).value_counts())
        if column is None:
            return sizes > 1
        known = everything[column].where(everything[column] != -1)
        return (sizes > 1) & (known.groupby(numbers).transform("nunique") > 1)

    exact, near = of(content), of(groups)
    statistics = {
        "exact": int(exact.sum()),
        "near": int((near & ~exact).sum()),
        "in_several_splits": int(of(groups, "split").sum()),
        "with_several_labels": int(of(groups, "label").sum()),
        "groups": [
            {"split": list(rows["split"]), "index": list(rows["index"])}
            for _, rows in everything[near].groupby(groups[near.to_numpy()])
        ][:SHOWN],
    }
    bars = {name.replace("_", " "): count for name, count in statistics.items() if name != "groups"}

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.barh(list(bars), [int(str(count)) for count in bars.values()], color=COLOURS[0])
        axes.set_xlabel("images")
        axes.locator_params("x", integer=True)
        axes.invert_yaxis()

    told = f"{statistics['exact']} images are there more than once, {statistics['near']} nearly"
    leak = statistics["in_several_splits"]
    worry = f" Worry: {leak} of them are in several splits." if leak else " None of them is in two splits."
    return Panel("duplicates", "Duplicates", statistics, f"{told}.{worry}", draw)


def _odd(frames: Mapping[str, pd.DataFrame]) -> Panel:
    statistics = {split: odd_ones(frame) for split, frame in frames.items()}
    kinds = list(next(iter(statistics.values())))

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        width = 0.8 / len(statistics)
        for place, (split, found) in enumerate(statistics.items()):
            heights = [found[kind]["count"] for kind in kinds]
            axes.bar(np.arange(len(kinds)) + place * width, heights, width, color=COLOURS[place], label=split)
        axes.set_xticks(np.arange(len(kinds)), [kind.replace("_", " ") for kind in kinds], fontsize=8)
        axes.set_ylabel("images")
        axes.locator_params("y", integer=True)
        axes.legend(fontsize=8)

    total = sum(found[kind]["count"] for found in statistics.values() for kind in kinds)
    return Panel(
        "odd", "Odd images", statistics, f"{total} images are dark, light, blurred, plain, or of an odd size.", draw
    )


def _drift(frames: Mapping[str, pd.DataFrame]) -> list[Panel]:
    if len(frames) < 2:
        return []
    (first, one), (second, other) = list(frames.items())[:2]
    found = drift_between(one, other)
    statistics = {"between": [first, second], "measures": found}
    ranked = sorted(found, key=lambda name: -(found[name]["ks"] or 0))

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.barh(ranked, [found[name]["ks"] or 0 for name in ranked], color=COLOURS[0])
        axes.invert_yaxis()
        axes.set(xlabel=f"Kolmogorov-Smirnov statistic between {first} and {second}", xlim=(0, 1))

    far = [name for name in ranked if (found[name]["ks"] or 0) > DRIFTED and (found[name]["p"] or 0) < 0.01]
    worry = f"Worry: {', '.join(far)} differ." if far else "None of them differs much."
    return [Panel("drift", "Drift", statistics, f"How far {second} is from {first}, by each property. {worry}", draw)]


def _shortcuts(frames: Mapping[str, pd.DataFrame], naming: Naming) -> list[Panel]:
    frame = next(iter(frames.values()))
    labels = naming.labels(frame)
    if labels.nunique() < 2:
        return []
    found = information_about(frame.loc[labels.index], labels)
    ranked = sorted(found, key=lambda name: -found[name])

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.barh(ranked, [found[name] for name in ranked], color=COLOURS[0])
        axes.invert_yaxis()
        axes.set(xlabel="share of the labels' entropy that it tells", xlim=(0, 1))

    telling = [name for name in ranked if found[name] > SHORTCUT]
    worry = f"Worry: {', '.join(telling)} alone tell much of it." if telling else "None tells much of it."
    return [
        Panel("shortcuts", "Shortcuts", {"information": found}, f"What a property says of the class. {worry}", draw)
    ]


def _errors(splits: Mapping[str, Collected]) -> Panel:
    statistics: dict[str, dict[str, Any]] = {
        split: {
            "count": len(collected.errors),
            "indices": [failure.number for failure in collected.errors[:SHOWN]],
            "kinds": dict(Counter(each.error.partition(":")[0] for each in collected.errors)),
        }
        for split, collected in splits.items()
    }  # fmt: skip

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.bar(list(statistics), [each["count"] for each in statistics.values()], color=COLOURS[1])
        axes.set_ylabel("samples that failed")
        axes.locator_params("y", integer=True)

    total = sum(each["count"] for each in statistics.values())
    told = f"{total} samples could not be used. Worry about each." if total else "Every sample could be used."
    return Panel("errors", "Errors", statistics, told, draw)


def _short(names: Sequence[str] | pd.Index[Any]) -> list[str]:
    # A folder's name may be of several lines, or no UTF-8.
    plain = [" ".join(strict(str(name)).split()) for name in names]
    return [name if len(name) <= 24 else f"{name[:23]}…" for name in plain]


def _natural(name: str) -> tuple[Any, ...]:
    """Numbers in names by their value."""
    import re

    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part)


def broken_panel(before: Collected, after: Collected, boxes: Sequence[int] = (0, 0)) -> Panel:
    """What augmentation broke: images that became blank, clipped or blurred, one by one.

    Blank has less than `PLAIN` bits of entropy left, clipped a fifth more of its values at either end, blurred a tenth
    or less of its sharpness. `boxes` is how many there were before and after.
    """
    one, other = (each.frame.set_index("index") for each in (before, after))
    other = other.reindex(one.index)
    ways = {
        "blank": (other["entropy"] < PLAIN) & (one["entropy"] >= PLAIN),
        "clipped": other["clipped"] - one["clipped"] > CLIPPED,
        "blurred": other["sharpness"] < BLURRED * one["sharpness"],
    }
    statistics = {
        "images": len(one),
        **{
            way: {"count": int(found.sum()), "indices": one.index[found][:SHOWN].tolist()}
            for way, found in ways.items()
        },
        "difference": {name: float((other[name] - one[name]).mean()) for name in MEASURES},
    }

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.bar(list(ways), [int(found.sum()) for found in ways.values()], color=COLOURS[1])
        axes.set_ylabel("images")
        axes.locator_params("y", integer=True)

    if boxes[0]:
        statistics["boxes"] = {"before": boxes[0], "after": boxes[1], "lost": boxes[0] - boxes[1]}
    told = ", ".join(f"{int(found.sum())} {way}" for way, found in ways.items())
    told += f", and of {boxes[0]} boxes {boxes[0] - boxes[1]} are lost" if boxes[0] else ""
    return Panel(
        "broken", "What augmentation broke", statistics, f"Of {len(one)} images augmentation left {told}. "
        "Worry when it is more than a few: the model learns nothing from them.", draw,
    )  # fmt: skip
