// The front page does what it says.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const home = path.dirname(import.meta.dirname);
const text = fs.readFileSync(path.join(home, 'README.md'), 'utf8');

const blocks = [...text.matchAll(/^```js([^\n]*)\n(.*?)^```$/gms)];

test('there are blocks', () => assert.ok(blocks.length > 2));

for (const [, needs, block] of blocks) {
  const missing = needs.trim() && !fs.existsSync(path.join(home, 'node_modules', needs.trim()));
  const skip = missing ? `needs ${needs.trim()}` : false;
  test(`a block of the front page runs: ${block.split('\n', 1)}`, { skip }, () => {
    // Beside the package, which it finds by its name.
    const folder = fs.mkdtempSync(path.join(home, '.example-'));
    try {
      fs.writeFileSync(path.join(folder, 'block.mjs'), block);
      const env = { ...process.env };
      delete env.NODE_TEST_CONTEXT;
      const done = spawnSync(process.execPath, [path.join(folder, 'block.mjs')], { env, encoding: 'utf8', timeout: 30_000 });
      assert.equal(done.status, 0, done.stdout + done.stderr);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
}
