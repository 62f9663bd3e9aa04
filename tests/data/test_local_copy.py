"""Copies of datasets on a fast disk: whole or not at all, whatever happens on the way."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import fsspec
import pytest

from augimpact.data import local_copy
from augimpact.data.local_copy import MANIFEST, PARTIAL, copy_to_local
from augimpact.errors import DataError

FILES = {"train/a.bin": b"first", "train/deep/b.bin": bytes(5000), "c.bin": b"", "Ü n.txt": b"odd"}


def fill(folder, files=FILES):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def zipped(path, files=FILES, within=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{within}{name}", content)
    return path


def contents(folder):
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if name != MANIFEST}


def state(folder):
    """Everything that would change if a file were touched."""
    paths = [folder, *sorted(folder.rglob("*"))]
    return [(path, path.lstat().st_ino, path.lstat().st_mtime_ns, path.lstat().st_size) for path in paths]


@pytest.fixture
def source(tmp_path):
    return fill(tmp_path / "slow" / "data")


@pytest.fixture
def place(tmp_path):
    yield tmp_path / "fast" / "data"
    left = {path.name for path in (tmp_path / "fast").iterdir()} if (tmp_path / "fast").is_dir() else set()
    assert not [name for name in left if name.startswith(".") and not name.endswith(".augimpact-lock")]


def test_what_is_absent_is_copied(source, place):
    assert copy_to_local(source, place) == place
    assert contents(place) == FILES
    assert stat.S_IMODE(place.stat().st_mode) == stat.S_IMODE(source.stat().st_mode)
    assert set(json.loads((place / MANIFEST).read_text())["files"]) == set(FILES)


def test_an_empty_folder_may_be_in_its_place(source, place):
    place.mkdir(parents=True)
    assert contents(copy_to_local(source, place)) == FILES


def test_a_complete_copy_is_left_as_it_is_and_needs_no_source(source, place):
    copy_to_local(source, place)
    (place / "notes.txt").write_text("a user's own")
    before = state(place.parent)
    shutil.rmtree(source)
    assert copy_to_local(source, place, progress=lambda *_: pytest.fail("something is copied")) == place
    copy_to_local(source, place, check="hash")
    assert state(place.parent) == before


def test_a_complete_copy_needs_no_right_to_write(source, place, monkeypatch):
    copy_to_local(source, place)
    monkeypatch.setattr("filelock.FileLock", lambda path: pytest.fail("a lock is made"))
    assert copy_to_local(source, place) == place


@pytest.mark.parametrize("check", ["size", "hash"])
@pytest.mark.parametrize(
    "harm", [Path.unlink, lambda file: file.write_bytes(b"fir"), lambda file: os.truncate(file, 0)]
)
def test_an_incomplete_copy_is_made_again(source, place, harm, check):
    copy_to_local(source, place)
    harm(place / "train/a.bin")
    assert contents(copy_to_local(source, place, check=check)) == FILES


def test_a_file_of_the_same_size_that_was_altered_is_found_by_its_hash(source, place):
    copy_to_local(source, place)
    (place / "train/a.bin").write_bytes(b"First")
    copy_to_local(source, place)
    assert (place / "train/a.bin").read_bytes() == b"First"
    copy_to_local(source, place, check="hash")
    assert contents(place) == FILES


def test_an_incomplete_copy_stays_where_the_source_is_away(source, place):
    copy_to_local(source, place)
    (place / "c.bin").unlink()
    before = contents(place)
    source.rename(source.with_name("moved"))
    with pytest.raises(DataError, match=r"neither a folder '.*data' nor '.*data.zip'"):
        copy_to_local(source, place)
    assert contents(place) == before


def make_folder(place):
    fill(place, {"mine.txt": b"mine"})


def make_folder_in_folder(place):
    (place / "empty").mkdir(parents=True)


def make_file(place):
    place.parent.mkdir()
    place.write_text("mine")


def make_link(place):
    make_folder(place.with_name("elsewhere"))
    place.symlink_to("elsewhere")


def make_dangling_link(place):
    place.parent.mkdir()
    place.symlink_to("nowhere")


def make_damaged_copy(place):
    """Of which nobody knows what was added."""
    fill(place, {"mine.txt": b"mine", MANIFEST: b'{"files": '})


@pytest.mark.parametrize(
    "make", [make_folder, make_folder_in_folder, make_file, make_link, make_dangling_link, make_damaged_copy]
)
def test_what_was_not_made_here_is_refused_untouched(source, place, make):
    make(place)
    before = [each for each in state(place.parent) if "lock" not in each[0].name][1:]
    with pytest.raises(DataError, match="is there and was not made here; expected no such folder, or remove it"):
        copy_to_local(source, place)
    assert [each for each in state(place.parent) if "lock" not in each[0].name][1:] == before


@pytest.mark.parametrize("add", ["file", "link"])
def test_an_incomplete_copy_with_files_of_a_user_is_refused_untouched(source, place, add):
    copy_to_local(source, place)
    if add == "file":
        (place / "train/mine.txt").write_text("mine")
    else:
        (place / "train/mine.txt").symlink_to(source)
    (place / "c.bin").unlink()
    before = state(place)
    with pytest.raises(DataError, match=r"is incomplete, and 1 files were added to it \('train/mine.txt'…\)"):
        copy_to_local(source, place)
    assert state(place) == before


def test_a_folder_below_is_copied_alone(source, place):
    made = copy_to_local(source, place, "train")
    assert made == place / "train"
    assert contents(made) == {"a.bin": FILES["train/a.bin"], "deep/b.bin": FILES["train/deep/b.bin"]}
    assert [path.name for path in place.iterdir() if path.is_dir()] == ["train"]
    assert contents(copy_to_local(f"{source}/", place.with_name("b"), "train/deep/")) == {"b.bin": bytes(5000)}


@pytest.mark.parametrize("relative", ["../data", "/etc", "..\\data", "C:\\data", "", "a/../../b"])
def test_a_folder_that_is_not_below_is_refused(source, place, relative):
    with pytest.raises(DataError, match="leads out of its folder; expected a path below it"):
        copy_to_local(source, place, relative)
    assert not place.exists()


def test_a_folder_of_nothing_but_zip_files_is_unpacked(tmp_path, place):
    zipped(tmp_path / "slow/data/train.zip", {"a.bin": b"a"}, within="train/")
    zipped(tmp_path / "slow/data/val.zip", {"x/b.bin": b"b"})
    assert contents(copy_to_local(tmp_path / "slow/data", place)) == {"train/a.bin": b"a", "val/x/b.bin": b"b"}


def test_zip_files_beside_others_are_copied_as_they_are(tmp_path, place):
    packed = zipped(tmp_path / "slow/data/train.zip")
    (tmp_path / "slow/data/labels.csv").write_text("a")
    assert contents(copy_to_local(tmp_path / "slow/data", place)) == {
        "train.zip": packed.read_bytes(),
        "labels.csv": b"a",
    }


@pytest.mark.parametrize("within", ["", "train/"])
@pytest.mark.parametrize("named", ["folder", "archive"])
def test_a_zip_file_in_its_place_is_unpacked_without_its_outermost_folder(tmp_path, place, within, named):
    zipped(tmp_path / "slow/train.zip", within=within)
    if named == "folder":
        assert contents(copy_to_local(tmp_path / "slow", place, "train")) == {
            f"{name}": content for name, content in FILES.items()
        }
    else:
        assert contents(copy_to_local(tmp_path / "slow/train.zip", place)) == FILES


def test_another_outermost_folder_is_kept(tmp_path, place):
    zipped(tmp_path / "slow/train.zip", {"a": b"1"}, within="other/")
    assert contents(copy_to_local(tmp_path / "slow/train.zip", place)) == {"other/a": b"1"}


def test_a_copy_may_be_copied_in_turn_and_packed(source, place, tmp_path):
    copy_to_local(source, tmp_path / "first")
    copy_to_local(tmp_path / "first", place)
    assert contents(place) == FILES
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", place)
    copy_to_local(packed, tmp_path / "unpacked")
    assert contents(tmp_path / "unpacked") == FILES
    copy_to_local(tmp_path / "nowhere", tmp_path / "unpacked", check="hash")


@pytest.mark.parametrize(
    "name", ["../out.txt", "a/../../out.txt", "/out.txt", "..\\out.txt", "C:\\out.txt", "C:out.txt", "\\\\host\\a\\b"]
)
def test_an_entry_that_would_lie_outside_is_refused_and_nothing_is_left(tmp_path, place, name):
    zipped(tmp_path / "slow/data.zip", {"fine.txt": b"", name: b"bad"})
    with pytest.raises(DataError, match="leads out of its folder"):
        copy_to_local(tmp_path / "slow/data.zip", place)
    assert not place.exists()
    assert not list(tmp_path.rglob("out.txt"))


def test_an_entry_that_is_a_link_is_refused_and_nothing_is_left(tmp_path, place):
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc")
        archive.writestr("link/passwd", b"bad")
    with pytest.raises(DataError, match=r"the entry 'link' of '.*data.zip' is a link; expected files"):
        copy_to_local(tmp_path / "data.zip", place)
    assert not place.exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name_are_refused(tmp_path, place):
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for name in ("a", "./a"):
            archive.writestr(name, name)
    with pytest.raises(DataError, match=r"'.*data.zip' has two entries of one name"):
        copy_to_local(tmp_path / "data.zip", place)
    assert not place.exists()


def cut_off(whole):
    return whole[: len(whole) // 2]


def altered(whole):
    return whole[:2000] + bytes([whole[2000] ^ 255]) + whole[2001:]


def encrypted(whole):
    at = whole.index(b"PK\x01\x02")
    return whole[:6] + b"\x01" + whole[7 : at + 8] + b"\x01" + whole[at + 9 :]


def of_unknown_method(whole):
    at = whole.index(b"PK\x01\x02")
    return whole[:8] + b"\x63" + whole[9 : at + 10] + b"\x63" + whole[at + 11 :]


@pytest.mark.parametrize("harm", [cut_off, altered, encrypted, of_unknown_method, lambda whole: b"no zip"])
def test_a_zip_file_that_is_damaged_is_one_sentence(tmp_path, place, harm):
    packed = zipped(tmp_path / "data.zip", {"noise.bin": bytes(os.urandom(4000))})
    packed.write_bytes(harm(packed.read_bytes()))
    with pytest.raises(DataError, match="cannot be read") as caught:
        copy_to_local(packed, place)
    assert "\n" not in str(caught.value)
    assert not place.exists()


@pytest.mark.parametrize("empty", ["folder", "zip"])
def test_a_source_that_is_empty_is_refused(tmp_path, place, empty):
    (tmp_path / "data").mkdir() if empty == "folder" else zipped(tmp_path / "data.zip", {})
    with pytest.raises(DataError, match=r"there is nothing in '.*data'"):
        copy_to_local(tmp_path / "data", place)
    assert not place.exists()


def test_a_source_that_changes_while_it_is_copied_is_refused(source, place, monkeypatch):
    original = local_copy.find_files

    def meanwhile(folder, pattern, options):
        found = original(folder, pattern, options)
        (source / "train/a.bin").write_bytes(b"longer than before")
        return found

    monkeypatch.setattr(local_copy, "find_files", meanwhile)
    with pytest.raises(DataError, match=r"'train/a.bin' has 18 bytes, not 5; expected it to stay as it is"):
        copy_to_local(source, place)
    assert not place.exists()


def test_a_source_that_cannot_be_read_is_named(source, place):
    (source / "gone.bin").symlink_to("nowhere")
    with pytest.raises(DataError, match=r"^'gone.bin' cannot be read \(FileNotFoundError: .*\)$"):
        copy_to_local(source, place)
    assert not place.exists()


def test_a_disk_that_forgets_is_noticed(source, place, monkeypatch):
    monkeypatch.setattr(local_copy, "_hash_of", lambda file: "another")
    with pytest.raises(DataError, match=r"is not what was read; expected a disk without faults"):
        copy_to_local(source, place)
    assert not place.exists()


def test_folders_that_are_links_are_copied_as_folders(source, place, tmp_path):
    fill(tmp_path / "elsewhere", {"x.bin": b"x"})
    (source / "linked").symlink_to(tmp_path / "elsewhere")
    (source / "train/loop").symlink_to(source)
    assert contents(copy_to_local(source, place)) == FILES | {"linked/x.bin": b"x"}


def test_copies_beside_one_another_do_not_disturb_each_other(source, tmp_path):
    """One is begun and made while another, whose name begins alike, is in the midst of it."""
    made = []

    def meanwhile(done, total):
        if not made:
            made.append(copy_to_local(source, tmp_path / "data"))

    copy_to_local(source, tmp_path / "data-small", progress=meanwhile)
    assert contents(tmp_path / "data-small") == contents(tmp_path / "data") == FILES


@pytest.mark.parametrize("from_zip", [False, True])
def test_progress_grows_to_the_total(source, place, tmp_path, from_zip):
    told = []
    copy_to_local(zipped(tmp_path / "data.zip") if from_zip else source, place, progress=lambda *now: told.append(now))
    total = sum(map(len, FILES.values()))
    assert len(told) == len(FILES)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert {of for _, of in told} == {total}
    assert told[-1] == (total, total)


def test_what_is_cancelled_stops_soon_and_leaves_nothing(tmp_path, place, monkeypatch):
    source = fill(tmp_path / "slow", {f"{number}": b"x" for number in range(200)})
    made = []
    original = local_copy._make

    def slowly(*given):
        made.append(time.sleep(0.005))
        return original(*given)

    def cancel(done, total):
        raise KeyboardInterrupt

    monkeypatch.setattr(local_copy, "_make", slowly)
    with pytest.raises(KeyboardInterrupt):
        copy_to_local(source, place, progress=cancel)
    assert len(made) < 100
    assert not place.exists()


def test_a_place_that_cannot_be_written_is_a_data_error(source, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match=r"'.*/file/deep/data' cannot be written"):
        copy_to_local(source, tmp_path / "file" / "deep" / "data")
    with pytest.raises(DataError, match="cannot be written"):
        copy_to_local(source, tmp_path / ("x" * 250))


def test_an_unknown_check_is_named(source, place):
    with pytest.raises(DataError, match="check is 'md5'; expected size or hash"):
        copy_to_local(source, place, check="md5")


@pytest.mark.parametrize("folder", ["memory://stored/data", "file://{slow}/data", "zip://data::{slow}/all.zip"])
def test_any_store_can_be_copied(source, place, folder):
    system = fsspec.filesystem("memory")
    for name, content in FILES.items():
        system.pipe(f"/stored/data/{name}", content)
    zipped(source.parent / "all.zip", within="data/")
    address = folder.format(slow=source.parent)
    assert contents(copy_to_local(address, place)) == FILES
    assert set(contents(copy_to_local(address, place.with_name("below"), "train"))) == {"a.bin", "deep/b.bin"}
    with pytest.raises(DataError, match="neither a folder"):
        copy_to_local(address, place.with_name("none"), "none")
    system.rm("/stored", recursive=True)


def test_a_zip_file_of_another_store_is_unpacked(tmp_path, place):
    packed = zipped(tmp_path / "data.zip", within="data/")
    fsspec.filesystem("memory").pipe("/archives/data.zip", packed.read_bytes())
    assert contents(copy_to_local("memory://archives/data", place)) == FILES
    fsspec.filesystem("memory").rm("/archives", recursive=True)


COPIER = """
import sys
from augimpact.data.local_copy import copy_to_local
print("ready", flush=True)
sys.stdin.readline()
told = []
copy_to_local(sys.argv[1], sys.argv[2], progress=lambda *now: told.append(now))
print(len(told), flush=True)
"""


def copier(source, place):
    started = subprocess.Popen(
        [sys.executable, "-c", COPIER, source, place], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert started.stdout.readline() == "ready\n"
    return started


def start(process):
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.fixture
def large(tmp_path):
    return fill(
        tmp_path / "slow" / "large", {f"{number % 7}/{number}": bytes([number % 256]) * 40_000 for number in range(300)}
    )


def test_two_processes_at_once_make_one_copy(large, place):
    copiers = [copier(large, place) for _ in range(2)]
    for each in copiers:
        start(each)
    told = sorted(int(each.communicate()[0]) for each in copiers)
    assert told == [0, 300]
    assert contents(place) == contents(large)


def test_two_threads_at_once_make_one_copy(large, place):
    told = []
    threads = [
        threading.Thread(target=copy_to_local, args=(large, place), kwargs={"progress": lambda *now: told.append(now)})
        for _ in range(2)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(told) == 300
    assert contents(place) == contents(large)


@pytest.mark.parametrize("was", ["absent", "incomplete"])
def test_a_process_killed_midway_leaves_no_place_and_the_next_call_makes_it(large, source, place, was):
    other = copy_to_local(source, place.with_name("other"))
    before = state(other)
    if was == "incomplete":
        copy_to_local(large, place)
        (place / "0/0").unlink()
        incomplete = state(place)
    partial = place.with_name(f".{place.name}{PARTIAL}")
    killed = copier(large, place)
    start(killed)
    until = time.monotonic() + 20
    while not list(partial.glob("0/*")) and time.monotonic() < until:
        pass
    killed.kill()
    killed.wait()
    assert partial.is_dir()
    assert state(other) == before
    if was == "absent":
        assert not place.exists()
    else:
        assert state(place) == incomplete
    assert contents(copy_to_local(large, place)) == contents(large)
    assert not partial.exists()
