"""Every sample of a dataset under every setting: `ai.measure_impact`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from augimpact.analysis import FOLLOW, versions
from augimpact.asking import Conditions
from augimpact.data.samples import SampleTable
from augimpact.errors import Cancelled, ParameterError
from augimpact.grid import Grid
from augimpact.impact.dataset import table_of
from augimpact.impact.identity import about
from augimpact.impact.jobs import Job, done_here, jobs_of
from augimpact.impact.labels import SYNSET, UNKNOWN, matched_classes
from augimpact.impact.parts import Parts
from augimpact.impact.plan import Plan, plan_of
from augimpact.impact.result import PARTS, Impact, as_text, impact_of, keep, samples_frame
from augimpact.models.load import load_classifier
from augimpact.progress import Telling, telling
from augimpact.sweep import Sweep

if TYPE_CHECKING:
    from distributed import Client
    from torch import nn

    from augimpact.models.model import Model

__all__ = ["measure_impact"]

# What belongs to maps alone, and what is usual of it.
EXPLAINING = {"method": "gradcam", "target": FOLLOW, "layer": None}


def measure_impact(
    dataset: Any,
    sweep: Sweep | Grid | Sequence[Sweep | Grid],
    classifier: Model | nn.Module | str | Mapping[str, Any] | None = None,
    *,
    folder: str | os.PathLike[str] | None = None,
    labels: Mapping[str, str | int] | None = None,
    maps: bool = False,
    client: Client | None = None,
    resources: Mapping[str, float] | None = None,
    progress: Telling | None = None,
    cancelled: Callable[[], bool] | None = None,
    **options: Any,
) -> Impact:
    """Asks a classifier about every sample under every setting, and the neutral one.

    Args:
        dataset: a folder of images or its address, a `.csv` with a column `path`, a `SampleTable`, an `ImageDataset`,
            torchvision's `ImageFolder`, fastai's `DataLoaders`, or pairs of image and class.
        sweep: a path through settings, a grid, or several of them.
        classifier: a `Classifier`, what `load_classifier` takes first, or a mapping of all its arguments; by default
            the built-in one.
        folder: where what is measured is kept. A run that was stopped goes on there, and what is there for the same
            samples, settings and classifier is not measured again. By default nothing is kept.
        labels: the classifier's name, or number, of classes of the dataset that are called otherwise; `{}` if there
            are no labels. By default they are found by name, see `augimpact.impact.labels`.
        maps: also measures how far the map of each frame moved, see `augimpact.drift`.
        client: of a Dask cluster whose workers do it; see `augimpact.impact.cluster`.
        resources: that a worker must have for each piece of work, as Dask names them: `{"GPU": 1}`.
        progress: is told how many frames are done, of how many; by default a bar.
        cancelled: asked between two pieces of work whether to stop.
        **options: `erase_fill`, `border`, `seed`, `precision` of `augimpact.asking.Conditions`; with maps `method`,
            `target` and `layer` as well.

    Raises:
        DataError: the dataset has no sample that can be read, or classes that are only partly the classifier's.
        SweepError, ParameterError, ModelError, LayerError, TargetError, OutputError: see those.
        Cancelled: `cancelled` said so; what was measured is kept in the folder.

    >>> import augimpact as ai
    >>> from augimpact.data.image import example
    >>> photographs = [(example(name), name) for name in ("cat", "coffee")]
    >>> impact = ai.measure_impact(photographs, ai.Sweep(rotation=(-90, 90), frames=3), progress=lambda *_: None)
    >>> impact.outcomes.predicted.shape
    (2, 3)
    """
    plan = plan_of(sweep, **_asked(maps, options))
    table = table_of(dataset)
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()) if folder is None else folder)
        worker = stack.enter_context(_worker(classifier, client, resources, plan.own))
        numbers = matched_classes(table.class_names, worker.about["names"], labels)
        known = [numbers[number] for number in table.labels]
        samples = samples_frame(table.frame, _shown(table, known, worker.about["names"]), known)
        recipe = worker.about | {
            "plan": plan.document(),
            "key": plan.key(worker.about["fingerprint"]),
            "dataset": os.fspath(dataset) if isinstance(dataset, (str, os.PathLike)) else None,
            "labels": dict(zip(table.class_names, numbers, strict=True)),
            "unread": [[as_text(str(each)) for each in row] for row in table.errors[["path", "error"]].to_numpy()],
            "versions": dict(versions()),
        }
        parts = Parts(place / PARTS / recipe["key"])
        jobs = jobs_of(table, samples, plan, parts)
        # What was measured there before is kept until something of this run is there.
        if len(jobs) == 0 or parts.measured():
            keep(place, recipe, samples)
        with telling("measuring", progress) as tell:
            told = _counted(jobs, len(table), plan, tell)
            for number, (job, part) in enumerate(worker.done(jobs, plan, table, told)):
                parts.write(job.name, part)
                if not number:
                    keep(place, recipe, samples)
                if cancelled is not None and cancelled():
                    raise Cancelled
        return impact_of(parts, samples, recipe)


def _shown(table: SampleTable, labels: Sequence[int], names: Sequence[str]) -> list[str]:
    """What the class of each sample is called: in words where the dataset has a WordNet id."""
    pairs = zip(table.classes, labels, strict=True)
    return [names[label] if label != UNKNOWN and SYNSET.fullmatch(name) else name for name, label in pairs]


def _asked(maps: bool, options: Mapping[str, Any]) -> dict[str, Any]:
    """Conditions and explanation, with what is usual said, so that it is the same plan."""
    explaining = {name: value for name, value in options.items() if name in EXPLAINING}
    for name in explaining:
        if not maps:
            raise ParameterError(f"{name} is {options[name]!r} and maps are not made; expected maps=True")
    conditions = Conditions(**{name: value for name, value in options.items() if name not in EXPLAINING})
    explained = EXPLAINING | explaining if maps else None
    return {"conditions": conditions.recipe(), "explained": explained}


def _counted(jobs: Sequence[Job], samples: int, plan: Plan, tell: Telling) -> Callable[[int], None]:
    """Counts frames; what was done before is done."""
    total = samples * len(plan.settings)
    done = total - sum(len(job.samples) for job in jobs) * len(plan.settings)
    tell(done, total)

    def told(frames: int) -> None:
        nonlocal done
        done += frames
        tell(done, total)

    return told


class Worker(Protocol):
    """Who measures: this process, or a cluster.

    Attributes:
        about: `name`, `fingerprint` and `classifier` (its recipe) of the model, and the `names` of its classes.
    """

    about: dict[str, Any]

    def done(
        self, jobs: Sequence[Job], plan: Plan, table: SampleTable, told: Callable[[int], object]
    ) -> Iterator[tuple[Job, bytes]]:
        """Each job and its part, in any order."""


class _Here:
    def __init__(self, classifier: Any) -> None:
        self._model = load_classifier(**classifier) if isinstance(classifier, Mapping) else load_classifier(classifier)
        self.about = about(self._model)

    def done(
        self, jobs: Sequence[Job], plan: Plan, table: SampleTable, told: Callable[[int], object]
    ) -> Iterator[tuple[Job, bytes]]:
        return done_here(jobs, self._model, plan, table, told)


@contextmanager
def _worker(
    classifier: Any, client: Any, resources: Mapping[str, float] | None, own: Iterable[str]
) -> Iterator[Worker]:
    if client is None:
        yield _Here({} if classifier is None else classifier)
        return
    from augimpact.impact.cluster import Cluster

    with Cluster(client, classifier, resources, own) as cluster:
        yield cluster
