// Playing, pausing, and going to a frame, by button, slider and keys.
import { dropdown, element } from "./dom.js";
import { LOOPS } from "./playback.js";

const SPEEDS = ["0.5", "1", "2"];
const PAGE = 10;
// Where a key means something else already.
const TYPING = "select, textarea, input:not(.scrubber), dialog, [contenteditable]";
const PRESSED = "button, summary";

/**
 * @param {object} host
 * @param {() => void} host.toggle
 * @param {(frame: number) => void} host.scrub
 * @param {(speed: number) => void} host.speed
 * @param {(loop: string) => void} host.loop
 * @param {string} looped one of LOOPS, to begin with
 */
export function transport({ toggle, scrub, speed, loop }, looped) {
  const play = element("button.play", { type: "button", onclick: toggle });
  const scrubber = element("input.scrubber", {
    type: "range", min: 0, max: 0, step: 1, value: 0, "aria-label": "frame", oninput: (event) => scrub(+event.target.value),
  });
  const position = element("span.position");
  const speeds = dropdown(SPEEDS.map((value) => ({ value, label: `${value}×` })), "1", (value) => speed(+value),
    { "aria-label": "speed", title: "speed" });
  const loops = dropdown(LOOPS.map((value) => ({ value, label: value })), looped, loop, { "aria-label": "loop", title: "loop" });
  setPlaying(false);

  function setPlaying(on) {
    play.textContent = on ? "❚❚" : "▶";
    play.setAttribute("aria-label", on ? "pause" : "play");
  }

  return {
    element: element("div.transport", {}, play, scrubber, position, element("span.pace", {}, speeds, loops)),
    setPlaying,
    /** @param {boolean} on */
    enable(on) {
      play.disabled = scrubber.disabled = !on;
    },
    /** @param {number} frame @param {number} count @param {string} tag @param {string} text */
    show(frame, count, tag, text) {
      scrubber.max = String(Math.max(0, count - 1));
      scrubber.value = String(frame);
      scrubber.setAttribute("aria-valuetext", `frame ${frame + 1}, ${tag}`);
      position.textContent = text;
    },
  };
}

/**
 * What a key asks for: a frame to go to, `"toggle"`, or null where it means nothing here.
 * @param {KeyboardEvent} event
 * @param {number} frame
 * @param {number} count
 * @returns {number|"toggle"|null}
 */
export function keyed(event, frame, count) {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest(TYPING)) return null;
  if (key === " ") return target.closest(PRESSED) ? null : "toggle";
  const last = count - 1;
  const moves = {
    ArrowRight: frame + 1, ArrowLeft: frame - 1, PageUp: frame - PAGE, PageDown: frame + PAGE, Home: 0, End: last,
  };
  return Object.hasOwn(moves, key) ? Math.min(last, Math.max(0, moves[key])) : null;
}
