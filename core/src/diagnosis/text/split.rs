//! A message of the kubelet, split into one text per try. The kubelet pulls once with each credential that it has: those of pull
//! secrets, the node's, and none; it joins the errors with commas, in brackets.

/// How the error of a try starts.
const STARTS: [&str; 7] = [
    "rpc error: code = ",
    "failed to pull ",
    "failed to resolve ",
    "failed to authorize: ",
    "failed to fetch ",
    "failed to copy: ",
    "failed to do request: ",
];

/// The tries of a message; the whole message if it is not a list.
pub(super) fn tries(message: &str) -> Vec<&str> {
    let mut tries = Vec::new();
    let mut rest = message;
    let mut from = 0;
    while let Some(at) = rest[from..].find(", ").map(|at| from + at) {
        let after = &rest[at + 2..];
        if STARTS.iter().any(|start| after.starts_with(start)) {
            tries.push(&rest[..at]);
            (rest, from) = (after, 0);
        } else {
            from = at + 2;
        }
    }
    tries.push(rest);
    tries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_credential_has_its_own_text() {
        let message =
            "[rpc error: code = Unknown desc = failed to pull and unpack image \"a\": a, b: c, failed to authorize: d]";
        assert_eq!(
            tries(message),
            [
                "[rpc error: code = Unknown desc = failed to pull and unpack image \"a\": a, b: c",
                "failed to authorize: d]"
            ]
        );
        assert_eq!(tries("certificate is valid for a, b, not c"), ["certificate is valid for a, b, not c"]);
        assert_eq!(tries(""), [""]);
    }
}
