"""A profile for TensorBoard: an event file with every number, the histograms, the sentences and the figures.

The records are written here rather than by a writer of TensorBoard's, which would put the machine's name into the
file's, and add a file at each save instead of replacing the last.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from augimpact.profiling.drawing import Drawing
from augimpact.profiling.naming import DIFFERENCE
from augimpact.profiling.panel import strict

__all__ = ["EVENTS", "scalars_of", "write_events"]

EVENTS = "events.out.tfevents.profile"
# What a reader of the format expects of the first record.
VERSION = "brain.Event:2"
RGBA = 4


def write_events(drawings: Sequence[Drawing], path: Path) -> None:
    """Writes one event file; the tags begin with the panel's name.

    Raises:
        ImportError: there is no TensorBoard.
    """
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    now = time.time()
    with path.open("wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=now, file_version=VERSION).SerializeToString())
        for drawing in drawings:
            values = list(_values_of(drawing))
            writer.write(Event(wall_time=now, step=0, summary=Summary(value=values)).SerializeToString())


def scalars_of(statistics: Mapping[str, Any], before: str) -> Iterator[tuple[str, float]]:
    """Every number that is not in a list, under its names with slashes between.

    >>> dict(scalars_of({"train": {"mean": 0.5, "histogram": [1, 2], "note": "x"}}, "brightness"))
    {'brightness/train/mean': 0.5}
    """
    for name, each in statistics.items():
        if isinstance(each, Mapping):
            yield from scalars_of(each, f"{before}/{name}")
        elif isinstance(each, (int, float)) and not isinstance(each, bool):
            yield f"{before}/{name}", each


def _values_of(drawing: Drawing) -> Iterator[Any]:
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.types_pb2 import DT_STRING

    name, statistics = drawing.panel.name, strict(drawing.panel.statistics)
    text = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
    sentence = TensorProto(dtype=DT_STRING, string_val=[strict(drawing.panel.sentence).encode()])
    yield Summary.Value(tag=f"{name}/sentence", metadata=text, tensor=sentence)
    for tag, number in scalars_of(statistics, name):
        yield Summary.Value(tag=tag, simple_value=number)
    # A difference of counts is below 0, which no histogram has.
    counted = {split: each for split, each in statistics.items() if not split.endswith(DIFFERENCE)}
    for tag, edges, counts in _histograms(counted, name):
        yield Summary.Value(tag=tag, histo=_histogram(np.asarray(edges, np.float64), np.asarray(counts, np.float64)))
    width, height = drawing.pixels
    picture = Summary.Image(height=height, width=width, colorspace=RGBA, encoded_image_string=drawing.png)
    yield Summary.Value(tag=f"{name}/figure", image=picture)


def _histograms(value: Mapping[str, Any], before: str) -> Iterator[tuple[str, Sequence[float], Sequence[float]]]:
    """Tag, edges and counts: of what has both, and of what counts every level of each channel."""
    if "histogram" in value and "edges" in value:
        yield f"{before}/histogram", value["edges"], value["histogram"]
    for name, each in value.items():
        if isinstance(each, Mapping):
            yield from _histograms(each, f"{before}/{name}")
        elif name.endswith(" channels") and isinstance(each, list):
            for channel, counts in enumerate(each):
                yield f"{before}/{name}/{channel}", np.arange(-0.5, len(counts)).tolist(), counts


def _histogram(edges: Any, counts: Any) -> Any:
    """Sums are those of the bins' middles, for what lies within is not kept."""
    from tensorboard.compat.proto.summary_pb2 import HistogramProto

    middles = (edges[1:] + edges[:-1]) / 2
    return HistogramProto(
        min=edges[0], max=edges[-1], num=counts.sum(), sum=(counts * middles).sum(),
        sum_squares=(counts * middles**2).sum(), bucket_limit=edges[1:], bucket=counts,
    )  # fmt: skip
