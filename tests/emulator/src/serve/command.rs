//! The command line.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::json;

use super::advice::{self, Format};
use super::ca_file::CaFile;
use super::control;
use super::control::fault::FaultOrder;
use super::listener::Doors;
use super::log_file::LogFile;
use super::scene_file::{Caller, Scene};
use super::signal::Signal;
use super::state::{State, Wanted};
use super::{ServeError, Server, ServerOptions};
use crate::control_plane::{Build, Programs, build};
use crate::emulator::Emulator;

/// An emulator of the part of Azure that joins a container registry to a Kubernetes cluster.
#[derive(Debug, Parser)]
#[command(name = "aks-acr-emulator", version)]
pub struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serves on loopback, for az, the SDKs, kubectl and any other HTTPS client.
    Serve(Box<ServeArgs>),
    /// Builds etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kubectl for `serve --kubernetes`, with the Go of this
    /// machine. This takes about 5 minutes on two idle cores, 5 GB of disk while it runs, and 130 MB afterwards. Linux only.
    BuildKubernetes(BuildArgs),
}

#[derive(Args, Debug)]
struct BuildArgs {
    /// Where the programs go, into `bin`. A folder that has them already is left as it is.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// The version of Kubernetes.
    #[arg(long, value_name = "VERSION", default_value = "1.33", value_parser = ["1.33", "1.37"])]
    version: String,
    /// Builds what a real node runs, too, for `serve --node`: kubelet, containerd, network plugins and a credential provider. runc is the
    /// installed one or that of the distribution's package. This takes 3 more minutes and 170 MB.
    #[arg(long)]
    node: bool,
}

#[derive(Args, Debug)]
struct ServeArgs {
    /// Where Resource Manager, Entra and Graph answer. Loopback only; port 0 is any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where the proxy for `HTTPS_PROXY` answers. Loopback only; port 0 is any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    proxy: SocketAddr,
    /// Where the certificate goes that clients have to trust. Without it, into its own folder in the temporary
    /// folder, which goes when the server ends.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// How to say what clients need: for people, to be sourced by a shell, or for programs.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Milliseconds that pass before any request is looked at.
    #[arg(long, value_name = "MS")]
    latency: Option<u64>,
    /// How long operations take: no time (the default), or about as long as in Azure.
    #[arg(long, value_enum, value_name = "none|typical", hide_possible_values = true)]
    timing: Option<TimingName>,
    /// How fast the clock runs that grants, operations and rollouts go by: `real`, which is the
    /// default, or a number of times faster.
    #[arg(long, value_name = "real|TIMES")]
    clock: Option<Speed>,
    /// What there is at the start (YAML or JSON). Without it: a subscription, its owner, and images of Docker Hub and
    /// of Microsoft.
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// Another caller, as `NAME:SECRET:ROLE@SCOPE`. More roles follow after commas; without a scope it is the
    /// subscription.
    #[arg(long, value_name = "CALLER", value_parser = Caller::parse)]
    caller: Vec<Caller>,
    /// A fault to come, as `METHOD PART [status=…] [header=NAME:VALUE] [times=…] [delay=MS] [slow=MS] [type=…] [after]
    /// [reset] [silent] [silent=MS] [truncated] [page] [expired] [repeated]`.
    #[arg(long, value_name = "FAULT", value_parser = FaultOrder::parse)]
    fault: Vec<FaultOrder>,
    /// Where the state is kept, so that it survives a restart: with this file again, the server is the Azure that it was,
    /// with the same secrets, tokens, certificate and ports. The file is made if there is none, for its owner only.
    /// `--seed` and `--caller` shape it when it is made, and may be left out afterwards; `--timing` (with `--latency`),
    /// `--clock` and `--fault` count from when they are given. It grows with every change. Time that passes while
    /// nothing is served does not count.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Where the programs of a control plane are, which `build-kubernetes` built: each cluster has a real API server, controllers and
    /// scheduler then, and only its nodes are emulated, unless there is `--node`. Its clock is that of this machine. Linux only.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["state", "clock"])]
    kubernetes: Option<PathBuf>,
    /// Nodes are real, too: kubelet, containerd and runc, in namespaces of their own. They pull with their cluster's identity, which an
    /// endpoint at 169.254.169.254 gives them. Needs root, and what `build-kubernetes --node` built. Nodes of another operating
    /// system or architecture than this machine's stay emulated.
    #[arg(long, requires = "kubernetes")]
    node: bool,
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
        known.map(Self).ok_or_else(|| String::from("must be `real` or a number from 1 to 100000"))
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
        Verb::BuildKubernetes(args) => {
            let signal = Signal::new()?;
            tokio::select! {
                done = build(Build { folder: args.folder, version: args.version, node: args.node }) => done,
                () = signal.come() => Err(ServeError::new("interrupted; nothing was changed")),
            }
        }
    }
}

