import assert from "node:assert/strict";
import { test } from "node:test";
import { fineNumberText, numberText, valueShare, valueText, valueTicks } from "../../augimpact/render/values.js";

const SCORES = { minimum: 0, maximum: 1, unit: "", decimals: 2 };
const DOTS = { minimum: -2, maximum: 8, unit: "dots", decimals: 1 };
const texts = (axis) => valueTicks(axis).map(({ text }) => text);

test("scores are written with two decimals and lie where they are", () => {
  assert.equal(valueText(0.5312, SCORES), "0.53");
  assert.equal(valueText(0.5312, SCORES, 1), "0.531");
  assert.equal(valueShare(0.5312, SCORES), 0.5312);
  assert.deepEqual(valueTicks(SCORES), [0, 0.5, 1].map((value) => ({ value, text: String(value) })));
});

test("other values carry their unit and a true minus sign, and stay on the axis", () => {
  assert.equal(valueText(7.31, DOTS), "7.3 dots");
  assert.equal(valueText(-1.5, DOTS), "−1.5 dots");
  assert.equal(valueText(-0.01, DOTS), "0.0 dots");
  assert.equal(valueShare(3, DOTS), 0.5);
  assert.deepEqual([valueShare(-9, DOTS), valueShare(99, DOTS), valueShare(NaN, DOTS)], [0, 1, 0]);
});

test("what would take too many digits is written by a power of ten", () => {
  const huge = { minimum: 0, maximum: 5e9, unit: "", decimals: null };
  assert.equal(valueText(1234567890, huge), "1.23e9");
  assert.deepEqual(texts(huge), ["0", "2e9", "4e9"]);
  assert.equal(valueText(NaN, huge), "–");
});

test("what would read as zero and is not has two digits", () => {
  assert.deepEqual([0.00312, -0.00312, 0, 1e-17, 0.0049, 4e-9, 0.005, 0.5].map((value) => fineNumberText(value, 2)),
    ["0.0031", "−0.0031", "0.00", "0.00", "0.0049", "4.00e-9", "0.01", "0.50"]);
  assert.deepEqual([null, NaN, Infinity].map((value) => fineNumberText(value, 2)), ["–", "–", "–"]);
  assert.equal(numberText(-1234567890, null), "−1.23e9");
});

test("ticks are round, inside the axis and at least three", () => {
  assert.deepEqual(texts(DOTS), ["−2", "0", "2", "4", "6", "8"]);
  assert.deepEqual(texts({ minimum: 0, maximum: 0.02 }), ["0", "0.01", "0.02"]);
  for (const [minimum, maximum] of [[0, 3], [0.13, 0.94], [-170, 333], [99.99, 100.01], [-1e-5, 1e-5]]) {
    const ticks = valueTicks({ minimum, maximum });
    assert.ok(ticks.length >= 3 && ticks.length <= 9, `${ticks.length} ticks from ${minimum} to ${maximum}`);
    const slack = (maximum - minimum) * 1e-6;
    assert.ok(ticks.every(({ value }) => value >= minimum - slack && value <= maximum + slack));
    assert.equal(new Set(ticks.map(({ text }) => text)).size, ticks.length);
  }
});
