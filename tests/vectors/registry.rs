//! Registry names and login servers.

use super::{rows, text};
use aks_acr::{CallOptions, Client, CreateRegistryOptions, ErrorKind, RegistryRef};
use aks_acr_tests::{
    data,
    replay::{Answer, Named, Replay},
};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};
use std::sync::Arc;

const SUBSCRIPTION: &str = "22222222-2222-2222-2222-222222222222";

pub(super) fn trials(file: &Value) -> Vec<Trial> {
    rows(file, "cases").iter().flat_map(trials_of).collect()
}

fn trials_of(row: &Value) -> [Trial; 2] {
    let shown = row["input"].as_str().unwrap_or_default().escape_debug().to_string();
    let (named, created) = (row.clone(), row.clone());
    [
        data::trial(format!("registry_name::named::'{shown}'"), move |_| check_reference(&named)),
        data::trial(format!("registry_name::created::'{shown}'"), move |_| check_creation(&created)),
    ]
}

fn client(replay: &Replay) -> aks_acr::Result<Client> {
    Client::builder(Arc::new(Named), SUBSCRIPTION).transport(Arc::new(replay.clone())).build()
}

/// What the service's schema takes is a name. A text with a dot is no name: it is a login server of this cloud, or refused.
fn check_reference(row: &Value) -> Result<(), Failed> {
    let input = text(row, "input")?;
    if row["schemaValid"] == true {
        assert_eq!(found_by(&input, "elsewhere.azurecr.io")?, Some("elsewhere.azurecr.io".to_owned()));
    } else if input.to_ascii_lowercase().ends_with(".azurecr.io") {
        let host = input.to_ascii_lowercase();
        assert_eq!(found_by(&input, &host)?, Some(host));
        assert_eq!(found_by(&input, "elsewhere.azurecr.io")?, None, "the host counts, not the name in front of it");
    } else {
        let replay = Replay::default();
        let err = match input.parse::<RegistryRef>() {
            Err(err) => err,
            Ok(registry) => {
                let found = data::paused::<_, Failed>(async {
                    Ok(client(&replay)?.registry(&registry, CallOptions::default()).await)
                });
                found?.err().ok_or("taken for a registry")?
            }
        };
        assert_eq!(err.kind(), ErrorKind::InvalidInput);
        assert!(replay.sent().is_empty(), "refused before any request");
    }
    Ok(())
}

/// The login server that a reference leads to, in a subscription with one registry, whose name is the reference's first part
/// and whose login server is given.
fn found_by(reference: &str, login_server: &str) -> Result<Option<String>, Failed> {
    let name = reference.split(['.', '-']).next().unwrap_or_default();
    let id = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/{name}"
    );
    let list = json!({"value": [{"id": id, "name": name, "properties": {"loginServer": login_server}}]});
    let replay = Replay::of([Answer { status: 200, headers: Vec::new(), body: list.to_string().into() }]);
    let registry: RegistryRef = reference.parse()?;
    let found = data::paused(async { client(&replay)?.registry(&registry, CallOptions::default()).await })?;
    Ok(found.map(|registry| registry.login_server))
}

/// A new registry's name is what the schema takes, without capitals. Unlike another tool, neither a login server nor a name
/// with a line break at its end is cut down to a name.
fn check_creation(row: &Value) -> Result<(), Failed> {
    let input = text(row, "input")?;
    let may_be = row["schemaValid"] == true && !input.bytes().any(|byte| byte.is_ascii_uppercase());
    if row["schemaValid"] == true {
        assert_eq!(may_be, row["azCreateAccepts"] == true, "the file agrees");
    }
    let nothing = Answer { status: 404, headers: Vec::new(), body: Vec::new() };
    let replay = Replay::of([]).then_always(nothing);
    let made = data::paused::<_, Failed>(async {
        Ok(client(&replay)?.create_registry("g", &input, CreateRegistryOptions::default()).await)
    })?;
    let err = made.err().ok_or("there is nothing to make it in")?;
    if may_be {
        assert_eq!(err.kind(), ErrorKind::NotFound, "the group is missing");
        let end = format!("/providers/Microsoft.ContainerRegistry/registries/{input}");
        assert!(replay.lines().first().is_some_and(|line| line.ends_with(&end)), "{:?}", replay.lines());
    } else {
        assert_eq!(err.kind(), ErrorKind::InvalidInput);
        assert!(replay.sent().is_empty(), "refused before any request");
    }
    Ok(())
}
