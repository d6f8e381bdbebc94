//! The names that a user gives to the library: each is read or refused, and what was read reads the same again.
#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use aks_acr::{
    Cloud, ClusterRef, Digest, ImageReference, PrincipalId, PullCause, RegistryRef, ResourceId, SubscriptionId,
};
use libfuzzer_sys::fuzz_target;

/// Reads it, writes it, and reads that.
fn again<T: FromStr + Display + PartialEq + Debug>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        let written = read.to_string();
        assert_eq!(written.parse::<T>().ok().as_ref(), Some(&read), "{text:?} is written {written:?}");
    }
}

fuzz_target!(|text: &str| {
    again::<ImageReference>(text);
    again::<Digest>(text);
    again::<ResourceId>(text);
    again::<PrincipalId>(text);
    again::<SubscriptionId>(text);
    drop(text.parse::<ClusterRef>());
    drop(text.parse::<RegistryRef>());
    let (first, second) = text.split_once('\n').unwrap_or((text, ""));
    drop(Cloud::custom(first, second));
    let cause = PullCause::read(first, second);
    drop(format!("{cause:?}"));
});
