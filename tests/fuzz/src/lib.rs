//! What the targets share: an Azure to be asked anything, and an Azure that answers anything.

mod answers;
#[path = "../../src/arguments.rs"]
mod arguments;
mod azure;
#[path = "../../src/calls.rs"]
mod calls;
#[path = "../../src/operate.rs"]
mod operate;
mod operations;
mod script;

pub use answers::{Answer, Door, Source};
pub use azure::Azure;
pub use operations::{COUNT, Held, run};
pub use script::{Script, write_seeds};

use std::fmt::{Debug, Display};
use std::str::FromStr;

/// Reads it, writes it, and reads that.
pub fn again<T: FromStr + Display + PartialEq + Debug>(text: &str) -> Option<T> {
    let read = text.parse::<T>().ok()?;
    let written = read.to_string();
    assert_eq!(written.parse::<T>().ok().as_ref(), Some(&read), "{text:?} is written {written:?}");
    Some(read)
}

/// How many lines of one text are not in the other, in their order.
pub fn lines_lost(before: &str, after: &str) -> usize {
    let (mut before, mut after): (Vec<&str>, Vec<&str>) = (before.split('\n').collect(), after.split('\n').collect());
    while !before.is_empty() && before.first() == after.first() {
        before.remove(0);
        after.remove(0);
    }
    while !before.is_empty() && before.last() == after.last() {
        before.pop();
        after.pop();
    }
    if before.len() * after.len() > 1 << 20 {
        return 0;
    }
    // The longest common subsequence, a row for each line.
    let mut row = vec![0; after.len() + 1];
    for line in &before {
        let mut diagonal = 0;
        for (at, other) in after.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if line == other { diagonal + 1 } else { above.max(row[at]) };
            diagonal = above;
        }
    }
    before.len() - row[after.len()]
}
