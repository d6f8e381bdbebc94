//! az and azd as programs that are really started, and tell how.

use crate::{detector::Secrets, heard, kinds::Scene};
use aks_acr_emulator::Emulator;
use async_trait::async_trait;
use azure_identity::Executor;
use std::{
    ffi::OsStr,
    fs, io,
    os::unix::{fs::PermissionsExt as _, process::ExitStatusExt as _},
    path::PathBuf,
    process::{Command, ExitStatus, Output},
    sync::Arc,
};

/// A machine that has neither.
#[derive(Debug)]
pub struct NoTool;

#[async_trait]
impl Executor for NoTool {
    async fn run(&self, _: &OsStr, _: &[&OsStr]) -> io::Result<Output> {
        let stderr = b"/bin/sh: az: not found".to_vec();
        Ok(Output { status: ExitStatus::from_raw(127 << 8), stdout: Vec::new(), stderr })
    }
}

/// A machine that has one of the two, as a script: it writes down how it and who started it were called and what its environment
/// is, and gives the token that was laid out for it.
pub struct RealTool {
    azure: Emulator,
    secrets: Arc<Secrets>,
    folder: PathBuf,
    is_az: bool,
}

impl RealTool {
    pub fn install(name: &str, scene: &Scene) -> Self {
        let folder = scene.folder.path().to_owned();
        let shown = folder.display();
        let script = format!(
            "#!/bin/sh\nfor one in $$ $PPID; do tr '\\0' ' ' </proc/$one/cmdline; tr '\\0' '\\n' </proc/$one/environ; done >>{shown}/told\n\
             cat {shown}/answer\n"
        );
        let program = folder.join(name);
        fs::write(&program, script).unwrap();
        fs::set_permissions(program, fs::Permissions::from_mode(0o700)).unwrap();
        Self { azure: scene.azure.clone(), secrets: scene.secrets.clone(), folder, is_az: name == "az" }
    }
}

#[async_trait]
impl Executor for RealTool {
    async fn run(&self, program: &OsStr, arguments: &[&OsStr]) -> io::Result<Output> {
        let line = arguments.last().unwrap().to_string_lossy().into_owned();
        let scope = line.split("--scope ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        let token = self.azure.credential();
        let token = token.get_token(&[&scope], None).await.unwrap();
        let (secret, end) = (token.token.secret(), token.expires_on.unix_timestamp());
        self.secrets.add_token("a token of a tool", secret);
        let answer = if self.is_az {
            serde_json::json!({ "accessToken": secret, "expires_on": end, "tokenType": "Bearer" })
        } else {
            serde_json::json!({ "token": secret, "expiresOn": "2099-01-01T00:00:00Z" })
        };
        fs::write(self.folder.join("answer"), answer.to_string())?;
        let path = format!("{}:/usr/bin:/bin", self.folder.display());
        let done = Command::new(program).args(arguments).env("PATH", path).output();
        if let Ok(told) = fs::read_to_string(self.folder.join("told")) {
            heard::add(&format!("PROCESS {told}"));
        }
        done
    }
}

impl std::fmt::Debug for RealTool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RealTool")
    }
}
