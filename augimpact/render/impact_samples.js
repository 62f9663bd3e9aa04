// The samples of an impact: a row each, made as one scrolls, with pictures that are asked for as rows come into view.
import { element } from "./dom.js";
import { answerOf, flipWords } from "./impact_data.js";

const CHUNK = 40;
// Pictures are asked for so many at a time, the next when they came, or after so many milliseconds.
const BATCH = 24;
const PATIENCE = 8000;
const GATHERED = 60;

/**
 * @param {object} host
 * @param {(rows: number[]) => void} host.thumbnails asks for pictures
 * @param {(sample: number) => void} host.open
 */
export function impactSamples({ thumbnails, open }) {
  const list = element("div.samples", { role: "list", "aria-label": "images", onkeydown: onKey });
  const end = element("div.end", {});
  const empty = element("p.none", { hidden: true });
  const box = element("div.sample-list", {}, list, end, empty);
  let impact = null;
  let path = null;
  let place = 0;
  let shown = [];
  let made = 0;
  let opened = -1;
  // By row: the address of its picture, "" where there is none.
  let pictures = new Map();
  let wanted = [];
  let asked = new Set();
  let waiting = 0;

  const further = new IntersectionObserver((entries) => entries.some((each) => each.isIntersecting) && grow(), { root: box, rootMargin: "200px" });
  further.observe(end);
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) want(Number(target.dataset.row));
  }, { root: box, rootMargin: "80px" });

  function want(row) {
    if (impact.sealed || asked.has(row)) return;
    asked.add(row);
    wanted.push(row);
    if (!waiting) waiting = window.setTimeout(ask, GATHERED);
  }

  function ask() {
    const batch = wanted.splice(0, BATCH);
    waiting = batch.length ? window.setTimeout(ask, PATIENCE) : 0;
    if (batch.length) thumbnails(batch);
  }

  function grow() {
    const next = shown.slice(made, made + CHUNK).map(row);
    made += next.length;
    list.append(...next);
    for (const each of next) seen.observe(each.firstElementChild);
    // What follows may be in sight, too.
    if (next.length) {
      further.unobserve(end);
      further.observe(end);
    }
  }

  function row(sample) {
    const number = impact.samples.rows[sample];
    const { label, before, after, wrong, score } = answerOf(impact, path, sample, place);
    const from = impact.names[label >= 0 ? label : before];
    const said = element("span.said", {}, element("b", {}, from), " → ", element("b", wrong ? { class: "wrong" } : {}, impact.names[after]));
    const picture = element("span.picture", {});
    paint(picture, number);
    const parts = [picture, element("span.words", {}, said, element("small", {}, `${impact.samples.names[sample]} · ${flipWords(path, sample)}`)),
      element("span.score", { title: "score of its own class" }, score.toFixed(2))];
    const attributes = { dataset: { row: number }, "aria-current": number === opened ? "true" : null };
    const card = impact.sealed
      ? element("div.sample", attributes, ...parts)
      : element("button.sample", {
        type: "button", title: `open it at ${path.told[place]}`, onclick: () => open(sample), ...attributes,
      }, ...parts);
    return element("div", { role: "listitem" }, card);
  }

  function paint(picture, number) {
    const address = pictures.get(number);
    picture.replaceChildren(...(address ? [element("img", { src: address, alt: "" })] : []));
    picture.classList.toggle("gone", address === "" || impact.sealed);
  }

  function onKey(event) {
    const buttons = [...list.querySelectorAll("button.sample")];
    const place = buttons.indexOf(document.activeElement);
    const moves = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: buttons.length - 1 };
    if (place < 0 || !Object.hasOwn(moves, event.key)) return;
    buttons[Math.min(buttons.length - 1, Math.max(0, moves[event.key]))].focus();
    event.preventDefault();
  }

  function forget() {
    for (const address of pictures.values()) if (address) URL.revokeObjectURL(address);
    window.clearTimeout(waiting);
    [pictures, asked, wanted, waiting] = [new Map(), new Set(), [], 0];
  }

  return {
    element: box,
    /** Another impact: its rows mean other samples. */
    forget,
    /** @param {any} next @param {any} nextPath @param {number} nextPlace @param {number[]} samples those to list @param {string} none what is said if there are none */
    show(next, nextPath, nextPlace, samples, none) {
      [impact, path, place, shown, made] = [next, nextPath, nextPlace, samples, 0];
      seen.disconnect();
      list.replaceChildren();
      empty.hidden = samples.length > 0;
      empty.textContent = none;
      grow();
    },
    /** Pictures that were asked for, empty where there is none. @param {number[]} rows @param {DataView[]} jpegs */
    receive(rows, jpegs) {
      rows.forEach((number, index) => {
        const jpeg = jpegs[index];
        pictures.set(number, jpeg?.byteLength ? URL.createObjectURL(new Blob([jpeg], { type: "image/jpeg" })) : "");
        const picture = list.querySelector(`[data-row="${number}"] .picture`);
        if (picture) paint(picture, number);
      });
      window.clearTimeout(waiting);
      ask();
    },
    /** Marks the one that is open. @param {number} number its row, −1 for none */
    mark(number) {
      opened = number;
      for (const each of list.querySelectorAll(".sample")) {
        if (Number(each.dataset.row) === number) each.setAttribute("aria-current", "true");
        else each.removeAttribute("aria-current");
      }
    },
    destroy() {
      further.disconnect();
      seen.disconnect();
      forget();
    },
  };
}
