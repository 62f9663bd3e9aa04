import assert from "node:assert/strict";
import { test } from "node:test";
import { hasEffect, reset, toggledRange } from "../../augimpact/widgets/rows.js";

const CROP = { name: "crop", neutral: 1, sweep: [1, 0.3], needs: [] };
const CROP_X = { name: "crop_x", neutral: 0.5, sweep: [0, 1], needs: ["crop"] };
const CATALOGUE = { crop: CROP, crop_x: CROP_X };
const STATE = { settings: { crop: 1, crop_x: 0.2 }, ranges: {} };

test("the switch proposes the parameter's sweep and takes it away again", () => {
  const on = toggledRange(STATE, CROP);
  assert.deepEqual(on, { ranges: { crop: [1, 0.3] } });
  assert.notEqual(on.ranges.crop, CROP.sweep);
  assert.deepEqual(toggledRange({ ...STATE, ...on }, CROP), { ranges: {} });
});

test("reset brings back neutral values and ends sweeps, of these alone", () => {
  const state = { settings: { crop: 0.4, crop_x: 0.2 }, ranges: { crop: [1, 0.5], crop_x: [0, 1] } };
  assert.deepEqual(reset(state, [CROP]), { settings: { crop: 1, crop_x: 0.2 }, ranges: { crop_x: [0, 1] } });
  assert.deepEqual(state.ranges.crop, [1, 0.5]);
});

test("a parameter has an effect when what it needs is away from neutral or swept", () => {
  assert.equal(hasEffect(STATE, CROP, CATALOGUE), true);
  assert.equal(hasEffect(STATE, CROP_X, CATALOGUE), false);
  assert.equal(hasEffect({ ...STATE, settings: { crop: 0.5 } }, CROP_X, CATALOGUE), true);
  assert.equal(hasEffect({ ...STATE, ranges: { crop: [1, 0.5] } }, CROP_X, CATALOGUE), true);
});
