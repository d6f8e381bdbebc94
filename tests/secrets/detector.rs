//! What must be seen nowhere, and a look whether it is.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// Shorter ones would be found by chance.
const SHORTEST: usize = 10;

/// Secrets, each in every form in which it could be shown.
#[derive(Debug, Default)]
pub struct Secrets {
    /// The form, and what it is one of.
    forms: Mutex<BTreeMap<String, String>>,
}

impl Secrets {
    /// Takes a secret: as it is, in the text of a JSON string, in an address, in base64 wherever it begins there.
    pub fn add(&self, what: &str, secret: &str) {
        if secret.trim().len() < SHORTEST {
            return;
        }
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let escaped = serde_json::Value::from(secret).to_string();
        let mut forms = vec![
            (secret.to_owned(), "as it is"),
            (escaped.trim_matches('"').to_owned(), "escaped"),
            (encoded.replace('+', "%20"), "in an address"),
            (encoded, "in a form"),
        ];
        for shift in 0..3 {
            for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                forms.push((within_base64(&engine, secret, shift), "in base64"));
            }
        }
        let mut known = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        for (form, how) in forms {
            known.entry(form).or_insert_with(|| format!("{what}, {how}"));
        }
    }

    /// Takes a token: whole, and each of its parts.
    pub fn add_token(&self, what: &str, token: &str) {
        self.add(what, token);
        for (number, part) in token.split('.').enumerate() {
            if token.contains('.') && part.len() >= SHORTEST {
                self.add(&format!("part {} of {what}", number + 1), part);
            }
        }
    }

    /// Takes a key in PEM: whole, and each of its lines.
    pub fn add_pem(&self, what: &str, pem: &str) {
        self.add(what, pem);
        for line in pem.lines().filter(|line| !line.starts_with("-----") && line.len() >= 32) {
            self.add(what, line);
        }
    }

    /// Takes what is secret in a kubeconfig: keys, tokens, passwords. Its certificates are not.
    pub fn add_kubeconfig(&self, text: &str) {
        for line in text.lines() {
            let Some((name, value)) = line.trim().trim_start_matches("- ").split_once(": ") else { continue };
            let value = value.trim_matches(['"', '\'']);
            if matches!(name, "client-key-data" | "token" | "password" | "id-token" | "refresh-token") {
                self.add_token(&format!("{name} of a kubeconfig"), value);
                if let Some(pem) = STANDARD.decode(value).ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
                    self.add_pem(&format!("{name} of a kubeconfig"), &pem);
                }
            }
        }
    }

    /// How many forms are looked for.
    pub fn count(&self) -> usize {
        self.forms.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The secrets in a text, each with a little of what stands before it.
    pub fn found_in(&self, text: &str) -> Vec<String> {
        let known = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().filter_map(|(form, what)| {
            let at = text.find(form.as_str())?;
            let before: String = text[..at].chars().rev().take(160).collect::<Vec<_>>().into_iter().rev().collect();
            Some(format!("{what}: …{before}‹here›"))
        });
        found.collect()
    }
}

/// What of a text's base64 is the same whatever stands before and behind it, where it begins at this place of three.
fn within_base64(engine: &impl base64::Engine, text: &str, shift: usize) -> String {
    let mut bytes = vec![0; shift];
    bytes.extend_from_slice(text.as_bytes());
    let rest = bytes.len() % 3;
    let encoded = engine.encode(bytes);
    let first = [0, 2, 3][shift];
    // The last letter of what does not fill up three bytes depends on what follows.
    encoded[first..encoded.len() - usize::from(rest != 0)].to_owned()
}

/// Whether leaks are found that were made on purpose. Without that, finding none would say nothing.
pub fn finds_what_is_leaked() {
    let secrets = Secrets::default();
    let (password, token) = ("pa:ss word/42+\"x", "eyJhbGciOiJub25l.eyJzdWIiOiJzb21lYm9keSJ9.c2lnbmF0dXJl");
    let pem =
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC");
    secrets.add("password", password);
    secrets.add_token("token", token);
    secrets.add_pem("key", &pem);
    secrets.add_kubeconfig("users:\n- name: u\n  user:\n    token: kubeconfigs-own-token\n    client-certificate-data: cHVibGljLXB1YmxpYw==\n");
    let basic = |user: &str| format!("Proxy-Authorization: Basic {}", STANDARD.encode(format!("{user}:{password}")));
    let leaks = [
        format!("password={password}"),
        serde_json::json!({ "secret": password }).to_string(),
        "http://user:pa%3Ass%20word%2F42%2B%22x@proxy".to_owned(),
        "client_secret=pa%3Ass+word%2F42%2B%22x&x=y".to_owned(),
        basic("a"),
        basic("ab"),
        basic("abc"),
        format!("authorization: Bearer {token}"),
        "the payload was eyJzdWIiOiJzb21lYm9keSJ9".to_owned(),
        "the signature was c2lnbmF0dXJl".to_owned(),
        "line 1: MIIEvQIBADANBgkqhkiG9w0BAQEFAASC".to_owned(),
        STANDARD.encode(&pem),
        "Bearer kubeconfigs-own-token".to_owned(),
    ];
    for leak in leaks {
        assert!(!secrets.found_in(&leak).is_empty(), "not found: {leak}");
    }
    for harmless in ["password=***", "Bearer [redacted]", "client-certificate-data: cHVibGljLXB1YmxpYw==", "Basic YTpi"]
    {
        assert_eq!(secrets.found_in(harmless), Vec::<String>::new());
    }
}
