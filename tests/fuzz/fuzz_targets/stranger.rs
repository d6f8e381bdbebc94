//! Requests of an unknown caller: whatever it sends, nothing changes.
#![no_main]

use fuzz::Azure;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let azure = Azure::new();
    let before = azure.view();
    azure.ask_all(text, false);
    azure.pass(120);
    assert!(azure.view() == before, "a stranger has changed something");
});
