// What a page offers beside an impact: to measure one, how far that is, to cancel it, and what went wrong.
import { element } from "./dom.js";

/** @param {() => void} measure @param {() => void} cancel */
export function impactTask(measure, cancel) {
  const start = element("button.measure", { type: "button", onclick: measure });
  const stop = element("button.cancel", { type: "button", onclick: cancel }, "Cancel");
  const about = element("small");
  const bar = element("progress", { max: 1, value: 0, "aria-label": "progress of the measurement" });
  const message = element("p.message", { role: "status" });
  const box = element("div.impact-task", {}, element("div", {}, start, stop, about), bar, message);

  return {
    element: box,
    /** @param {any} task `offer`, `about`, `kind`, `text`, `done`, `total` @param {boolean} first whether there is no impact yet */
    show({ offer = "", about: told = "", kind = "idle", text = "", done = 0, total = 0 }, first) {
      const running = kind === "running";
      start.hidden = running || !offer;
      start.disabled = !told;
      start.textContent = offer;
      start.title = told ? "" : "choose a range first: press ⇄ beside a slider";
      start.classList.toggle("primary", first);
      stop.hidden = !running;
      about.textContent = offer && !running ? told || "choose a range first: press ⇄ beside a slider" : "";
      bar.hidden = !running && kind !== "loading";
      if (total) bar.value = done / total;
      else bar.removeAttribute("value");
      message.textContent = text;
      message.hidden = !text;
      message.classList.toggle("error", kind === "error");
      box.hidden = !offer && !text && !running;
    },
  };
}
