"""Files of this machine, in archives, in memory and in S3 (a real HTTP server of moto's), found and read alike."""

from __future__ import annotations

import gc
import os
import re
import shutil
import zipfile
from collections import Counter
from pathlib import Path

import fsspec
import pytest
import skimage
import torch

from augimpact.data import hashing, locations
from augimpact.data.cache import DiskCache
from augimpact.data.hashing import hash_of
from augimpact.data.image import EXAMPLES
from augimpact.data.images import ImageDataset
from augimpact.data.local_copy import copy_to_local
from augimpact.data.locations import find_files, is_folder, is_local, open_binary, read_bytes
from augimpact.data.pipeline import ImagePipeline
from augimpact.data.samples import SampleTable
from augimpact.errors import DataError

boto3 = pytest.importorskip("boto3")
pytest.importorskip("s3fs")
moto_server = pytest.importorskip("moto.moto_server.threaded_moto_server")

PHOTOGRAPHS = {
    f"{'animals' if name == 'cat' else 'things'}/{file}": (Path(skimage.__file__).parent / "data" / file).read_bytes()
    for name, file in sorted(EXAMPLES.items())
}
NAMES = sorted(PHOTOGRAPHS)
BUCKET = "photographs"


class Asked:
    """What the server was asked for: the application around moto's."""

    def __init__(self, application):
        self.application = application
        self.seen = []

    def __call__(self, environ, respond):
        self.seen.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        return self.application(environ, respond)

    def objects(self):
        """How often each object was read."""
        keys = (path.removeprefix(f"/{BUCKET}/set/") for method, path in self.seen if method == "GET")
        return Counter(key for key in keys if key in PHOTOGRAPHS)


@pytest.fixture(scope="module")
def moto():
    """A server, its address and what it is asked for."""
    with pytest.MonkeyPatch.context() as patch:
        asked = []

        def watched(*given, **named):
            asked.append(Asked(original(*given, **named)))
            return asked[0]

        original = moto_server.DomainDispatcherApplication
        patch.setattr(moto_server, "DomainDispatcherApplication", watched)
        server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}", asked[0]
    server.stop()


@pytest.fixture
def client(moto):
    """A bucket with the photographs, and with what some tools leave: an object for the folder itself."""
    made = boto3.client(
        "s3", endpoint_url=moto[0], aws_access_key_id="x", aws_secret_access_key="y", region_name="us-east-1"
    )
    made.create_bucket(Bucket=BUCKET)
    for key, content in (PHOTOGRAPHS | {"": b"", "things/": b"", "notes.txt": b"x"}).items():
        made.put_object(Bucket=BUCKET, Key=f"set/{key}", Body=content)
    moto[1].seen.clear()
    yield made
    for each in made.list_objects_v2(Bucket=BUCKET)["Contents"]:
        made.delete_object(Bucket=BUCKET, Key=each["Key"])
    made.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def asked(moto, client):
    return moto[1]


@pytest.fixture
def options(moto, client):
    return {"endpoint_url": moto[0], "key": "x", "secret": "y"}


@pytest.fixture(params=["local", "relative", "file", "zip", "inner", "memory", "simplecache", "s3"])
def place(request, tmp_path, monkeypatch):
    """The address of a folder with the photographs, and the options of its store."""
    if request.param == "s3":
        yield f"s3://{BUCKET}/set", request.getfixturevalue("options")
        return
    memory = fsspec.filesystem("memory")
    for name, content in (PHOTOGRAPHS | {"notes.txt": b"x"}).items():
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        memory.pipe(f"/set/{name}", content)
    shutil.make_archive(str(tmp_path / "all"), "zip", tmp_path, "set")
    shutil.make_archive(str(tmp_path / "flat"), "zip", tmp_path / "set")
    monkeypatch.chdir(tmp_path)
    addresses = {
        "local": str(tmp_path / "set"), "relative": "set", "file": f"file://{tmp_path}/set",
        "zip": f"zip://::{tmp_path}/flat.zip", "inner": "zip://set::all.zip",
        "memory": "memory://set", "simplecache": "simplecache::memory://set",
    }  # fmt: skip
    yield addresses[request.param], {}
    memory.rm("/set", recursive=True)


