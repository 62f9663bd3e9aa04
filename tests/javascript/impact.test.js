import assert from "node:assert/strict";
import { test } from "node:test";

import { knownRuns } from "../../augimpact/render/band.js";
import { MOST_ON, switched } from "../../augimpact/render/impact_classes.js";
import {
  KINDS, answerOf, changeWords, curveOf, flipWords, nearestPlace, percentText, pointsText, rankedGroups, readImpact, wantedSamples,
  worstPlace,
} from "../../augimpact/render/impact_data.js";

// As they arrive: at any offset.
function view(numbers) {
  const source = new Uint8Array(numbers.buffer);
  const whole = new Uint8Array(source.length + 1);
  whole.set(source, 1);
  return new DataView(whole.buffer, 1);
}

const [CAT, DOG, FOX] = [0, 1, 2];
// Two samples at three strengths: a cat that is taken for a dog at 10, a dog for a fox at −10 and for a cat at 10.
const PAYLOAD = {
  caption: "", note: "", total: 2, has_labels: true, sealed: false, metrics: ["accuracy"], resting: { accuracy: view(Float32Array.of(1, 1, 0)) }, names: ["cat", "dog", "fox"],
  groups: [["cat", 1], ["dog, domestic", 1]],
  samples: {
    rows: view(Uint32Array.of(7, 4)), groups: view(Int32Array.of(0, 1)), labels: view(Int32Array.of(CAT, DOG)),
    neutral: view(Int32Array.of(CAT, DOG)), names: ["7.png", "4.png"],
  },
  paths: [{
    label: "rotation", axis: "rotation (degrees)", unit: "degrees", neutral: 0, strengths: [-10, 0, 10],
    told: ["rotation −10.0°", "rotation 0.0°", "rotation 10.0°"], marks: ["−10.0°", "0.0°", "10.0°"],
    curves: { accuracy: view(Float32Array.of(0.5, 1, 0, 0.1, 0.3, 0, 0.9, 1, 0.7, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0, 1, 1, 1)) },
    changed: view(Int32Array.of(1, 0, 2, 1, 0, 2, 0, 0, 0)), safe: null,
    predicted: view(Uint16Array.of(CAT, CAT, DOG, FOX, DOG, CAT)), scores: view(Uint16Array.of(65535, 65535, 0, 0, 65535, 13107)),
    order: view(Uint32Array.of(1, 0)), first: view(Float32Array.of(NaN, 10, -10, 10)), pairs: [[], [], []],
  }],
};
const impact = readImpact(PAYLOAD);
const [path] = impact.paths;
const every = { kind: "all", groups: null, pair: null };

test("buffers are read wherever they begin, and curves are found by their group", () => {
  assert.deepEqual([...impact.samples.rows], [7, 4]);
  assert.deepEqual([...curveOf(path, "accuracy", 0).value], [0.5, 1, 0]);
  assert.deepEqual([...curveOf(path, "accuracy", 2).value], [0, 1, 0]);
  assert.deepEqual([...curveOf(path, "accuracy", 2).high], [1, 1, 1]);
});

test("predictions of many classes have 32 bits", () => {
  const [wide] = readImpact({ ...PAYLOAD, paths: [{ ...PAYLOAD.paths[0], predicted: view(Uint32Array.of(0, 0, 1, 70000, 1, 0)) }] }).paths;
  assert.deepEqual([...wide.predicted], [0, 0, 1, 70000, 1, 0]);
});

test("of a sample it is told what it is taken for, and whether that changed", () => {
  assert.deepEqual(answerOf(impact, path, 1, 2),
    { label: DOG, before: DOG, after: CAT, flipped: true, lost: true, wrong: true, score: 0.2 });
  assert.equal(answerOf(impact, path, 0, 0).flipped, false);
});

test("the samples that are wanted come least robust first", () => {
  assert.deepEqual(wantedSamples(impact, path, 0, every), [1, 0]);
  assert.deepEqual(wantedSamples(impact, path, 0, { ...every, kind: KINDS[1] }), [1]);
  assert.deepEqual(wantedSamples(impact, path, 1, { ...every, kind: KINDS[2] }), []);
  assert.deepEqual(wantedSamples(impact, path, 2, { ...every, groups: [0] }), [0]);
  assert.deepEqual(wantedSamples(impact, path, 2, { ...every, pair: [DOG, CAT] }), [1]);
});

test("a strength is the nearest that was tested, and one begins where most is lost", () => {
  assert.deepEqual([-99, -4, 5.1, 99].map((each) => nearestPlace(path.strengths, each)), [0, 1, 2, 2]);
  assert.equal(worstPlace(path, "accuracy"), 2);
});

test("what changed reads as a person says it", () => {
  assert.equal(flipWords(path, 0), "flips at 10.0°");
  assert.equal(flipWords(path, 1), "flips at −10.0° and 10.0°");
  assert.equal(flipWords({ ...path, first: Float32Array.of(NaN, NaN) }, 0), "never flips");
  assert.equal(flipWords({ ...path, neutral: null }, 0), "");
  assert.equal(changeWords(impact, path, 2, 1200),
    "2 of 1,200 have another prediction than when neutral; 2 right → wrong, 0 wrong → right");
  assert.equal(changeWords({ ...impact, has_labels: false }, path, 0, 2), "1 of 2 have another prediction than when neutral");
  assert.deepEqual([percentText(0.4123), percentText(NaN), pointsText(-0.0721), pointsText(0.1), pointsText(-1e-5)],
    ["41.2%", "–", "−7.2", "+10.0", "±0"]);
});

test("classes are found by words, the least robust first", () => {
  assert.deepEqual(rankedGroups(impact, path, "accuracy", ""), [1, 0]);
  assert.deepEqual(rankedGroups(impact, path, "accuracy", "DOM dog"), [1]);
  assert.deepEqual(rankedGroups(impact, path, "accuracy", "wolf"), []);
});

test("a class keeps its colour while others go, and a new one takes the first that is free", () => {
  const none = Array(MOST_ON).fill(null);
  const two = switched(switched(none, 5), 9);
  assert.deepEqual(two.slice(0, 3), [5, 9, null]);
  assert.deepEqual(switched(two, 5).slice(0, 3), [null, 9, null]);
  assert.deepEqual(switched(switched(two, 5), 1).slice(0, 3), [1, 9, null]);
  const full = none.map((_, index) => index);
  assert.deepEqual(switched(full, 99), full);
});

test("a band is drawn where it is known", () => {
  assert.deepEqual(knownRuns([null, 1, 0, null, 2]), [[1, 2], [4]]);
  assert.deepEqual(knownRuns([null, null]), []);
});
