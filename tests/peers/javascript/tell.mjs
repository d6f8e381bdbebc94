// Runs one story: node tell.mjs MODULE STORY WAY, in the environment that an emulator wants.

import { Cloud } from "./cloud.mjs";

const [module, story, way] = process.argv.slice(2);
const { stories } = await import(`./stories/${module}`);
try {
    await stories[story](new Cloud(way));
    console.log("told");
} catch (fault) {
    // Its stack says all; whole requests and answers, which hang on an error of the SDK, do not help.
    console.error(fault.stack, fault.code ?? "");
    process.exitCode = 1;
}
