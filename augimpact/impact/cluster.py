"""Many machines: a Dask cluster whose workers read the images and ask the classifier, each of which it makes once.

A task is one job: some paths. How the classifier is made travels to every worker once, also to those that come later,
as a plugin; what was measured comes back as the bytes of a part, and a few tasks are under way at a time, so that
memory is bounded here as well. A worker that dies takes nothing with it but the jobs that it was at, and those are
given to others.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import cloudpickle
import numpy as np
from distributed import Client, get_worker
from distributed.client import as_completed
from distributed.diagnostics.plugin import WorkerPlugin
from distributed.scheduler import KilledWorker

from augimpact.augment.own import Own, own_of, put
from augimpact.data.locations import read_bytes
from augimpact.data.samples import SampleTable
from augimpact.errors import DataError, ModelError, UserError
from augimpact.impact.jobs import Job, done_job
from augimpact.impact.plan import Plan
from augimpact.impact.scheduler import PATIENCE, connect, own_cluster

if TYPE_CHECKING:
    import torch

    from augimpact.models.model import Model

__all__ = ["Cluster", "connect", "own_cluster"]

# Tasks that wait for each thread of the cluster, beside the one that it is at.
WAITING = 2
# Files that are tried to see whether a worker sees any at all.
PROBES = 5
# A worker does one job at a time that sweeps augmentations of somebody's own: they are registered in its process.
OWN_AT_ONCE = threading.Lock()


class ModelOnWorker(WorkerPlugin):  # type: ignore[misc]
    """How a worker makes the classifier: from its recipe, or from the pickled object; when it is first asked.

    Args:
        name: of the plugin.
        recipe: arguments of `load_classifier`.
        pickled: the classifier, in place of them.
        own: the augmentations of the user's own that are swept, pickled.
    """

    def __init__(self, name: str, recipe: Mapping[str, Any], pickled: bytes | None, own: bytes) -> None:
        self.name, self._recipe, self._pickled, self._packed = name, recipe, pickled, own

    def setup(self, worker: Any) -> None:  # noqa: ARG002 - Dask calls it so
        """Nothing is made yet; another run may be what the worker is there for."""
        self._lock = threading.Lock()
        self._model: Model | None = None
        self._own: list[Own] | None = None

    def model(self) -> Model:
        """The classifier, the same for every task; the augmentations are registered then."""
        from augimpact.models.device import pick_device
        from augimpact.models.load import load_classifier

        with self._lock:
            if self._own is None:
                self._own = cloudpickle.loads(self._packed)
            for each in self._own or ():
                # Another run may have brought another one of that name.
                if [each.code] != [known.code for known in own_of([each.parameter.name])]:
                    put(each)
            if self._model is None:
                self._model = load_classifier(**self._recipe) if self._pickled is None else self._sent(pick_device())
            return self._model

    def _sent(self, device: torch.device) -> Model:
        from augimpact.models.load import load_classifier

        model = load_classifier(cloudpickle.loads(self._pickled))
        model.module.to(device)
        return model


class Cluster:
    """A cluster that measures; to be used in a `with` block, at whose end its workers forget the classifier.

    Args:
        client: of the cluster.
        classifier: as `measure_impact` takes it.
        resources: what a worker must have.
        own: names of augmentations of the user's own that are swept.

    Attributes:
        about: what `augimpact.impact.identity.about` says of the classifier.

    Raises:
        ModelError: no worker, or workers that cannot make the classifier.
    """

    def __init__(
        self,
        client: Client,
        classifier: Any,
        resources: Mapping[str, float] | None = None,
        own: Iterable[str] = (),
    ) -> None:
        self._client, self._resources = client, dict(resources or {}) or None
        recipe, pickled = _recipe_of(classifier)
        effects = own_of(own)
        packed = _pickled(effects, "an augmentation", [each.module for each in effects])
        self._plugin = ModelOnWorker(f"augimpact-{uuid.uuid4().hex}", recipe, pickled, packed)

    def __enter__(self) -> Self:
        _await_worker(self._client)
        self._check_resources()
        self._client.register_plugin(self._plugin)
        try:
            self.about: dict[str, Any] = self._result(self._submit(_about, self._plugin.name))
            theirs, ours = self.about.pop("version"), importlib.metadata.version("augimpact")
            if theirs != ours:
                raise ModelError(f"the workers have augimpact {theirs}; expected {ours}, as here")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._client.status == "running":
            self._client.unregister_worker_plugin(self._plugin.name)

    def done(
        self, jobs: Sequence[Job], plan: Plan, table: SampleTable, told: Callable[[int], object]
    ) -> Iterator[tuple[Job, bytes]]:
        """Each job and its part, whichever is done first.

        Raises:
            DataError: a worker does not see the samples' files.
        """
        if not jobs:
            return
        seen = _spread(table)
        self._check_files(seen, table)
        document, options, waiting = plan.document(), dict(table.options), iter(jobs)
        known: dict[Any, Job] = {}
        running = as_completed(loop=self._client.loop)

        def start() -> None:
            # Workers may have come since, or gone.
            threads = max(1, sum(self._client.nthreads().values()))
            for job in islice(waiting, max(0, (1 + WAITING) * threads - len(known))):
                future = self._submit(_done, self._plugin.name, job.filled(table.contents), document, options, seen)
                known[future] = job
                running.add(future)

        start()
        try:
            for future in running:
                part = self._result(future)
                job = known.pop(future)
                start()
                told(len(job.samples) * len(plan.settings))
                yield job, part
        finally:
            self._client.cancel(list(known))

    def _check_resources(self) -> None:
        """A task that no worker may take would wait for ever."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        for name, amount in (self._resources or {}).items():
            if not any(worker["resources"].get(name, 0) >= amount for worker in workers):
                raise ModelError(
                    f"no worker has {name}={amount:g}; expected one that was started with --resources {name}={amount:g}"
                )

    def _check_files(self, paths: Sequence[str], table: SampleTable) -> None:
        for worker, error in self._client.run(_unseen, paths, dict(table.options)).items():
            if error is not None:
                raise DataError(
                    f"the worker {worker} cannot read {paths[0]!r} ({error}); expected a folder that every worker "
                    "sees under this name, or an address such as s3://bucket/folder"
                )

    def _submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return self._client.submit(function, *arguments, resources=self._resources, pure=False)

    def _result(self, future: Any) -> Any:
        try:
            return future.result()
        except KilledWorker as error:
            raise ModelError(
                "workers died one after the other at the same piece of work, as they do for want of memory; "
                "what was measured before is kept"
            ) from error
        except UserError as error:
            raise type(error)(f"a worker of the cluster says: {error}") from error


