"""The names of outputs, however a person gives them."""

from __future__ import annotations

import pytest

from augimpact.errors import ModelError
from augimpact.models.labels import read_labels


def test_a_sequence_a_text_and_a_file_give_the_same_names(tmp_path):
    file = tmp_path / "labels.txt"
    # As Windows' editor writes it, with a line's end at the end.
    file.write_bytes("\ufeffchat\r\nchien, petit\r\nœuf\r\n\r\n".encode())
    assert read_labels(file) == read_labels(str(file)) == ("chat", "chien, petit", "œuf")
    assert read_labels(["cat", "dog"]) == read_labels("cat,dog") == read_labels(" cat, dog ") == ("cat", "dog")
    assert read_labels([3, 7]) == ("3", "7")


def test_a_file_with_a_comma_in_its_name_is_a_file(tmp_path):
    file = tmp_path / "a,b.txt"
    file.write_text("one\ntwo\n")
    assert read_labels(str(file)) == ("one", "two")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("labels.txt", "labels are 'labels.txt'; expected a text file"),
        ([], "there are none"),
        ("cat,,dog", "label 2 is empty"),
        (["cat", ""], "label 2 is empty"),
        ("x" * 5000, "expected a text file"),
    ],
)
def test_what_gives_no_names_is_refused(labels, words):
    with pytest.raises(ModelError, match=words):
        read_labels(labels)


def test_a_file_that_gives_no_names_is_refused(tmp_path):
    file = tmp_path / "labels.txt"
    with pytest.raises(ModelError, match=r"labels.txt' cannot be read: No such file"):
        read_labels(file)
    file.write_text("cat\n\ndog\n")
    with pytest.raises(ModelError, match=r"labels.txt': line 2 is empty"):
        read_labels(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="it is no UTF-8 text"):
        read_labels(file)
    file.write_text("\n")
    with pytest.raises(ModelError, match="there are none"):
        read_labels(file)
