//! Requests of a caller with many rights: to any service, of any form. Each gets an answer, and so does the next one.
#![no_main]

use fuzz::Azure;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let azure = Azure::new();
    azure.ask_all(text, true);
    azure.pass(120);
    azure.view();
});
