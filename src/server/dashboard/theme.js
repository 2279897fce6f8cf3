// The theme, applied before the first paint: a classic script, because modules run after it.
'use strict';
(() => {
  const ORDER = ['auto', 'light', 'dark'];
  const KEY = 'gz-monitor-theme';

  function apply(theme) {
    document.documentElement.dataset.theme = theme;
    const button = document.getElementById('theme');
    if (button) button.textContent = `Theme: ${theme}`;
    document.dispatchEvent(new Event('themechange'));
  }

  // Storage may be refused (private windows, policies); the choice then lasts as long as the page.
  let chosen = 'auto';
  try {
    chosen = localStorage.getItem(KEY);
  } catch {}
  apply(ORDER.includes(chosen) ? chosen : 'auto');
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => apply(document.documentElement.dataset.theme));
  document.addEventListener('DOMContentLoaded', () => {
    apply(document.documentElement.dataset.theme);
    document.getElementById('theme').addEventListener('click', () => {
      const at = ORDER.indexOf(document.documentElement.dataset.theme);
      apply(ORDER[(at + 1) % ORDER.length]);
      try {
        localStorage.setItem(KEY, document.documentElement.dataset.theme);
      } catch {}
    });
  });
})();
