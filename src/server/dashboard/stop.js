// The button that asks a task's owner to stop: pressed once it asks back, pressed again it does it.

import { attr, clip, el, text } from './dom.js';
import { taskEnded } from './model.js';
import { post } from './rest.js';

/** A pressed button waits so long for the second press. */
const ARMED_MS = 4_000;

/** A button that `show(task)` keeps true to its task. */
export function stopButton() {
  const button = el('button', { class: 'stop', type: 'button' });
  const problem = el('span', { class: 'stop-problem foreign', role: 'alert' });
  let task = null;
  let armed = null;
  let asking = false;

  function draw() {
    const asked = task?.stop_requested === true;
    button.hidden = !task || taskEnded(task);
    button.disabled = asked || asking;
    attr(button, 'data-armed', armed !== null && !button.disabled);
    text(button, asked ? 'Asked to stop' : asking ? 'Asking…' : armed !== null ? 'Really stop?' : 'Stop');
    attr(button, 'aria-label', `${button.textContent}: ${clip(task?.name ?? task?.id)}`);
  }

  function disarm() {
    clearTimeout(armed);
    armed = null;
    draw();
  }

  async function ask() {
    asking = true;
    problem.remove();
    disarm();
    try {
      await post(`tasks/${encodeURIComponent(task.id)}/stop`);
    } catch (error) {
      text(problem, `Not stopped: ${error.message}`);
      button.after(problem);
    }
    asking = false;
    draw();
  }

  button.addEventListener('click', () => {
    if (armed !== null) return ask();
    armed = setTimeout(disarm, ARMED_MS);
    return draw();
  });
  button.addEventListener('blur', disarm);
  button.show = shown => {
    task = shown;
    if (task.stop_requested || taskEnded(task)) problem.remove();
    draw();
  };
  return button;
}
