"""Caches of files' bytes, one set of promises for all: on disk, in memory, in a real Redis server."""

from __future__ import annotations

import logging
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import namedtuple
from pathlib import Path

import pytest
import skimage
import torch
from hypothesis import given
from hypothesis import strategies as st

from augimpact.data.cache import IN_MEMORY, PARTIAL, PARTIAL_SECONDS, DiskCache, MemoryCache, RedisCache, packed
from augimpact.data.image import EXAMPLES
from augimpact.data.images import ImageDataset
from augimpact.data.pipeline import ImagePipeline
from augimpact.data.samples import SampleTable
from augimpact.errors import DataError
from tests.conftest import REDIS_VARIABLE

redis = pytest.importorskip("redis")

Usage = namedtuple("Usage", "total used free")
PHOTOGRAPHS = [Path(skimage.__file__).parent / "data" / name for name in EXAMPLES.values()]
KINDS = ("disk", "memory", "redis")
ODD_NAMES = ("../up", "/etc/passwd", "a b\n", "*?[x]", "Ünï", "a" * 100, "\udcff", ".", "CON", "A", "a")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_redis(folder, port=None):
    """A server of Debian's `redis-server` that answers, and its URL."""
    executable = shutil.which("redis-server")
    if executable is None:
        if os.environ.get(REDIS_VARIABLE):
            pytest.fail(f"{REDIS_VARIABLE} is set and there is no redis-server")
        pytest.skip("there is no redis-server on this machine")
    port = port or free_port()
    command = [executable, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--daemonize", "no"]
    server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    client = redis.Redis(port=port)
    for _ in range(500):
        try:
            client.ping()
            break
        except redis.ConnectionError:
            time.sleep(0.01)
    return server, f"redis://127.0.0.1:{port}/0"


def stop(process):
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory):
    server, url = start_redis(tmp_path_factory.mktemp("redis"))
    yield url
    stop(server)


@pytest.fixture
def shared_memory(tmp_path, monkeypatch):
    """A place of the test's own in the stead of `/dev/shm`."""
    place = tmp_path / "shm"
    place.mkdir()
    monkeypatch.setattr("augimpact.data.cache.SHARED_MEMORY", place)
    return place


@pytest.fixture(params=KINDS)
def cache(request, tmp_path, shared_memory):
    if request.param == "redis":
        made = RedisCache(request.getfixturevalue("redis_url"), prefix=f"{tmp_path.name}:")
        made.clear()
    else:
        made = MemoryCache() if request.param == "memory" else DiskCache(tmp_path / "cache")
    with made:
        yield made


def raw_of(cache, name):
    return cache._load(name)


def damage(cache, name, content):
    """Writes under the entry's name what is not behind its checksum."""
    if isinstance(cache, RedisCache):
        redis.Redis.from_url(cache._url).set(cache._prefix + name, content)
    else:
        Path(cache._place(name)).write_bytes(content)


def test_it_is_a_mapping_of_bytes(cache, caplog):
    assert len(cache) == 0
    assert list(cache) == []
    cache["a"] = b"one"
    cache["b"] = bytearray(b"two")
    cache["a"] = b"other"
    assert dict(cache) == {"a": b"other", "b": b"two"}
    assert "a" in cache
    assert "c" not in cache
    assert cache.get("c") is None
    assert cache.fetch_many(["b", "c", "a"]) == [b"two", None, b"other"]
    assert cache.fetch_many([]) == []
    del cache["a"]
    for act in (cache.__getitem__, cache.__delitem__):
        with pytest.raises(KeyError, match="a"):
            act("a")
    assert cache.pop("b") == b"two"
    cache.update(x=b"1", y=b"2")
    cache.clear()
    assert len(cache) == 0
    assert caplog.records == []


@given(content=st.binary(max_size=300), name=st.text(min_size=1, max_size=25) | st.sampled_from(ODD_NAMES))
def test_any_bytes_under_any_name_are_given_back(cache, name, content):
    cache[name] = content
    assert cache[name] == content
    assert name in set(cache)
    del cache[name]
    assert name not in set(cache)


def test_names_that_are_alike_are_kept_apart(cache):
    for name in ODD_NAMES:
        cache[name] = name.encode("utf-8", "surrogatepass")
    assert sorted(cache) == sorted(ODD_NAMES)
    assert all(cache[name] == name.encode("utf-8", "surrogatepass") for name in ODD_NAMES)


