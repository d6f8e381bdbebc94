//! Answers of any status, headers and body to any operation, from Entra, Azure, registries and clusters.
#![no_main]

use aks_acr::PullFinding;
use fuzz::{Held, Script, run, write_seeds};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static HELD: Held = Held::new();
}

fuzz_target!(init: HELD.with(|held| write_seeds(held, false)), |data: &[u8]| {
    HELD.with(|held| run(held, data, Script::answers));
    // An event's or a container's message about a pull is a foreign text, too.
    if let Ok(text) = std::str::from_utf8(data) {
        let (reason, message) = text.split_once('\n').unwrap_or((text, ""));
        drop(format!("{:?}", PullFinding::read(reason, message)));
        drop(format!("{:?}", PullFinding::of_image(reason, reason, message)));
    }
});
