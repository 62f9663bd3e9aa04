// The player: original beside augmented, transport, curves, facts, looks, saving; under it where the frame lies in a
// dataset, if there is one, and the numbers of the frame.
// It holds what is played and which frame is shown; its parts show that. It needs no kernel but for making files: where
// nobody makes any, it offers none.
import { bandLegend } from "./band.js";
import { curves } from "./curves.js";
import { distribution, insideRuns, leavers, outsideBy } from "./distribution.js";
import { element } from "./dom.js";
import { facts } from "./facts.js";
import { looks } from "./looks.js";
import { numbers } from "./numbers.js";
import { bytes, closeStill, closeSweep, readStill, readSweep, still } from "./payload.js";
import { LOOPS, advance } from "./playback.js";
import { PLAYER_FILES, saving } from "./saving.js";
import { liesOver, stage } from "./stage.js";
import { strip } from "./strip.js";
import { keyed, transport } from "./transport.js";

const MILLISECONDS = 80;
const SETTLED = 200;
const BARE_KEY = "m";

/**
 * @param {HTMLElement} root
 * @param {object} host
 * @param {Record<string, DataView>} host.colourMaps 256 × 3 bytes each
 * @param {object} [host.look] to begin with: opacity, over, colours, scale, loop, milliseconds
 * @param {(request: object) => void} [host.save] makes a file; without it none can be saved
 * @param {(frame: number) => void} [host.settle] told where the player rests
 * @param {(frame: number) => void} [host.shown] told of every frame of the sweep that is shown
 */