def test_many_entries_are_each_told_once(cache):
    names = [f"{number:032x}" for number in range(1200)]
    for name in names:
        cache[name] = b"x"
    assert sorted(cache) == names
    cache.clear()
    assert list(cache) == []


def test_what_is_fetched_is_read_once(cache):
    reads = []

    def read():
        reads.append(1)
        return b"content"

    assert [cache.fetch("a", read) for _ in range(3)] == [b"content"] * 3
    assert len(reads) == 1


def test_bytes_are_kept_as_they_are_and_never_pickled(cache, monkeypatch):
    monkeypatch.setattr(pickle, "dumps", None)
    monkeypatch.setattr(pickle, "loads", None)
    content = pickle.HIGHEST_PROTOCOL.to_bytes() + PHOTOGRAPHS[0].read_bytes()
    cache["a"] = content
    assert raw_of(cache, "a") == packed(content)
    assert raw_of(cache, "a").endswith(content)
    assert cache["a"] == content


@pytest.mark.parametrize(
    "harm",
    [
        lambda whole: whole[:40] + bytes([whole[40] ^ 4]) + whole[41:],
        lambda whole: bytes([whole[0] ^ 128]) + whole[1:],
        lambda whole: whole[:-1],
        lambda whole: whole[:7],
        lambda whole: b"",
        lambda whole: whole + b"\0",
    ],
    ids=["bit", "checksum", "short", "stump", "empty", "long"],
)
@pytest.mark.parametrize("ask", ["one", "many", "fetch"])
def test_an_entry_that_is_damaged_is_dropped_and_read_again(cache, harm, ask, caplog):
    content = bytes(range(256))
    cache["a"] = content
    damage(cache, "a", harm(packed(content)))
    if ask == "fetch":
        assert cache.fetch("a", lambda: b"anew") == b"anew"
        assert cache["a"] == b"anew"
    else:
        assert (cache.get("a") if ask == "one" else cache.fetch_many(["a"])[0]) is None
        assert list(cache) == []
    assert [record.message for record in caplog.records] == ["an entry of the cache was damaged and is read again: a"]


def test_a_copy_by_pickle_shares_the_entries(cache):
    cache["a"] = b"here"
    copy = pickle.loads(pickle.dumps(cache))
    assert copy["a"] == b"here"
    copy["b"] = b"there"
    copy.close()
    assert cache["b"] == b"there"
    assert cache["a"] == b"here"


class CountedImages(ImageDataset):
    """Puts down each file that is read, in whatever process."""

    log: Path

    def _read_one(self, index):
        with self.log.open("a") as log:
            log.write(f"{index}\n")
        return super()._read_one(index)


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_see_what_others_of_them_have_read(cache, context, tmp_path):
    table = SampleTable.from_list(PHOTOGRAPHS, memory=None)
    dataset = CountedImages(table, ImagePipeline(16), cache=cache)
    log = dataset.log = tmp_path / "reads"
    # Each photograph is asked for twice in a row, so that each worker is asked for all of them over two epochs.
    loader = torch.utils.data.DataLoader(
        dataset.view("image sample_id"), batch_size=1, num_workers=2, multiprocessing_context=context,
        sampler=[0, 1, 2, 3, 3, 2, 1, 0], persistent_workers=True,
    )  # fmt: skip
    first = [(image, sample_id) for image, sample_id in loader]
    read = len(log.read_text().splitlines())
    assert 4 <= read <= 8  # two workers may read the same at the same time
    assert sorted(cache.values()) == sorted(path.read_bytes() for path in PHOTOGRAPHS)
    loader.sampler.reverse()
    again = [(image, sample_id) for image, sample_id in loader]
    again += [(dataset.view("image")[index][None], [table["sample_id"][index]]) for index in range(4)]
    del loader
    assert len(log.read_text().splitlines()) == read
    pixels = {sample_id[0]: image for image, sample_id in first}
    assert all(torch.equal(image, pixels[sample_id[0]]) for image, sample_id in again)
    assert len(cache) == 4


