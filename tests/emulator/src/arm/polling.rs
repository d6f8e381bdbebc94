//! What the addresses of operations have in common.

use http::StatusCode;

use crate::reply::{Reply, arm_error};

/// A path as it may stand in an address: groups may have names with spaces, brackets and letters of any script.
pub(crate) fn escaped(path: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~()$:@!,;=".contains(&byte);
    path.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// The signed part of a polling address. It changes with every answer, as Azure's does.
pub(crate) fn signature(id: &str) -> String {
    let fresh = uuid::Uuid::new_v4().simple().to_string();
    format!("&t=638575015259716350&c=MII{fresh}&s={}{fresh}&h={fresh}", id.replace('-', ""))
}

pub(crate) fn operation_missing(id: &str) -> Reply {
    let message = format!("The operation '{id}' was not found.");
    arm_error(StatusCode::NOT_FOUND, "OperationNotFound", &message)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_path_is_escaped_where_an_address_needs_it() {
        assert_eq!(super::escaped("/groups/Grün (1)"), "/groups/Gr%C3%BCn%20(1)");
    }
}
