//! The emulator as a separate program.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use aks_acr_emulator::serve::{Command, run};
use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Command::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("aks-acr-emulator: {fault}");
            ExitCode::FAILURE
        }
    }
}