@pytest.mark.parametrize("kind", ["disk", "memory"])
def test_a_file_system_that_is_full_keeps_nothing_more_and_is_no_error(
    kind, tmp_path, shared_memory, monkeypatch, caplog
):
    cache = MemoryCache() if kind == "memory" else DiskCache(tmp_path / "cache")
    cache["a"] = b"kept"
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(1000, 900, 100))
    cache["b"] = bytes(100)
    cache["c"] = bytes(100)
    assert cache.fetch("d", lambda: bytes(90)) == bytes(90)
    assert list(cache) == ["a"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "keeps nothing more (the file system is full" in caplog.text
    cache["e"] = bytes(30)
    assert sorted(cache) == ["a", "e"]
    cache.close()


def test_what_is_left_to_others_is_as_asked_for(tmp_path):
    cache = DiskCache(tmp_path / "cache", keep_free=1)
    cache["a"] = b"x"
    assert list(cache) == []
    cache = DiskCache(tmp_path / "cache", keep_free=0)
    cache["a"] = b"x"
    assert list(cache) == ["a"]


@pytest.mark.parametrize(("total", "left"), [(10 * 1024**3, 512 * 1024**2), (4 * 1024**4, 2 * 1024**3)])
def test_of_a_large_file_system_no_more_is_left_than_others_need(total, left, tmp_path, monkeypatch):
    cache = DiskCache(tmp_path / "cache")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(total, total - left - 500, left + 500))
    cache["a"] = bytes(400)
    cache["b"] = bytes(600)
    assert list(cache) == ["a"]


def test_a_disk_that_takes_but_a_part_leaves_no_entry(tmp_path, caplog):
    resource = pytest.importorskip("resource")
    cache = DiskCache(tmp_path / "cache")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        cache["a"] = bytes(100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(cache) == []
    assert [path for path in cache.folder.rglob("*") if path.is_file()] == [cache.folder / ".augimpact-cache"]
    assert "keeps nothing more (File too large)" in caplog.text


def test_a_name_that_a_file_cannot_have_is_refused(tmp_path):
    cache = DiskCache(tmp_path / "cache")
    for name in ("", "a" * 101, "ü" * 51):
        with pytest.raises(DataError, match="expected 1 to 100 bytes"):
            cache[name] = b""
    assert list(cache) == []


def test_a_folder_of_something_else_is_refused_untouched(tmp_path):
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(DataError, match="holds something else; expected one of its own"):
        DiskCache(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]
    with pytest.raises(DataError, match=r"no cache can be kept in '.*diary.txt'"):
        DiskCache(tmp_path / "diary.txt")
    with pytest.raises(DataError, match="no cache can be kept"):
        DiskCache(tmp_path / "diary.txt" / "cache")


def test_a_cache_on_disk_lasts(tmp_path):
    with DiskCache(tmp_path / "deep" / "cache") as cache:
        cache["a"] = b"kept"
    assert DiskCache(tmp_path / "deep" / "cache")["a"] == b"kept"


def test_many_processes_may_make_one_cache_at_once(tmp_path, monkeypatch):
    """Another process makes the cache, and keeps something, between any two steps of this one."""
    original = Path.iterdir

    def meanwhile(folder):
        monkeypatch.setattr(Path, "iterdir", original)
        DiskCache(folder)["a"] = b"of another"
        return original(folder)

    monkeypatch.setattr(Path, "iterdir", meanwhile)
    assert DiskCache(tmp_path / "cache")["a"] == b"of another"


def test_what_a_killed_process_has_half_written_is_no_entry_and_goes_away(tmp_path):
    cache = DiskCache(tmp_path / "cache")
    cache["a"] = b"whole"
    old, new = cache.folder / PARTIAL / "old", cache.folder / PARTIAL / "new"
    for left in (old, new):
        left.write_bytes(b"half")
    os.utime(old, (0, time.time() - PARTIAL_SECONDS - 1))
    assert dict(DiskCache(tmp_path / "cache")) == {"a": b"whole"}
    assert not old.exists()
    assert new.exists()  # perhaps another process is about to finish it


def test_a_place_that_cannot_be_read_is_read_without_the_cache(tmp_path):
    cache = DiskCache(tmp_path / "cache")
    Path(cache._place("a")).mkdir(parents=True)
    assert cache.fetch("a", lambda: b"read") == b"read"


WRITER = """
import sys
from augimpact.data.cache import DiskCache
cache = DiskCache(sys.argv[1], keep_free=0)
number = int(sys.argv[2])
while True:
    number += 1
    cache[str(number)] = bytes([number % 251]) * 3_000_000
    print(number, flush=True)
    cache["same"] = bytes([number % 251]) * 3_000_000
"""


def python(script, *arguments):
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1)


