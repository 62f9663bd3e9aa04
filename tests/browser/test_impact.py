"""The Impact tab in a real browser: an impact measured by the real classifier over pieces of photographs."""

from __future__ import annotations

import numpy as np
import pytest

import augimpact as ai
from augimpact.data.image import read_image
from augimpact.impact.robustness import confusion
from tests.browser.driving import AUGMENTED, ORIGINAL, pause, pixels, set_range, text, wait_for_sweep, wait_until
from tests.browser.serving import serving
from tests.impact.conftest import CLASSES, put_pieces

pytestmark = pytest.mark.browser

FRAMES = 7
STRENGTHS = np.linspace(-90, 90, FRAMES)
# What JPEG may change, in the mean of 255.
JPEG_LOSS = 6


def quiet(_done, _total):
    pass


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return put_pieces(tmp_path_factory.mktemp("photographs") / "pieces", 4)


@pytest.fixture(scope="module")
def folder(photographs, classifier, tmp_path_factory):
    place = tmp_path_factory.mktemp("impact")
    sweeps = [ai.Sweep(rotation=(-90, 90), frames=FRAMES), ai.Sweep(brightness=(0.4, 2), frames=5)]
    ai.measure_impact(photographs, sweeps, classifier, folder=place, progress=quiet)
    return place


@pytest.fixture(scope="module")
def impact(folder):
    return ai.Impact.load(folder)


@pytest.fixture(scope="module")
def address(photographs, folder, tmp_path_factory):
    """Of an app with that impact, and with the photographs as its data."""
    options = ("--impact", str(folder), "--data", str(photographs), "--no-warm")
    with serving(tmp_path_factory.mktemp("app"), *options) as server:
        yield server.address


@pytest.fixture
def page(chromium, address):
    page = chromium.new_page(viewport={"width": 1400, "height": 1000}, reduced_motion="reduce")
    page.set_default_timeout(90_000)
    wrong, received, sent = [], [], []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(frame)))
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.received, page.sent = received, sent
    page.goto(address)
    wait_for_sweep(page)
    yield page
    page.close()
    assert wrong == []


def open_tab(page):
    page.get_by_role("tab", name="impact").click()
    page.locator(".impact-numbers tbody tr").first.wait_for()


def rows(page):
    """The names and numbers at the cursor."""
    return page.locator(".impact-numbers tbody tr").evaluate_all(
        "(rows) => rows.map((row) => [row.querySelector('th span').textContent, row.querySelector('td b').textContent])"
    )


def share(value):
    """As JavaScript rounds, halves upwards."""
    return f"{np.floor(1000 * value + 0.5) / 10:.1f}%"


def accuracy(impact, place, name=None):
    path, classes = impact.outcomes.paths[0], impact.outcomes.samples["class"].to_numpy()
    return float(impact.outcomes.correct[(classes == name) | (name is None), path.rows[place]].mean())


def listed(page):
    """The rows of the samples that are listed, all of them made."""
    return page.locator(".sample").evaluate_all("(all) => all.map((each) => Number(each.dataset.row))")


def test_the_tab_shows_curves_and_the_cursor_tells_their_numbers(page, impact):
    assert page.locator(".impact").count() == 0
    open_tab(page)
    assert not page.locator(".player").first.is_visible()
    for place in (0, 3, FRAMES - 1):
        set_range(page, ".strength", place)
        assert text(page, ".at") == impact.outcomes.paths[0].told(place)
        assert rows(page) == [["all images", share(accuracy(impact, place))]]
        flipped = int((~impact.outcomes.agrees[:, impact.outcomes.paths[0].rows[place]]).sum())
        assert text(page, ".impact .changed").startswith(f"{flipped} of 16 have another prediction")
        found = confusion(impact.outcomes, STRENGTHS[place]).head(6)
        pairs = page.locator(".pair span").all_inner_texts()
        assert pairs == [f"{one} → {other}" for one, other in zip(found["from"], found["to"], strict=True)]
    assert str(impact.ranges().paths[0]) in text(page, ".sentence")


