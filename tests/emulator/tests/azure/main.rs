//! The rules of the emulator's Azure, each asked for through its public doors.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod client;
mod cluster;
mod command;
mod creation;
mod data_plane;
mod entra;
mod governance;
mod graph;
mod identity;
mod import;
mod lock;
mod manager;
mod monitor;
mod network;
mod noise;
mod pull;
mod push;
mod registry;
mod role;
mod trouble;
mod upstream;