def table_of(place, **named):
    address, options = place
    return SampleTable.from_folder(address, options=options, **{"memory": None} | named)


def test_a_folder_anywhere_is_listed_and_read_alike(place, tmp_path, monkeypatch):
    address, options = place
    assert is_folder(address, options)
    found = find_files(address, "*.[pj][np]g", options)
    assert [file.relative for file in found] == NAMES
    monkeypatch.chdir("/")  # an address is a file's wherever one is
    for file in found:
        assert file.size == len(PHOTOGRAPHS[file.relative])
        assert read_bytes(file.path, options) == PHOTOGRAPHS[file.relative]
        with open_binary(file.path, options) as opened:
            assert opened.read(10) == PHOTOGRAPHS[file.relative][:10]
            assert hashing.digest_of(opened) == hash_of(PHOTOGRAPHS[file.relative][10:]) or "memory" in file.path


def test_a_table_of_a_folder_anywhere_is_the_same(place):
    table = table_of(place)
    assert table["sample_id"].tolist() == [hash_of(PHOTOGRAPHS[name]) for name in NAMES]
    assert table["size"].tolist() == [len(PHOTOGRAPHS[name]) for name in NAMES]
    assert table["category"].tolist() == [(name.split("/")[0],) for name in NAMES]
    assert [table.read(number) for number in range(4)] == [PHOTOGRAPHS[name] for name in NAMES]
    assert len(table.errors) == 0
    view = ImageDataset(table, ImagePipeline(16)).view("image label")
    assert [label for _, label in view] == [0, 1, 1, 1]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.jpg", ["things/rocket.jpg"]),
        ("animals/*", ["animals/chelsea.png"]),
        ("c*.png", ["animals/chelsea.png", "things/coffee.png"]),
        (re.compile(r"^things/[^c]"), ["things/motorcycle_left.png", "things/rocket.jpg"]),
        (re.compile(r"chelsea|rocket"), ["animals/chelsea.png", "things/rocket.jpg"]),
    ],
)
def test_a_pattern_is_of_names_or_paths_or_an_expression(place, pattern, found):
    address, options = place
    assert [file.relative for file in find_files(address, pattern, options)] == found


def test_a_folder_that_is_missing_is_one_sentence(place):
    address, options = place
    missing = re.sub(r"set$", "none", address) if "::" not in address else address.replace("zip://", "zip://none")
    missing = missing if missing != address else "memory://none"
    assert not is_folder(missing, options)
    with pytest.raises(DataError, match=r"^there is no folder '.*none.*'$"):
        table_of((missing, options))


def test_a_file_that_is_missing_is_named(place):
    table = table_of(place, identity="path")
    gone = table.frame.assign(path=[path.replace("rocket", "gone") for path in table["path"]])
    dataset = ImageDataset(table.with_frame(gone))
    with pytest.raises(DataError, match=r"gone.jpg.* cannot be read \((FileNotFound|Key)Error"):
        dataset.view("image")[3]
    assert len(dataset.view("content").__getitems__([0, 1, 2])) == 3


@pytest.mark.parametrize("address", ["s4://bucket/set", "zip://::/nowhere/all.zip", "zip://::{here}/no.zip"])
def test_a_store_that_cannot_be_reached_is_one_sentence(address, tmp_path):
    (tmp_path / "no.zip").write_text("no zip")
    with pytest.raises(DataError, match=r"^the folder '.*' cannot be listed \(.+\)$"):
        find_files(address.format(here=tmp_path), None, {})


def test_a_server_that_is_away_is_one_sentence(options):
    away = options | {"endpoint_url": "http://127.0.0.1:9", "config_kwargs": {"retries": {"max_attempts": 0}}}
    with pytest.raises(DataError, match="the folder 's3://photographs/set' cannot be listed"):
        find_files(f"s3://{BUCKET}/set", None, away)


def test_a_bucket_that_is_missing_is_one_sentence(options):
    with pytest.raises(DataError, match=r"^there is no folder 's3://nobodys/set'$"):
        find_files("s3://nobodys/set", None, options)


def test_a_package_that_is_missing_is_named(monkeypatch):
    def without(address, **options):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", without)
    with pytest.raises(DataError, match="'s3://bucket' cannot be read: Install s3fs to access S3"):
        find_files("s3://bucket", None, {})


