import assert from "node:assert/strict";
import { test } from "node:test";
import { classColour, matchingColours } from "../../augimpact/render/matching.js";
import { extent, outline } from "../../augimpact/render/sparkline.js";
import { liesOver } from "../../augimpact/render/stage.js";
import { keyed } from "../../augimpact/render/transport.js";
import { numberText } from "../../augimpact/render/values.js";

test("a class has one colour wherever it is shown, and what only the second knows another", () => {
  const first = ["cat", "dog", "cup"];
  assert.deepEqual(matchingColours(first, first), [0, 1, 2]);
  assert.deepEqual(matchingColours(first, ["dog", "rocket", "cat", "moped"]), [1, 3, 0, 4]);
  assert.deepEqual(matchingColours([], ["cat"]), [0]);
  assert.equal(classColour(9), "var(--class-1)");
});

test("where new colours run out, those of classes that are not shown are taken", () => {
  const first = ["a", "b", "c", "d", "e", "f"];
  const places = matchingColours(first, ["b", "u", "v", "w", "x", "y"]);
  assert.deepEqual(places, [1, 6, 7, 0, 2, 3]);
  assert.equal(new Set(places).size, places.length);
});

test("the map lies over what was chosen", () => {
  const over = (name) => ["augmented", "original"].map((picture) => liesOver(name, picture));
  assert.deepEqual(["both", "augmented", "original", "none"].map(over), [
    [true, true], [true, false], [false, true], [false, false],
  ]);
});

test("a sparkline reaches from the lowest to the highest, and small noise stays small", () => {
  assert.deepEqual(extent([0.2, null, 0.8, NaN], 2), [0.2, 0.8]);
  const [low, high] = extent([0.5, 0.51], 2);
  assert.ok(Math.abs(high - low - 0.1) < 1e-12 && Math.abs(low + high - 1.01) < 1e-12);
  assert.deepEqual(extent([null], 2), [0, 1]);
});

test("the outline runs from left to right, high values at the top, and is broken where one is missing", () => {
  assert.equal(outline([0, 1, 0.5], [0, 1]), "M0.00 100.00L50.00 0.00L100.00 50.00");
  assert.equal(outline([0, null, 1, 1], [0, 1]), "M0.00 100.00h0M66.67 0.00L100.00 0.00");
  assert.equal(outline([0.5], [0, 1]), "M0.00 50.00h100");
  assert.equal(outline([null, null], [0, 1]), "");
});

/** What a key asks for at frame 5 of 20, pressed in an element that is of these kinds. */
function pressed(key, kinds = [], more = {}) {
  const target = { closest: (selector) => (kinds.some((kind) => selector.split(", ").includes(kind)) ? {} : null) };
  return keyed({ key, target, ctrlKey: false, metaKey: false, altKey: false, ...more }, 5, 20);
}

test("keys step, leap and toggle", () => {
  const keys = ["ArrowRight", "ArrowLeft", "Home", "End", "PageDown", "PageUp", " ", "x"];
  assert.deepEqual(keys.map((key) => pressed(key)), [6, 4, 0, 19, 15, 0, "toggle", null]);
});

test("keys that mean something else stay with what has the focus", () => {
  assert.equal(pressed("ArrowRight", ["select"]), null);
  assert.equal(pressed("Home", ["input:not(.scrubber)"]), null);
  assert.equal(pressed(" ", ["button"]), null);
  assert.equal(pressed("ArrowRight", ["button"]), 6);
  assert.equal(pressed("ArrowLeft", [], { altKey: true }), null);
  assert.equal(pressed("toString"), null);
});

test("numbers have a true minus sign, and what is none is a dash", () => {
  assert.deepEqual([-0.126, 0.5, -0.001, null, undefined, NaN].map((value) => numberText(value, 2)),
    ["−0.13", "0.50", "0.00", "–", "–", "–"]);
});
