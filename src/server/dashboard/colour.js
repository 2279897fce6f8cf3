// The colours of the style sheet for canvases, as the theme of the moment resolves them.

const probe = document.createElement('span');
probe.className = 'unseen';
const known = new Map();

/** The colour of a custom property such as `--series-1`. */
export function colour(name) {
  if (!known.has(name)) {
    if (!probe.isConnected) document.body.append(probe);
    probe.style.color = `var(${name})`;
    known.set(name, getComputedStyle(probe).color);
  }
  return known.get(name);
}

document.addEventListener('themechange', () => known.clear());
