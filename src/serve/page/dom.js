// Finding and making elements; small things that browsers lack.

export const byId = (id) => document.getElementById(id);

// Text comes in as strings, never as markup: names of runs and files are not ours.
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

// Touching the text only where it changes spares layout, and repetition by screen readers.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