def test_a_whole_bucket_is_a_folder(options):
    found = find_files(f"s3://{BUCKET}", "*.jpg", options)
    assert [(file.path, file.relative) for file in found] == [
        (f"s3://{BUCKET}/set/things/rocket.jpg", "set/things/rocket.jpg")
    ]


def test_an_object_that_stands_for_its_folder_is_no_file(options, tmp_path):
    assert [file.relative for file in find_files(f"s3://{BUCKET}/set", None, options)] == sorted([*NAMES, "notes.txt"])
    copy = copy_to_local(f"s3://{BUCKET}", tmp_path / "copy", "set", options=options)
    assert (copy / NAMES[0]).read_bytes() == PHOTOGRAPHS[NAMES[0]]


def test_links_to_folders_are_gone_into_but_never_in_circles(tmp_path):
    (tmp_path / "set" / "deep").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    for path in ("set/a.png", "set/deep/b.png", "other/c.png"):
        (tmp_path / path).write_bytes(b"x")
    (tmp_path / "set/linked").symlink_to(tmp_path / "other")
    (tmp_path / "set/file.png").symlink_to("a.png")
    (tmp_path / "set/deep/up").symlink_to("..")
    (tmp_path / "other/back").symlink_to(tmp_path / "set")
    found = {file.relative: file.size for file in find_files(tmp_path / "set", "*.png", {})}
    assert found == {"a.png": 1, "deep/b.png": 1, "file.png": 1, "linked/c.png": 1}


@pytest.mark.filterwarnings("error")
def test_what_is_no_file_is_passed_over_and_what_leads_nowhere_is_an_error_of_its_own(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "gone.png").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.png")
    table = table_of((str(tmp_path), {}))
    assert table["path"].tolist() == [str(tmp_path / "a.png")]
    assert table.errors["path"].tolist() == [str(tmp_path / "gone.png")]


def test_a_name_that_is_no_text_is_a_name_like_any_other(tmp_path):
    name = os.fsdecode(b"caf\xe9.png")
    (tmp_path / name).write_bytes(b"x")
    for _ in range(2):
        table = table_of((str(tmp_path), {}), memory=tmp_path / "hashes")
        assert table["sample_id"].tolist() == [hash_of(b"x")]
    assert len(table_of((str(tmp_path), {}), identity="path")["sample_id"][0]) == 32


def test_addresses_are_told_from_paths():
    assert [is_local(path) for path in ("/a/b", "a", "C:\\a", "file:///a")] == [True] * 4
    assert [is_local(path) for path in ("s3://a", "zip://a::/b.zip", "memory://a", "simplecache::a")] == [False] * 4


def test_samples_in_s3_have_the_etags_of_the_store(client, options):
    table = table_of((f"s3://{BUCKET}/set", options), identity="etag")
    heads = [client.head_object(Bucket=BUCKET, Key=f"set/{name}") for name in NAMES]
    assert table["etag"].tolist() == [head["ETag"].strip('"') for head in heads]
    assert table["sample_id"].tolist() == table["etag"].tolist()


@pytest.mark.parametrize("identity", ["etag", "path"])
def test_ids_of_the_store_or_of_paths_take_no_reading(asked, options, identity, monkeypatch):
    monkeypatch.setattr(hashing, "read_bytes", None)
    table_of((f"s3://{BUCKET}/set", options), identity=identity)
    assert not asked.objects()
    assert {method for method, _ in asked.seen} <= {"GET", "HEAD"}


