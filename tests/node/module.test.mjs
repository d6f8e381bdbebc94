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

test('the import costs less than 30 ms', async () => {
  // Processor time, since other tests and other people are at work beside this one.
  const program = (load) => `const u = process.cpuUsage(), t = performance.now(); ${load};
    const { user, system } = process.cpuUsage(u); console.log(JSON.stringify([(user + system) / 1000, performance.now() - t]));`;
  const fastest = async (...words) => {
    const costs = [];
    for (let turn = 0; turn < 5; turn += 1) {
      const { stdout } = await run(process.execPath, words, { cwd: import.meta.dirname });
      costs.push(JSON.parse(stdout));
    }
    return costs.sort(([one], [other]) => one - other)[0];
  };
  const [esm, esmTook] = await fastest('--input-type=module', '-e', program("await import('aks-acr')"));
  const [cjs, cjsTook] = await fastest('-e', program("require('aks-acr')"));
  const figures = [esm, esmTook, cjs, cjsTook].map((figure) => figure.toFixed(1));
  console.log(`import ${figures[0]} ms (took ${figures[1]}), require ${figures[2]} ms (took ${figures[3]})`);
  // An addon that was built for developers is ten times as large as what users load.
  const limit = process.env.AKS_ACR_PROFILE === 'release' ? 30 : 120;
  assert.ok(esm < limit && cjs < limit, `${esm} and ${cjs} ms`);
});
