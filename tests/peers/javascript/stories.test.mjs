// Each story by each way in, with its own emulator and in its own process: Node reads its certificate
// authorities and its proxy once at its start.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { READER_SECRET } from "./cloud.mjs";
import { environment, start } from "./emulator.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

async function tell(module, story, way) {
    const emulator = await start("--caller", `reader:${READER_SECRET}:Reader`);
    try {
        const options = { env: environment(emulator, way), cwd: here("."), timeout: 120_000 };
        const told = await new Promise((resolve) =>
            execFile(process.execPath, [here("tell.mjs"), module, story, way], options, (fault, out, errors) =>
                resolve({ fault, out, errors }),
            ),
        );
        if (told.fault) assert.fail(told.errors || told.fault.message);
        assert.equal(told.out, "told\n");
    } finally {
        await emulator.stop();
    }
}

for (const module of readdirSync(here("stories")).sort()) {
    const { stories } = await import(`./stories/${module}`);
    describe(module.replace(".mjs", ""), { concurrency: 2 }, () => {
        for (const story of Object.keys(stories)) {
            for (const way of ["origin", "proxy"]) {
                test(`${story} [${way}]`, () => tell(module, story, way));
            }
        }
    });
}
