// A map laid over its frame, in the browser: the same arithmetic as overlay.py, so that page and GIF agree.

/**
 * The value that is shown in the brightest colour for each of `count` maps.
 * @param {Float32Array} maps count × size values
 * @param {number} count
 * @param {string} scale `sweep` (the highest of all) or `frame` (each its own)
 * @returns {Float32Array}
 */
export function fullScale(maps, count, scale) {
  const size = maps.length / count;
  const highest = new Float32Array(count);
  for (let frame = 0; frame < count; frame++)
    for (let index = frame * size; index < (frame + 1) * size; index++)
      if (maps[index] > highest[frame]) highest[frame] = maps[index];
  if (scale === "sweep") highest.fill(highest.reduce((a, b) => Math.max(a, b), 0));
  return highest;
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
 * A map at the size of its frame, in colour.
 * @param {Float32Array} map height × width values
 * @param {number} height
 * @param {number} width
 * @param {number} full the value shown in the brightest colour
 * @param {Uint8Array} table 256 × 3 bytes
 * @param {number} side of the frame in pixels
 * @param {Uint8ClampedArray} pixels side × side × 4 bytes, filled
 */
export function colour(map, height, width, full, table, side, pixels) {
  const down = between(side, height);
  const across = between(side, width);
  const gain = full > 0 ? 255 / full : 0;
  const row = new Float32Array(width);
  for (let y = 0, at = 0; y < side; y++) {
    const upper = down.before[y] * width;
    const lower = down.after[y] * width;
    for (let x = 0; x < width; x++)
      row[x] = (map[upper + x] + (map[lower + x] - map[upper + x]) * down.share[y]) * gain;
    for (let x = 0; x < side; x++, at += 4) {
      const left = row[across.before[x]];
      const value = left + (row[across.after[x]] - left) * across.share[x] + 0.5;
      const entry = (value < 0 ? 0 : value > 255 ? 255 : value | 0) * 3;
      pixels[at] = table[entry];
      pixels[at + 1] = table[entry + 1];
      pixels[at + 2] = table[entry + 2];
      pixels[at + 3] = 255;
    }
  }
}
