// A program that makes one call and says how it went. What it is to do is its argument.

import { parentPort } from 'node:worker_threads';
import { Client } from 'aks-acr';

const { token, cluster = 'dev', abortAfterMs, exitAfterMs, then, tell, ...settings } = JSON.parse(process.argv.at(-1));
const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
const client = new Client({ credential, ...settings });
if (then === 'keep') globalThis.kept = client;

const say = (word) => console.log(`${word} at ${Date.now()}`);
const controller = new AbortController();
if (abortAfterMs) setTimeout(() => controller.abort(), abortAfterMs);
if (exitAfterMs) {
  setTimeout(() => {
    say('exit');
    process.exit();
  }, exitAfterMs);
}

const call = client.identities(`group/${cluster}`, { signal: controller.signal, onProgress() {} });
if (tell) parentPort.postMessage('begun');
await call.then(({ state }) => say(state)).catch((err) => say(err.code));
