"""Files of a user's own augmentations."""

from __future__ import annotations

import sys

import pytest
import torch

from augimpact.augment.apply import augment
from augimpact.augment.parameters import CATALOGUE
from augimpact.augment.plugins import load_plugins
from augimpact.errors import ParameterError

pytestmark = pytest.mark.usefixtures("clean_catalogue")

CODE = """
from augimpact.augment.own import augmentation
from pathlib import Path

with Path(__file__).with_suffix(".log").open("a") as log:
    log.write("x")

@augmentation("darkened", range=(0, {most}), neutral=0)
def darkened(batch, value):
    return batch * (1 - value)
"""


def test_a_file_is_imported_once_for_what_it_holds(tmp_path, photographs):
    file, log = tmp_path / "mine.py", tmp_path / "mine.log"
    file.write_text(CODE.format(most=1))
    load_plugins([file, str(file)])
    load_plugins([file])
    assert log.read_text() == "x"
    image = photographs["coffee"]
    assert torch.allclose(augment(image, {"darkened": 0.5}).images[0], image / 2)
    file.write_text(CODE.format(most=0.5))
    load_plugins([file])
    assert log.read_text() == "xx"
    assert CATALOGUE["darkened"].maximum == 0.5
    file.write_text(CODE.format(most=1))
    load_plugins([file])
    assert CATALOGUE["darkened"].maximum == 1


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import nowhere_to_be_found", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("def (", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        (CODE.format(most=1).replace("darkened", "rotation"), "ParameterError.*built-in"),
    ],
)
def test_a_file_that_fails_is_named_with_its_reason(tmp_path, code, reason):
    file = tmp_path / "broken.py"
    file.write_text(code)
    modules = set(sys.modules)
    for _ in range(2):
        with pytest.raises(ParameterError, match=f"broken.py failed: {reason}"):
            load_plugins([file])
    assert not {name for name in set(sys.modules) - modules if name.startswith("augimpact_plugin")}


def test_a_file_that_is_not_there_or_is_no_python_is_named(tmp_path):
    with pytest.raises(ParameterError, match=r"absent.py cannot be read: No such file"):
        load_plugins([tmp_path / "absent.py"])
    (tmp_path / "notes.txt").write_text("x = 1")
    with pytest.raises(ParameterError, match=r"notes.txt cannot be loaded; expected .* ending in \.py"):
        load_plugins([tmp_path / "notes.txt"])
