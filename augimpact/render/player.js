// The player: original beside augmented, transport, curves, looks, saving. It needs no kernel but for making files: where
// nobody makes any, it offers none.
import { curves } from "./curves.js";
import { dropdown, element, segmented } from "./dom.js";
import { fullScale } from "./overlay.js";
import { bytes, decode, readStill, still, words } from "./payload.js";
import { LOOPS, advance } from "./playback.js";
import { screen } from "./screen.js";
import { valueShare, valueText } from "./values.js";

const MILLISECONDS = 80;
const SETTLED = 200;
// Frames that are wider than this many times their height lie one above the other.
const WIDE = 1.6;
const FILES = [
  { suffix: ".webp", label: "WebP" },
  { suffix: ".png", label: "PNG film strip" },
  { suffix: ".html", label: "HTML page" },
  { suffix: ".csv", label: "CSV table" },
  { suffix: ".json", label: "JSON, to replay" },
  { suffix: ".npz", label: "NPZ arrays" },
];

/** A bar as long as the share, or a colour as strong. */
const cellPaint = (index, share, bars) =>
  bars
    ? `linear-gradient(to right, var(--class-${index}) ${share * 100}%, var(--well) 0)`
    : `color-mix(in srgb, var(--class-${index}) ${Math.round(share * 100)}%, var(--well))`;

/**
 * @param {HTMLElement} root
 * @param {object} host
 * @param {Record<string, DataView>} host.colourMaps 256 × 3 bytes each
 * @param {object} [host.look] to begin with: opacity, colours, scale, loop, milliseconds
 * @param {(request: object) => void} [host.save] makes a file; without it none can be saved
 * @param {(frame: number) => void} [host.settle] told where the player rests
 * @param {(frame: number) => void} [host.shown] told of every frame of the sweep that is shown
 */
