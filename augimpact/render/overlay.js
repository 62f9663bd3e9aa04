// A map laid over its frame, in the browser: the same arithmetic as overlay.py, so that page and GIF agree.

// Maps travel as 16-bit shares of each one's own highest value.
const WHOLE = 65535;

/**
 * The value that is shown in the brightest colour for each map.
 * @param {number[]} highest of each map
 * @param {string} scale `sweep` (the highest of all) or `frame` (each its own)
 * @returns {number[]}
 */
export function fullScale(highest, scale) {
  if (scale === "frame") return highest;
  const most = highest.reduce((a, b) => Math.max(a, b), 0);
  return highest.map(() => most);
}

/**
 * Where each of `side` pixels falls between `cells` cells: the cell before, the cell after, the share of the latter.
 * @param {number} side
 * @param {number} cells
 */
export function between(side, cells) {
  const before = new Int32Array(side);
  const after = new Int32Array(side);
  const share = new Float32Array(side);
  for (let pixel = 0; pixel < side; pixel++) {
    const place = Math.min(cells - 1, Math.max(0, ((pixel + 0.5) * cells) / side - 0.5));
    before[pixel] = Math.floor(place);
    after[pixel] = Math.min(cells - 1, before[pixel] + 1);
    share[pixel] = place - before[pixel];
  }
  return { before, after, share };
}

/**
 * How much each place in the colour table covers of the frame, 256 bytes: all of the opacity where the map is high, a little
 * where it says nothing.
 * @param {number} opacity from 0 to 1, which covers everything
 */
export function opacityTable(opacity) {
  const covered = (share) => opacity * (opacity ** 2 + (1 - opacity ** 2) * Math.sqrt(share));
  return Uint8Array.from({ length: 256 }, (_, place) => Math.floor(255 * covered(place / 255) + 0.5));
}

/**
 * A map stretched over its frame, in colour.
 * @param {{values: Uint16Array, height: number, width: number, highest: number}} map height × width shares of `highest`
 * @param {number} full the value shown in the brightest colour
 * @param {Uint8Array} table 256 × 3 bytes
 * @param {Uint8Array} opacities 256 bytes, see `opacityTable`
 * @param {{width: number, height: number, data: Uint8ClampedArray}} pixels of the frame's size, filled
 */
export function colour(map, full, table, opacities, pixels) {
  const down = between(pixels.height, map.height);
  const across = between(pixels.width, map.width);
  const gain = full > 0 ? (255 * map.highest) / full / WHOLE : 0;
  const row = new Float32Array(map.width);
  const { values } = map;
  const { data } = pixels;
  for (let y = 0, at = 0; y < pixels.height; y++) {
    const upper = down.before[y] * map.width;
    const lower = down.after[y] * map.width;
    for (let x = 0; x < map.width; x++)
      row[x] = (values[upper + x] + (values[lower + x] - values[upper + x]) * down.share[y]) * gain;
    for (let x = 0; x < pixels.width; x++, at += 4) {
      const left = row[across.before[x]];
      const value = left + (row[across.after[x]] - left) * across.share[x] + 0.5;
      const place = value > 255 ? 255 : value | 0;
      const entry = place * 3;
      data[at] = table[entry];
      data[at + 1] = table[entry + 1];
      data[at + 2] = table[entry + 2];
      data[at + 3] = opacities[place];
    }
  }
}
