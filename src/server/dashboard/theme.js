// The theme, applied before the first paint: a classic script, because modules run after it.
'use strict';
(() => {
  const ORDER = ['auto', 'light', 'dark'];
  const KEY = 'gz-monitor-theme';

  // Storage may be refused (private windows, policies); the choice then lasts as long as the page.
  function stored() {
    try {
      const theme = localStorage.getItem(KEY);
      return ORDER.includes(theme) ? theme : 'auto';
    } catch {
      return 'auto';
    }
  }

  function apply(theme) {
    document.documentElement.dataset.theme = theme;
    const button = document.getElementById('theme');
    if (button) button.textContent = `Theme: ${theme}`;
    document.dispatchEvent(new Event('themechange'));
  }

  function choose(theme) {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Said above.
    }
    apply(theme);
  }

  apply(stored());
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => apply(document.documentElement.dataset.theme));
  document.addEventListener('DOMContentLoaded', () => {
    apply(document.documentElement.dataset.theme);
    document.getElementById('theme').addEventListener('click', () => {
      const at = ORDER.indexOf(document.documentElement.dataset.theme);
      choose(ORDER[(at + 1) % ORDER.length]);
    });
  });
})();
