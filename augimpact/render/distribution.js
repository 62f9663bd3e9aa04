// Where the frame that is shown lies in a dataset: a panel a measure with the dataset's histogram, its middle 98 % shaded,
// and a marker that goes along with the frame. Everything is worked out here, of numbers that came once.
import { element } from "./dom.js";
import { fineNumberText } from "./values.js";

// The axis grows by no more than so many times what the data takes; what lies beyond is an arrowhead at its end.
const MOST_GROWTH = 1;
const BAR_SHARE = 0.86;
const EXPLAINED =
  "The line is the frame above, the dots are the original; an arrowhead points to what lies beyond the axis. The band holds the middle 98 % of the data; on the curves, the shaded part of the sweep keeps every measure inside its band.";

/**
 * @typedef {object} Measured how one measure is distributed, see reference.py
 * @property {string} name
 * @property {string} about
 * @property {number[]} counts of each bin
 * @property {number[]} edges one more than bins
 * @property {number} low the 1st percentile
 * @property {number} high the 99th
 * @property {number[]} values sorted, least first, highest last
 * @property {number[]} shares of the data that lies below each of them
 */

/**
 * How much of the data lies below a value, in percent; of what equals it, half.
 * @param {Measured} measured
 * @param {number} value
 */
export function percentile({ values, shares }, value) {
  let first = values.findIndex((each) => each >= value);
  if (first < 0) return 100;
  if (values[first] === value) {
    let last = first;
    while (values[last + 1] === value) last++;
    return 50 * (shares[first] + shares[last]);
  }
  if (first === 0) return 0;
  const part = (value - values[first - 1]) / (values[first] - values[first - 1]);
  return 100 * (shares[first - 1] + part * (shares[first] - shares[first - 1]));
}

/**
 * The same in words; a percentile, from the 1st to the 99th, only of what is inside.
 * @param {Measured} measured
 * @param {number|null|undefined} value
 */
export function percentileText(measured, value) {
  if (!isKnown(value)) return "";
  const { values, low } = measured;
  if (value < values[0]) return "below all";
  if (value > values[values.length - 1]) return "above all";
  if (!isInside(measured, value)) return value < low ? "below the 1st percentile" : "above the 99th percentile";
  return `${ordinal(Math.min(99, Math.max(1, Math.round(percentile(measured, value)))))} percentile`;
}

/** @param {number} count a whole number */
export function ordinal(count) {
  const teens = count % 100 > 10 && count % 100 < 14;
  return count + ((!teens && { 1: "st", 2: "nd", 3: "rd" }[count % 10]) || "th");
}

const isKnown = (value) => value != null && Number.isFinite(value);

/** @param {Measured} measured @param {number|null|undefined} value what is not known is not outside */
export const isInside = ({ low, high }, value) => !isKnown(value) || (value >= low && value <= high);

/**
 * The parts of a sweep in which every measure lies between the data's 1st and 99th percentile.
 * @param {Measured[]} measures
 * @param {{name: string, values: (number|null)[]}[]} numbers of the sweep's frames
 * @returns {[number, number][]|null} first and last frame of each; null where nothing is compared
 */
export function insideRuns(measures, numbers) {
  const pairs = compared(measures, numbers);
  if (!pairs.length) return null;
  const runs = [];
  pairs[0].series.values.forEach((_, frame) => {
    if (!pairs.every(({ measured, series }) => isInside(measured, series.values[frame]))) return;
    const last = runs[runs.length - 1];
    if (last && last[1] === frame - 1) last[1] = frame;
    else runs.push([frame, frame]);
  });
  return runs;
}

/** @param {Measured[]} measures @param {{name: string, values: (number|null)[]}[]} numbers @param {number} frame */
export const leavers = (measures, numbers, frame) =>
  compared(measures, numbers)
    .filter(({ measured, series }) => !isInside(measured, series.values[frame]))
    .map(({ measured }) => measured.name);

/**
 * By which measures a sweep of which no frame is inside is outside: those that always are, or else all that ever are.
 * @param {Measured[]} measures
 * @param {{name: string, values: (number|null)[]}[]} numbers of the sweep's frames
 * @param {number} count of the frames
 */
export function outsideBy(measures, numbers, count) {
  const frames = Array.from({ length: count }, (_, frame) => leavers(measures, numbers, frame));
  const names = measures.map(({ name }) => name);
  const always = names.filter((name) => frames.every((left) => left.includes(name)));
  return always.length ? always.join(", ") : names.filter((name) => frames.some((left) => left.includes(name))).join(" or ");
}

const compared = (measures, numbers) =>
  measures
    .map((measured) => ({ measured, series: numbers.find(({ name }) => name === measured.name) }))
    .filter(({ series }) => series);

/**
 * The ends of a panel's axis: those of the data, and of the values that are marked in it as far as that is no too long way.
 * @param {Measured} measured
 * @param {(number|null)[]} marked
 * @returns {[number, number]}
 */
export function axisEnds({ edges }, marked) {
  const [least, highest] = [edges[0], edges[edges.length - 1]];
  const room = MOST_GROWTH * (highest - least);
  const known = marked.filter(isKnown);
  return [
    Math.max(least - room, known.reduce((a, b) => Math.min(a, b), least)),
    Math.min(highest + room, known.reduce((a, b) => Math.max(a, b), highest)),
  ];
}

/**
 * Where a value lies on an axis, from 0 to 1.
 * @param {number} value @param {[number, number]} ends
 */
export const axisShare = (value, [low, high]) => Math.min(1, Math.max(0, (value - low) / (high - low)));

