//! Good answers with any body: operations' states, clusters, registries, lists, tokens, objects.
#![no_main]

use fuzz::{Held, Script, run, write_seeds};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static HELD: Held = Held::new();
}

fuzz_target!(
    init: HELD.with(|held| write_seeds(held, true)),
    |data: &[u8]| HELD.with(|held| run(held, data, Script::bodies))
);