def _recipe_of(classifier: Any) -> tuple[dict[str, Any], bytes | None]:
    """Arguments of `load_classifier`, where there are such; else the object, pickled with the code of its module."""
    if classifier is None or isinstance(classifier, Mapping):
        return dict(classifier or {}), None
    if isinstance(classifier, (str, os.PathLike)):
        return {"source": os.fspath(classifier)}, None
    if getattr(classifier, "origin", None) is not None and classifier.chosen is None:
        return dict(classifier.origin), None
    return {}, _pickled(classifier, "the classifier", [type(getattr(classifier, "module", classifier)).__module__])


def _pickled(value: Any, what: str, names: Iterable[str]) -> bytes:
    """With the code of these modules, where it is the user's."""
    found = {name: sys.modules.get(name) for name in names}
    own = [module for module in found.values() if module is not None and _is_users(module)]
    for module in own:
        cloudpickle.register_pickle_by_value(module)
    try:
        return bytes(cloudpickle.dumps(value))
    except Exception as error:  # of the user's object, whatever it raises
        raise ModelError(f"{what} cannot be pickled for the workers ({error}); expected one that can") from error
    finally:
        for module in own:
            cloudpickle.unregister_pickle_by_value(module)


def _is_users(module: Any) -> bool:
    """Whether its code lies with the user, and not with what workers have installed."""
    file = getattr(module, "__file__", None)
    installed = {"site-packages", "dist-packages", Path(os.__file__).parent.name}
    return (
        file is not None and not installed & set(Path(file).parts) and module.__name__.partition(".")[0] != "augimpact"
    )


def _await_worker(client: Client) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as error:
        raise ModelError(f"the scheduler has no worker after {PATIENCE} seconds; expected at least one") from error


def _about(plugin: str) -> dict[str, Any]:
    from augimpact.impact.identity import about

    return about(get_worker().plugins[plugin].model()) | {"version": importlib.metadata.version("augimpact")}


def _done(plugin: str, job: Job, plan: Mapping[str, Any], options: Mapping[str, Any], seen: Sequence[str]) -> bytes:
    # What another run swept under the same name is not what this one does.
    with OWN_AT_ONCE if plan["own"] else nullcontext():
        model = get_worker().plugins[plugin].model()
        part, missing = done_job(job, model, Plan.from_document(plan), options)
    # One file may be gone for all; here none is seen at all.
    if missing and _unseen(seen, options) is not None:
        raise DataError(f"there is no {job.paths[0]!r}, nor any other of {len(job.paths)} samples")
    return part


def _spread(table: SampleTable) -> list[str]:
    """Some files from all over the table, by which it is seen whether its place is seen."""
    paths = [str(path) for path in table["path"] if path not in table.contents]
    places = np.linspace(0, len(paths) - 1, PROBES).round().astype(int)
    return [paths[place] for place in dict.fromkeys(places.tolist())] if paths else []


def _unseen(paths: Sequence[str], options: Mapping[str, Any]) -> str | None:
    """Why none of these can be read; None if one can, or there are none."""
    found: str | None = None
    for path in paths:
        try:
            read_bytes(path, options)
        except Exception as error:  # of the store, each with classes of its own
            found = found or type(error).__name__
        else:
            return None
    return found