export function mountPlayer(root, host) {
  const look = {
    opacity: 0.5, over: "both", colours: Object.keys(host.colourMaps)[0], scale: "sweep", loop: LOOPS[0],
    milliseconds: MILLISECONDS, ...host.look,
  };
  let trace = null;
  let preview = null;
  // The image as it was, from a preview that is newer than the sweep.
  let neutralPreview = null;
  // The dataset that frames are compared with, and where its scores lie along this sweep.
  let reference = null;
  let band = null;
  let frame = 0;
  let direction = 1;
  let speed = 1;
  let timer = 0;
  let settling = 0;
  let destroyed = false;

  const pictures = stage();
  const scores = strip();
  const controls = transport({ toggle, scrub: scrubTo, speed: setSpeed, loop: (loop) => change({ loop }) }, look.loop);
  const chart = curves(scrubTo);
  const legend = bandLegend();
  const said = facts(scrubTo);
  const files = saving(host.save && save, PLAYER_FILES);
  const places = distribution();
  const tiles = numbers(scrubTo);
  // What a screen reader says where the player comes to rest; while it plays it is silent.
  const spoken = element("p.spoken", { role: "status" });
  const card = element(
    "section.card.player", { tabindex: 0, "aria-label": "player" },
    pictures.element,
    scores.element,
    controls.element,
    chart.element,
    legend.element,
    said.element,
    element("div.tools", {}, ...looks(look, Object.keys(host.colourMaps), change), files.element),
    spoken,
  );
  // JupyterLab's own keys have a meaning only outside.
  const whole = element(
    "div.playing", { onkeydown: onKey, onkeyup: onKeyUp, onfocusout: onLeave },
    card, tiles.element,
  );
  root.append(whole);
  enable(false);

  function enable(on) {
    controls.enable(on);
    files.setShown(on ? trace : null);
  }

  function change(part) {
    Object.assign(look, part);
    if (part.loop) direction = 1;
    show();
  }

  function show() {
    whole.classList.toggle("stale", Boolean(preview && trace));
    const shown = preview ?? (trace && still(trace, frame));
    if (!shown) return;
    const first = (preview && neutralPreview) || trace?.neutral;
    const full = trace && look.scale === "sweep" ? { own: trace.full, second: trace.second?.full } : null;
    pictures.paint(shown, first, full, { ...look, table: bytes(host.colourMaps[look.colours]) });
    scores.show(shown, (trace ?? shown).labels);
    const place = !trace ? "" : preview ? "preview" : `${frame + 1} / ${trace.count}`;
    controls.show(frame, trace?.count ?? 1, shown.tag, place);
    chart.setFrame(frame, !preview);
    if (preview) {
      tiles.setPreview(preview, neutralPreview);
      places.setPreview(preview, neutralPreview);
    } else {
      tiles.setFrame(frame);
      places.setFrame(frame);
      host.shown?.(frame);
    }
  }

  /** Marks in the sweep what of it is inside the data. */
  function compare() {
    const runs = trace && reference ? insideRuns(reference.measures, trace.numbers) : null;
    chart.setInside(runs);
    const by = runs && !runs.length ? outsideBy(reference.measures, trace.numbers, trace.count) : "";
    said.setTrace(trace, runs && { runs, by }, Boolean(reference?.pending));
  }

  function showBand() {
    // One of another sweep is on its way out.
    const fits = trace && band?.mean?.length === trace.count ? band : null;
    chart.setBand(fits);
    legend.show(fits);
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
    settling = window.setTimeout(() => {
      host.settle?.(frame);
      // The slider says so itself.
      if (!trace || document.activeElement?.classList.contains("scrubber")) return;
      const left = reference ? leavers(reference.measures, trace.numbers, frame) : [];
      spoken.textContent = `frame ${frame + 1} of ${trace.count}, ${trace.tags[frame]}: ${trace.predictions[frame]} ${trace.values[frame]}`
        + (left.length ? `; outside the data by ${left.join(", ")}` : "");
    }, SETTLED);
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
    window.clearTimeout(settling);
    controls.setPlaying(true);
    show();
    timer = window.setInterval(() => {
      const next = advance(frame, direction, trace.count, look.loop);
      direction = next.direction;
      if (next.frame === null) return toggle();
      frame = next.frame;
      show();
    }, look.milliseconds / speed);
  }

  function stop() {
    window.clearInterval(timer);
    timer = 0;
    controls.setPlaying(false);
  }

  function setSpeed(value) {
    speed = value;
    if (!timer) return;
    stop();
    start();
  }

  function onKey(event) {
    const asked = trace && keyed(event, frame, trace.count);
    const plain = !(event.ctrlKey || event.metaKey || event.altKey);
    if (plain && event.key === BARE_KEY && !event.target.closest("input, select, dialog")) pictures.hold(true);
    else if (asked === null) return;
    else if (asked === "toggle") toggle();
    else scrubTo(asked);
    event.preventDefault();
    event.stopPropagation();
  }

  function onKeyUp(event) {
    if (event.key === BARE_KEY) pictures.hold(false);
  }

  /** A key that is let go elsewhere is not heard here. */
  function onLeave(event) {
    if (!whole.contains(event.relatedTarget)) pictures.hold(false);
  }

  function save(suffix, panels) {
    // A page begins as it was saved and may be changed; of pictures the map is seen that is seen here.
    const opacity = suffix === ".html" || liesOver(look.over, "augmented") ? look.opacity : 0;
    host.save({ suffix, opacity, colour_map: look.colours, scale: look.scale, loop: look.loop, panels });
  }

  function forget() {
    window.clearTimeout(settling);
    if (trace) closeSweep(trace);
    trace = null;
    frame = 0;
  }

  function dropPreview() {
    if (preview) closeStill(preview);
    preview = null;
  }

  function dropNeutral() {
    if (neutralPreview) closeStill(neutralPreview);
    neutralPreview = null;
  }

  return {
    /**
     * Shows a sweep from a frame on; resolves when its frames are decoded and painted.
     * @param {any} payload see payload.py
     * @param {() => number} first asked after decoding; it plays by itself from the beginning, and rests anywhere else
     * @param {() => boolean} overtaken asked after decoding
     */
    async setTrace(payload, first, overtaken) {
      const read = await readSweep(payload);
      if (destroyed || overtaken()) return closeSweep(read);
      stop();
      forget();
      dropPreview();
      dropNeutral();
      trace = read;
      direction = 1;
      frame = Math.max(0, Math.min(first(), trace.count - 1));
      chart.setTrace(trace);
      showBand();
      places.setTrace(trace);
      compare();
      tiles.setTrace(trace);
      enable(true);
      show();
      const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      if (trace.count > 1 && frame === 0 && !calm && !payload.rests) start();
    },
    /**
     * Shows one frame that is no part of the sweep, until a person plays or scrubs.
     * @param {any} payload
     * @param {() => boolean} overtaken asked after decoding
     */
    async setPreview(payload, overtaken) {
      const read = await readStill(payload);
      const neutral = payload.neutral ? await readStill(payload.neutral) : null;
      if (destroyed || overtaken()) {
        for (const each of [read, neutral]) if (each) closeStill(each);
        return;
      }
      stop();
      dropPreview();
      preview = read;
      if (neutral) {
        dropNeutral();
        neutralPreview = neutral;
      }
      show();
    },
    /**
     * A dataset that every frame is compared with; see distribution.js. Without measures it says why there are none.
     * @param {any} shown null: there is none
     */
    setReference(shown) {
      reference = shown;
      if (shown) card.after(places.element);
      else places.element.remove();
      places.setReference(shown);
      compare();
      show();
    },
    /** Where the scores of a dataset lie along this sweep. @param {any} shown see band.js; empty where that is not known */
    setBand(shown) {
      band = shown;
      showBand();
    },
    /** @param {string} text why nothing is shown, as long as nothing is */
    setTrouble(text) {
      pictures.tell(text);
    },
    /** Forgets everything but the dataset: it was of another image. */
    clear() {
      stop();
      forget();
      dropPreview();
      dropNeutral();
      pictures.clear();
      scores.clear();
      spoken.textContent = "";
      controls.show(0, 1, "", "");
      for (const part of [chart, places, tiles]) part.setTrace(null);
      legend.show(null);
      compare();
      whole.classList.remove("stale");
      enable(false);
    },
    /** @param {number} next */
    setFrame(next) {
      if (trace && next !== frame) scrubTo(Math.max(0, Math.min(next, trace.count - 1)));
    },
    /** Stops at a frame, as when a person chose it. @param {number} next */
    scrub(next) {
      if (trace) scrubTo(next);
    },
    /** @param {{name: string, title: string, usual: boolean}[]} panels of data, that can stand beside pictures */
    offerPanels(panels) {
      files.offerPanels(panels);
    },
    /** @param {string[]} suffixes of the files that the host can make of what is shown */
    offer(suffixes) {
      files.offer(suffixes);
    },
    /** What became of a file that was asked for. @param {string} text @param {boolean} [failed] */
    saved(text, failed = false) {
      files.done(text, failed, Boolean(trace));
    },
    destroy() {
      destroyed = true;
      stop();
      forget();
      dropPreview();
      dropNeutral();
      chart.destroy();
      files.destroy();
      whole.remove();
    },
  };
}
