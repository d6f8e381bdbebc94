// The kinds of errors, as the contract and the types have them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { errors } from './contract.mjs';

test('the types know every kind of error, and no other', () => {
  const types = readFileSync(new URL('../../bindings-node/index.d.ts', import.meta.url), 'utf8');
  const [, union] = /export type ErrorKind =(.*?)\n\n/s.exec(types);
  const known = [...union.matchAll(/\| '([a-z_]+)'/g)].map(([, kind]) => kind);
  assert.deepEqual(
    known,
    errors.map(({ node }) => node),
  );
});