def test_processes_killed_while_they_write_damage_nothing(tmp_path, caplog):
    folder = tmp_path / "cache"
    done = []
    for attempt, entries in enumerate((1, 2, 3, 5)):
        writer = python(WRITER, folder, 100 * attempt)
        done += [int(writer.stdout.readline()) for _ in range(entries)]
        time.sleep(0.0007 * attempt)  # so that it is killed in the midst of any step
        stop(writer)
        done += [int(line) for line in writer.stdout if line.endswith("\n")]
    cache = DiskCache(folder)
    assert {str(number) for number in done} <= set(cache)
    for name, content in cache.items():
        assert len(content) == 3_000_000
        assert content == content[:1] * 3_000_000
        if name != "same":
            assert content[0] == int(name) % 251
    assert caplog.records == []


def test_a_cache_in_memory_is_gone_when_it_is_closed(shared_memory):
    cache = MemoryCache()
    cache["a"] = b"x"
    assert len(list(shared_memory.iterdir())) == 1
    cache.close()
    cache.close()
    assert list(shared_memory.iterdir()) == []
    cache["b"] = b"x"
    assert cache.get("b") is None
    assert list(cache) == []
    assert list(shared_memory.iterdir()) == []


def test_a_cache_in_memory_is_gone_when_nobody_refers_to_it(shared_memory):
    cache = MemoryCache()
    cache["a"] = b"x"
    del cache
    assert list(shared_memory.iterdir()) == []


def test_caches_in_memory_do_not_see_one_another(shared_memory):
    with MemoryCache() as one, MemoryCache() as other:
        one["a"] = b"x"
        assert "a" not in other
        other.close()
        assert one["a"] == b"x"


OWNER = """
import sys
from pathlib import Path
from augimpact.data import cache
cache.SHARED_MEMORY = Path(sys.argv[1])
kept = cache.MemoryCache()
kept["a"] = b"x"
print(kept.folder, flush=True)
if sys.argv[2] == "wait":
    sys.stdin.read()
"""


def test_a_cache_in_memory_is_gone_when_its_process_ends(shared_memory):
    owner = python(OWNER, shared_memory, "end")
    assert Path(owner.stdout.readline().strip()).parent == shared_memory
    assert owner.wait() == 0
    assert list(shared_memory.iterdir()) == []


