// Whose keys: a notebook's own shortcuts (a, b, d d, arrows…) must not do things to its cells while a widget has the focus.

/**
 * Keeps plain keys from the shortcuts of JupyterLab and Notebook while the focus is inside; those with Ctrl, Alt or Meta,
 * such as saving, remain theirs.
 * @param {HTMLElement} root
 * @returns {() => void} ends it
 */
export function keepKeys(root) {
  // The front end looks for the attribute on what has the focus, when the key arrives at the document: after the window.
  const decide = (event) => {
    if (!root.contains(event.target)) return;
    event.target.toggleAttribute("data-lm-suppress-shortcuts", !(event.ctrlKey || event.altKey || event.metaKey));
  };
  window.addEventListener("keydown", decide, true);
  return () => window.removeEventListener("keydown", decide, true);
}
