import assert from "node:assert/strict";
import { test } from "node:test";
import { enabled, isChanged, matches, parsed, reset, toggledRange } from "../../augimpact/widgets/rows.js";

const CROP = { name: "crop", neutral: 1, sweep: [1, 0.3], needs: [] };
const CROP_X = { name: "crop_x", neutral: 0.5, sweep: [0, 1], needs: ["crop"] };
const CATALOGUE = { crop: CROP, crop_x: CROP_X };
const STATE = { settings: { crop: 1, crop_x: 0.2 }, ranges: {} };

test("the switch proposes the parameter's sweep and takes it away again", () => {
  const on = toggledRange(STATE, CROP, CATALOGUE);
  assert.deepEqual(on, { ranges: { crop: [1, 0.3] }, settings: STATE.settings });
  assert.notEqual(on.ranges.crop, CROP.sweep);
  assert.deepEqual(toggledRange({ ...STATE, ...on }, CROP, CATALOGUE), { ranges: {} });
});

test("reset brings back neutral values and ends sweeps, of these alone", () => {
  const state = { settings: { crop: 0.4, crop_x: 0.2 }, ranges: { crop: [1, 0.5], crop_x: [0, 1] } };
  assert.deepEqual(reset(state, [CROP]), { settings: { crop: 1, crop_x: 0.2 }, ranges: { crop_x: [0, 1] } });
  assert.deepEqual(state.ranges.crop, [1, 0.5]);
});

test("what a parameter needs leaves neutral with it, and stays where it was otherwise", () => {
  assert.deepEqual(enabled(STATE, CROP_X, CATALOGUE), { crop: 0.65, crop_x: 0.2 });
  assert.deepEqual(toggledRange(STATE, { ...CROP_X, sweep: [0, 1] }, CATALOGUE).settings, { crop: 0.65, crop_x: 0.2 });
  assert.deepEqual(enabled({ ...STATE, settings: { crop: 0.5, crop_x: 0 } }, CROP_X, CATALOGUE).crop, 0.5);
  assert.deepEqual(enabled({ ...STATE, ranges: { crop: [1, 0.5] } }, CROP_X, CATALOGUE).crop, 1);
  assert.equal(STATE.settings.crop, 1);
});

test("a parameter is changed when it is swept or away from neutral", () => {
  assert.equal(isChanged(STATE, CROP), false);
  assert.equal(isChanged(STATE, CROP_X), true);
  assert.equal(isChanged({ ...STATE, ranges: { crop: [1, 0.5] } }, CROP), true);
});

test("a typed number is read as it is written, and kept in range", () => {
  const hue = { minimum: -180, maximum: 180 };
  assert.equal(parsed("−12,5°", hue), -12.5);
  assert.equal(parsed(" 30 ", hue), 30);
  assert.equal(parsed("1e3", hue), 180);
  for (const text of ["", "  ", "left", "1..2", "NaN"]) assert.equal(parsed(text, hue), null);
});

test("a parameter is found by its label, group and description", () => {
  const blur = { label: "motion blur", group: "quality", description: "Smears the image" };
  for (const words of ["motion", "qual", "smear"]) assert.equal(matches(blur, words), true);
  assert.equal(matches(blur, "hue"), false);
});