def test_what_a_killed_owner_has_left_is_given_back_by_the_next_cache(shared_memory):
    owners = [
        subprocess.Popen(
            [sys.executable, "-c", OWNER, shared_memory, "wait"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    killed, alive = (Path(owner.stdout.readline().strip()) for owner in owners)
    stop(owners[0])
    assert (killed.is_dir(), alive.is_dir()) == (True, True)
    with MemoryCache() as cache:
        assert not killed.exists()
        assert len(list(shared_memory.glob(f"{IN_MEMORY}*"))) == 2
        assert sorted(shared_memory.iterdir()) == sorted([alive, cache.folder])
    owners[1].communicate("")
    assert list(shared_memory.iterdir()) == []


def test_a_cache_in_memory_that_is_being_made_is_not_taken_for_one_that_was_left(shared_memory, monkeypatch):
    """Another process makes one, and gives back what was left, before this one holds its folder."""
    from augimpact.data import cache as module

    original, others = module._held, []

    def meanwhile(folder):
        if not others:
            others.append(None)
            others[0] = MemoryCache()
        return original(folder)

    monkeypatch.setattr(module, "_held", meanwhile)
    with MemoryCache() as cache:
        cache["a"] = b"x"
        with MemoryCache():
            assert cache["a"] == b"x"
            assert others[0].folder.is_dir()
    others[0].close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this machine")
@pytest.mark.parametrize("end", ["close", "kill"])
def test_children_do_not_end_the_cache_of_their_parent(cache, end):
    cache["a"] = b"of the parent"
    child = os.fork()
    if child == 0:
        try:
            cache["b"] = cache["a"] + b" and its child"
            if end == "close":
                cache.close()
            if end == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert cache["a"] == b"of the parent"
    assert cache["b"] == b"of the parent and its child"
    cache["c"] = b"more"
    assert len(cache) == 3


FORKED = """
import os, sys
from pathlib import Path
from augimpact.data import cache
cache.SHARED_MEMORY = Path(sys.argv[1])
kept = cache.MemoryCache()
kept["a"] = b"x"
if os.fork() == 0:
    sys.exit(0)
os.wait()
assert kept["a"] == b"x"
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this machine")
def test_a_fork_that_ends_like_any_process_does_not_end_the_cache_of_its_parent(shared_memory):
    assert python(FORKED, shared_memory).wait() == 0
    assert list(shared_memory.iterdir()) == []


@pytest.mark.parametrize("prefix", ["mine:", "m*ne?:", "[mine]:", "\\mine^:"])
def test_keys_of_others_survive(redis_url, prefix):
    client = redis.Redis.from_url(redis_url)
    others = ["foreign", "mine", "mxne1:a", "m:a", "i:a", "\\\\mine^:b"]
    client.mset(dict.fromkeys(others, "x"))
    cache = RedisCache(redis_url, prefix=prefix)
    cache["a"] = b"1"
    cache["b"] = b"2"
    assert sorted(cache) == ["a", "b"]
    cache.clear()
    assert len(cache) == 0
    assert client.exists(*others) == len(others)
    assert client.delete(*others) == len(others)


def test_entries_in_redis_are_forgotten_after_the_seconds_asked_for(redis_url):
    RedisCache(redis_url, prefix="short:", seconds=100)["a"] = b"x"
    assert 90 < redis.Redis.from_url(redis_url).ttl("short:a") <= 100
    RedisCache(redis_url, prefix="long:")["a"] = b"x"
    assert redis.Redis.from_url(redis_url).ttl("long:a") == -1


def test_many_entries_in_redis_are_one_question(redis_url):
    cache = RedisCache(redis_url, prefix="many:")
    cache.update({str(number): b"x" for number in range(20)})
    client = redis.Redis.from_url(redis_url)
    client.config_resetstat()
    assert cache.fetch_many([str(number) for number in range(20)]) == [b"x"] * 20
    asked = client.info("commandstats")
    assert (asked["cmdstat_mget"]["calls"], "cmdstat_get" in asked) == (1, False)


def test_an_address_that_is_none_of_redis_is_named():
    with pytest.raises(DataError, match=r"^'localhost' is no address of a Redis server"):
        RedisCache("localhost")
    with pytest.raises(DataError, match="the prefix is empty"):
        RedisCache("redis://localhost", prefix="")


def test_without_the_package_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(DataError, match=r"pip install 'augimpact\[redis\]'"):
        RedisCache("redis://localhost")


def test_a_server_that_goes_away_midway_is_one_warning_and_images_still_come(tmp_path, caplog):
    server, url = start_redis(tmp_path)
    table = SampleTable.from_list(PHOTOGRAPHS, memory=None)
    cache = RedisCache(url)
    with ImageDataset(table, ImagePipeline(16), cache=cache) as dataset:
        view = dataset.view("image")
        before = view.__getitems__([0, 1])
        assert len(cache) == 2
        stop(server)
        began = time.monotonic()
        after = view.__getitems__([0, 1, 2, 3])
        assert [torch.equal(*pair) for pair in zip(before, after, strict=False)] == [True, True]
        assert len(view.__getitems__([2, 3])) == 2
        assert list(cache) == []
        cache.clear()
        assert "a" not in cache
    assert time.monotonic() - began < 10
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "does not answer" in caplog.text


def test_a_server_that_is_silent_is_waited_for_once(caplog):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cache = RedisCache(f"redis://127.0.0.1:{silent.getsockname()[1]}?socket_timeout=0.05")
        assert cache.fetch("a", lambda: b"read") == b"read"
        threads = threading.active_count()
        began = time.monotonic()
        for number in range(100):
            assert cache.fetch(str(number), lambda: b"read") == b"read"
        assert time.monotonic() - began < 0.05
        assert threading.active_count() == threads
    assert len(caplog.records) == 1


def test_a_server_that_comes_back_is_asked_again(tmp_path, monkeypatch):
    server, url = start_redis(tmp_path)
    cache = RedisCache(url)
    cache["a"] = b"x"
    stop(server)
    assert "a" not in cache
    server, _ = start_redis(tmp_path, int(url[:-2].rpartition(":")[2]))
    cache["a"] = b"x"
    assert "a" not in cache
    monkeypatch.setattr("augimpact.data.cache.time.monotonic", lambda: cache._away_until)
    cache["a"] = b"x"
    assert cache["a"] == b"x"
    stop(server)


def test_a_server_that_takes_no_more_still_gives_what_it_has(tmp_path, caplog):
    server, url = start_redis(tmp_path)
    cache = RedisCache(url)
    cache["a"] = b"kept"
    redis.Redis.from_url(url).config_set("maxmemory", "1mb")
    for number in range(20):
        cache[str(number)] = bytes(100_000)
    assert cache["a"] == b"kept"
    assert len(caplog.records) == 1
    stop(server)
