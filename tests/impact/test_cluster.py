"""A real cluster of processes: the same table as here, also when a worker is killed."""

from __future__ import annotations

import os
import shutil
import signal
import time

import fsspec
import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster

import augimpact as ai
from augimpact.augment.own import forget
from augimpact.augment.plugins import load_plugins
from augimpact.data.samples import SampleTable
from augimpact.errors import DataError, ModelError
from augimpact.impact.cluster import connect, own_cluster
from augimpact.impact.parts import Parts
from tests.impact.conftest import put_pieces
from tests.impact.own_network import brightness_classifier

SWEEP = ai.Sweep(rotation=(-60, 60), frames=5)


def quiet(_done: int, _total: int) -> None:
    """No bar."""


@pytest.fixture(scope="module")
def client():
    with own_cluster(2, threads=1) as client:
        yield client


def same(one: ai.Impact, other: ai.Impact) -> None:
    """The same table but for rounding: threads of another number add in another order."""
    first, second = (each.table().drop(columns="score") for each in (one, other))
    pd.testing.assert_frame_equal(first, second)
    np.testing.assert_allclose(one.table()["score"], other.table()["score"], atol=1e-5)


def test_the_table_is_that_of_one_process(client, pieces, classifier, monkeypatch):
    monkeypatch.setattr("augimpact.impact.plan.FRAMES", 10)
    here = ai.measure_impact(pieces, SWEEP, classifier, progress=quiet)
    told = []
    there = ai.measure_impact(pieces, SWEEP, client=client, progress=lambda *done: told.append(done))
    same(here, there)
    assert told[-1] == (60, 60)
    assert there.recipe["key"] == here.recipe["key"]
    # Each worker made it once, and has forgotten it.
    assert not any(name.startswith("augimpact") for names in plugins(client).values() for name in names)


def plugins(client) -> dict[str, list[str]]:
    return client.run(lambda dask_worker: list(dask_worker.plugins))


def test_a_classifier_of_one_s_own_travels_with_its_code(client, pieces):
    """Its module is none that a worker could import."""
    classifier = brightness_classifier()
    here = ai.measure_impact(pieces, ai.Sweep(brightness=(0.1, 3), frames=5), classifier, labels={}, progress=quiet)
    there = ai.measure_impact(
        pieces, ai.Sweep(brightness=(0.1, 3), frames=5), classifier, labels={}, client=client, progress=quiet
    )
    same(here, there)
    assert len(np.unique(here.outcomes.predicted)) == 2


def test_an_augmentation_of_one_s_own_travels_with_its_code(client, pieces, classifier, tmp_path):
    """Its file is one that no worker sees, and has a helper."""
    file = tmp_path / "mine.py"
    try:
        for strength in ("1 - value", "1 - value / 2"):
            file.write_text(f"""
import augimpact as ai

def weaker(value):
    return {strength}

@ai.augmentation("mine", range=(0, 1), neutral=0)
def mine(batch, value):
    return batch * weaker(value)
""")
            load_plugins([file])
            sweep = ai.Sweep(mine=(0, 1), frames=3)
            here = ai.measure_impact(pieces, sweep, classifier, progress=quiet)
            assert here.outcomes.measures["brightness"][:, 2].mean() < 0.3
            moved = file.rename(tmp_path / "moved.py")
            there = ai.measure_impact(pieces, sweep, client=client, progress=quiet)
            moved.rename(file)
            same(here, there)
    finally:
        forget("mine")


def test_a_file_that_is_gone_is_in_the_ledger_also_when_it_is_all_that_is_left(client, pieces, tmp_path, monkeypatch):
    monkeypatch.setattr("augimpact.impact.plan.FRAMES", 5)
    folder = shutil.copytree(pieces, tmp_path / "data")
    table = SampleTable.from_folder(folder, identity="path")
    next(folder.rglob("*.png")).unlink()
    for _ in range(2):
        found = ai.measure_impact(table, SWEEP, client=client, folder=tmp_path / "out", progress=quiet)
        assert (len(found.outcomes), len(found.errors)) == (11, 1)
        assert "FileNotFoundError" in found.errors["error"].iloc[0]


