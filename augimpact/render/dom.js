// Making elements: the one helper that player and controls share. Text is always text, never markup.

/**
 * @param {string} tag `name` or `name.class.class`
 * @param {Record<string, any>} [attributes] `on…` listens, `style` and `dataset` are merged, the rest are attributes
 * @param {...(Node|string|number|null|undefined)} children
 * @returns {any} the element
 */
export function element(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "style" || key === "dataset") Object.assign(made[key], value);
    else if (value !== false && value != null) made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child != null).map((child) => (child instanceof Node ? child : String(child))));
  return made;
}

/**
 * Puts other children into an element. Where one of them had the focus, the one of the same `data-key` has it then.
 * @param {HTMLElement} box
 * @param {...Node} children
 */
export function replaceChildrenOf(box, ...children) {
  const focused = /** @type {Document|ShadowRoot} */ (box.getRootNode()).activeElement;
  const key = focused && box.contains(focused) ? focused.dataset.key : undefined;
  box.replaceChildren(...children);
  if (key !== undefined) [...box.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key)?.focus();
}

/**
 * A row of buttons of which one is pressed.
 * @param {string} label for screen readers
 * @param {string[]} names
 * @param {string} chosen
 * @param {(name: string) => void} choose
 */
export function segmented(label, names, chosen, choose) {
  const buttons = names.map((name) =>
    element("button", { type: "button", "aria-pressed": name === chosen ? "true" : "false", onclick: () => press(name) }, name),
  );
  const press = (name) => {
    show(name);
    choose(name);
  };
  const show = (name) =>
    buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(names[index] === name)));
  return Object.assign(element("span.segmented", { role: "group", "aria-label": label }, ...buttons), { show });
}

/**
 * A drop-down list.
 * @param {{value: string, label: string}[]} options
 * @param {string} chosen
 * @param {(value: string) => void} choose
 * @param {Record<string, any>} [attributes]
 */
export function dropdown(options, chosen, choose, attributes = {}) {
  const made = element(
    "select",
    { ...attributes, onchange: (event) => choose(event.target.value) },
    ...options.map(({ value, label }) => element("option", { value }, label)),
  );
  made.value = chosen;
  return made;
}

/**
 * A control with its name before it.
 * @param {string} label
 * @param {Node} control
 */
export const field = (label, control) => element("div.field", {}, element("span", {}, label), control);