/**
 * On which side of an axis a value lies that is not on it.
 * @param {number} value @param {[number, number]} ends
 * @returns {"below"|"above"|null}
 */
export const beyond = (value, [low, high]) => (value < low ? "below" : value > high ? "above" : null);

/**
 * The bars as the path of an SVG of 100 × 100.
 * @param {Measured} measured @param {[number, number]} ends
 */
export function barsPath({ counts, edges }, ends) {
  const most = counts.reduce((a, b) => Math.max(a, b), 1);
  return counts.map((count, bin) => {
    if (!count) return "";
    const [from, to] = [edges[bin], edges[bin + 1]].map((edge) => 100 * axisShare(edge, ends));
    const gap = ((1 - BAR_SHARE) / 2) * (to - from);
    return `M${(from + gap).toFixed(2)} 100V${(100 - (96 * count) / most).toFixed(2)}H${(to - gap).toFixed(2)}V100z`;
  }).join("");
}

export function distribution() {
  const grid = element("div.panels");
  const foot = element("p.foot");
  const box = element("section.card.distribution", { "aria-label": "where this frame lies in the data", hidden: true },
    element("h2", {}, "Where this frame lies in the data"), grid, foot);
  let reference = null;
  // What the markers follow: the numbers of a sweep, or of a preview.
  let numbers = null;
  let panels = [];

  function build() {
    const measures = reference?.measures ?? [];
    panels = measures.map((measured) => panel(measured, numbers?.find(({ name }) => name === measured.name)));
    grid.replaceChildren(...panels.map((each) => each.element));
    // A signal has none of these measures.
    const apart = numbers !== null && numbers.length > 0 && measures.length > 0 && !compared(measures, numbers).length;
    box.hidden = !reference || apart;
    box.classList.toggle("pending", Boolean(reference?.pending));
    foot.textContent = !reference ? "" : measures.length ? `${reference.caption} ${EXPLAINED}` : reference.caption;
  }

  return {
    element: box,
    /** @param {any} shown caption and measures, and whether these are still to come; null: there is no dataset */
    setReference(shown) {
      reference = shown;
      build();
    },
    /** @param {any} trace see payload.js; null: nothing is known */
    setTrace(trace) {
      numbers = trace?.numbers ?? null;
      build();
    },
    /** @param {number} frame */
    setFrame(frame) {
      for (const each of panels) each.show(each.series, each.series?.values[frame], each.series?.original);
    },
    /**
     * A frame that is no part of the sweep.
     * @param {any} preview
     * @param {any} original the image as it was, if it came along
     */
    setPreview(preview, original) {
      const found = (shown, name) => shown?.numbers.find((series) => series.name === name);
      for (const each of panels) {
        const series = found(preview, each.name);
        each.show(series, series?.values[0], found(original, each.name)?.values[0] ?? each.series?.original);
      }
    },
  };
}

function panel(measured, series) {
  const { name, about, low, high } = measured;
  const ends = axisEnds(measured, [...(series?.values ?? []), series?.original]);
  const value = element("b");
  const place = element("div.place");
  const marker = element("i.marker", { hidden: true });
  const origin = element("i.origin", { hidden: true });
  const band = {
    left: `${100 * axisShare(low, ends)}%`, right: `${100 * (1 - axisShare(high, ends))}%`,
  };
  const histogram = element("div.histogram", { role: "img" },
    element("i.band", { style: band }), bars(barsPath(measured, ends)), origin, marker);
  const limits = ends.map((end) => element("span", {}, limitText(end, decimalsOf(measured))));
  const box = element("div.panel", { title: about, dataset: { name } },
    element("div.head", {}, element("span.name", {}, name), value), place, histogram, element("div.limits", {}, ...limits));
  const put = (line, number) => {
    line.hidden = !isKnown(number);
    if (line.hidden) return;
    const side = beyond(number, ends);
    line.style.left = `${100 * axisShare(number, ends)}%`;
    line.classList.toggle("below", side === "below");
    line.classList.toggle("above", side === "above");
  };
  return {
    element: box,
    name,
    series,
    /** @param {any} from whose value it is @param {number|null|undefined} own @param {number|null|undefined} original */
    show(from, own, original) {
      const text = percentileText(measured, own);
      value.textContent = isKnown(own) ? fineNumberText(own, from.decimals) : "";
      place.textContent = text;
      box.classList.toggle("outside", !isInside(measured, own));
      put(marker, own);
      put(origin, original);
      const side = isInside(measured, own) ? "inside" : "outside";
      histogram.setAttribute("aria-label", text
        ? `${name} ${value.textContent}, ${text} of the data, ${side} its middle 98 percent`
        : `${name} in the data, from ${limits[0].textContent} to ${limits[1].textContent}`);
    },
  };
}

/**
 * What is written at the end of an axis.
 * @param {number} end @param {number} decimals
 */
export function limitText(end, decimals) {
  const text = fineNumberText(end, decimals);
  return Number(text) === 0 ? "0" : text;
}

/** As many as tell a hundredth of the data's width. @param {Measured} measured */
export const decimalsOf = ({ edges }) =>
  Math.min(6, Math.max(2, 1 - Math.floor(Math.log10(edges[edges.length - 1] - edges[0] || 1))));

/** @param {string} path */
function bars(path) {
  // Fixed markup, in which the parser makes SVG of what is named so.
  const template = document.createElement("template");
  template.innerHTML = '<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true"><path/></svg>';
  template.content.firstElementChild.firstElementChild.setAttribute("d", path);
  return template.content.firstElementChild;
}
