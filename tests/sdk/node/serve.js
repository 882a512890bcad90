'use strict';
// Runs `fallproof serve` and creates SDK clients for its three surfaces.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { createInterface } = require('node:readline');
const { OpenAI, AzureOpenAI } = require('openai');

// The SDK also reads settings from the environment. The user's settings must not apply here.
for (const name of Object.keys(process.env)) {
  if (/^(AZURE_)?OPENAI_/.test(name)) delete process.env[name];
}

const SURFACES = ['openai', 'azure-v1', 'azure-legacy'];

/** A running `fallproof serve`. */
class Serve {
  static async start() {
    const ports = ['openai', 'azure', 'admin'].flatMap((server) => [`--${server}`, '0']);
    const serve = new Serve();
    serve.process = spawn(process.env.FALLPROOF ?? 'fallproof', ['serve', '--json', ...ports], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: serve.process.stdout });
    const [line] = await Promise.race([once(lines, 'line'), once(lines, 'close').then(() => ['null'])]);
    serve.addresses = JSON.parse(line);
    if (!serve.addresses) throw new Error('fallproof serve printed no addresses');
    return serve;
  }

  /** Stops it and returns its exit code. */
  async stop() {
    const ended = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    const [code] = await ended;
    return code;
  }

  /** Returns an SDK client for a surface. It does not retry by default. */
  client(surface, options = {}) {
    const { openai, azure } = this.addresses;
    const hasty = { maxRetries: 0, timeout: 10_000, ...options };
    switch (surface) {
      case 'openai':
        return new OpenAI({ baseURL: openai.base_url, apiKey: openai.key, ...hasty });
      case 'azure-v1':
        return new OpenAI({ baseURL: azure.base_url, apiKey: azure.key, ...hasty });
      default:
        return new AzureOpenAI({
          endpoint: azure.endpoint,
          apiVersion: azure.api_version,
          apiKey: azure.key,
          ...hasty,
        });
    }
  }

  async #admin(method, path, body) {
    const answer = await fetch(this.addresses.admin + path, { method, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return text;
  }

  /** Sets the behavior of this surface's provider at its next attempts. */
  async play(surface, ...script) {
    await this.#admin('PUT', `/script/${surface.split('-')[0]}`, { script });
  }

  async requests() {
    return JSON.parse(await this.#admin('GET', '/requests'));
  }

  async reset() {
    await this.#admin('POST', '/reset');
  }
}

module.exports = { Serve, SURFACES };
