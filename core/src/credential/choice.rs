//! Which credentials are used, and in what order.

use crate::{
    environment::Environment,
    error::{Error, Result},
};

const VARIABLE: &str = "AZURE_TOKEN_CREDENTIALS";

/// A credential of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Environment,
    GitHubActions,
    WorkloadIdentity,
    AzurePipelines,
    ManagedIdentity,
    AzureCli,
    AzureDeveloperCli,
}

/// The order of Azure's SDKs. `DefaultAzureCredential` has neither GitHub Actions nor Azure Pipelines; both are detected by variables
/// that are set nowhere else.
const ALL: [Kind; 7] = [
    Kind::Environment,
    Kind::GitHubActions,
    Kind::WorkloadIdentity,
    Kind::AzurePipelines,
    Kind::ManagedIdentity,
    Kind::AzureCli,
    Kind::AzureDeveloperCli,
];
const DEPLOYED: usize = 5;

impl Kind {
    /// Its name, as in Azure's SDKs where they have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Environment => "EnvironmentCredential",
            Self::GitHubActions => "GitHubActionsCredential",
            Self::WorkloadIdentity => "WorkloadIdentityCredential",
            Self::AzurePipelines => "AzurePipelinesCredential",
            Self::ManagedIdentity => "ManagedIdentityCredential",
            Self::AzureCli => "AzureCliCredential",
            Self::AzureDeveloperCli => "AzureDeveloperCliCredential",
        }
    }
}

/// Reads the variable that restricts the chain in the SDKs.
pub(super) fn kinds(environment: &Environment) -> Result<&'static [Kind]> {
    let all: &'static [Kind] = &ALL;
    let Some(asked) = environment.get(VARIABLE) else { return Ok(all) };
    let word = asked.trim();
    if word.eq_ignore_ascii_case("prod") {
        return Ok(&all[..DEPLOYED]);
    }
    if word.eq_ignore_ascii_case("dev") {
        return Ok(&all[DEPLOYED..]);
    }
    let at = ALL.iter().position(|kind| kind.name().eq_ignore_ascii_case(word));
    at.map(|at| &all[at..=at]).ok_or_else(|| {
        let names = ALL.map(Kind::name).join(", ");
        Error::invalid(format!("expected dev, prod or one of {names}"), VARIABLE, asked)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: &'static str) -> Result<&'static [Kind]> {
        kinds(&Environment::new(move |name| (name == VARIABLE).then(|| value.to_owned())))
    }

    #[test]
    fn the_variable_narrows_the_chain() {
        assert_eq!(asked("").unwrap(), ALL);
        assert_eq!(asked("PROD").unwrap().last(), Some(&Kind::ManagedIdentity));
        assert_eq!(asked("dev").unwrap(), [Kind::AzureCli, Kind::AzureDeveloperCli]);
        assert_eq!(asked(" azureclicredential ").unwrap(), [Kind::AzureCli]);
    }

    #[test]
    fn an_unknown_credential_name_is_rejected() {
        let err = asked("InteractiveBrowserCredential").unwrap_err();
        assert_eq!(err.kind(), crate::ErrorKind::InvalidInput);
        assert!(err.to_string().contains("AZURE_TOKEN_CREDENTIALS: InteractiveBrowserCredential"), "{err}");
    }
}
