//! az and azd, played.

use aks_acr_emulator::Emulator;
use async_trait::async_trait;
use azure_core::credentials::TokenCredential;
use azure_identity::Executor;
use std::{
    ffi::OsStr,
    io,
    os::unix::process::ExitStatusExt as _,
    process::{ExitStatus, Output},
    sync::{Arc, Mutex},
};

fn output(code: i32, stdout: String, stderr: &str) -> Output {
    Output { status: ExitStatus::from_raw(code << 8), stdout: stdout.into_bytes(), stderr: stderr.as_bytes().to_vec() }
}

/// A machine without either.
#[derive(Debug)]
pub struct Absent;

#[async_trait]
impl Executor for Absent {
    async fn run(&self, _: &OsStr, _: &[&OsStr]) -> io::Result<Output> {
        Ok(output(127, String::new(), "not found"))
    }
}

/// A machine on which the owner is signed in to one of them.
#[derive(Debug)]
pub struct SignedIn {
    tool: &'static str,
    credential: Arc<dyn TokenCredential>,
    /// The command lines, except for those of the other tool.
    pub runs: Mutex<Vec<String>>,
}

impl SignedIn {
    pub fn to(tool: &'static str, azure: &Emulator) -> Arc<Self> {
        Arc::new(Self { tool, credential: azure.credential(), runs: Mutex::default() })
    }
}

#[async_trait]
impl Executor for SignedIn {
    async fn run(&self, _: &OsStr, arguments: &[&OsStr]) -> io::Result<Output> {
        let line = arguments.last().unwrap().to_string_lossy().into_owned();
        let command = line.split("&& ").nth(1).unwrap().to_owned();
        if command.split(' ').next() != Some(self.tool) {
            return Ok(output(1, String::new(), "ERROR: not signed in"));
        }
        self.runs.lock().unwrap().push(command.clone());
        // A program takes its time, so that calls at once meet.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let scope = command.split("--scope ").nth(1).unwrap().split(' ').next().unwrap();
        let token = self.credential.get_token(&[scope], None).await.unwrap();
        let secret = token.token.secret();
        let end = token.expires_on.unix_timestamp();
        let stdout = match self.tool {
            "az" => serde_json::json!({"accessToken": secret, "expires_on": end, "tokenType": "Bearer"}),
            _ => serde_json::json!({"token": secret, "expiresOn": "2099-01-01T00:00:00Z"}),
        };
        Ok(output(0, stdout.to_string(), ""))
    }
}

/// A machine on which each of them ends like this.
#[derive(Debug)]
pub struct Says(i32, String);

impl Says {
    pub fn new(code: i32, text: &str) -> Arc<Self> {
        Arc::new(Self(code, text.to_owned()))
    }
}

#[async_trait]
impl Executor for Says {
    async fn run(&self, _: &OsStr, _: &[&OsStr]) -> io::Result<Output> {
        Ok(output(self.0, String::new(), &self.1))
    }
}
