//! Tests of the rule of comparison itself: a violation of each of its points is reported.

use super::{
    compare::{Rule, SEEN_ELSEWHERE, at, compare, shape},
    scene::Got,
};
use crate::{
    exchange::{Case, Exchange},
    list,
};
use aks_acr_tests::data;
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};
use std::path::Path;

const RULE: Rule = Rule { reads: &["/items/*/a"], same: &["/name"], beyond: &["/new"], headers: &[], types: &[] };

pub(crate) fn trials() -> Vec<Trial> {
    let body = || json!({"name": "n", "items": [{"a": 1}, {"a": 2, "b": null}]});
    let with = |member: &str, value: Value| {
        let mut body = body();
        body[member] = value;
        body
    };
    let link = "https://h/locations/EAST/operations/0d4f2d6e-2f04-11f1-aae9-44a3bbbaa7c4?t=1";
    let other = "https://h/locations/west/operations/11111111-2f04-11f1-aae9-44a3bbbaa7c4?t=2";
    let trial = |name: &str, told: Option<&'static str>, status: u16, location: Option<&'static str>, body: Value| {
        let recorded = recorded(link);
        Trial::test(format!("rule::{name}"), move || check(&recorded, told, &got(status, location, body)))
    };
    vec![
        trial("an_answer_alike_passes", None, 202, Some(other), body()),
        trial("an_allowed_member_passes", None, 202, Some(other), with("new", json!(1))),
        trial("another_status_is_told", Some("status 200"), 200, Some(other), body()),
        trial("a_missing_header_is_told", Some("location is missing"), 202, None, body()),
        trial("another_path_is_told", Some("location is"), 202, Some("https://h/elsewhere"), body()),
        trial("a_member_never_recorded_is_told", Some("/odd was not"), 202, Some(other), with("odd", json!(1))),
        trial("another_type_is_told", Some("/items is"), 202, Some(other), with("items", json!({}))),
        trial(
            "another_type_in_a_list_is_told",
            Some("/items/*/a is"),
            202,
            Some(other),
            with("items", json!([{"a": "1"}])),
        ),
        trial(
            "a_missing_member_that_is_read_is_told",
            Some("clients read"),
            202,
            Some(other),
            with("items", json!([])),
        ),
        trial("another_value_is_told", Some("/name is"), 202, Some(other), with("name", json!("m"))),
        Trial::test("rule::another_code_or_text_is_told", || {
            errors();
            Ok(())
        }),
        data::trial("rule::what_may_be_new_was_recorded_elsewhere", was_recorded),
    ]
}

fn recorded(link: &str) -> Exchange {
    let body = json!({"name": "n", "items": [{"a": 3, "b": null}]});
    json!({"request": {"method": "GET", "url": ""}, "response": {"status": 202, "headers": {"location": link}, "body": body}})
        .into()
}

fn got(status: u16, location: Option<&'static str>, body: Value) -> Got {
    let mut headers = Headers::new();
    if let Some(link) = location {
        headers.insert(HeaderName::from_static("location"), HeaderValue::from_static(link));
    }
    Got::new(status, headers, body)
}

fn check(recorded: &Exchange, told: Option<&str>, got: &Got) -> Result<(), Failed> {
    match (compare(recorded, got, &RULE), told) {
        (Ok(()), None) => Ok(()),
        (Err(why), Some(told)) if why.message().is_some_and(|text| text.contains(told)) => Ok(()),
        (outcome, _) => Err(format!("it told {outcome:?}").into()),
    }
}

fn errors() {
    let error = |code: &str, id: &str| json!({"error": {"code": code, "message": format!("no {id} here")}});
    let id = "bc21dc3295da43e385b98ba448abf8aa";
    let recorded = Exchange::from(json!({"response": {"status": 404, "headers": {}, "body": error("C", id)}}));
    let told = |body: Value| compare(&recorded, &Got::new(404, Headers::new(), body), &Rule::default()).is_err();
    assert!(!told(error("C", "11111111-0000-0000-0000-000000000001")), "ids differ from cloud to cloud");
    assert!(told(error("D", id)));
    assert!(told(error("C", "word")));
    assert_eq!(shape("https://h/a/registries-<guid>?x"), shape(&format!("https://h/A/registries-{id}")));
}

/// Each member that the rule lets pass where a recording is too old for it stands in another recording.
fn was_recorded(folder: &Path) -> Result<(), Failed> {
    let mut left = SEEN_ELSEWHERE.to_vec();
    for file in list::recorded(folder)? {
        let body = Case::read(folder, &file)?.exchange.body;
        left.retain(|pointer| at(&body, pointer).is_empty() && at(&body, &format!("/value/*{pointer}")).is_empty());
    }
    if left.is_empty() { Ok(()) } else { Err(format!("never recorded: {left:?}").into()) }
}