async fn serve(mut args: ServeArgs) -> Result<(), ServeError> {
    let (emulator, state) = world(&mut args)?;
    orders(&args, state.as_ref(), &emulator)?;
    let mut log = args.log.as_deref().map(|path| LogFile::create(path, &emulator)).transpose()?;
    let options = ServerOptions::default().with_listen(args.listen).with_proxy(args.proxy);
    // Heard from now on, so that a signal that comes early is not lost.
    let signal = Signal::new()?;
    let server = match &state {
        None => Server::start(emulator, options).await?,
        Some(state) => {
            let doors = Doors::open(&options, state.ports()).await?;
            state.serves_at(doors.ports)?;
            let authority = state.authority(&emulator)?;
            Server::behind(emulator, doors, authority, true)?
        }
    };
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
    let emulator = server.emulator().clone();
    server.stop().await;
    // Time has passed until now, even if no request came.
    emulator.act(|_| ());
    if let Some(log) = &mut log {
        log.write(true);
    }
    Ok(())
}

/// The scene of the file, or the usual one, with the callers of the command line; or what a state file makes of them.
fn world(args: &mut ServeArgs) -> Result<(Emulator, Option<State>), ServeError> {
    let scene = args.seed.as_deref().map(Scene::read).transpose()?;
    let callers = std::mem::take(&mut args.caller);
    if let Some(file) = &args.state {
        let (emulator, state) = State::open(file, Wanted { scene, callers })?;
        return Ok((emulator, Some(state)));
    }
    let mut emulator = Emulator::new();
    if let Some(folder) = &args.kubernetes {
        emulator = emulator.with_control_planes(Programs::open(folder, args.node)?)?;
    }
    let emulator = scene.unwrap_or_else(Scene::usual).set(emulator)?;
    let emulator = callers.into_iter().try_fold(emulator, |emulator, caller| caller.enter(emulator))?;
    Ok((emulator, None))
}

/// What the command line says beside the scene, as orders. A state file that was there before has its own timing and clock,
/// unless others are asked for.
fn orders(args: &ServeArgs, state: Option<&State>, emulator: &Emulator) -> Result<(), ServeError> {
    let is_new = state.is_none_or(|state| !state.is_old);
    let mut orders = Vec::new();
    if is_new || args.timing.is_some() || args.latency.is_some() {
        let mut timing = json!({"preset": match args.timing {
            None | Some(TimingName::None) => "none",
            Some(TimingName::Typical) => "typical",
        }});
        if let Some(latency) = args.latency {
            timing["latency"] = Duration::from_millis(latency).as_secs_f64().into();
        }
        orders.push(("timing", timing));
    }
    orders.extend(args.clock.map(|speed| ("clock", json!({"speed": speed.0}))));
    for fault in &args.fault {
        orders.push(("fault", serde_json::to_value(fault).map_err(|why| ServeError::new(why.to_string()))?));
    }
    for (name, order) in orders {
        control::obey(emulator, name, order).map_err(|(_, why)| ServeError::new(why))?;
    }
    Ok(())
}

/// Says it, and that clients may come.
fn tell(told: &str) -> Result<(), ServeError> {
    let mut out = std::io::stdout().lock();
    let said = out.write_all(told.as_bytes()).and_then(|()| out.flush());
    said.map_err(|fault| ServeError::io("standard output", &fault))
}
