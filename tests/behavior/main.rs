//! What the four traits and the public operations promise, over every backend: `emulator::role::…`, `azure::role::…`.
//!
//! A case is named as the sentence that it holds the library to. One that only Azure's rules are needed for runs on every
//! backend; one that needs more, such as faults, clocks or a caller without rights, runs on the emulator alone. Without
//! `AKS_ACR_TEST_AZURE=1` the trials on live Azure show as ignored; with it they want resources that exist, named by
//! `AKS_ACR_TEST_CLUSTER_ID`, `AKS_ACR_TEST_REGISTRY_ID` (resource ids) and `AKS_ACR_TEST_PRINCIPAL_ID` (the object id of a
//! service principal without a role at that registry).

#![expect(clippy::expect_used, reason = "a test program: what fails here ends a trial")]

mod attach;
mod azure;
mod backend;
mod case;
mod catalog;
mod check;
mod cluster;
mod deletion;
mod emulator;
mod explain;
mod identity;
mod image;
mod kubectl;
mod kubelet_identity;
mod mode_change;
mod pools;
mod prove;
mod refusal;
mod registry;
mod registry_update;
mod role;

use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cases = [
        identity::cases(),
        role::cases(),
        registry::cases(),
        catalog::cases(),
        deletion::cases(),
        image::cases(),
        cluster::cases(),
        attach::cases(),
        refusal::cases(),
        check::cases(),
        explain::cases(),
        prove::cases(),
        kubelet_identity::cases(),
        mode_change::cases(),
        pools::cases(),
        registry_update::cases(),
    ];
    let trials: Vec<Trial> = cases.into_iter().flatten().flat_map(case::Case::into_trials).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
