"""The player's widget in a real browser, on a model of the test's own: what a person does, and what it asks for."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import augimpact as ai
from augimpact.comparison import COMPARISON_FORMATS, Comparison
from augimpact.data.image import example
from augimpact.formats import FORMATS
from augimpact.models.outputs import Outputs
from augimpact.payload import payload_of, still_of
from augimpact.render.look import COLOUR_MAPS
from augimpact.render.overlay import colour_table
from augimpact.render.page import bundle, style
from augimpact.widgets.player import HERE
from tests.browser.driving import set_range, text

pytestmark = pytest.mark.browser

FRAMES = 21
CODE = "import augimpact as ai\n\ntrace = ai.analyze('<b>cup</b>.png', ai.Sweep(rotation=(-40, 40)))\n"
ORIGINAL, AUGMENTED, SECOND = (f".screen:nth-child({place}) canvas" for place in (1, 2, 3))
# What a front end does for a widget, as far as this one asks for it.
MODEL = """
const listeners = {};
const decoded = (text) => JSON.parse(text, (_key, value) => {
  if (typeof value?.base64 !== "string") return value;
  const bytes = Uint8Array.from(atob(value.base64), (letter) => letter.charCodeAt(0));
  return new DataView(bytes.buffer);
});
const traits = decoded(document.querySelector("#traits").textContent);
window.sent = [];
window.model = {
  get: (name) => traits[name],
  set: (name, value) => { traits[name] = value; },
  save_changes: () => {},
  send: (content) => window.sent.push(content),
  on: (name, listen) => (listeners[name] ??= []).push(listen),
  off: () => {},
};
window.change = (name, text) => {
  traits[name] = decoded(text);
  for (const listen of listeners[`change:${name}`] ?? []) listen();
};
window.answer = (content, text) =>
  listeners["msg:custom"].forEach((listen) =>
    listen(content, text ? [new DataView(new TextEncoder().encode(text).buffer)] : []));
