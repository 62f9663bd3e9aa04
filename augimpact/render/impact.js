// An impact over a dataset: curves with bands, a strength to move, what flips there to what, and the samples that do.
// All of it is worked out here, of numbers that came once; only pictures are asked for, and what is opened is told.
import { dropdown, element, replaceChildrenOf, segmented } from "./dom.js";
import { impactChart } from "./impact_chart.js";
import { impactClasses } from "./impact_classes.js";
import { KINDS, changeWords, nearestPlace, readImpact, wantedSamples, worstPlace } from "./impact_data.js";
import { impactNumbers } from "./impact_numbers.js";
import { impactSamples } from "./impact_samples.js";
import { impactTask } from "./impact_task.js";

// Pairs of the confusion that are listed.
const PAIRS = 6;

/**
 * @param {HTMLElement} root
 * @param {object} host
 * @param {(rows: number[]) => void} host.thumbnails asks for pictures of samples
 * @param {(opened: {sample: number, path: number, strength: number}) => void} host.open
 * @param {() => void} host.measure
 * @param {() => void} host.cancel
 */
export function mountImpact(root, host) {
  let impact = null;
  let number = 0;
  let metric = "";
  let place = 0;
  let kind = KINDS[1];
  let onlyOn = false;
  let pair = null;

  const chart = impactChart((strength) => move(nearestPlace(path().strengths, strength)));
  const cursor = element("input.strength", { type: "range", min: 0, step: 1, "aria-label": "strength", oninput: () => move(+cursor.value) });
  const at = element("b.at");
  const numbers = impactNumbers();
  const classes = impactClasses(() => {
    if (!classes.on.some((group) => group !== null)) onlyOn = only.checked = false;
    show();
  });
  const samples = impactSamples({ thumbnails: host.thumbnails, open });
  const task = impactTask(host.measure, host.cancel);
  const choices = element("div.impact-choices");
  const caption = element("p.caption");
  const sentence = element("p.sentence");
  const changed = element("p.changed", { "aria-live": "polite" });
  const pairs = element("div.pairs", { role: "group", "aria-label": "what flips to what" });
  const kinds = element("span");
  const only = element("input", { type: "checkbox", onchange: () => {
    onlyOn = only.checked;
    listSamples();
  } });
  const onlyBox = element("label.only", {}, only, "only the classes above");
  const note = element("p.note");
  const heading = element("h2.at-heading");
  const content = element("div.impact-content", {},
    element("section.card", { "aria-label": "curves" },
      element("div.impact-head", {}, element("div", {}, element("h2", {}, "Impact over the data"), caption), choices),
      chart.element, element("div.impact-cursor", {}, cursor, at), numbers.element, classes.element, sentence),
    element("section.card", { "aria-label": "images at this strength" },
      heading, changed,
      element("div.impact-there", {},
        element("div", {}, element("h3", {}, "What flips to what"), pairs),
        element("div", {}, element("div.filters", {}, kinds, onlyBox), samples.element, note))));
  const empty = element("p.empty");
  const taskCard = element("section.card", { "aria-label": "measure an impact" }, empty, task.element);
  const whole = element("div.impact", {}, content, taskCard);
  root.append(whole);
  setImpact(null);

  const path = () => impact.paths[number];

  function move(next) {
    place = next;
    // What flipped to what there was is another question here.
    pair = null;
    show();
  }

  function show() {
    const now = path();
    const rows = [
      { name: "all images", count: impact.total, group: 0, colour: 0 },
      ...classes.on.flatMap((group, index) => (group === null ? []
        : [{ name: impact.groups[group][0], count: impact.groups[group][1], group: group + 1, colour: index + 1 }])),
    ];
    const count = now.strengths.length;
    const part = (group, row) => now.curves[metric].subarray((3 * group + row) * count, (3 * group + row + 1) * count);
    const lines = rows.map(({ group, colour }) => ({ colour, value: part(group, 0), low: part(group, 1), high: part(group, 2) }));
    const axis = { strengths: now.strengths, unit: now.unit, neutral: now.neutral, several: now.axis.startsWith("share of") };
    chart.show({ axis, safe: now.safe, lines }, place);
    cursor.max = String(count - 1);
    cursor.value = String(place);
    cursor.setAttribute("aria-valuetext", now.told[place]);
    at.textContent = heading.textContent = now.told[place];
    numbers.show(now, metric, place, impact.resting[metric], rows);
    sentence.textContent = now.safe ? `Safe range (shaded): ${now.safe.sentence}` : `There is no safe range: ${now.unsafe}.`;
    changed.textContent = changeWords(impact, now, place, impact.total);
    onlyBox.hidden = rows.length < 2;
    showPairs();
    listSamples();
  }

  function showPairs() {
    const found = path().pairs[place];
    const most = Math.max(1, ...found.map(([, , count]) => count));
    replaceChildrenOf(
      pairs,
      ...found.slice(0, PAIRS).map(([from, to, count]) => {
        const pressed = pair !== null && pair[0] === from && pair[1] === to;
        return element("button.pair", {
          type: "button", "aria-pressed": String(pressed), title: "list these images", dataset: { key: `${from} ${to}` },
          onclick: () => choosePair(pressed ? null : [from, to]),
        },
        element("span", {}, impact.names[from], " → ", impact.names[to]), element("b", {}, count.toLocaleString("en")),
        element("i", { style: { width: `${(100 * count) / most}%` } }));
      }),
      ...(found.length ? [] : [element("p.none", {}, "Nothing flips here.")]),
    );
  }

  function choosePair(next) {
    pair = next;
    showPairs();
    listSamples();
  }

  function listSamples() {
    const groups = onlyOn ? classes.on.filter((group) => group !== null) : null;
    const found = wantedSamples(impact, path(), place, { kind, groups, pair });
    samples.show(impact, path(), place, found, "None of the listed images.");
    note.textContent = [`${found.length.toLocaleString("en")} listed, the least robust first.`, impact.note,
      impact.sealed ? "Images of the data are not shown here." : ""].filter(Boolean).join(" ");
  }

  function open(sample) {
    const row = impact.samples.rows[sample];
    samples.mark(row);
    host.open({ sample: row, path: number, strength: path().strengths[place] });
  }

  function showChoices() {
    const options = impact.paths.map(({ label }, index) => ({ value: String(index), label }));
    const ways = dropdown(options, String(number), (value) => choosePath(+value), { "aria-label": "swept parameter" });
    const metrics = segmented("metric", impact.metrics, metric, (name) => {
      metric = name;
      classes.fill(impact, path(), metric, false);
      show();
    });
    choices.replaceChildren(...(options.length > 1 ? [ways] : []), metrics);
    const offered = KINDS.slice(0, impact.has_labels ? 3 : 2);
    if (!offered.includes(kind)) kind = offered[1];
    kinds.replaceChildren(segmented("which images", offered, kind, (name) => {
      kind = name;
      listSamples();
    }));
  }

  function choosePath(next) {
    number = next;
    place = worstPlace(path(), metric);
    pair = null;
    classes.fill(impact, path(), metric, false);
    show();
  }

  /** @param {any} payload see impact/view.py; null: there is none */
  function setImpact(payload) {
    samples.forget();
    impact = payload && readImpact(payload);
    content.hidden = !impact;
    empty.hidden = Boolean(impact);
    empty.textContent = "No impact yet: what a sweep does to the classifier over a whole dataset.";
    if (!impact) return;
    metric = impact.metrics[0];
    onlyOn = only.checked = false;
    number = 0;
    caption.textContent = impact.caption;
    showChoices();
    classes.fill(impact, path(), metric, true);
    choosePath(0);
  }

  return {
    setImpact,
    /** @param {any} state see impact_task.js */
    setTask(state) {
      task.show(state, !impact);
      taskCard.hidden = Boolean(impact) && !state.offer && !state.text;
    },
    receive: samples.receive,
    /** @param {any} opened empty where nothing is */
    setOpened(opened) {
      samples.mark(opened.sample ?? -1);
    },
    destroy() {
      chart.destroy();
      samples.destroy();
      whole.remove();
    },
  };
}
