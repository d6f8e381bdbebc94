// Tells one story: node tell.mjs MODULE STORY WAY, in the environment that an emulator wants.

import { Cloud } from "./cloud.mjs";

const [module, story, way] = process.argv.slice(2);
const { stories } = await import(`./stories/${module}`);
await stories[story](new Cloud(way));
console.log("told");
