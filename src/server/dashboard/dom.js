// The few ways in which the page changes the document. Strings only ever become text.

const SVG = 'http://www.w3.org/2000/svg';

/** Longest text that the page shows of one foreign string, in UTF-16 units. */
const TEXT_MAX = 400;

/** The element with this id. */
export const byId = id => document.getElementById(id);

/** A new element; `props` are attributes, and children that are not nodes become text. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) attr(node, name, value);
  node.append(...children);
  return node;
}

/** One of the drawings of index.html, hidden from screen readers: text beside it says the same. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(document.createElementNS(SVG, 'use'));
  setIcon(svg, name);
  return svg;
}

export function setIcon(svg, name) {
  attr(svg.firstChild, 'href', `#icon-${name}`);
}

/** Sets the text if it differs, so that selections and live regions are left alone. */
export function text(node, value) {
  const shown = clip(value);
  if (node.textContent !== shown) node.textContent = shown;
}

/** Sets an attribute if it differs; null takes it away. */
export function attr(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/** A string short enough to show; whoever sent it may have sent a megabyte. */
export function clip(value, max = TEXT_MAX) {
  const string = typeof value === 'string' ? value : String(value ?? '');
  return string.length > max ? `${string.slice(0, max)}…` : string;
}

/** Makes the children of `parent` those of `items`, in order; nodes of known keys are kept, so focus and transitions survive. */
export function reconcile(parent, items, key, create, update) {
  const old = new Map([...parent.children].map(node => [node.gzKey, node]));
  let before = parent.firstElementChild;
  for (const item of items) {
    const id = key(item);
    let node = old.get(id);
    if (node) {
      old.delete(id);
    } else {
      node = create(item);
      node.gzKey = id;
    }
    update(node, item);
    if (node === before) before = before.nextElementSibling;
    else parent.insertBefore(node, before);
  }
  for (const node of old.values()) node.remove();
}
