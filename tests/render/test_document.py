"""The self-contained page: complete, without any address, and no text in it is ever read as markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from augimpact.errors import OutputError, UserError
from augimpact.formats import FORMATS
from augimpact.models.outputs import Outputs
from augimpact.payload import payload_of
from augimpact.profiling.reference import reference_of
from augimpact.render.document import html_page
from tests.pages import Page
from tests.test_trace import SCORES, TRACE, made

EVIL = '</script><b onclick="x">&amp;<!--'


@pytest.fixture
def trace():
    labels = (EVIL, "dog", "\u2028 line")
    recipe = TRACE.recipe | {"image": {"name": f"{EVIL}.jpg", "hash": "00", "size": [8, 8]}, "target": EVIL}
    return replace(made(neutral=made(SCORES[:1])), outputs=Outputs.of_classes(labels), recipe=recipe)


@pytest.fixture
def saved(trace, tmp_path):
    return Page(trace.save(tmp_path / "trace.html", opacity=0.3, loop="once").read_text(encoding="utf-8"))


def data_of(page):
    return json.loads(page.all("script", id="data")[0]["text"])


def test_the_player_is_given_what_the_widget_is_given(saved, trace):
    data, payload = data_of(saved), payload_of(trace)
    assert [base64.b64decode(each["base64"]) for each in data["payload"]["jpegs"]] == payload["jpegs"]
    assert base64.b64decode(data["payload"]["maps"]["base64"]) == payload["maps"]
    assert data["payload"]["labels"] == payload["labels"]
    assert data["payload"]["highest"] == payload["highest"]
    assert data["look"] == {
        "opacity": 0.3, "colours": "inferno", "scale": "sweep", "loop": "once", "milliseconds": 80,
    }  # fmt: skip
    assert all(len(base64.b64decode(each["base64"])) == 768 for each in data["colourMaps"].values())


def test_no_text_is_read_as_markup(saved):
    assert saved.all("b") == []
    assert saved.all("title")[0]["text"] == f"{EVIL}.jpg · augimpact"
    assert saved.all("h1")[0]["text"] == f"{EVIL}.jpg"
    assert EVIL in [each["text"] for each in saved.all("td")]
    assert json.loads(saved.all("pre")[0]["text"])["target"] == EVIL
    assert "<" not in saved.all("script", id="data")[0]["text"]
    assert len(saved.all("script")) == 2


def test_the_table_has_a_row_a_frame(saved, trace):
    assert [each["text"] for each in saved.all("th", scope="row")] == ["1", "2", "3", "4"]
    assert [each["text"] for each in saved.all("th", **{"class": "number"})[:3]] == ["frame", "rotation", "brightness"]
    cells = [each["text"] for each in saved.all("td")]
    assert len(cells) == 4 * len(trace.table().columns)
    assert cells[:4] == ["−30.0°", "1.50", EVIL, "0.700"]


def test_it_names_no_other_place_and_its_policy_lets_nothing_else_run(saved):
    assert saved.all("link") == saved.all("img") == saved.all("iframe") == []
    assert not any({"src", "href", "onclick", "style"} & each["attributes"].keys() for each in saved.elements)
    style = saved.all("style")[0]["text"]
    assert "url(" not in style
    assert "@import" not in style
    script = saved.all("script", type="module")[0]["text"]
    assert not re.search(r"https?://|\bimport\b *[({'\"]", script)
    policy = saved.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["attributes"]["content"]
    assert policy.startswith("default-src 'none'; ")
    for kind, text in (("script", script), ("style", style)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_it_carries_what_its_frames_are_compared_with_and_no_more(saved, trace, tmp_path):
    assert data_of(saved)["reference"] is None
    images = [np.full((8, 8, 3), level, np.uint8) for level in (10, 90, 200)]
    reference = reference_of(images, lambda image: torch.from_numpy(np.array(image) / 255).permute(2, 0, 1), name=EVIL)
    page = Page(trace.save(tmp_path / "compared.html", reference=reference).read_text(encoding="utf-8"))
    assert data_of(page)["reference"] == reference.payload()
    assert page.all("b") == []


def test_the_same_trace_gives_the_same_page(trace, tmp_path):
    first, second = (trace.save(tmp_path / name).read_bytes() for name in ("a.html", "b.html"))
    assert first == second


def test_a_name_that_is_no_text_does_not_stop_the_page(trace, tmp_path):
    recipe = trace.recipe | {"image": {"name": "odd-\udcff.jpg", "hash": "00", "size": [8, 8]}}
    page = replace(trace, recipe=recipe).save(tmp_path / "odd.html").read_text(encoding="utf-8")
    assert "<h1>odd-?.jpg</h1>" in page


def test_without_table_and_recipe_it_is_the_player_alone():
    page = Page(html_page(payload_of(TRACE), title="a title"))
    assert page.all("td") == []
    assert page.all("h1")[0]["text"] == "a title"
    assert data_of(page)["look"] == {}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"opacity": 2}, "opacity is 2"),
        ({"colour_map": "infernal"}, "did you mean inferno"),
        ({"loop": "forwards"}, "did you mean forward"),
        ({"milliseconds": 0}, "frames of 0 ms"),
        ({"width": 100}, "unknown option of .html files 'width'"),
    ],
)
def test_wrong_options_are_named_and_nothing_is_written(tmp_path, options, words):
    with pytest.raises(UserError, match=words):
        TRACE.save(tmp_path / "trace.html", **options)
    assert list(tmp_path.iterdir()) == []


def test_values_that_are_no_numbers_give_no_broken_page(tmp_path):
    broken = made(np.array([[np.nan, 0.5, 0.5]] * 2, np.float32))
    with pytest.raises(ValueError, match="JSON"):
        broken.save(tmp_path / "trace.html")
    assert list(tmp_path.iterdir()) == []


def test_the_suffix_is_known():
    assert FORMATS[".html"].options == ("opacity", "colour_map", "scale", "milliseconds", "loop", "reference")
    with pytest.raises(OutputError, match=r"expected one of .*\.html"):
        TRACE.save("trace.htm")
