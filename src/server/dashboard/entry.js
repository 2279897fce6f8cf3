// The one shape of a list entry: a heading, something in the middle, and a line of small print.

import { el, icon } from './dom.js';

/** A list item of class `kind` around `middle`; its `parts` are filled by the caller. */
export function entry(kind, middle) {
  const node = el('li', { class: kind });
  const parts = {
    icon: icon('unknown'),
    name: el('span', { class: 'name foreign' }),
    aside: el('span', { class: 'strong value' }),
    middle,
    left: el('span', { class: 'fact foreign' }),
    right: el('span', { class: 'fact value' }),
  };
  const heading = el('span', { class: 'with-icon' }, parts.icon, parts.name);
  node.append(el('div', { class: 'row' }, heading, parts.aside), middle, el('div', { class: 'row' }, parts.left, parts.right));
  node.parts = parts;
  return node;
}

/** A bar from 0 to 100; `role` is `meter` or `progressbar`. */
export const bar = role => el('div', { class: 'bar', role, 'aria-valuemin': 0, 'aria-valuemax': 100 }, el('div'));

/** Fills a bar to `percent`, which may be null. */
export function fill(node, percent) {
  node.firstChild.style.width = `${Math.min(100, Math.max(0, percent ?? 0))}%`;
}