def test_options_may_be_in_the_environment(moto, client, monkeypatch):
    for name, value in (("ENDPOINT_URL", moto[0]), ("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "y")):
        monkeypatch.setenv(f"AWS_{name}", value)
    assert len(table_of((f"s3://{BUCKET}/set", {}))) == 4


def test_hashes_are_remembered_while_the_store_says_the_files_are_as_they_were(asked, client, options, tmp_path):
    def table():
        asked.seen.clear()
        return table_of((f"s3://{BUCKET}/set", options), memory=tmp_path / "hashes")

    first = table()
    assert asked.objects() == Counter(NAMES)
    assert table()["sample_id"].tolist() == first["sample_id"].tolist()
    assert not asked.objects()
    # Of the same size, in the same second, listed before by this process.
    changed = PHOTOGRAPHS[NAMES[1]][:-1] + b"\0"
    client.put_object(Bucket=BUCKET, Key=f"set/{NAMES[1]}", Body=changed)
    assert table()["sample_id"][1] == hash_of(changed)
    assert asked.objects() == Counter([NAMES[1]])


def test_an_archive_made_anew_with_the_same_dates_is_hashed_anew(tmp_path):
    def table(content):
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo("a.png"), content)
        return table_of((f"zip://::{tmp_path}/all.zip", {}), memory=tmp_path / "hashes")

    assert table(b"one")["sample_id"].tolist() == [hash_of(b"one")]
    assert table(b"two")["sample_id"].tolist() == [hash_of(b"two")]


def test_objects_are_read_once_where_there_is_a_cache(asked, options, tmp_path):
    table = table_of((f"s3://{BUCKET}/set", options), identity="etag")
    for _ in range(2):
        with ImageDataset(table, ImagePipeline(16), cache=DiskCache(tmp_path / "cache")) as dataset:
            assert len(dataset.view("image").__getitems__([0, 1, 2, 3])) == 4
            assert dataset.view("content")[2] == PHOTOGRAPHS[NAMES[2]]
    assert asked.objects() == Counter(NAMES)


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_read_from_s3_also_after_a_fork(asked, options, context):
    """A connection that was made before a fork, by the listing, is not used by the workers."""
    table = table_of((f"s3://{BUCKET}/set", options))
    dataset = ImageDataset(table, ImagePipeline(16))
    here = dataset.view("image").__getitems__([0, 1, 2, 3])
    asked.seen.clear()
    loader = torch.utils.data.DataLoader(
        dataset.view("image"), batch_size=2, num_workers=2, multiprocessing_context=context, timeout=60
    )
    assert torch.equal(torch.cat(list(loader)), torch.stack(here))
    assert asked.objects() == Counter(NAMES)
    assert torch.equal(dataset.view("image")[0], here[0])


def test_threads_and_forks_read_one_archive_at_once(tmp_path):
    """Whose handle has one position for all of them, if they share it."""
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for number in range(64):
            archive.writestr(f"{number:02}.npy", bytes([number]) * 20_000)
    table = table_of((f"zip://::{tmp_path}/all.zip", {}))
    view = ImageDataset(table).view("content")
    expected = [bytes([number]) * 20_000 for number in range(64)]
    for _ in range(3):
        assert view.__getitems__(range(64)) == expected
    loader = torch.utils.data.DataLoader(
        view, batch_size=8, num_workers=2, multiprocessing_context="fork", collate_fn=list
    )
    for _ in range(3):
        assert [content for batch in loader for content in batch] == expected


def test_an_archive_is_opened_once_for_many_files(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for number in range(50):
            archive.writestr(f"{number}.png", b"x")
    found = find_files(f"zip://::{tmp_path}/all.zip", None, {})
    monkeypatch.setattr(fsspec.core, "url_to_fs", None)
    assert [read_bytes(file.path) for file in found] == [b"x"] * 50


def test_a_file_in_an_archive_stays_open_while_others_are_listed(tmp_path):
    for name in "abcdef":
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.writestr("a.bin", name.encode() * 100_000)
    opened = [open_binary(f"zip://a.bin::{tmp_path}/{name}.zip") for name in "abcdef"]
    assert is_folder(str(tmp_path), {})
    gc.collect()
    assert [file.read() for file in opened] == [name * 100_000 for name in (b"a", b"b", b"c", b"d", b"e", b"f")]


def test_listing_anew_finds_what_came_meanwhile(client, options):
    before = locations.find_files(f"s3://{BUCKET}/set", None, options)
    client.put_object(Bucket=BUCKET, Key="set/new/new.png", Body=b"x")
    assert len(find_files(f"s3://{BUCKET}/set", None, options)) == len(before) + 1
    client.delete_object(Bucket=BUCKET, Key="set/new/new.png")
    assert find_files(f"s3://{BUCKET}/set", None, options) == before
