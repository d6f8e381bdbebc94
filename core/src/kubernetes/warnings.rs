//! The warnings of an API server, which it sends in headers beside a success.

use http::HeaderMap;

/// The code of warnings that are meant for a user. See [Warning](https://www.rfc-editor.org/rfc/rfc7234#section-5.5).
const FOR_USERS: &str = "299";

/// The texts of all warnings: Pod Security admission, deprecated versions, policies that only warn.
pub(crate) fn warnings(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all("warning").iter();
    // Texts are UTF-8, which HTTP only calls opaque.
    values.flat_map(|value| read(&String::from_utf8_lossy(value.as_bytes()))).collect()
}

/// One header may have several, such as `299 - "one", 299 - "two"`. A date may follow each. Anything in another form is left out.
fn read(header: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), header);
    while let Some((code, after)) = rest.trim_start_matches([' ', ',']).split_once(' ') {
        let Some((_agent, after)) = after.trim_start().split_once(' ') else { break };
        let Some((text, after)) = quoted(after.trim_start()) else { break };
        let date = after.strip_prefix(' ').and_then(|date| quoted(date.trim_start()));
        rest = date.map_or(after, |(_, after)| after);
        if code == FOR_USERS {
            found.push(text);
        }
    }
    found
}

/// A string in quotation marks, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let (mut unescaped, mut is_escaped) = (String::new(), false);
    for (at, letter) in inner.char_indices() {
        match letter {
            '"' if !is_escaped => return Some((unescaped, &inner[at + 1..])),
            '\\' if !is_escaped => is_escaped = true,
            letter => {
                unescaped.push(letter);
                is_escaped = false;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_each_warning_is_read() {
        for (header, wanted) in [
            (r#"299 - "extensions/v1beta1 Ingress is deprecated""#, vec!["extensions/v1beta1 Ingress is deprecated"]),
            (r#"299 - "would violate \"restricted\", \\ and more""#, vec![r#"would violate "restricted", \ and more"#]),
            (
                r#"299 - "one", 299 kube "two" "Sat, 28 Nov 2026 10:00:00 GMT", 199 - "three",299 - "four""#,
                vec!["one", "two", "four"],
            ),
            (r#"299 - "nächste""#, vec!["nächste"]),
            (r#"299 - "no end"#, vec![]),
            (r#"299 - "one", rubbish"#, vec!["one"]),
            ("299", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(read(header), wanted, "{header}");
        }
    }

    #[test]
    fn each_header_counts() {
        let mut headers = HeaderMap::new();
        headers.append("warning", http::HeaderValue::from_static(r#"299 - "one""#));
        headers.append("warning", http::HeaderValue::from_static(r#"299 - "two""#));
        assert_eq!(warnings(&headers), ["one", "two"]);
    }
}
