// The emulator's program beside a test, with the part of the package aks-acr-emulator that the tests here need.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';

const PROGRAM =
  process.env.AKS_ACR_EMULATOR_BIN ?? new URL('../../target/debug/aks-acr-emulator', import.meta.url).pathname;

export class Emulator {
  #child;
  #folder;
  #told;
  #callers;

  static async start({ scene, timing, clock, latencyMs } = {}) {
    const azure = new Emulator();
    await azure.#start(scene, { '--timing': timing, '--clock': clock, '--latency': latencyMs });
    return azure;
  }

  async #start(given, options) {
    const callers = given?.callers?.map((caller) => ({ secret: randomUUID(), ...caller }));
    const scene = given && { ...given, ...(callers && { callers }) };
    this.#folder = mkdtempSync(path.join(tmpdir(), 'aks-acr-'));
    const file = path.join(this.#folder, 'scene.json');
    if (scene) writeFileSync(file, JSON.stringify(scene));
    const wishes = Object.entries({ ...options, '--seed': scene && file }).filter(([, value]) => value !== undefined);
    const words = ['serve', '--format', 'json', '--ca-file', path.join(this.#folder, 'ca.pem')];
    this.#child = spawn(PROGRAM, [...words, ...wishes.flat().map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    for await (const chunk of this.#child.stdout) {
      text += chunk;
      if (/^ready$/m.test(text)) break;
    }
    this.#told = JSON.parse(text.slice(0, text.lastIndexOf('ready')));
    this.subscriptionId = this.#told.environment.AZURE_SUBSCRIPTION_ID;
    this.tenantId = this.#told.environment.AZURE_TENANT_ID;
    this.origin = this.#told.origin;
    this.proxy = this.#told.environment.HTTPS_PROXY;
    this.caFile = this.#told.caFile;
    this.ca = readFileSync(this.caFile, 'utf8');
    this.clientId = this.#told.clientId;
    this.clientSecret = this.#told.clientSecret;
    const { principals } = JSON.parse(await this.#order('GET', 'state'));
    const clientId = (caller) => principals.find(({ name }) => name === caller).clientId;
    const known = (callers ?? []).map(({ name, secret }) => [name, { clientId: clientId(name), clientSecret: secret }]);
    this.#callers = Object.fromEntries(known);
  }

  async stop() {
    this.#child.kill();
    await once(this.#child, 'exit');
    rmSync(this.#folder, { recursive: true });
  }

  clientOptions() {
    return { cloud: { resourceManager: this.origin, registrySuffix: '.azurecr.io' }, proxy: this.proxy, ca: this.ca };
  }

  identityOptions() {
    return { authorityHost: this.origin, disableInstanceDiscovery: true, tlsOptions: { ca: this.ca } };
  }

  clientOf(caller = 'owner') {
    const { clientId, clientSecret } = this;
    if (caller === 'owner') return { clientId, clientSecret };
    return this.#callers[caller];
  }

  credential(caller) {
    const { clientId: client_id, clientSecret: client_secret } = this.clientOf(caller);
    return {
      getToken: async (scopes) => {
        const form = { grant_type: 'client_credentials', client_id, client_secret, scope: [scopes].flat().join(' ') };
        const text = await this.#ask(
          'POST',
          `/${this.tenantId}/oauth2/v2.0/token`,
          new URLSearchParams(form).toString(),
          {
            'content-type': 'application/x-www-form-urlencoded',
          },
        );
        const { access_token: token, expires_in: seconds } = JSON.parse(text);
        return { token, expiresOnTimestamp: Date.now() + seconds * 1000 };
      },
    };
  }

  async mark() {
    return JSON.parse(await this.#order('GET', 'mark')).mark;
  }

  async requests({ since = 0 } = {}) {
    const lines = (await this.#order('GET', `requests?since=${since}`)).split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line)).map(({ from, ...request }) => ({ ...request, sender: from }));
  }

  async fault(part, options = {}) {
    await this.#order('POST', 'fault', { ...options, part });
  }

  async clock(speed) {
    await this.#order('POST', 'clock', { speed });
  }

  async #order(method, order, body) {
    const headers = { authorization: `Bearer ${this.#told.controlToken}`, 'content-type': 'application/json' };
    return this.#ask(method, `/_emulator/${order}`, body && JSON.stringify(body), headers);
  }

  async #ask(method, path, body, headers) {
    const asked = request(this.origin + path, { method, ca: this.ca, headers, agent: false }).end(body);
    const [answer] = await once(asked, 'response');
    let text = '';
    for await (const chunk of answer.setEncoding('utf8')) text += chunk;
    if (answer.statusCode !== 200) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    return text;
  }
}
