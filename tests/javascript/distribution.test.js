import assert from "node:assert/strict";
import { test } from "node:test";
import {
  axisEnds, axisShare, barsPath, beyond, decimalsOf, insideRuns, isInside, leavers, limitText, ordinal, outsideBy, percentile,
  percentileText,
} from "../../augimpact/render/distribution.js";

// As reference.py has it of 1, 2, 2, 4.
const FOUR = {
  name: "brightness", counts: [1, 2, 0, 1], edges: [1, 2, 3, 4, 4], low: 1.03, high: 3.94,
  values: [1, 1, 2, 2, 4, 4], shares: [0.125, 0.125, 0.375, 0.625, 0.875, 0.875],
};
const series = (name, ...values) => ({ name, values });

test("a percentile is the share below, with half of what is equal", () => {
  assert.deepEqual([1, 2, 4].map((value) => percentile(FOUR, value)), [12.5, 50, 87.5]);
  assert.equal(percentile(FOUR, 3), 75);
  assert.equal(percentile(FOUR, 1.5), 25);
  assert.deepEqual([0.9, 4.1].map((value) => percentile(FOUR, value)), [0, 100]);
});

test("percentiles read as a person says them", () => {
  assert.deepEqual([0.9, 1, 1.03, 2, 4, 4.1].map((value) => percentileText(FOUR, value)),
    ["below all", "below the 1st percentile", "13th percentile", "50th percentile", "above the 99th percentile", "above all"]);
  assert.deepEqual([null, undefined, NaN].map((value) => percentileText(FOUR, value)), ["", "", ""]);
  const sharp = { low: 0, high: 1, values: [0, 0, 1, 1], shares: [0.0005, 0.001, 0.999, 0.9995] };
  assert.deepEqual([0, 1].map((value) => percentileText(sharp, value)), ["1st percentile", "99th percentile"]);
});

test("ordinals", () => {
  assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 22, 53, 90, 99].map(ordinal),
    ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "53rd", "90th", "99th"]);
});

test("inside is from the 1st to the 99th percentile, ends included; what is not known is not outside", () => {
  assert.deepEqual([1.03, 3.94, 1.02, 3.95, null, NaN].map((value) => isInside(FOUR, value)),
    [true, true, false, false, true, true]);
});

test("runs are where every measure that both have is inside", () => {
  const dark = { ...FOUR, name: "contrast", low: 0, high: 1 };
  const own = [series("brightness", 2, 2, 9, 2, 2, 2), series("contrast", 0, 0, 0, 0, 7, 1), series("drift", 9, 9, 9, 9, 9, 9)];
  assert.deepEqual(insideRuns([FOUR, dark], own), [[0, 1], [3, 3], [5, 5]]);
  assert.deepEqual(insideRuns([FOUR], own), [[0, 1], [3, 5]]);
  assert.deepEqual(insideRuns([FOUR], [series("brightness", 9, 0)]), []);
  assert.equal(insideRuns([FOUR], [series("drift", 1)]), null);
  assert.equal(insideRuns([], own), null);
  assert.deepEqual([0, 2, 4].map((frame) => leavers([FOUR, dark], own, frame)), [[], ["brightness"], ["contrast"]]);
});

test("a sweep is outside by what always is, else by what ever is", () => {
  const contrast = { ...FOUR, name: "contrast" };
  const by = (brightness, other) =>
    outsideBy([FOUR, contrast], [series("brightness", ...brightness), series("contrast", ...other)], brightness.length);
  assert.equal(by([0, 9], [0, 2]), "brightness");
  assert.equal(by([0, 9], [0, 9]), "brightness, contrast");
  assert.equal(by([0, 2], [2, 9]), "brightness or contrast");
});

test("an axis holds the data and what is marked, but not what is far away", () => {
  assert.deepEqual(axisEnds(FOUR, []), [1, 4]);
  assert.deepEqual(axisEnds(FOUR, [0.5, null, 6]), [0.5, 6]);
  assert.deepEqual(axisEnds(FOUR, [-100, undefined, 100]), [-2, 7]);
  assert.deepEqual([0, 1, 2.5, 9].map((value) => axisShare(value, [1, 4])), [0, 0, 0.5, 1]);
});

test("what is beyond an axis is known by its side", () => {
  assert.deepEqual([-0.1, 0, 1, 2, 2.1].map((value) => beyond(value, [0, 2])), ["below", null, null, null, "above"]);
});

test("an end of an axis reads as zero only where it is", () => {
  const decimals = (end) => decimalsOf({ edges: [end, 0.018] });
  assert.deepEqual([0, 1e-17, 0.0004, 0.0123].map((end) => limitText(end, decimals(end))), ["0", "0", "0.00040", "0.0123"]);
});

test("a bar stands over its bin, the highest reaches to the top, an empty one is none", () => {
  const two = { counts: [1, 0, 2], edges: [0, 1, 2, 3] };
  const bars = barsPath(two, [0, 4]).split("z").filter(Boolean);
  assert.equal(bars.length, 2);
  const [left, top, right] = bars[1].match(/M([\d.]+) 100V([\d.]+)H([\d.]+)/).slice(1).map(Number);
  assert.ok(left > 50 && left < 53 && right > 72 && right < 75);
  assert.equal(top, 4);
});
