//! Configures the linker for Node.

fn main() {
    napi_build::setup();
}
