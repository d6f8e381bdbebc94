// The examples of the README are tested in `examples`, where both crates are dependencies.
#![cfg_attr(not(doctest), doc = include_str!("../README.md"))]
#![forbid(unsafe_code)]

mod arm;
mod clock;
mod cluster;
mod command;
#[cfg(feature = "serve")]
mod control_plane;
mod door;
mod dump;
mod emulator;
mod entra;
mod fault;
mod graph;
mod identity;
mod ids;
mod image;
mod keeper;
mod kubernetes;
mod layer;
mod log;
mod machines;
mod network;
mod node;
mod operation;
mod password;
mod principal;
mod rbac;
mod registry;
mod reply;
mod role_seed;
mod scene;
mod seed;
#[cfg(feature = "serve")]
pub mod serve;
mod throttle;
mod timing;
mod upstream_seed;
mod world;

pub use door::kubernetes::KubernetesDoor;
pub use emulator::Emulator;
pub use fault::{Fault, Storm};
pub use image::OddImage;
pub use log::{From, Mark, Request, RequestSummary, Service, summary};
pub use role_seed::RoleSeed;
pub use scene::RoleAssignment;
pub use seed::{ClusterSeed, RegistrySeed};
pub use timing::Timing;
pub use upstream_seed::UpstreamSeed;
