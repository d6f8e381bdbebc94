// The package as others load it.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import * as module from 'aks-acr-emulator';

const require = createRequire(import.meta.url);

test('import and require give the same classes', () => {
  const common = require('aks-acr-emulator');
  assert.deepEqual(Object.keys(common).sort(), Object.keys(module).sort());
  assert.equal(common.Emulator, module.Emulator);
  assert.equal(module.version, require('aks-acr-emulator/package.json').version);
});

test('nothing runs when it is installed', () => {
  const { scripts } = require('aks-acr-emulator/package.json');
  assert.deepEqual(Object.keys(scripts).filter((name) => /install|prepare/.test(name)), []);
});
