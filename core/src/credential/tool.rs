//! Why az and azd return no token. They report it as text only, so the text decides: the messages of their HTTP libraries, `requests`
//! with `urllib3` for az, Go's `net` for azd. Any other text counts as not signed in.

use super::choice::Kind;
use crate::{
    error::ErrorKind,
    http::{SignInTrouble, is_transient_if_no_connection},
};

/// The network problem in a tool's text, if there is one.
pub(super) fn trouble(kind: Kind, text: &str) -> Option<SignInTrouble> {
    if !matches!(kind, Kind::AzureCli | Kind::AzureDeveloperCli) {
        return None;
    }
    let is_transient = is_transient_if_no_connection(text)?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let mut trouble = SignInTrouble::new(ErrorKind::Unavailable, "", format!("{}: {line}", kind.name()));
    trouble.is_transient = is_transient;
    Some(trouble)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_without_a_network_differs_from_one_without_a_sign_in() {
        for (text, transient) in [
            (
                "ERROR: HTTPSConnectionPool(host='login.microsoftonline.com', port=443): Max retries exceeded with url: /t/oauth2/v2.0/token \
                 (Caused by NewConnectionError('<x>: Failed to establish a new connection: [Errno -3] Temporary failure in name resolution'))",
                true,
            ),
            ("ERROR: ('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))", true),
            (
                "ERROR: HTTPSConnectionPool(host='h', port=443): Max retries exceeded with url: / (Caused by SSLError(SSLCertVerificationError(1, \
                 '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed')))",
                false,
            ),
            ("ERROR: fetching token: Post \"https://h/\": dial tcp: lookup h on 10.0.0.2:53: no such host", true),
        ] {
            let trouble = trouble(Kind::AzureCli, text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((trouble.kind, trouble.is_transient), (ErrorKind::Unavailable, transient), "{text}");
        }
        for text in [
            "ERROR: Please run 'az login' to setup account.",
            "ERROR: AADSTS700082: The refresh token has expired",
            "az not found on PATH",
            "",
        ] {
            assert!(trouble(Kind::AzureCli, text).is_none(), "{text}");
        }
        assert!(trouble(Kind::Environment, "Max retries exceeded with url").is_none());
    }
}
