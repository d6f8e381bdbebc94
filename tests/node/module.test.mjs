// The package as it is loaded: by both kinds of modules, at once.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { promisify } from 'node:util';
import * as imported from 'aks-acr';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

test('both kinds of modules have the same names and the same classes', () => {
  const required = require('aks-acr');
  assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort());
  for (const name of Object.keys(required)) assert.equal(imported[name], required[name], name);
});

test('what is inside cannot be reached from outside', () => {
  assert.throws(() => require('aks-acr/native.cjs'), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' });
});

test('the import takes less than 30 ms', async () => {
  const program = (load) => `const t = performance.now(); ${load}; console.log(performance.now() - t);`;
  const fastest = async (...words) => {
    const times = [];
    for (let turn = 0; turn < 5; turn += 1)
      times.push(Number((await run(process.execPath, words, { cwd: import.meta.dirname })).stdout));
    return Math.min(...times);
  };
  const esm = await fastest('--input-type=module', '-e', program("await import('aks-acr')"));
  const cjs = await fastest('-e', program("require('aks-acr')"));
  console.log(`import ${esm.toFixed(1)} ms, require ${cjs.toFixed(1)} ms`);
  // An addon with debug symbols is not what users load.
  const limit = process.env.AKS_ACR_PROFILE === 'release' ? 30 : 250;
  assert.ok(esm < limit && cjs < limit, `${esm} and ${cjs} ms`);
});