def test_images_in_memory_travel_too(client, classifier):
    from augimpact.data.image import example

    photographs = [(example("cat"), "tabby"), (example("coffee"), "espresso")]
    here = ai.measure_impact(photographs, SWEEP, classifier, progress=quiet)
    same(here, ai.measure_impact(photographs, SWEEP, client=client, progress=quiet))


def test_a_worker_without_the_file_system_gives_one_clear_error(client, pieces):
    """What lies in this process's memory is seen by no other."""
    files = fsspec.filesystem("memory")
    files.put(str(pieces), "/photographs", recursive=True)
    with pytest.raises(DataError, match=r"the worker tcp.* cannot read 'memory://.*FileNotFoundError.*every worker"):
        ai.measure_impact("memory://photographs", SWEEP, client=client, progress=quiet)


def test_a_classifier_that_workers_cannot_make_is_said(client, pieces):
    with pytest.raises(ModelError, match=r"a worker of the cluster says.*unknown model 'resnet5"):
        ai.measure_impact(pieces, SWEEP, "resnet51", client=client, progress=quiet)


def test_resources_that_no_worker_has_are_said(client, pieces):
    with pytest.raises(ModelError, match="no worker has GPU=1"):
        ai.measure_impact(pieces, SWEEP, client=client, resources={"GPU": 1}, progress=quiet)


def test_no_scheduler_is_said():
    with pytest.raises(ModelError, match=r"no scheduler answers at 'tcp://127.0.0.1:9'"):
        connect("tcp://127.0.0.1:9", patience=1)


def test_a_killed_worker_loses_nothing_and_repeats_nothing(tmp_path, monkeypatch):
    """SIGKILL in the middle of a job; its nanny starts another worker."""
    monkeypatch.setattr("augimpact.impact.plan.FRAMES", 15)
    folder = put_pieces(tmp_path / "data", 10)
    classifier = brightness_classifier()
    here = ai.measure_impact(folder, SWEEP, classifier, labels={}, progress=quiet)
    killed, pids = [], []

    def kill(done: int, total: int) -> None:
        if pids and done > total / 3:
            killed.append(pids.pop())
            os.kill(killed[0], signal.SIGKILL)

    with own_cluster(2, threads=1) as client:
        pids.append(next(iter(client.run(os.getpid).values())))
        there = ai.measure_impact(
            folder, SWEEP, classifier, labels={}, client=client, folder=tmp_path / "out", progress=kill
        )
        assert killed
        assert killed[0] not in client.run(os.getpid).values()
    same(here, there)
    rows = Parts(tmp_path / "out" / "parts" / there.recipe["key"]).frame()
    assert len(rows) == 40 * 5
    assert not rows.duplicated(["sample_id", "setting"]).any()


def test_a_gpu_worker_is_chosen_by_its_resources(pieces):
    """Only one of two workers says that it has one; all work goes there."""
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None, processes=False) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        cluster.scale(1)
        with pytest.raises(ModelError, match="no worker has GPU=1"):
            ai.measure_impact(pieces, SWEEP, client=client, resources={"GPU": 1}, progress=quiet)
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=None, processes=False, resources={"GPU": 1}
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        found = ai.measure_impact(pieces, SWEEP, client=client, resources={"GPU": 1}, progress=quiet)
        assert len(found.outcomes) == 12


def test_own_workers_keep_freed_memory(client):
    """What Dask's nanny asks of malloc makes torch slow."""
    environments = client.run(lambda: dict(os.environ))
    assert all(each["MALLOC_TRIM_THRESHOLD_"] == str(1 << 30) for each in environments.values())


def test_memory_is_bounded_here_as_there_are_few_tasks_under_way(client, tmp_path, monkeypatch):
    monkeypatch.setattr("augimpact.impact.plan.FRAMES", 5)
    folder = put_pieces(tmp_path / "data", 8)
    most = 0

    def count(_done: int, _total: int) -> None:
        nonlocal most
        time.sleep(0.02)
        most = max(most, len(client.futures))

    ai.measure_impact(folder, SWEEP, brightness_classifier(), labels={}, client=client, progress=count)
    assert 0 < most <= 8


def test_a_cluster_leaves_this_process_s_environment_as_it_was():
    """Dask's nanny sets variables here before it starts a worker."""
    before = dict(os.environ)
    with own_cluster(1, threads=1):
        pass
    assert dict(os.environ) == before