widget.render({ model: window.model, el: document.querySelector("#root") });
"""


@pytest.fixture(scope="module")
def trace(classifier):
    return ai.analyze(example("motorcycle"), ai.Sweep(rotation=(-60, 60), frames=FRAMES), classifier)


@pytest.fixture(scope="module")
def both(classifier):
    sweep = ai.Sweep(rotation=(-60, 60), frames=9)
    return ai.compare("example:motorcycle", sweep, [classifier], ["gradcam", "gradient"])


@pytest.fixture(scope="module")
def payload(trace):
    return payload_of(trace) | {"code": CODE}


def as_text(value):
    return json.dumps(value, default=lambda content: {"base64": base64.b64encode(content).decode()}).replace(
        "<", "\\u003c"
    )


@pytest.fixture
def opened(chromium, tmp_path):
    """Opens the widget with these traits; in the end nothing may have gone wrong."""
    contexts, wrong = [], []

    def open_widget(payload, *, formats=tuple(FORMATS), permissions=(), **options):
        traits = {
            "payload": payload,
            "preview": {},
            "frame": 0,
            "formats": list(formats),
            "colour_maps": {name: colour_table(name).tobytes() for name in COLOUR_MAPS},
        }
        script = bundle(HERE / "player.js").replace("export default {", "const widget = {")
        sheet = style(HERE.parent / "render" / "player.css")
        file = tmp_path / f"{len(contexts)}.html"
        file.write_text(
            f"<!doctype html><meta charset=utf-8><style>body {{ margin: 0 }} {sheet}</style><div id=root></div>"
            f"<p id=elsewhere>elsewhere</p><script type=application/json id=traits>{as_text(traits)}</script>"
            f"<script type=module>{script}{MODEL}</script>",
            encoding="utf-8",
        )
        begin = {"viewport": {"width": 1200, "height": 1000}, "reduced_motion": "reduce"}
        context = chromium.new_context(**(begin | options), permissions=list(permissions))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(file.as_uri())
        if payload:
            page.wait_for_function("() => / \\/ /.test(document.querySelector('.position').textContent)")
        return page

    yield open_widget
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def page(opened, payload):
    return opened(payload)


def pixels(page, selector=AUGMENTED):
    address = page.locator(selector).evaluate("(canvas) => canvas.toDataURL('image/png')")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))).convert("RGB")).astype(int)


def difference(one, other):
    return np.abs(one - other).mean()


def go_to(page, frame):
    set_range(page, ".scrubber", frame)


def tile(page, name):
    return page.locator(f".tile[data-name={name}]")


def test_the_map_lies_over_either_picture_or_none(page, trace):
    go_to(page, 3)
    bare = {ORIGINAL: trace.neutral.frames[0], AUGMENTED: trace.frames[3]}
    for name, over in (
        ("none", ()), ("original", (ORIGINAL,)), ("augmented", (AUGMENTED,)), ("both", (ORIGINAL, AUGMENTED)),
    ):  # fmt: skip
        page.get_by_label("map over").select_option(name)
        for selector, photograph in bare.items():
            # What JPEG changes is small, a map is not.
            assert (difference(pixels(page, selector), photograph) > 8) == (selector in over), (name, selector)


def test_a_picture_that_is_held_down_and_the_m_key_hide_the_map_meanwhile(page, trace):
    go_to(page, 3)
    covered = pixels(page)
    box = page.locator(AUGMENTED).bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    assert difference(pixels(page), trace.frames[3]) < 5
    page.mouse.up()
    assert np.array_equal(pixels(page), covered)
    page.locator(".player").focus()
    page.keyboard.down("m")
    assert difference(pixels(page), trace.frames[3]) < 5
    assert difference(pixels(page, ORIGINAL), trace.neutral.frames[0]) < 5
    page.keyboard.up("m")
    assert np.array_equal(pixels(page), covered)


def test_the_numbers_are_those_of_the_frame_and_its_difference_from_the_original(page, trace):
    measures, drift = trace.measures(), trace.drift()
    original = trace.neutral.measures()["brightness"][0]
    for frame in (0, 7, 20):
        go_to(page, frame)
        assert text(page, ".tile[data-name=brightness] b") == f"{measures['brightness'][frame]:.2f}"
        assert text(page, ".tile[data-name=entropy] b") == f"{measures['entropy'][frame]:.2f}"
        assert text(page, ".tile[data-name=drift] b") == f"{drift['shift'][frame] * 100:.1f} %"
        difference = measures["brightness"][frame] - original
        assert text(page, ".tile[data-name=brightness] .difference") == f"−{-difference:.2f}"
        cursor = tile(page, "contrast").locator(".cursor").bounding_box()
        chart = tile(page, "contrast").locator(".spark").bounding_box()
        place = (cursor["x"] + cursor["width"] / 2 - chart["x"]) / chart["width"]
        assert place == pytest.approx(frame / (FRAMES - 1), abs=0.02)


def test_a_sparkline_is_dragged_to_scrub(page):
    chart = tile(page, "saturation").locator(".spark")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 10)
    page.mouse.down()
    assert text(page, ".position") == "11 / 21"
    page.mouse.move(box["x"] + box["width"] + 80, box["y"] + 10)
    page.mouse.up()
    assert text(page, ".position") == "21 / 21"


def test_a_flip_goes_to_its_frame_and_says_from_what_to_what(page, trace):
    flips = trace.flips()
    buttons = page.locator(".flip:not(.unfold)")
    assert buttons.count() == len(flips)
    for index, flip in flips.iterrows():
        assert buttons.nth(index).get_attribute("title").startswith(f"{flip['from']} → {flip['to']}")
        buttons.nth(index).click()
        assert text(page, ".position") == f"{flip['frame'] + 1} / 21"
    stable = trace.stable_range().loc["rotation"]
    ends = [f"{value:.1f}°".replace("-", "−") for value in (stable["low"], stable["high"])]
    assert f"stable around 0.0° from {ends[0]} to {ends[1]}" in text(page, ".facts")
    assert f"confidence area {trace.confidence_area():.2f}" in text(page, ".facts")


def test_a_long_list_of_flips_folds(opened, trace):
    scores = np.tile(np.eye(2, dtype=np.float32), (11, 1))[:FRAMES]
    outputs = Outputs.of_classes(["cat", "dog"])
    neutral = replace(trace.neutral, scores=scores[:1], outputs=outputs, targets=np.zeros(1, np.int64))
    restless = replace(trace, scores=scores, outputs=outputs, targets=scores.argmax(axis=1), neutral=neutral)
    page = opened(payload_of(restless))
    assert page.locator(".flip:not(.unfold)").count() == 8
    page.locator(".unfold").click()
    assert page.locator(".flip").count() == 20
    assert "and 12 more" not in text(page, ".facts")


def test_bars_are_as_long_as_the_scores(page, trace):
    go_to(page, 10)
    for index, output in enumerate(trace.outputs_that_matter()):
        cell = page.locator(".strip .cell").nth(index).bounding_box()
        bar = page.locator(".strip .bar").nth(index).bounding_box()
        assert bar["width"] / cell["width"] == pytest.approx(trace.scores[10, output], abs=0.01)


def test_keys_are_heard_everywhere_but_where_they_mean_something_else(page):
    page.locator(".copy-code").focus()
    for key, frame in (
        ("End", 21),
        ("PageUp", 11),
        ("ArrowLeft", 10),
        ("PageDown", 20),
        ("Home", 1),
        ("ArrowRight", 2),
    ):
        page.keyboard.press(key)
        assert text(page, ".position") == f"{frame} / 21"
    opacity = page.locator("input[aria-label^=opacity]")
    opacity.focus()
    page.keyboard.press("ArrowRight")
    assert text(page, ".position") == "2 / 21"
    assert float(opacity.input_value()) > 0.5
    page.get_by_label("colours").focus()
    page.keyboard.press("ArrowDown")
    assert text(page, ".position") == "2 / 21"
    # On a button the space bar presses it.
    page.locator(".segmented button", has_text="frame").focus()
    page.keyboard.press(" ")
    assert page.locator(".play").get_attribute("aria-label") == "play"
    page.locator(".player").focus()
    page.keyboard.press(" ")
    assert page.locator(".play").get_attribute("aria-label") == "pause"


def test_twice_the_speed_is_twice_as_fast(page):
    def frames_in_a_second():
        page.locator("select[aria-label=loop]").select_option("forward")
        return page.evaluate(
            "() => new Promise((done) => { let count = 0; const seen = new MutationObserver(() => count++);"
            " seen.observe(document.querySelector('.position'), { childList: true });"
            " document.querySelector('.play').click();"
            " setTimeout(() => { document.querySelector('.play').click(); seen.disconnect(); done(count); }, 1500); })"
        )

    page.locator("select[aria-label=speed]").select_option("0.5")
    slow = frames_in_a_second()
    page.locator("select[aria-label=speed]").select_option("2")
    # Four times as many, if the machine keeps up.
    assert frames_in_a_second() > 1.8 * slow


def test_a_screen_reader_hears_where_it_rests_and_nothing_while_it_plays(page):
    page.locator(".player").focus()
    page.keyboard.press("Home")
    page.locator(".spoken", has_text="frame 1 of 21, rotation −60.0°").wait_for(state="attached")
    page.keyboard.press(" ")
    page.wait_for_timeout(600)
    assert page.locator(".spoken").text_content().startswith("frame 1 of 21")
    page.keyboard.press(" ")
    page.wait_for_function("() => !document.querySelector('.spoken').textContent.startsWith('frame 1 of')")
    assert page.locator(".scrubber").get_attribute("aria-valuetext").startswith("frame ")


def test_the_code_is_copied(opened, payload):
    page = opened(payload, permissions=["clipboard-read", "clipboard-write"])
    page.locator(".copy-code").click()
    page.locator(".copy-code", has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == CODE
    page.locator(".copy-code", has_text="Copy code").wait_for()


def test_where_the_clipboard_is_closed_the_code_is_shown_selected(page):
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('closed')); }")
    page.locator(".copy-code").click()
    page.locator("dialog.code").wait_for()
    assert page.evaluate("window.getSelection().toString()").strip() == CODE.strip()
    assert page.locator("dialog b").count() == 0
    page.keyboard.press("Escape")
    page.locator("dialog.code").wait_for(state="hidden")


def test_without_code_there_is_none_to_copy(opened, payload):
    page = opened({name: value for name, value in payload.items() if name != "code"})
    assert page.locator(".copy-code").is_hidden()


def test_the_menu_offers_what_can_be_made_and_closes(opened, payload, both):
    page = opened(payload)
    offered = page.locator(".more button")
    page.locator(".more summary").click()
    visible = {each.get_attribute("data-suffix") for each in offered.all() if each.is_visible()} | {".gif"}
    assert visible == set(FORMATS)
    page.keyboard.press("Escape")
    assert page.locator(".more > div").is_hidden()
    page.locator(".more summary").click()
    page.locator("#elsewhere").click()
    assert page.locator(".more > div").is_hidden()
    page = opened(payload_of(both), formats=tuple(COMPARISON_FORMATS))
    page.locator(".more summary").click()
    visible = {each.get_attribute("data-suffix") for each in page.locator(".more button").all() if each.is_visible()}
    assert visible | {".gif"} == set(COMPARISON_FORMATS)


def test_a_file_is_asked_for_as_it_is_seen_and_what_became_of_it_moves_nothing(page):
    boxes = page.locator(".card, .tools").all
    before = [each.bounding_box() for each in boxes()]
    set_range(page, "input[aria-label^=opacity]", 0.3)
    page.locator(".save-gif").click()
    assert text(page, ".notice") == "making the GIF file…"
    assert page.locator(".save-gif").is_disabled()
    wish = page.evaluate("window.sent.pop()")
    assert (wish["kind"], wish["suffix"], wish["opacity"], wish["scale"]) == ("save", ".gif", 0.3, "sweep")
    assert [each.bounding_box() for each in boxes()] == before
    with page.expect_download() as waiting:
        page.evaluate(
            "(request) => window.answer({ kind: 'file', request, name: 'a.gif', mime: 'image/gif' }, 'GIF')",
            wish["request"],
        )
    assert waiting.value.suggested_filename == "a.gif"
    assert text(page, ".notice") == "saved a.gif"
    page.get_by_label("map over").select_option("original")
    page.locator(".more summary").click()
    page.get_by_role("button", name="WebP").click()
    wish = page.evaluate("window.sent.pop()")
    # The augmented picture is shown without its map.
    assert (wish["suffix"], wish["opacity"]) == (".webp", 0)
    words = "the file could not be made: " + "a long story " * 12
    page.evaluate("([request, text]) => window.answer({ kind: 'error', request, text })", [wish["request"], words])
    assert text(page, ".notice.error") == words.strip()
    assert not page.locator(".save-gif").is_disabled()
    assert [each.bounding_box() for each in boxes()] == before
    page.locator("#elsewhere").click()
    assert page.locator(".notice").text_content() == ""


def test_on_a_phone_an_error_stays_inside_the_card(opened, payload):
    page = opened(payload, viewport={"width": 360, "height": 800})
    page.locator(".save-gif").click()
    words = "the file could not be made: " + "a long story " * 12
    request = page.evaluate("window.sent.pop().request")
    page.evaluate("([request, text]) => window.answer({ kind: 'error', request, text })", [request, words])
    box, card = (page.locator(name).bounding_box() for name in (".notice.error", ".player"))
    assert box["x"] >= card["x"]
    assert box["x"] + box["width"] <= card["x"] + card["width"]


def test_the_curves_follow_the_theme_of_the_front_end(page):
    light = pixels(page, ".curves")
    page.evaluate("() => { document.body.dataset.jpThemeLight = 'false'; }")
    page.wait_for_timeout(100)
    assert difference(pixels(page, ".curves"), light) > 1


def test_of_several_parameters_each_stable_range_is_named(opened, classifier):
    trace = ai.analyze("example:cat", ai.Sweep(rotation=(-10, 10), brightness=(0.9, 1.1), frames=3), classifier)
    page = opened(payload_of(trace))
    assert "rotation stable around 0.0°" in text(page, ".facts")
    assert "brightness stable around 1.00" in text(page, ".facts")


def test_a_preview_has_its_numbers_and_the_colours_of_the_curves(page, trace):
    brighter = trace[10:11]
    page.evaluate("(text) => window.change('preview', text)", as_text(still_of(brighter)))
    page.wait_for_function("() => document.querySelector('.position').textContent === 'preview'")
    assert text(page, ".tile[data-name=brightness] b") == f"{brighter.measures()['brightness'][0]:.2f}"
    assert text(page, ".tile[data-name=brightness] .difference") != ""
    assert tile(page, "brightness").locator(".cursor").is_hidden()
    known = trace.labels[trace.outputs_that_matter()[0]]
    cell = page.locator(".class", has=page.get_by_text(known, exact=True))
    assert "--class-0" in cell.locator(".bar").get_attribute("style")
    page.evaluate("() => window.change('payload', '{}')")
    assert page.locator(".numbers").is_hidden()


def test_two_stand_beside_each_other(opened, both):
    one, two = both.traces.values()
    page = opened(payload_of(both), formats=tuple(COMPARISON_FORMATS))
    go_to(page, 2)
    assert page.locator(".screen:visible").count() == 3
    assert text(page, ".screen:nth-child(2) .tag").startswith("gradcam · rotation")
    assert text(page, ".screen:nth-child(3) .tag").startswith("gradient · rotation")
    page.get_by_label("map over").select_option("none")
    # Of one model the frames are the same, and their maps differ.
    assert np.array_equal(pixels(page), pixels(page, SECOND))
    page.get_by_label("map over").select_option("augmented")
    assert difference(pixels(page), pixels(page, SECOND)) > 3
    assert page.locator(".strips .variant .name").all_inner_texts() == ["gradcam", "gradient"]
    shown = page.locator(".strips .variant").nth(1).locator("b").first
    assert shown.inner_text() == f"{two.scores[2, one.outputs_that_matter()[0]]:.2f}"
    drifts = [f"{each.drift()['shift'][2] * 100:.1f} %" for each in (one, two)]
    # Both predict the same, and what is said of that is said once.
    assert page.locator(".facts p").count() == 1
    assert text(page, ".tile[data-name=drift] b") == " · ".join(drifts)


def test_a_seconds_lines_are_dashed_in_the_colours_of_the_first(opened, both):
    """One class that is 0.9 for the first and 0.1 for the second."""

    def steady(trace, score):
        outputs = Outputs.of_classes(["cat", "dog"])
        scores = np.tile(np.array([[score, 0]], np.float32), (len(trace), 1))
        small = {"outputs": outputs, "targets": np.zeros(len(trace), np.int64)}
        neutral = replace(trace.neutral, scores=scores[:1], outputs=outputs, targets=np.zeros(1, np.int64))
        return replace(trace, scores=scores, neutral=neutral, **small)

    one, two = both.traces.values()
    page = opened(payload_of(Comparison({"one": steady(one, 0.9), "two": steady(two, 0.1)})))
    shown = pixels(page, ".curves")
    blue = np.abs(shown - np.array([0x24, 0x57, 0xD6])).max(axis=2) < 12
    height = 190 - 32
    solid, dashed = (blue[round(8 + height * (1 - score)), 60:-60] for score in (0.9, 0.1))
    assert solid.mean() > 0.9
    assert 0.4 < dashed.mean() < 0.8
    assert np.abs(np.diff(dashed.astype(int))).sum() > 20


@pytest.mark.parametrize("width", [1600, 1200, 700, 400, 320])
def test_long_names_and_two_variants_fit_any_width(opened, trace, both, width):
    long = "a name that goes on and on_and_on_without_any_end_to_be_seen " * 2
    outputs = Outputs.of_classes([f"{long}{label}" for label in trace.labels])
    named = replace(trace, outputs=outputs, neutral=replace(trace.neutral, outputs=outputs))
    two = Comparison({f"{long}{name}": each for name, each in both.traces.items()})
    for payload in (payload_of(named), payload_of(two)):
        page = opened(payload | {"code": CODE}, viewport={"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        edge = page.locator(".player").bounding_box()
        for selector in (".screen:visible", ".strips", ".transport", ".facts", ".tools > *:visible"):
            for each in page.locator(selector).all():
                box = each.bounding_box()
                assert box["x"] >= edge["x"], selector
                assert box["x"] + box["width"] <= edge["x"] + edge["width"] + 0.5, selector


def test_when_it_is_cleared_nothing_of_the_old_image_is_seen(page, trace, payload):
    go_to(page, 3)
    page.locator(".spoken", has_text="frame 4 of").wait_for(state="attached")
    page.evaluate("() => { window.change('payload', '{}'); window.change('preview', '{}'); }")
    assert page.evaluate(
        "() => [...document.querySelectorAll('.screen canvas')].every((canvas) =>"
        " canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.every((value) => value === 0))"
    )
    words = page.locator(".playing").inner_text() + page.locator(".spoken").text_content()
    heard = " ".join(each.get_attribute("aria-label") for each in page.locator(".screen canvas").all())
    for told in ("rotation", *(trace.labels[index] for index in trace.outputs_that_matter())):
        assert told not in words + heard
    assert page.locator(".strips .class").count() == 0
    # A picture that is held down is not painted again from what was.
    box = page.locator(AUGMENTED).bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    assert pixels(page).max() == 0
    page.mouse.up()
    # The same once more is painted as if it were the first.
    page.evaluate("(text) => window.change('payload', text)", as_text(payload))
    page.wait_for_function("() => / \\/ /.test(document.querySelector('.position').textContent)")
    assert page.locator(".strips .class").count() > 0
    assert pixels(page, ORIGINAL).max() > 0


def test_a_preview_without_a_sweep_is_cleared_too(opened, trace):
    page = opened({})
    for with_neutral in (True, False):
        page.evaluate("(text) => window.change('preview', text)", as_text(still_of(trace[10:11])))
        page.wait_for_function("() => document.querySelector('.screen:nth-child(2) .tag').textContent !== ''")
        page.evaluate("() => window.change('preview', '{}')")
        assert pixels(page).max() == 0, with_neutral
        assert text(page, ".screen:nth-child(2) .tag") == ""
        assert page.locator(".strips .class").count() == 0


def test_an_empty_stage_is_not_black_and_says_what_is_wrong(opened, trace):
    page = opened({})
    trouble = page.locator(".stage .trouble")
    ground = "(each) => getComputedStyle(each).backgroundColor"
    assert trouble.is_hidden()
    page.evaluate("() => window.change('trouble', '\"no <b>weights</b>\"')")
    assert text(page, ".stage .trouble") == "no <b>weights</b>"
    assert page.locator(".screen:visible").evaluate(ground) != "rgb(0, 0, 0)"
    # A picture is not hidden by it.
    page.evaluate("(text) => window.change('preview', text)", as_text(still_of(trace[10:11])))
    trouble.wait_for(state="hidden")
    page.evaluate("() => window.change('preview', '{}')")
    trouble.wait_for()


def test_a_preview_that_is_cleared_while_it_is_decoded_is_never_shown(opened, trace):
    page = opened({})
    page.evaluate(
        "(text) => { window.change('preview', text); window.change('preview', '{}'); }", as_text(still_of(trace[10:11]))
    )
    page.wait_for_timeout(500)
    assert text(page, ".screen:nth-child(2) .tag") == ""


def test_the_browsers_own_m_keys_are_left_to_it(page, trace):
    go_to(page, 3)
    covered = pixels(page)
    page.evaluate(
        "() => { window.kept = []; window.addEventListener('keydown',"
        " (event) => event.key === 'm' && window.kept.push(event.defaultPrevented)); }"
    )
    page.locator(".player").focus()
    for modifier in ("Control", "Alt", "Meta"):
        page.keyboard.down(modifier)
        page.keyboard.down("m")
        assert np.array_equal(pixels(page), covered), modifier
        page.keyboard.up("m")
        page.keyboard.up(modifier)
    assert page.evaluate("window.kept") == [False] * 3


def test_curves_are_pale_only_while_a_preview_is_shown(page, trace):
    preview = as_text(still_of(trace[10:11]))

    def show_preview():
        page.evaluate("(text) => window.change('preview', text)", preview)
        page.wait_for_function("() => document.querySelector('.position').textContent === 'preview'")
        assert page.locator(".playing.stale").count() == 1

    show_preview()
    go_to(page, 3)
    assert page.locator(".playing.stale").count() == 0
    show_preview()
    page.evaluate("() => { window.change('payload', '{}'); window.change('preview', '{}'); }")
    assert page.locator(".playing.stale").count() == 0


def test_every_picture_that_was_decoded_is_given_back(opened, trace, payload):
    page = opened({})
    page.evaluate(
        "() => { const open = (window.open_bitmaps = new Set()); const make = window.createImageBitmap.bind(window);"
        " window.createImageBitmap = async (...asked) => { const made = await make(...asked);"
        " open.add(made); return made; };"
        " const close = ImageBitmap.prototype.close;"
        " ImageBitmap.prototype.close = function () { open.delete(this); close.call(this); }; }"
    )
    preview = as_text(still_of(trace[10:11]) | {"neutral": still_of(trace.neutral)})
    count = "() => window.open_bitmaps.size"
    for _ in range(3):
        page.evaluate("(text) => window.change('preview', text)", preview)
        page.wait_for_timeout(200)
    assert page.evaluate(count) == 2
    page.evaluate("(text) => window.change('payload', text)", as_text(payload))
    page.wait_for_function("() => / \\/ /.test(document.querySelector('.position').textContent)")
    assert page.evaluate(count) == FRAMES + 1
    page.evaluate("() => { window.change('payload', '{}'); window.change('preview', '{}'); }")
    assert page.evaluate(count) == 0
    # Cleared while it is decoded.
    page.evaluate("(text) => { window.change('preview', text); window.change('preview', '{}'); }", preview)
    page.wait_for_timeout(500)
    assert page.evaluate(count) == 0