def test_classes_are_switched_on_each_in_its_colour(page, impact):
    open_tab(page)
    set_range(page, ".strength", FRAMES - 1)
    before = pixels(page, ".impact-curves")
    page.locator(".class-choice summary").click()
    page.locator(".class-choice input[type=search]").fill("tabb")
    assert page.locator(".class-list label span").all_inner_texts() == ["tabby"]
    page.locator(".class-list input").click()
    assert rows(page)[1] == ["tabby", share(accuracy(impact, FRAMES - 1, "tabby"))]
    page.locator(".class-choice input[type=search]").fill("")
    assert page.locator(".class-list label").count() == len(CLASSES)
    page.locator(".class-list label", has_text="espresso").click()
    assert rows(page)[2] == ["espresso", share(accuracy(impact, FRAMES - 1, "espresso"))]
    colours = page.locator(".impact-numbers i").evaluate_all("(all) => all.map((each) => each.style.background)")
    assert len(set(colours)) == 3
    assert (pixels(page, ".impact-curves") != before).any()
    page.locator(".class-choice summary").click()
    # The list follows, if that is chosen.
    page.get_by_role("button", name="all", exact=True).click()
    page.get_by_label("only the classes above").check()
    classes = impact.outcomes.samples["class"]
    assert {classes[row] for row in listed(page)} == {"tabby", "espresso"}
    page.locator(".chip", has_text="tabby").click()
    assert {classes[row] for row in listed(page)} == {"espresso"}


def test_samples_are_filtered_and_come_least_robust_first(page, impact):
    open_tab(page)
    set_range(page, ".strength", 0)
    path, outcomes = impact.outcomes.paths[0], impact.outcomes
    row = path.rows[0]
    page.get_by_role("button", name="all", exact=True).click()
    right = outcomes.correct[:, path.rows].mean(axis=1)
    order = listed(page)
    assert sorted(order) == list(range(16))
    assert list(right[order]) == sorted(right)
    page.get_by_role("button", name="flipped", exact=True).click()
    assert set(listed(page)) == set(np.flatnonzero(~outcomes.agrees[:, row]))
    page.get_by_role("button", name="right → wrong").click()
    lost = outcomes.correct[:, 0] & ~outcomes.correct[:, row]
    assert set(listed(page)) == set(np.flatnonzero(lost))
    page.get_by_role("button", name="flipped", exact=True).click()
    page.locator(".pair").first.click()
    flips = outcomes.predicted[listed(page)][:, [0, row]]
    found = {f"{outcomes.names[before]} → {outcomes.names[after]}" for before, after in flips}
    assert found == {page.locator(".pair span").first.inner_text()}


def test_pictures_come_as_rows_are_seen_and_paths_never(page, impact, photographs):
    open_tab(page)
    page.get_by_role("button", name="all", exact=True).click()
    wait_until(page, "() => document.querySelectorAll('.sample img').length >= 6")
    first = page.locator(".sample").first
    assert first.locator("img").evaluate("(image) => image.complete && image.naturalWidth") == 112
    said = b"".join(each if isinstance(each, bytes) else str(each).encode() for each in page.received)
    assert b"flipped" in said or b"predicted" in said
    assert str(photographs).encode() not in said


def assert_opened(page, impact, row, place):
    """The sample is on the stage at that strength, and the player rests there."""
    path = impact.outcomes.paths[0]
    assert text(page, ".screen:nth-child(1) .tag") == "original"
    assert page.locator(".play").get_attribute("aria-label") == "play"
    predicted = impact.outcomes.names[impact.outcomes.predicted[row, path.rows[place]]]
    assert text(page, ".screen:nth-child(2) .caption b") == predicted
    set_range(page, ".tools input[type=range]", 0)
    image = read_image(impact.outcomes.samples["path"][row])
    trace = ai.analyze(image, ai.Sweep(rotation=float(STRENGTHS[place]), frames=1))
    for selector, frames in ((AUGMENTED, trace), (ORIGINAL, trace.neutral)):
        assert np.abs(pixels(page, selector)[..., :3].astype(int) - frames.frames[0]).mean() < JPEG_LOSS


def wait_for_opened(page, impact, row, place):
    """Returns when the sample's sweep rests at that strength: what was played before rested at another."""
    wait_until(page, "() => document.querySelector('[role=tab][aria-selected=true]').textContent === 'player'")
    wait_until(
        page,
        "(name) => document.querySelector('.thumbnails [aria-pressed=true]')?.dataset.name === name",
        name_of(impact, row),
    )
    rests = [impact.outcomes.paths[0].told(place), f"{place * (48 // (FRAMES - 1)) + 1} / 49"]
    wait_until(
        page,
        "(rests) => ['.screen:nth-child(2) .tag', '.position'].every("
        "(place, number) => document.querySelector(place)?.textContent === rests[number])",
        rests,
    )
    wait_for_sweep(page)


def name_of(impact, row):
    sample = impact.outcomes.samples.iloc[row]
    return f"{sample['class']}/{sample['path'].rpartition('/')[2]}"


