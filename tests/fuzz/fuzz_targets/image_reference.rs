//! Names of images: each is read or refused, and what was read and written reads the same.
#![no_main]

use aks_acr::{Digest, ImageReference};
use fuzz::again;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    again::<Digest>(text);
    if let Some(image) = again::<ImageReference>(text) {
        // What is sent and what is shown is of letters that mean nothing to a URL's path.
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@[]".contains(letter);
        assert!(image.to_string().chars().all(is_plain), "{image}");
        assert!(!image.repository().split('/').any(|part| matches!(part, "" | "." | "..")), "{image}");
        // Written in full, it needs no completion, so no program completes it differently.
        assert!(image.tag().is_some() || image.digest().is_some(), "{image}");
        let stored = serde_json::to_string(&image).expect("it can be stored");
        assert_eq!(serde_json::from_str::<ImageReference>(&stored).expect("and read"), image);
    }
});
