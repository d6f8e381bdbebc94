//! Orders that make trouble.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Refusal, unclear};
use crate::emulator::Emulator;
use crate::fault::{Fault, Storm};

/// A fault to come.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of an order, and they are independent")]
pub(in crate::serve) struct FaultOrder {
    #[serde(default = "any")]
    method: String,
    part: String,
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    times: Option<usize>,
    #[serde(default)]
    after_effect: bool,
    #[serde(default)]
    reset: bool,
    #[serde(default)]
    delay_ms: u64,
    #[serde(default)]
    page: bool,
    content_type: Option<String>,
    #[serde(default)]
    truncated: bool,
    slow_ms: Option<u64>,
    #[serde(default)]
    expired_token: bool,
    #[serde(default)]
    repeated_page: bool,
    #[serde(default)]
    silent: bool,
    silent_after_ms: Option<u64>,
}

fn any() -> String {
    String::from("*")
}

const WORDS: &str = "status=, times=, delay=, slow=, type=, header=NAME:VALUE, after, reset, silent, silent=, truncated, page, expired, repeated";

impl FaultOrder {
    /// Reads one from a command line: `PUT /roleAssignments/ status=429 header=retry-after:2 times=2 after`.
    pub(in crate::serve) fn parse(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let (Some(method), Some(part)) = (words.next(), words.next()) else {
            return Err(String::from("a fault must start with a method (or *) and a part of a URL"));
        };
        let mut order = json!({"method": method, "part": part, "headers": {}});
        for word in words {
            let number = |value: &str| value.parse::<u64>().map_err(|_| format!("{word}: must be a number"));
            match word.split_once('=') {
                None if word == "after" => order["afterEffect"] = true.into(),
                None if ["reset", "page", "truncated", "silent"].contains(&word) => order[word] = true.into(),
                None if word == "expired" => order["expiredToken"] = true.into(),
                None if word == "repeated" => order["repeatedPage"] = true.into(),
                Some(("type", value)) => order["contentType"] = value.into(),
                Some(("silent", value)) => order["silentAfterMs"] = number(value)?.into(),
                Some(("slow", value)) => order["slowMs"] = number(value)?.into(),
                Some(("status", value)) => order["status"] = number(value)?.into(),
                Some(("times", value)) => order["times"] = number(value)?.into(),
                Some(("delay", value)) => order["delayMs"] = number(value)?.into(),
                Some(("header", value)) => {
                    let (name, value) = value.split_once(':').ok_or_else(|| format!("{word}: no colon"))?;
                    order["headers"][name] = value.into();
                }
                _ => {
                    return Err(format!("{word}: must be one of {WORDS}"));
                }
            }
        }
        serde_json::from_value(order).map_err(|fault| fault.to_string())
    }

    pub(in crate::serve) fn obey(self, emulator: &Emulator) -> Value {
        let mut fault = Fault::on(&self.method, &self.part).delay(Duration::from_millis(self.delay_ms));
        fault = self.status.into_iter().fold(fault, Fault::status);
        fault = self.headers.iter().fold(fault, |fault, (name, value)| fault.header(name, value));
        fault = self.body.into_iter().fold(fault, Fault::body);
        fault = self.times.into_iter().fold(fault, Fault::times);
        if self.after_effect {
            fault = fault.after_effect();
        }
        for (wanted, change) in [
            (self.page, Fault::page as fn(Fault) -> Fault),
            (self.truncated, Fault::truncated),
            (self.reset, Fault::reset),
            (self.silent, Fault::silent),
            (self.expired_token, Fault::expired_token),
            (self.repeated_page, Fault::repeated_page),
        ] {
            fault = if wanted { change(fault) } else { fault };
        }
        fault = self.content_type.iter().fold(fault, |fault, kind| fault.content_type(kind));
        fault = self.slow_ms.into_iter().fold(fault, |fault, time| fault.slow_body(Duration::from_millis(time)));
        fault =
            self.silent_after_ms.into_iter().fold(fault, |fault, time| fault.silent_after(Duration::from_millis(time)));
        emulator.fault(fault);
        json!({})
    }
}

/// Faults by chance; a share of 0 ends them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StormOrder {
    #[serde(default)]
    seed: u64,
    share: f64,
}

impl StormOrder {
    pub(super) fn obey(self, emulator: &Emulator) -> Result<Value, Refusal> {
        if !(0.0..=1.0).contains(&self.share) {
            return Err(unclear(format!("share: must be a number from 0 to 1, not {}", self.share)));
        }
        if self.share > 0.0 {
            emulator.storm(Storm::new(self.seed, self.share));
        } else {
            emulator.calm();
        }
        Ok(json!({}))
    }
}

/// Whether Azure's published numbers of requests are limits.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ThrottleOrder {
    as_azure: bool,
}

impl ThrottleOrder {
    pub(super) fn obey(self, emulator: &Emulator) -> Value {
        emulator.throttle_as_azure(self.as_azure);
        json!({})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_from_words() {
        let order = FaultOrder::parse("PUT /roleAssignments/ status=429 header=retry-after:2 times=2 after").unwrap();
        assert_eq!((order.method.as_str(), order.part.as_str()), ("PUT", "/roleAssignments/"));
        assert_eq!((order.status, order.times, order.after_effect), (Some(429), Some(2), true));
        assert_eq!(order.headers["retry-after"], "2");
    }

    #[test]
    fn what_happens_to_a_body_and_a_token_is_read_from_words() {
        let order = FaultOrder::parse("GET /a slow=20 type=text/html truncated page expired repeated").unwrap();
        assert_eq!((order.slow_ms, order.content_type.as_deref()), (Some(20), Some("text/html")));
        assert!(order.truncated && order.page && order.expired_token && order.repeated_page && !order.reset);
    }

    #[test]
    fn words_that_mean_nothing_are_refused() {
        for text in ["", "PUT", "PUT / status=often", "PUT / sometimes", "PUT / header=x"] {
            assert!(FaultOrder::parse(text).is_err(), "{text}");
        }
    }
}