export function mountPlayer(root, host) {
  const original = screen("original");
  const augmented = screen("augmented");
  const chart = curves((frame) => scrubTo(frame));
  const look = {
    opacity: 0.5, colours: Object.keys(host.colourMaps)[0], scale: "sweep", loop: LOOPS[0], milliseconds: MILLISECONDS,
    ...host.look,
  };
  let trace = null;
  let preview = null;
  // The image as it was, from a preview that is newer than the sweep.
  let neutralPreview = null;
  let frame = 0;
  let direction = 1;
  let timer = 0;
  let settling = 0;
  let painted = "";
  let destroyed = false;

  const strip = element("div.strip");
  const play = element("button.play", { type: "button", "aria-label": "play", onclick: () => toggle() }, "▶");
  const scrubber = element("input", {
    type: "range", min: 0, max: 0, step: 1, value: 0, "aria-label": "frame",
    oninput: (event) => scrubTo(+event.target.value),
  });
  const position = element("span.position");
  const facts = element("p.facts", { "aria-live": "polite" });
  const opacity = element("input", {
    type: "range", min: 0, max: 1, step: 0.01, value: look.opacity, "aria-label": "opacity of the map",
    oninput: (event) => change({ opacity: +event.target.value }),
  });
  const saveButton = element("button", { type: "button", class: "save-gif", onclick: () => save(".gif") }, "Save GIF");
  const more = element(
    "details.more", {},
    element("summary", {}, "More"),
    element("div", {}, ...FILES.map(({ suffix, label }) =>
      element("button", { type: "button", onclick: () => save(suffix) }, label))),
  );
  const notice = element("p.notice", { role: "status" });
  const named = (names) => names.map((name) => ({ value: name, label: name }));
  const stage = element("div.stage", {}, original.element, augmented.element);
  const card = element(
    "section.card.player", { tabindex: 0, "aria-label": "player", onkeydown: (event) => onKey(event) },
    stage,
    strip,
    element("div.transport", {}, play, scrubber, position),
    chart.element,
    facts,
    element(
      "div.tools", {},
      element("label", {}, "opacity", opacity),
      element("label", {}, "colours",
        dropdown(named(Object.keys(host.colourMaps)), look.colours, (colours) => change({ colours }))),
      element("label", {}, "scale", segmented("scale of the map", ["sweep", "frame"], look.scale, (scale) => change({ scale }))),
      element("label", {}, "loop", dropdown(named(LOOPS), look.loop, (loop) => change({ loop }))),
      host.save && element("div.save", {}, saveButton, more),
    ),
    host.save && notice,
  );
  root.append(card);
  enable(false);

  function enable(on) {
    for (const control of [play, scrubber, saveButton]) control.disabled = !on;
    more.toggleAttribute("inert", !on);
  }

  function change(part) {
    Object.assign(look, part);
    if (part.loop) direction = 1;
    show();
  }

  function show() {
    const table = bytes(host.colourMaps[look.colours]);
    const shown = preview ?? (trace && still(trace, frame));
    if (!shown) return;
    const first = (preview && neutralPreview) || trace?.neutral;
    const full = trace && look.scale === "sweep" ? trace.full : null;
    original.element.hidden = !first;
    stage.classList.toggle("wide", shown.bitmap.width > WIDE * shown.bitmap.height);
    // The original changes with the looks alone, not with every frame.
    const wanted = JSON.stringify([first?.number, full, look.opacity, look.colours]);
    if (first && wanted !== painted) original.paint({ ...first, full: full ?? first.full }, { opacity: look.opacity, table });
    painted = wanted;
    augmented.paint({ ...shown, full: full ?? shown.full }, { opacity: look.opacity, table });
    showStrip(shown);
    scrubber.value = String(frame);
    scrubber.setAttribute("aria-valuetext", `frame ${frame + 1}, ${shown.tag}`);
    position.textContent = !trace ? "" : preview ? "preview" : `${frame + 1} / ${trace.count}`;
    chart.setFrame(frame, !preview);
    if (!preview) host.shown?.(frame);
  }

  function showStrip({ labels, scores, value_axis: axis }) {
    strip.style.setProperty("--cells", String(labels.length));
    strip.replaceChildren(
      ...labels.map((label, index) =>
        element(
          "div.class", { title: `${label} ${valueText(scores[index], axis, 1)}` },
          element("div.cell", { style: { background: cellPaint(index, valueShare(scores[index], axis), axis.bars) } }),
          element("small", {},
            element("i", { style: { background: `var(--class-${index})` } }),
            element("span", {}, label),
            element("b", {}, valueText(scores[index], axis))),
        ),
      ),
    );
  }

  function scrubTo(next) {
    stop();
    dropPreview();
    frame = next;
    show();
    settle();
  }

  /** Tells where the player rests, once it does: not on every step of a drag. */
  function settle() {
    window.clearTimeout(settling);
    settling = window.setTimeout(() => host.settle?.(frame), SETTLED);
  }

  function toggle() {
    if (timer) {
      stop();
      settle();
    } else start();
  }

  function start() {
    if (!trace || timer) return;
    dropPreview();
    if (look.loop === "once" && frame === trace.count - 1) frame = 0;
    play.textContent = "❚❚";
    play.setAttribute("aria-label", "pause");
    show();
    timer = window.setInterval(() => {
      const next = advance(frame, direction, trace.count, look.loop);
      direction = next.direction;
      if (next.frame === null) return toggle();
      frame = next.frame;
      show();
    }, look.milliseconds);
  }

  function stop() {
    window.clearInterval(timer);
    timer = 0;
    play.textContent = "▶";
    play.setAttribute("aria-label", "play");
  }

  function onKey(event) {
    if (!trace || (event.target !== card && event.target !== scrubber && event.target !== play)) return;
    const last = trace.count - 1;
    const moves = { ArrowRight: Math.min(last, frame + 1), ArrowLeft: Math.max(0, frame - 1), Home: 0, End: last };
    if (event.key === " " && event.target !== play) toggle();
    else if (event.key in moves) scrubTo(moves[event.key]);
    else return;
    event.preventDefault();
  }

  function save(suffix) {
    more.open = false;
    saveButton.disabled = true;
    notice.textContent = `making the ${suffix.slice(1).toUpperCase()} file…`;
    host.save({ suffix, opacity: look.opacity, colour_map: look.colours, scale: look.scale, loop: look.loop });
  }

  /** Gives the memory of the sweep's pictures back at once. */
  function forget() {
    window.clearTimeout(settling);
    trace?.bitmaps.forEach((bitmap) => bitmap.close());
    trace?.neutral?.bitmap.close();
    trace = null;
    frame = 0;
  }

  function dropPreview() {
    preview?.bitmap.close();
    preview = null;
  }

  return {
    /**
     * Shows a sweep from a frame on; resolves when its frames are decoded and painted.
     * @param {any} payload see payload.py
     * @param {number} first it plays by itself from the beginning, and rests anywhere else
     * @param {() => boolean} overtaken asked after decoding
     */
    async setTrace(payload, first, overtaken) {
      const bitmaps = await Promise.all(payload.jpegs.map(decode));
      const neutral = payload.neutral ? await readStill(payload.neutral) : null;
      if (destroyed || overtaken()) {
        [...bitmaps, ...(neutral ? [neutral.bitmap] : [])].forEach((bitmap) => bitmap.close());
        return;
      }
      stop();
      forget();
      dropPreview();
      neutralPreview = null;
      const count = bitmaps.length;
      trace = {
        ...payload, bitmaps, maps: words(payload.maps), neutral, count, full: fullScale(payload.highest, "sweep")[0],
      };
      direction = 1;
      frame = Math.min(first, count - 1);
      scrubber.max = String(count - 1);
      chart.setTrace(trace);
      facts.textContent = trace.summary;
      enable(true);
      card.classList.remove("stale");
      show();
      const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      if (count > 1 && frame === 0 && !calm) start();
    },
    /**
     * Shows one frame that is no part of the sweep, until a person plays or scrubs.
     * @param {any} payload
     * @param {() => boolean} overtaken asked after decoding
     */
    async setPreview(payload, overtaken) {
      const read = await readStill(payload);
      const neutral = payload.neutral ? await readStill(payload.neutral) : null;
      if (destroyed || overtaken()) return;
      stop();
      dropPreview();
      preview = read;
      if (neutral) neutralPreview = neutral;
      card.classList.toggle("stale", Boolean(trace));
      show();
    },
    /** Forgets everything: it was of another image. */
    clear() {
      stop();
      forget();
      dropPreview();
      neutralPreview = null;
      original.element.hidden = true;
      position.textContent = "";
      chart.setTrace(null);
      facts.textContent = "";
      enable(false);
    },
    /** @param {number} next */
    setFrame(next) {
      if (trace && next !== frame) scrubTo(Math.min(next, trace.count - 1));
    },
    /** Stops at a frame, as when a person chose it. @param {number} next */
    scrub(next) {
      if (trace) scrubTo(next);
    },
    /** @param {string} text */
    saved(text) {
      saveButton.disabled = !trace;
      notice.textContent = text;
    },
    destroy() {
      destroyed = true;
      stop();
      forget();
      dropPreview();
      chart.destroy();
      card.remove();
    },
  };
}
