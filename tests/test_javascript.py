"""Runs the tests of the page's modules by node, and checks that the bundle is a module without imports."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from augimpact.render.page import bundle
from tests.conftest import REPOSITORY

ENTRIES = [REPOSITORY / "augimpact" / "widgets" / name for name in (
    "player.js", "controls.js", "surface.js", "impact.js", "tabs.js", "opener.js")]  # fmt: skip


@pytest.fixture
def node():
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed")
    return found


def test_the_modules_pass_their_own_tests(node):
    files = sorted(str(each) for each in (REPOSITORY / "tests" / "javascript").glob("*.test.js"))
    done = subprocess.run([node, "--test", *files], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    passed = re.search(r"# pass (\d+)|ℹ pass (\d+)", done.stdout)
    assert passed
    assert int(passed[1] or passed[2]) >= 10


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda each: each.name)
def test_a_widgets_bundle_is_one_module_with_one_export(node, entry, tmp_path):
    text = bundle(entry)
    assert len(re.findall(r"^export ", text, re.MULTILINE)) == 1
    check_module(node, text, tmp_path)


def test_the_bundle_of_a_page_is_one_module_without_exports_that_no_page_ends_early(node, tmp_path):
    text = bundle(REPOSITORY / "augimpact" / "render" / "document.js")
    assert not re.search(r"^export ", text, re.MULTILINE)
    assert not re.search(r"</script|<!--", text, re.IGNORECASE)
    check_module(node, text, tmp_path)


def check_module(node, text, folder):
    assert not re.search(r"^import ", text, re.MULTILINE)
    file = folder / "bundle.mjs"
    file.write_text(text)
    # A name that two of the modules give would be a syntax error here.
    done = subprocess.run([node, "--check", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
