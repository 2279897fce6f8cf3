// Who looks at this page: asks the daemon whether it lets them, shows the login, and the way out.

import { attr, byId, el, reconcile, text } from './dom.js';
import { get, post, remove } from './rest.js';

export class Access {
  #onEnter;
  #onLeave;
  #asking = false;

  /** `onEnter` is called when the daemon lets this browser look, `onLeave` when it does not. */
  constructor({ onEnter, onLeave }) {
    this.#onEnter = onEnter;
    this.#onLeave = onLeave;
    byId('login-form').addEventListener('submit', event => {
      // Nothing is to be sent but by the request below: least of all in an address.
      event.preventDefault();
      this.#logIn();
    });
    byId('logout').addEventListener('click', () => this.#logOut());
  }

  /** Asks the daemon whom it takes this browser for. One that does not answer is left to the connection. */
  async check() {
    if (this.#asking) return;
    this.#asking = true;
    try {
      this.#draw(await get('session'));
    } catch (error) {
      console.warn('The daemon does not say whether one has to log in:', error.message);
      if (!this.isLocked) this.#onEnter();
    } finally {
      this.#asking = false;
    }
  }

  get isLocked() {
    return document.body.hasAttribute('data-locked');
  }

  #draw(session) {
    const isLet = session.role !== null;
    const wasLocked = this.isLocked;
    document.body.toggleAttribute('data-locked', !isLet);
    byId('login').hidden = isLet;
    byId('logout').hidden = session.kind !== 'session';
    const who = session.token ?? session.certificate;
    text(byId('who'), who === null ? '' : `${who} (${session.role})`);
    const warnings = session.warnings ?? [];
    byId('warnings').hidden = warnings.length === 0;
    reconcile(byId('warnings'), warnings, warning => warning, () => el('li', { class: 'foreign' }), (node, warning) => text(node, `Not safe: ${warning}.`));
    if (isLet) {
      this.#onEnter();
    } else {
      this.#onLeave();
      if (!wasLocked) byId('login-token').focus();
    }
  }

  async #logIn() {
    const field = byId('login-token');
    attr(byId('login-button'), 'disabled', '');
    try {
      await post('session', { token: field.value.trim() });
      field.value = '';
      text(byId('login-problem'), '');
      await this.check();
    } catch (error) {
      text(byId('login-problem'), `Not logged in: ${error.message}`);
      field.select();
    } finally {
      attr(byId('login-button'), 'disabled', null);
    }
  }

  async #logOut() {
    try {
      await remove('session');
      // What was seen is not to stay on the screen, nor in memory.
      location.reload();
    } catch (error) {
      console.warn('Not logged out:', error.message);
    }
  }
}
