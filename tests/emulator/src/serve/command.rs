//! The command line.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::advice::{self, Format};
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

async fn serve(args: ServeArgs) -> Result<(), ServeError> {
    let emulator = scene();
    emulator.set_timing(timing(&args));
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
    }
    server.stop().await;
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

/// What there is when nothing is said: images to import, and nothing of one's own.
fn scene() -> Emulator {
    const BOTH: [&str; 2] = ["linux/amd64", "linux/arm64"];
    Emulator::new()
        .with_image("docker.io/library/nginx:latest", &BOTH)
        .with_image("docker.io/library/hello-world:latest", &BOTH)
        .with_image("mcr.microsoft.com/hello-world:latest", &["linux/amd64"])
        .with_image("mcr.microsoft.com/azuredocs/aks-helloworld:v1", &["linux/amd64"])
}

/// Says it, and that clients may come.
fn tell(told: &str) -> Result<(), ServeError> {
    let mut out = std::io::stdout().lock();
    let said = out.write_all(told.as_bytes()).and_then(|()| out.flush());
    said.map_err(|fault| ServeError::io("standard output", &fault))
}

/// The file that clients read the certificate from.
struct CaFile {
    path: PathBuf,
    /// The folder that was made for it alone, where there is one.
    folder: Option<PathBuf>,
}

impl CaFile {
    fn write(asked: Option<&Path>, pem: &str) -> Result<Self, ServeError> {
        let file = if let Some(path) = asked {
            Self { path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()), folder: None }
        } else {
            let folder = std::env::temp_dir().join(format!("aks-acr-emulator-{}", uuid::Uuid::new_v4().simple()));
            let mut builder = std::fs::DirBuilder::new();
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(&folder).map_err(|fault| ServeError::io(&folder.display().to_string(), &fault))?;
            Self { path: folder.join("ca.pem"), folder: Some(folder) }
        };
        let failed = |fault| ServeError::io(&file.path.display().to_string(), &fault);
        // One that is left from an earlier run goes first; a link goes as a link, and what it names is not touched.
        match std::fs::symlink_metadata(&file.path) {
            Ok(known) if known.is_dir() => return Err(ServeError::new(format!("{} is a folder", file.path.display()))),
            Ok(_) => std::fs::remove_file(&file.path).map_err(failed)?,
            Err(_) => {}
        }
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&file.path).and_then(|mut open| open.write_all(pem.as_bytes())).map_err(failed)?;
        Ok(file)
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for CaFile {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// The signals that end the server.
struct Signal {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signal {
    #[cfg(unix)]
    fn new() -> Result<Self, ServeError> {
        use tokio::signal::unix::{SignalKind, signal};
        let heard = |kind| signal(kind).map_err(|fault| ServeError::io("signals", &fault));
        Ok(Self { terminate: heard(SignalKind::terminate())?, interrupt: heard(SignalKind::interrupt())? })
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    fn new() -> Result<Self, ServeError> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn come(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn come(self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
