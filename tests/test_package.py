"""The promises about the package itself: quick to import, the same packages everywhere, no two ways."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tomllib

import pytest
import yaml

import augimpact as ai
from augimpact.augment.parameters import CATALOGUE
from augimpact.augment.signal_parameters import SIGNAL_CATALOGUE
from augimpact.explain.methods import METHODS
from tests.conftest import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]


def test_importing_it_imports_nothing_heavy():
    heavy = "('torch', 'pandas', 'numpy', 'matplotlib', 'PIL')"
    code = f"import sys, augimpact; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_importing_it_takes_less_than_three_tenths_of_a_second():
    code = "import time; t = time.perf_counter(); import augimpact; print(time.perf_counter() - t)"
    times = [float(subprocess.run([sys.executable, "-c", code], capture_output=True).stdout) for _ in range(3)]
    # Not a speed but a promise about what is imported: it takes 2 ms here.
    assert statistics.median(times) < 0.3


def test_the_page_needs_no_torch_before_it_is_painted():
    code = "import sys, augimpact as ai; ai.Explorer(); print('torch' in sys.modules, 'timm' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False False", done.stderr


def test_every_public_name_is_there_and_no_other():
    for name in ai.__all__:
        assert getattr(ai, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Swep'"):
        _ = ai.Swep


def test_conda_users_get_the_same_packages():
    environment = yaml.safe_load((REPOSITORY / "environment.yml").read_text())
    pip = next(each["pip"] for each in environment["dependencies"] if isinstance(each, dict))
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    listed = [each for each in pip if not each.startswith("-")]
    assert sorted(listed) == sorted(wanted)
    assert f"python{PROJECT['requires-python']}" in environment["dependencies"]


def test_every_dependency_is_pinned_in_a_version_that_it_allows():
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    pins = {canonicalize_name(name): version for name, version in pins.items()}
    for text in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]:
        requirement = Requirement(text)
        assert pins[canonicalize_name(requirement.name)] in requirement.specifier, text


def test_the_readme_names_every_parameter_and_method():
    readme = (REPOSITORY / "README.md").read_text()
    # `translate_*` and `erase_*` stand for several.
    stems = tuple(re.findall(r"`(\w+)_\*`", readme))
    for name in [*CATALOGUE, *SIGNAL_CATALOGUE, *METHODS]:
        assert f"`{name}`" in readme or name.startswith(stems), name


def test_the_commands_of_the_readme_exist():
    """Every `make` target and every benchmark that the README names is there."""
    readme = (REPOSITORY / "README.md").read_text()
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = set(re.findall(r"^\s*make (\w+)", readme, re.MULTILINE))
    assert {"app", "test"} <= targets
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
    modules = set(re.findall(r"python -m (benchmarks\.\w+)", readme))
    assert modules
    assert not re.search(r"\b[A-Z]+_(TABLE|TIME)\b", readme)
    assert all((REPOSITORY / f"{module.replace('.', '/')}.py").exists() for module in modules)
