"""The work in pieces: which samples are measured together, and one piece done, here or on another machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from augimpact.data.locations import read_bytes
from augimpact.data.samples import SampleTable
from augimpact.errors import ImageError
from augimpact.impact.lanes import Lanes, lanes_of
from augimpact.impact.measuring import canvas_of, measured_samples
from augimpact.impact.parts import Failed, Known, Parts, known_samples, part_name, part_of
from augimpact.impact.plan import Plan
from augimpact.models.model import Model
from augimpact.profiling.ahead import ahead

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

__all__ = ["Job", "done_here", "done_job", "jobs_of"]


class Job(NamedTuple):
    """Samples of one part.

    name: of the part.
    samples: as parts know them.
    paths: where each lies.
    contents: the bytes of those that are no files, once the job is `filled`, which is when it begins.
    """

    name: str
    samples: tuple[Known, ...]
    paths: tuple[str, ...]
    contents: Mapping[str, bytes] = {}

    def filled(self, contents: Mapping[str, bytes]) -> Job:
        """The same, with what of these is its own."""
        return self._replace(contents={path: contents[path] for path in self.paths if path in contents})


def jobs_of(table: SampleTable, samples: pd.DataFrame, plan: Plan, parts: Parts) -> list[Job]:
    """What is still to be done.

    Pieces are cut from the whole table in its order, and those that are there are left out: what goes on does the very
    same work that it would have done. Of a piece that is not there the samples that another piece had are left out, and
    of one that is there those that could not be read are tried once more.

    Args:
        table: where the samples are read.
        samples: their `sample_id` and `label`; equal ones count once.
        plan: the settings.
        parts: those that are there.
    """
    first: dict[Known, int] = {}
    for place, each in enumerate(known_samples(samples)):
        first.setdefault(each, place)
    paths, together = table["path"].tolist(), plan.samples_together
    known = list(first)
    pieces = [known[start : start + together] for start in range(0, len(known), together)]
    measured, errors = parts.measured(), parts.errors()
    jobs = []
    for piece in pieces:
        # What could not be read may be there today; what is no image never will be.
        there = parts.has(part_name(piece))
        again = [each for each in piece if not there or (each in errors and not errors[each].lasting)]
        left = tuple(each for each in again if each not in measured)
        if left:
            jobs.append(Job(part_name(left), left, tuple(str(paths[first[each]]) for each in left)))
    return jobs


def done_here(
    jobs: Sequence[Job],
    model: Model,
    plan: Plan,
    table: SampleTable,
    told: Callable[[int], object] | None = None,
) -> Iterator[tuple[Job, bytes]]:
    """Each job and its part, one after the other; images of the next are decoded while the model computes.

    Args:
        jobs: what is to be done.
        model: a classifier of images.
        plan: the settings.
        table: where the samples are read.
        told: is given numbers of frames that are done.
    """
    paths = (path for job in jobs for path in job.paths)
    canvases = ahead(lambda path: _opened(path, table.contents, model, table.options), paths)
    with lanes_of(model) as lanes:
        for job in jobs:
            yield job, _done(job, list(islice(canvases, len(job.samples))), lanes, plan, told)


def done_job(job: Job, model: Model, plan: Plan, options: Mapping[str, Any]) -> tuple[bytes, bool]:
    """The part of one job, and whether not one of its files is there, as where the file system is not seen."""
    canvases = list(ahead(lambda path: _opened(path, job.contents, model, options), job.paths))
    missing = all(isinstance(each, FileNotFoundError) for each in canvases)
    with lanes_of(model) as lanes:
        return _done(job, canvases, lanes, plan, None), missing


def _done(
    job: Job,
    canvases: Sequence[Tensor | Exception],
    lanes: Lanes,
    plan: Plan,
    told: Callable[[int], object] | None,
) -> bytes:
    good = [number for number, each in enumerate(canvases) if not isinstance(each, Exception)]
    failed = [
        Failed(*job.samples[number], _reason(each), isinstance(each, ImageError))
        for number, each in enumerate(canvases)
        if isinstance(each, Exception)
    ]
    if told is not None and failed:
        told(len(failed) * len(plan.settings))
    samples = [job.samples[number] for number in good]
    images: list[Any] = [canvases[number] for number in good]
    answers = measured_samples(images, [each.label for each in samples], lanes, plan, told)
    return part_of(samples, answers, failed, plan)


def _opened(path: str, contents: Mapping[str, bytes], model: Model, options: Mapping[str, Any]) -> Tensor | Exception:
    """The canvas of a sample, or what was raised."""
    try:
        return canvas_of(contents[path] if path in contents else read_bytes(path, options), model)
    except Exception as error:  # of a user's file or store, whatever it raises
        return error


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, ImageError) else f"{type(error).__name__}: {text}"
