//! The command line.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::advice::{self, Format};
use super::ca_file::CaFile;
use super::control::order::FaultOrder;
use super::log_file::LogFile;
use super::scene_file::{Caller, Scene};
use super::signal::Signal;
use super::{ServeError, Server, ServerOptions};
use crate::emulator::Emulator;
use crate::timing::Timing;

/// An emulator of the part of Azure that joins a container registry to a Kubernetes cluster.
#[derive(Debug, Parser)]
#[command(name = "aks-acr-emulator", version)]
pub struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serves on loopback, for az, the SDKs, kubectl and whoever speaks HTTPS.
    Serve(Box<ServeArgs>),
}

#[derive(Args, Debug)]
struct ServeArgs {
    /// Where Resource Manager, Entra and Graph answer. Loopback only; port 0 is any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where the proxy for `HTTPS_PROXY` answers. Loopback only; port 0 is any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    proxy: SocketAddr,
    /// Where the certificate goes that clients have to trust. Without it, into a folder of its own in the temporary
    /// folder, which goes when the server ends.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// How to say what clients need: for people, to be sourced by a shell, or for programs.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Milliseconds that pass before any request is looked at.
    #[arg(long, value_name = "MS")]
    latency: Option<u64>,
    /// How long things take: no time, or about what Azure takes.
    #[arg(long, value_enum, default_value_t = TimingName::None)]
    timing: TimingName,
    /// How fast the clock runs that grants, operations and roll-outs go by: `real`, or a number of times faster.
    #[arg(long, value_name = "real|TIMES", default_value = "real")]
    clock: Speed,
    /// What there is at the start (YAML or JSON). Without it: a subscription, its owner, and images of Docker Hub and
    /// of Microsoft.
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// Another caller, as `NAME:SECRET:ROLE@SCOPE`. More roles follow after commas; without a scope it is the
    /// subscription.
    #[arg(long, value_name = "CALLER", value_parser = Caller::parse)]
    caller: Vec<Caller>,
    /// A fault to come, as `METHOD PART [status=…] [header=NAME:VALUE] [times=…] [delay=MS] [after] [reset]`.
    #[arg(long, value_name = "FAULT", value_parser = FaultOrder::parse)]
    fault: Vec<FaultOrder>,
    /// Where the log of requests goes, as lines of JSON.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

/// How many times faster than real the clock runs.
#[derive(Clone, Copy, Debug)]
struct Speed(u32);

impl std::str::FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let times = if text == "real" { Ok(1) } else { text.parse() };
        let known = times.ok().filter(|times| (1..=100_000).contains(times));
        known.map(Self).ok_or_else(|| String::from("neither `real` nor a number from 1 to 100000"))
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TimingName {
    None,
    Typical,
}

/// Does what the command line says, until it is done or a signal comes.
///
/// # Errors
/// If the server does not come up.
pub async fn run(command: Command) -> Result<(), ServeError> {
    match command.verb {
        Verb::Serve(args) => serve(*args).await,
    }
}

async fn serve(mut args: ServeArgs) -> Result<(), ServeError> {
    let emulator = scene(&mut args)?;
    let mut log = args.log.as_deref().map(|path| LogFile::create(path, &emulator)).transpose()?;
    let options = ServerOptions::default().with_listen(args.listen).with_proxy(args.proxy);
    // Heard from now on, so that a signal that comes early is not lost.
    let signal = Signal::new()?;
    let server = Server::start(emulator, options).await?;
    let place = CaFile::write(args.ca_file.as_deref(), server.ca_pem())?;
    let told = advice::tell(&server, place.path(), args.format);
    tell(&told)?;
    tokio::select! {
        () = signal.come() => {}
        () = server.asked_to_stop() => {}
        () = async {
            match &mut log {
                Some(log) => log.keep().await,
                None => std::future::pending().await,
            }
        } => {}
    }
    server.stop().await;
    if let Some(log) = &mut log {
        log.write(true);
    }
    Ok(())
}

fn timing(args: &ServeArgs) -> Timing {
    let timing = match args.timing {
        TimingName::None => Timing::none(),
        TimingName::Typical => Timing::typical(),
    };
    match args.latency {
        Some(latency) => timing.with_latency(Duration::from_millis(latency)),
        None => timing,
    }
}

/// The scene of the file, or the usual one, with what the command line adds.
fn scene(args: &mut ServeArgs) -> Result<Emulator, ServeError> {
    let scene = match &args.seed {
        Some(file) => Scene::read(file)?,
        None => Scene::usual(),
    };
    let mut emulator = scene.set()?;
    for caller in std::mem::take(&mut args.caller) {
        emulator = caller.enter(emulator)?;
    }
    for fault in std::mem::take(&mut args.fault) {
        fault.obey(&emulator);
    }
    emulator.set_timing(timing(args));
    emulator.set_clock_speed(args.clock.0);
    Ok(emulator)
}

/// Says it, and that clients may come.
fn tell(told: &str) -> Result<(), ServeError> {
    let mut out = std::io::stdout().lock();
    let said = out.write_all(told.as_bytes()).and_then(|()| out.flush());
    said.map_err(|fault| ServeError::io("standard output", &fault))
}
