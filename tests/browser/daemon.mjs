// A real daemon for one test file: started with its own state, on a free port if none is named.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const START_TIMEOUT_MS = 30_000;

export class Daemon {
  /** Where it listens, such as `http://127.0.0.1:41234`. */
  origin = null;
  #binary;
  #port;
  #settings;
  #folder;
  #child = null;
  #log = '';

  constructor(binary, port = 0, settings = '') {
    this.#binary = binary;
    this.#port = port;
    this.#settings = settings;
  }

  /** Starts the daemon; again after `kill`, on the same port, unless another is named, and with the same state. */
  async start(port = this.origin === null ? this.#port : new URL(this.origin).port) {
    this.#folder ??= await mkdtemp(join(tmpdir(), 'gz-monitor-browser-'));
    const config = join(this.#folder, 'gz-monitor.toml');
    await writeFile(config, this.#settings);
    const env = { ...process.env, HOME: this.#folder, XDG_STATE_HOME: join(this.#folder, 'state'), XDG_RUNTIME_DIR: this.#folder };
    this.#child = spawn(this.#binary, ['server', '--port', String(port), '--config', config], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stderr.on('data', data => { this.#log += data; });
    this.origin = await this.#announced();
  }

  /** Where its configuration and its state are. */
  get folder() {
    return this.#folder;
  }

  /** SIGTERM: the daemon says goodbye. */
  stop() {
    return this.#end('SIGTERM');
  }

  /** SIGKILL: nothing of the daemon gets to say goodbye. */
  kill() {
    return this.#end('SIGKILL');
  }

  async remove() {
    await this.kill();
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
  }

  /** One call of `/api/v1`; gives the JSON of a good answer and throws on any other. */
  async call(method, path, body) {
    const response = await fetch(`${this.origin}/api/v1/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer}`);
    return answer === '' ? null : JSON.parse(answer);
  }

  async #end(signal) {
    if (this.#child === null || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill(signal);
    await gone;
  }

  /** The origin in the line that the daemon prints once it listens. */
  #announced() {
    return new Promise((resolve, reject) => {
      const fail = reason => {
        clearTimeout(timer);
        reject(new Error(`${reason}\n${this.#log}`));
      };
      const timer = setTimeout(() => fail('the daemon printed no dashboard address in time'), START_TIMEOUT_MS);
      this.#child.once('error', error => fail(error.message));
      this.#child.once('exit', code => fail(`the daemon ended with ${code} before it listened`));
      createInterface(this.#child.stdout).on('line', line => {
        const address = /^Dashboard:\s+(http:\/\/\S+)\/dashboard$/.exec(line.trim());
        if (!address) return;
        clearTimeout(timer);
        resolve(address[1]);
      });
    });
  }
}
