//! Building a control plane, and what real nodes run, with the user's Go.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::Instant;

use super::guard::Guard;
use super::leftovers;
use super::node;
use super::sources::Sources;
use crate::serve::ServeError;

/// The names by which the one program of a control plane is called.
const NAMES: [&str; 5] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"];
const CONTROL_PLANE: &str = "control-plane";
/// The files that say from what a folder's programs were built: those of a control plane, and those of a node.
const BUILT: &str = "built-from";
const NODE_BUILT: &str = "node-built-from";
/// The script, whose exit code is in a file afterwards: the guard does not reap it before the end.
const RUN: &str = "sh -eu build.sh; echo $? >exit-code";
const EXIT_CODE: &str = "exit-code";
/// What a node runs. `$stamp` says which version of Kubernetes it is.
///
/// runc needs a C library for seccomp, so it is the distribution's: the installed one, or what its package holds.
const NODE: &str = r#"
if ! command -v runc >/dev/null; then
    mkdir runc
    (cd runc && apt-get download -q -o APT::Sandbox::User=root runc && dpkg-deb -x runc_*.deb .) || {
        echo "runc is not installed, and its package cannot be downloaded" && exit 9
    }
    cp "$(find runc -type f -path '*bin/runc')" bin/runc
fi
into=$PWD/bin
build() { (cd "node/$1" && shift && go build -v -trimpath -buildvcs=false "$@"); }
build kubelet -ldflags "$stamp" -o "$into/kubelet" .
build agent -ldflags '-s -w' -o "$into/agent" .
build program -ldflags '-s -w' -o "$into/program" .
for program in $(cd node/cni && go list tool); do
    build cni -ldflags '-s -w' -o "$into/" "$program"