def test_a_click_opens_the_sample_at_that_strength(page, impact):
    open_tab(page)
    set_range(page, ".strength", 5)
    sample = page.locator("button.sample").first
    row = int(sample.get_attribute("data-row"))
    sample.click()
    wait_for_opened(page, impact, row, 5)
    assert_opened(page, impact, row, 5)
    # There again the list is as it was, and another is opened, from the very beginning of the sweep.
    page.get_by_role("tab", name="impact").click()
    assert page.locator(f".sample[data-row='{row}']").get_attribute("aria-current") == "true"
    set_range(page, ".strength", 0)
    other = page.locator(f"button.sample:not([data-row='{row}'])").first
    row = int(other.get_attribute("data-row"))
    other.click()
    wait_for_opened(page, impact, row, 0)
    assert_opened(page, impact, row, 0)


def test_keys_do_all_of_it(page, impact):
    page.get_by_role("tab", name="player").focus()
    page.keyboard.press("ArrowRight")
    page.locator(".impact-numbers tbody tr").first.wait_for()
    page.locator(".strength").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert text(page, ".at") == impact.outcomes.paths[0].told(1)
    assert page.locator(".strength").get_attribute("aria-valuetext") == impact.outcomes.paths[0].told(1)
    page.get_by_role("button", name="all", exact=True).press("Enter")
    page.locator("button.sample").first.focus()
    page.keyboard.press("ArrowDown")
    row = page.evaluate("() => Number(document.activeElement.dataset.row)")
    assert row == listed(page)[1]
    page.keyboard.press("Enter")
    wait_for_opened(page, impact, row, 1)
    assert_opened(page, impact, row, 1)


def test_the_band_of_the_data_lies_behind_the_players_curves(page):
    page.locator(".band-legend:not([hidden])").wait_for()
    assert "16 images of the dataset: mean score of their right class" in text(page, ".band-legend")
    pause(page)
    drawn = pixels(page, ".curves")
    # Of another sweep it says nothing.
    page.locator(".row[data-name=rotation] .icon").first.click()
    page.locator(".row[data-name=crop] .icon").first.click()
    page.get_by_role("button", name="Sweep", exact=True).click()
    wait_until(page, "() => document.querySelector('.band-legend').hidden")
    assert (pixels(page, ".curves") != drawn).any()


def test_a_drag_over_the_curves_moves_the_cursor_and_asks_nobody(page):
    open_tab(page)
    # Pictures are asked for as rows come into view; here the list is out of sight.
    page.evaluate("() => { document.querySelector('.sample-list').style.display = 'none'; }")
    page.wait_for_timeout(1000)
    box = page.locator(".impact-curves").bounding_box()
    assert page.sent
    page.sent.clear()
    page.mouse.move(box["x"] + 60, box["y"] + 80)
    page.mouse.down()
    seen = []
    for part in (0.3, 0.6, 0.97):
        page.mouse.move(box["x"] + part * box["width"], box["y"] + 80)
        seen.append(text(page, ".at"))
    page.mouse.up()
    assert len(set(seen)) == 3
    assert seen[-1] == "rotation 90.0°"
    assert page.sent == []
    page.get_by_label("swept parameter").select_option(label="brightness")
    assert "brightness" in text(page, ".at")


def test_the_pages_sweep_is_measured_over_the_data_in_the_page(page, photographs):
    open_tab(page)
    page.get_by_label("frames").fill("5")
    page.get_by_label("frames").press("Enter")
    wait_until(page, "() => document.querySelector('.impact-task small').textContent.includes('in 5 steps')")
    page.get_by_role("button", name="Measure impact over the data").click()
    wait_until(page, "() => document.querySelector('.impact .caption').textContent.includes('· 5 settings')")
    assert text(page, ".impact .caption") == "efficientnet-lite0 · 16 images · 5 settings"
    # Of --data no image is shown, unless that is asked for.
    assert page.locator("button.sample").count() == 0
    assert "Images of the data are not shown here." in text(page, ".impact .note")
    said = b"".join(each if isinstance(each, bytes) else str(each).encode() for each in page.received)
    assert str(photographs).encode() not in said


@pytest.mark.parametrize("width", [400, 1200])
def test_it_fits_the_page(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    open_tab(page)
    for selector in (".impact-curves", ".impact-numbers", ".sample-list", ".impact-choices", ".pairs"):
        box = page.locator(selector).bounding_box()
        assert box["x"] >= 0, selector
        assert box["x"] + box["width"] <= width, selector
