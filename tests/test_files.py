"""Files appear whole or not at all."""

from __future__ import annotations

import os
import stat

import pytest

from augimpact.errors import OutputError
from augimpact.files import check_writable, written_whole


def test_a_finished_file_is_in_place_with_ordinary_permissions(tmp_path):
    with written_whole(tmp_path / "out.txt") as temporary:
        temporary.write_text("all of it")
        assert not (tmp_path / "out.txt").exists()
    plain = tmp_path / "plain.txt"
    plain.touch()
    assert (tmp_path / "out.txt").read_text() == "all of it"
    assert stat.S_IMODE((tmp_path / "out.txt").stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    assert len(list(tmp_path.iterdir())) == 2


def test_the_mask_of_the_process_is_heeded_and_left_alone(tmp_path):
    before = os.umask(0o027)
    try:
        with written_whole(tmp_path / "out.txt") as temporary:
            temporary.write_text("private")
        assert stat.S_IMODE((tmp_path / "out.txt").stat().st_mode) == 0o640
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt()])
def test_what_is_broken_off_leaves_nothing_and_changes_nothing(tmp_path, error):
    file = tmp_path / "out.txt"
    file.write_text("old")

    def write_half():
        with written_whole(file) as temporary:
            temporary.write_text("half of")
            raise error

    with pytest.raises(type(error)):
        write_half()
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_full_disk_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match=r"cannot write .*No space left"), written_whole(tmp_path / "out.txt"):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written_are_named(tmp_path):
    with pytest.raises(OutputError, match="it is a folder"):
        check_writable(tmp_path)
    with pytest.raises(OutputError, match="there is no folder"):
        check_writable(tmp_path / "missing" / "out.txt")
    with pytest.raises(OutputError, match="cannot write"), written_whole("/proc/out.txt"):
        pass
