//! Building a control plane with the user's Go.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::Instant;

use super::guard::Guard;
use super::leftovers;
use super::sources::Sources;
use crate::serve::ServeError;

/// The names by which the one program is called.
const NAMES: [&str; 5] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"];
/// The file that says from what a folder's programs were built.
const BUILT: &str = "built-from";
/// Go, as the program whose exit code is in a file afterwards: the guard does not reap it before the end.
const GO: &str = r#"go "$@"; echo $? >exit-code"#;
const EXIT_CODE: &str = "exit-code";
/// The disk that a build needs, in KiB: the modules, and the compiler's cache.
const DISK: u64 = 5 * 1024 * 1024;
/// As many packages are built, about.
const PACKAGES: usize = 2_500;
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
}

/// Builds the programs, unless they were built from the same sources before. A build that is interrupted leaves nothing.
pub(crate) async fn build(wanted: Build) -> Result<(), ServeError> {
    let Build { folder, version } = wanted;
    let sources = Sources::of(&version)
        .ok_or_else(|| ServeError::new(format!("Kubernetes {version} is unknown; use 1.33 or 1.37")))?;
    if !cfg!(target_os = "linux") {
        return Err(ServeError::new("a real control plane runs on Linux only"));
    }
    let failed = |fault: io::Error| ServeError::io(&folder.display().to_string(), &fault);
    if is_built(&folder, &sources) {
        println!("{} has Kubernetes {} already", folder.display(), sources.kubernetes());
        return Ok(());
    }
    let place = folder.join("bin");
    if place.exists() && !place.join(BUILT).is_file() {
        let shown = place.display();
        return Err(ServeError::new(format!("{shown} exists and holds other programs; choose a new folder")));
    }
    let settings = demand_go(&sources)?;
    fs::create_dir_all(&folder).map_err(failed)?;
    let folder = std::path::absolute(&folder).map_err(failed)?;
    leftovers::remove(&folder);
    demand_disk(&folder)?;
    let mut guard = Guard::new(&folder).map_err(failed)?;
    for (name, text) in sources.files {
        fs::write(guard.folder().join(name), text).map_err(failed)?;
    }
    for name in ["bin", "tmp"] {
        fs::create_dir(guard.folder().join(name)).map_err(failed)?;
    }
    let variables = variables(guard.folder(), settings);
    let began = Instant::now();
    guard.start("go", Path::new("/bin/sh"), &arguments(&sources), &variables).map_err(failed)?;
    // Nothing else runs in this process that blocking calls could hold up.
    while guard.ended().is_none() {
        report(&guard, began);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    finish(&guard, &folder, &sources)?;
    drop(guard);
    println!("built Kubernetes {} in {} s: {}", sources.kubernetes(), began.elapsed().as_secs(), folder.display());
    Ok(())
}

fn is_built(folder: &Path, sources: &Sources) -> bool {
    let is_there = NAMES.iter().all(|name| folder.join("bin").join(name).is_file());
    is_there && fs::read_to_string(folder.join("bin").join(BUILT)).is_ok_and(|hash| hash == sources.hash())
}

/// The settings of Go on this machine, if there is one that can build it.
fn demand_go(sources: &Sources) -> Result<Vec<(String, String)>, ServeError> {
    let (needed, wanted) = (sources.go(), sources.kubernetes());
    let mut go = Command::new("go");
    go.arg("env").arg("GOVERSION").args(GO_SETTINGS).env("GOTOOLCHAIN", "local").stdin(Stdio::null());
    let output = go.output().map_err(|fault| {
        ServeError::new(format!(
            "cannot run go ({fault}): Kubernetes {wanted} is built with Go {needed} or newer; install it from https://go.dev/dl"
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
            "Kubernetes {wanted} is built with Go {needed} or newer, and this machine has {found}; install one from https://go.dev/dl"
        )));
    }
    let values = GO_SETTINGS.iter().zip(lines).filter(|(_, value)| !value.is_empty());
    Ok(values.map(|(name, value)| ((*name).to_owned(), value.to_owned())).collect())
}

/// The numbers of a version.
fn numbers(version: &str) -> Vec<u32> {
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

fn arguments(sources: &Sources) -> Vec<String> {
    let version = sources.kubernetes();
    let mut numbers = version.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    let base = "-X k8s.io/component-base/version";
    let stamp = format!(
        "-s -w -X k8s.io/client-go/pkg/version.gitVersion={version} {base}.gitVersion={version} {base}.gitMajor={major} \
         {base}.gitMinor={minor}"
    );
    let words = [
        "-c",
        GO,
        "go",
        "build",
        "-v",
        "-trimpath",
        "-buildvcs=false",
        "-ldflags",
        &stamp,
        "-o",
        "bin/control-plane",
        ".",
    ];
    words.map(str::to_owned).to_vec()
}

/// How far it is: on a terminal each second in one line, else each half minute.
fn report(guard: &Guard, began: Instant) {
    let log = guard.whole_log("go");
    let modules = log.lines().filter(|line| line.starts_with("go: downloading ")).count();
    let packages = log.lines().count() - modules;
    let seconds = began.elapsed().as_secs();
    let text = format!("{modules} modules downloaded, {packages} of about {PACKAGES} packages built, {seconds} s");
    let mut out = io::stderr();
    let is_terminal = out.is_terminal();
    if is_terminal {
        let _ = write!(out, "\r{text} ");
    } else if seconds.is_multiple_of(30) {
        let _ = writeln!(out, "{text}");
    }
}

/// Puts the programs into their place, if Go has built them.
fn finish(guard: &Guard, folder: &Path, sources: &Sources) -> Result<(), ServeError> {
    if io::stderr().is_terminal() {
        eprintln!();
    }
    let made = guard.folder().join("bin");
    let code = fs::read_to_string(guard.folder().join(EXIT_CODE)).unwrap_or_default();
    if code.trim() != "0" || !made.join("control-plane").is_file() {
        return Err(ServeError::new(cause(code.trim(), &guard.log("go"))));
    }
    let failed = |fault: io::Error| ServeError::io(&folder.display().to_string(), &fault);
    for name in NAMES {
        link(&made.join(name)).map_err(failed)?;
    }
    fs::write(made.join(BUILT), sources.hash()).map_err(failed)?;
    let place = folder.join("bin");
    if place.exists() {
        fs::remove_dir_all(&place).map_err(failed)?;
    }
    fs::rename(&made, &place).map_err(failed)
}

/// Why Go built nothing. Without an exit code, it was killed.
fn cause(code: &str, log: &str) -> String {
    let has = |words: &[&str]| words.iter().any(|word| log.contains(word));
    let hint =
        if has(&["dial tcp", "no such host", "i/o timeout", "connection refused", "TLS handshake", "proxyconnect"]) {
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
