//! Measures what hostile answers cost in memory, as the test does, of this build: `cargo run --release --example peak_memory`. It reads
//! `/proc`, so that it needs Linux.

#![expect(clippy::unwrap_used, reason = "a test program: what fails here ends it")]

mod memory;
mod script;

#[tokio::main]
async fn main() {
    if memory::is_child() {
        memory::run_child().await;
    } else {
        memory::measure(&[]).await;
    }
}
