//! The program: what it prints, what it leaves behind, how it ends.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A folder that goes with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("aks-acr-emulator-test-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running program; it does not outlive the test.
pub struct Program(pub Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aks-acr-emulator"));
    command.arg("serve").args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts it; the answer is what it printed until it was ready, and itself.
pub fn started(arguments: &[&str]) -> (String, Program) {
    started_by(command(arguments))
}

/// The same by a command of another make.
pub fn started_by(mut command: Command) -> (String, Program) {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut program = Program(command.spawn().unwrap());
    let lines = BufReader::new(program.0.stdout.take().unwrap()).lines();
    let mut told = String::new();
    for line in lines {
        let line = line.unwrap();
        if line.trim_start_matches("# ") == "ready" {
            return (told, program);
        }
        told.push_str(&line);
        told.push('\n');
    }
    let mut why = String::new();
    program.0.stderr.take().unwrap().read_to_string(&mut why).unwrap();
    panic!("it ended before it was ready: {why}");
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn it_says_in_json_where_everything_is_and_ends_well_at_a_signal() {
    let folder = Folder::new("json");
    let authority = folder.file("ca.pem");
    let (told, mut program) = started(&["--format", "json", "--ca-file", text(&authority)]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert!(told["origin"].as_str().unwrap().starts_with("https://localhost:"));
    assert_eq!(told["environment"]["HTTPS_PROXY"], told["proxy"]);
    assert_eq!(told["caFile"], text(&authority));
    for client in ["az", "azCustomCloud", "python", "node", "kubectl", "aksAcr"] {
        assert!(told["clients"][client]["environment"].is_object(), "{client}");
    }
    assert!(std::fs::read_to_string(&authority).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    #[cfg(unix)]
    {
        let status = Command::new("kill").args(["-TERM", &program.0.id().to_string()]).status().unwrap();
        assert!(status.success());
        assert_eq!(program.0.wait().unwrap().code(), Some(0));
    }
    #[cfg(not(unix))]
    program.0.kill().unwrap();
}

#[cfg(unix)]
#[test]
fn the_certificate_is_for_its_owner_and_goes_through_no_link() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("link");
    let (elsewhere, authority) = (folder.file("elsewhere"), folder.file("ca.pem"));
    std::fs::write(&elsewhere, "mine").unwrap();
    std::os::unix::fs::symlink(&elsewhere, &authority).unwrap();
    let (_, _program) = started(&["--ca-file", text(&authority)]);
    assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "mine");
    let known = std::fs::symlink_metadata(&authority).unwrap();
    assert!(known.is_file());
    assert_eq!(known.permissions().mode() & 0o777, 0o600);
}

#[cfg(unix)]
#[test]
fn a_shell_sources_what_it_says() {
    let (told, _program) = started(&["--format", "env", "--caller", "ci:hu'sh:AcrPush"]);
    let script = format!("{told}\nprintf %s \"$AZURE_SUBSCRIPTION_ID|$AKS_ACR_EMULATOR_PROXY\"");
    let said = Command::new("sh").args(["-euc", &script]).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let (subscription, proxy) = said.split_once('|').unwrap();
    assert_eq!(subscription.len(), 36);
    assert!(proxy.starts_with("http://127.0.0.1:"));
}

#[test]
fn what_cannot_be_done_is_told_and_the_exit_code_says_so() {
    let folder = Folder::new("refused");
    let seed = folder.file("seed.yaml");
    std::fs::write(&seed, "castles: []").unwrap();
    for (arguments, code) in [
        (&["--listen", "0.0.0.0:0"][..], 1),
        (&["--ca-file", text(&seed)], 1),
        (&["--ca-file", text(&folder.0)], 1),
        (&["--proxy", "0.0.0.0:0"], 1),
        (&["--seed", text(&seed)], 1),
        (&["--seed", "/nowhere/at/all.yaml"], 1),
        (&["--caller", "ci:hush:Sorcerer"], 1),
        (&["--fault", "PUT"], 2),
        (&["--clock", "never"], 2),
        (&["--format", "song"], 2),
    ] {
        let ended = command(arguments).output().unwrap();
        assert_eq!(ended.status.code(), Some(code), "{arguments:?}");
        assert!(!ended.stderr.is_empty() && ended.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(std::fs::read_to_string(&seed).unwrap(), "castles: []");
}