done
for program in $(cd node/containerd && go list tool); do
    module=${program%/cmd/*}
    version=$(cd node/containerd && go list -m -f '{{.Version}}' "$module")
    build containerd -tags 'no_btrfs no_devmapper no_zfs' -ldflags "-s -w -X $module/version.Version=$version" -o "$into/" "$program"
done
"#;
/// The disk that a build needs, in KiB: the modules, and the compiler's cache.
const DISK: u64 = 5 * 1024 * 1024;
/// As many packages are built, about: of a control plane, and of a node beside it.
const PACKAGES: usize = 2_750;
const NODE_PACKAGES: usize = 1_200;
/// The settings of Go that say where modules come from.
const GO_SETTINGS: [&str; 7] = ["GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOPROXY", "GOPRIVATE", "GOINSECURE", "GOAUTH"];
/// The variables by which programs find the network, and those of Go's caches.
const VARIABLES: [&str; 12] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GOMODCACHE",
    "GOCACHE",
    "GOROOT",
    "GOMAXPROCS",
];

/// What is to be built, and where.
pub(crate) struct Build {
    pub(crate) folder: PathBuf,
    pub(crate) version: String,
    /// Whether what a real node runs is built, too.
    pub(crate) node: bool,
}

/// Programs that are built together.
struct Stage {
    sources: Sources,
    /// The file that says that they are built.
    built: &'static str,
    programs: Vec<&'static str>,
    packages: usize,
}

impl Stage {
    fn is_built(&self, place: &Path) -> bool {
        let is_there = self.programs.iter().all(|name| place.join(name).is_file());
        is_there && fs::read_to_string(place.join(self.built)).is_ok_and(|hash| hash == self.sources.hash())
    }

    /// The lines of the script that build them.
    fn script(&self) -> String {
        let stamp = stamp(self.sources.kubernetes());
        if self.built == NODE_BUILT {
            return format!("stamp='{stamp}'{NODE}");
        }
        format!("go build -v -trimpath -buildvcs=false -ldflags '{stamp}' -o bin/{CONTROL_PLANE} .\n")
    }
}

/// All that is wanted, or why it is unknown.
fn stages(version: &str, with_node: bool) -> Result<Vec<Stage>, ServeError> {
    let unknown = || ServeError::new(format!("Kubernetes {version} is unknown; use 1.33 or 1.37"));
    let sources = Sources::of(version).ok_or_else(unknown)?;
    let programs = NAMES.into_iter().chain([CONTROL_PLANE]).collect();
    let mut stages = vec![Stage { sources, built: BUILT, programs, packages: PACKAGES }];
    if with_node {
        let sources = Sources::of_node(version).ok_or_else(unknown)?;
        stages.push(Stage { sources, built: NODE_BUILT, programs: node::BUILT.to_vec(), packages: NODE_PACKAGES });
    }
    Ok(stages)
}

/// Builds the programs, unless they were built from the same sources before. A build that is interrupted leaves nothing.
pub(crate) async fn build(wanted: Build) -> Result<(), ServeError> {
    let Build { folder, version, node } = wanted;
    let mut stages = stages(&version, node)?;
    if !cfg!(target_os = "linux") {
        return Err(ServeError::new("a real control plane runs on Linux only"));
    }
    let failed = |fault: io::Error| ServeError::io(&folder.display().to_string(), &fault);
    let kubernetes = stages[0].sources.kubernetes();
    let what =
        if node { format!("Kubernetes {kubernetes} and what a node runs") } else { format!("Kubernetes {kubernetes}") };
    let place = folder.join("bin");
    stages.retain(|stage| !stage.is_built(&place));
    if stages.is_empty() {
        println!("{} has {what} already", folder.display());
        return Ok(());
    }
    if place.exists() && ![BUILT, NODE_BUILT].iter().any(|name| place.join(name).is_file()) {
        let shown = place.display();
        return Err(ServeError::new(format!("{shown} exists and holds other programs; choose a new folder")));
    }
    let settings = demand_go(&stages)?;
    fs::create_dir_all(&folder).map_err(failed)?;
    let folder = std::path::absolute(&folder).map_err(failed)?;
    leftovers::remove(&folder);
    demand_disk(&folder)?;
    let mut guard = Guard::new(&folder).map_err(failed)?;
    prepare(guard.folder(), &stages).map_err(failed)?;
    let variables = variables(guard.folder(), settings);
    let began = Instant::now();
    let arguments = ["-c", RUN].map(str::to_owned);
    guard.start("go", Path::new("/bin/sh"), &arguments, &variables).map_err(failed)?;
    let packages = stages.iter().map(|stage| stage.packages).sum();
    // Nothing else runs in this process that blocking calls could hold up.
    while guard.ended().is_none() {
        report(&guard, began, packages);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    finish(&guard, &folder.join("bin"), &stages)?;
    drop(guard);
    println!("built {what} in {} s: {}", began.elapsed().as_secs(), folder.display());
    Ok(())
}

/// Writes the sources and the script.
fn prepare(folder: &Path, stages: &[Stage]) -> io::Result<()> {
    for (name, text) in stages.iter().flat_map(|stage| &stage.sources.files) {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
    }
    for name in ["bin", "tmp"] {
        fs::create_dir(folder.join(name))?;
    }
    fs::write(folder.join("build.sh"), stages.iter().map(Stage::script).collect::<String>())
}

/// The settings of Go on this machine, if there is one that can build it.
fn demand_go(stages: &[Stage]) -> Result<Vec<(String, String)>, ServeError> {
    let newest = stages.iter().max_by_key(|stage| numbers(stage.sources.go()));
    let (needed, wanted) = newest.map(|stage| (stage.sources.go(), stage.sources.kubernetes())).unwrap_or_default();
    let wanted = match newest {
        Some(stage) if stage.built == NODE_BUILT => format!("what a node of Kubernetes {wanted} runs"),
        _ => format!("Kubernetes {wanted}"),
    };
    let mut go = Command::new("go");
    go.arg("env").arg("GOVERSION").args(GO_SETTINGS).env("GOTOOLCHAIN", "local").stdin(Stdio::null());
    let output = go.output().map_err(|fault| {
        ServeError::new(format!(
            "cannot run go ({fault}): {wanted} is built with Go {needed} or newer; install it from https://go.dev/dl"
        ))
    })?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines = text.lines();
    let found = lines.next().unwrap_or_default().trim_start_matches("go").to_owned();
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(ServeError::new(format!("go env failed ({}): {}", output.status, why.trim())));
    }
    if numbers(&found) < numbers(needed) {
        return Err(ServeError::new(format!(
            "{wanted} is built with Go {needed} or newer, and this machine has {found}; install one from https://go.dev/dl"
        )));
    }
    let values = GO_SETTINGS.iter().zip(lines).filter(|(_, value)| !value.is_empty());
    Ok(values.map(|(name, value)| ((*name).to_owned(), value.to_owned())).collect())
}

/// The numbers of a version.
pub(super) fn numbers(version: &str) -> Vec<u32> {
    let word = version.split(' ').next().unwrap_or_default();
    word.split(['.', 'r', 'b', '-']).map_while(|part| part.parse().ok()).collect()
}

fn demand_disk(folder: &Path) -> Result<(), ServeError> {
    let output = Command::new("df").arg("-Pk").arg(folder).stdin(Stdio::null()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let free =
        text.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)).and_then(|word| word.parse::<u64>().ok());
    match free {
        Some(free) if free < DISK => Err(ServeError::new(format!(
            "{} has {} MB free, and a build needs {} MB while it runs; choose a folder on another disk",
            folder.display(),
            free / 1024,
            DISK / 1024
        ))),
        // Without `df`, the build itself finds out.
        _ => Ok(()),
    }
}

/// Go's caches are in the folder of the build and go with it, unless the user has named others.
fn variables(folder: &Path, settings: Vec<(String, String)>) -> Vec<(String, String)> {
    let place = |name: &str| folder.join(name).to_string_lossy().into_owned();
    // Go ignores a `go.mod` in the temporary folder itself.
    let own = [("GOPATH", place("path")), ("GOCACHE", place("cache")), ("TMPDIR", place("tmp"))];
    let fixed = [
        ("GOFLAGS", "-mod=readonly -modcacherw"),
        ("GOTOOLCHAIN", "local"),
        ("GOWORK", "off"),
        ("CGO_ENABLED", "0"),
        ("GOENV", "off"),
    ];
    let mut variables: Vec<(String, String)> = own.map(|(name, value)| (name.to_owned(), value)).to_vec();
    variables.extend(settings);
    variables.extend(VARIABLES.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))));
    variables.extend(fixed.map(|(name, value)| (name.to_owned(), value.to_owned())));
    variables
}

/// The flags of the linker with which a program of Kubernetes says which version it is.
fn stamp(version: &str) -> String {
    let mut numbers = version.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    let base = "-X k8s.io/component-base/version";
    format!(
        "-s -w -X k8s.io/client-go/pkg/version.gitVersion={version} {base}.gitVersion={version} {base}.gitMajor={major} \
         {base}.gitMinor={minor}"
    )
}

/// How far it is: on a terminal each second in one line, else each half minute.
fn report(guard: &Guard, began: Instant, expected: usize) {
    let log = guard.whole_log("go");
    let modules = log.lines().filter(|line| line.starts_with("go: downloading ")).count();
    let packages = log.lines().count() - modules;
    let seconds = began.elapsed().as_secs();
    let text = format!("{modules} modules downloaded, {packages} of about {expected} packages built, {seconds} s");
    let mut out = io::stderr();
    let is_terminal = out.is_terminal();
    if is_terminal {
        let _ = write!(out, "\r{text} ");
    } else if seconds.is_multiple_of(30) {
        let _ = writeln!(out, "{text}");
    }
}

/// Puts the programs into their place, if Go has built them.
fn finish(guard: &Guard, place: &Path, stages: &[Stage]) -> Result<(), ServeError> {
    if io::stderr().is_terminal() {
        eprintln!();
    }
    let made = guard.folder().join("bin");
    let code = fs::read_to_string(guard.folder().join(EXIT_CODE)).unwrap_or_default();
    let failed = |fault: io::Error| ServeError::io(&place.display().to_string(), &fault);
    if code.trim() == "0" && made.join(CONTROL_PLANE).is_file() {
        for name in NAMES {
            link(&made.join(name)).map_err(failed)?;
        }
    }
    let is_there = |name: &&str| made.join(name).is_file();
    if code.trim() != "0" || !stages.iter().flat_map(|stage| &stage.programs).all(is_there) {
        return Err(ServeError::new(cause(code.trim(), &guard.log("go"))));
    }
    fs::create_dir_all(place).map_err(failed)?;
    for stage in stages {
        // Until all programs are in their place, they are from no sources.
        fs::write(place.join(stage.built), "").map_err(failed)?;
    }
    for entry in fs::read_dir(&made).map_err(failed)?.flatten() {
        fs::rename(entry.path(), place.join(entry.file_name())).map_err(failed)?;
    }
    for stage in stages {
        fs::write(place.join(stage.built), stage.sources.hash()).map_err(failed)?;
    }
    Ok(())
}

/// Why Go built nothing. Without an exit code, it was killed.
fn cause(code: &str, log: &str) -> String {
    let has = |words: &[&str]| words.iter().any(|word| log.contains(word));
    let hint = if has(&["runc is not installed"]) {
        "; install the package runc"
    } else if has(&["dial tcp", "no such host", "i/o timeout", "connection refused", "TLS handshake", "proxyconnect"]) {
        "; modules are downloaded from GOPROXY: check the network and that setting"
    } else if has(&["no space left"]) {
        "; the disk is full"
    } else if has(&["signal: killed"]) {
        "; the linker needs 2.5 GB of memory"
    } else {
        ""
    };
    let end = match code {
        "" => String::from("it was killed"),
        "0" => String::from("it wrote no program"),
        code => format!("exit code {code}"),
    };
    format!("go could not build Kubernetes ({end}){hint}: {}", log.trim())
}

#[cfg(unix)]
fn link(name: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink("control-plane", name)
}

#[cfg(not(unix))]
fn link(_: &Path) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_go_are_compared_by_their_numbers() {
        assert!(numbers("1.26.8") > numbers("1.24.0"));
        assert!(numbers("1.9") < numbers("1.24.0"));
        assert!(numbers("1.24rc1") < numbers("1.24.0"));
        assert_eq!(numbers("1.25.0 X:nocoverageredesign"), [1, 25, 0]);
    }

    #[test]
    fn the_cause_of_a_failure_has_what_to_do() {
        let text = cause(
            "1",
            "go: k8s.io/kubernetes@v1.33.3: Get \"https://proxy.golang.org/x\": dial tcp: lookup proxy.golang.org: no such host",
        );
        assert!(text.contains("check the network") && text.contains("proxy.golang.org"));
        assert!(cause("1", "link: signal: killed").contains("memory"));
        assert!(cause("", "").contains("it was killed") && cause("0", "").contains("it wrote no program"));
    }
}
