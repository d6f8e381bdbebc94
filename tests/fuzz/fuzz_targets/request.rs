//! Requests of somebody who may do much: to any service, of any form. Each has an answer, and the next one, too.
#![no_main]

use fuzz::Azure;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let azure = Azure::new();
    azure.ask_all(text, true);
    azure.pass(120);
    azure.view();
});
