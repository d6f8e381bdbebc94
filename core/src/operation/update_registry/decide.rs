//! Which settings differ from the requested ones, and whether the service tier has them.

use super::{SettingChange, UpdateRegistryOptions};
use crate::{
    error::{Error, ErrorKind, Result},
    registry::{NetworkAction, NetworkRules, PrivateEndpointConnection, RegistrySettings, RegistryUpdate, Sku},
};
use std::collections::BTreeMap;

/// What to write, and the changes that it makes.
pub(super) fn decide(
    options: &UpdateRegistryOptions,
    found: &RegistrySettings,
) -> Result<(RegistryUpdate, Vec<SettingChange>)> {
    check_sku(options, found)?;
    check_rules(options, found)?;
    let mut changes = Changes::default();
    let update = RegistryUpdate {
        mode: None,
        sku: changes.check("sku", options.sku, Some(&found.registry.sku), |sku| sku.as_str()),
        admin_user: changes.check_switch("admin_user", options.admin_user, found.admin_user),
        anonymous_pull: changes.check_switch("anonymous_pull", options.anonymous_pull, Some(found.anonymous_pull)),
        public_network_access: changes.check(
            "public_network_access",
            options.public_network_access,
            found.public_network_access.as_ref(),
            |enabled| if *enabled { "Enabled" } else { "Disabled" },
        ),
        network_rules: network_rules(options, found, &mut changes),
        data_endpoint: changes.check_switch("data_endpoint", options.data_endpoint, found.data_endpoint),
        tags: tags(options, &found.registry.tags, &mut changes),
    };
    Ok((update, changes.0))
}

/// Rejects a list of addresses that would leave the registry open: the firewall reads it only if everything else is denied.
fn check_rules(options: &UpdateRegistryOptions, found: &RegistrySettings) -> Result<()> {
    let denies = match options.default_action {
        Some(action) => action == NetworkAction::Deny,
        None => found.default_action.as_deref().is_some_and(|action| action.eq_ignore_ascii_case("Deny")),
    };
    match options.allowed_addresses.as_deref() {
        Some(addresses @ [_, ..]) if !denies => {
            let text =
                "the addresses have no effect while the default action is Allow: set default_action to Deny as well";
            Err(Error::invalid(text, "allowed_addresses", addresses.join(", ")))
        }
        _ => Ok(()),
    }
}

/// A firewall that admits no address closes the registry for everybody without a private endpoint, the caller included.
pub(super) fn warnings(options: &UpdateRegistryOptions, found: &RegistrySettings) -> Vec<String> {
    let is_asked = options.default_action.is_some() || options.allowed_addresses.is_some();
    let denies = match options.default_action {
        Some(action) => action == NetworkAction::Deny,
        None => found.default_action.as_deref().is_some_and(|action| action.eq_ignore_ascii_case("Deny")),
    };
    let allowed = options.allowed_addresses.as_ref().unwrap_or(&found.allowed_addresses);
    let has_endpoint = found.private_endpoints.iter().any(PrivateEndpointConnection::is_approved);
    if options.public_network_access == Some(false) && !has_endpoint {
        let name = found.registry.id.name();
        return vec![format!(
            "registry {name} has no public access and no approved private endpoint: no cluster and no client reaches it"
        )];
    }
    if !is_asked || !denies || !allowed.is_empty() {
        return Vec::new();
    }
    let others = if has_endpoint {
        "only its private endpoints reach it"
    } else {
        "and it has no private endpoint: no cluster and no client reaches it, except through a rule for a subnet, which Azure does not show"
    };
    vec![format!("the firewall of registry {} admits no address, {others}", found.registry.id.name())]
}

#[derive(Default)]
struct Changes(Vec<SettingChange>);

impl Changes {
    fn add(&mut self, setting: impl Into<String>, before: Option<&str>, after: Option<&str>) {
        let (before, after) = (before.map(str::to_owned), after.map(str::to_owned));
        self.0.push(SettingChange { setting: setting.into(), before, after });
    }

    /// The requested value, if it differs. A value that Azure did not report differs.
    fn check<T>(
        &mut self,
        setting: &str,
        asked: Option<T>,
        found: Option<&String>,
        word: impl Fn(&T) -> &'static str,
    ) -> Option<T> {
        let asked = asked?;
        if found.is_some_and(|found| found.eq_ignore_ascii_case(word(&asked))) {
            return None;
        }
        self.add(setting, found.map(String::as_str), Some(word(&asked)));
        Some(asked)
    }

    fn check_switch(&mut self, setting: &str, asked: Option<bool>, found: Option<bool>) -> Option<bool> {
        let word = |on: &bool| if *on { "true" } else { "false" };
        let found = found.map(|found| word(&found).to_owned());
        self.check(setting, asked, found.as_ref(), word)
    }
}

/// Azure takes the rules as a whole, so that what is not requested is sent as it was found.
fn network_rules(
    options: &UpdateRegistryOptions,
    found: &RegistrySettings,
    changes: &mut Changes,
) -> Option<NetworkRules> {
    // Recorded: a registry below Premium has no rules, and reports none.
    let is_open = !found.registry.sku.eq_ignore_ascii_case(Sku::Premium.as_str());
    let open = || is_open.then(|| NetworkAction::Allow.as_str().to_owned());
    let found_action = found.default_action.clone().or_else(open);
    let action = changes.check("default_action", options.default_action, found_action.as_ref(), |one| one.as_str());
    let addresses = options.allowed_addresses.as_ref().filter(|asked| {
        let is_other = set_of(asked) != set_of(&found.allowed_addresses);
        if is_other {
            let shown = |all: &[String]| (!all.is_empty()).then(|| all.join(", "));
            let (before, after) = (shown(&found.allowed_addresses), shown(asked));
            changes.add("allowed_addresses", before.as_deref(), after.as_deref());
        }
        is_other
    });
    let is_asked = action.is_some();
    if !is_asked && addresses.is_none() {
        return None;
    }
    // The field is required; its default in Azure's specification is this.
    let action = action.unwrap_or(NetworkAction::Allow);
    Some(NetworkRules {
        default_action: found_action.filter(|_| !is_asked).unwrap_or_else(|| action.as_str().to_owned()),
        allowed_addresses: addresses.unwrap_or(&found.allowed_addresses).clone(),
    })
}

/// Rules in any order, and a single address as a range or not, are the same rules.
fn set_of(addresses: &[String]) -> Vec<String> {
    let plain = |one: &String| one.strip_suffix("/32").unwrap_or(one).to_ascii_lowercase();
    let mut all: Vec<String> = addresses.iter().map(plain).collect();
    all.sort();
    all.dedup();
    all
}

/// The tags as a whole, because Azure replaces all of them.
fn tags(
    options: &UpdateRegistryOptions,
    found: &BTreeMap<String, String>,
    changes: &mut Changes,
) -> Option<BTreeMap<String, String>> {
    // Azure compares the names of tags without regard to case.
    let same = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
    let mut all = found.clone();
    let begun = changes.0.len();
    if options.replace_tags {
        all.retain(|name, value| {
            let is_kept = options.tags.keys().any(|asked| same(asked, name));
            if !is_kept {
                changes.add(format!("tags.{name}"), Some(value), None);
            }
            is_kept
        });
    }
    for (name, value) in &options.tags {
        let known = all.keys().find(|known| same(known, name)).cloned();
        let before = known.as_ref().and_then(|known| all.get(known)).cloned();
        if before == *value {
            continue;
        }
        changes.add(format!("tags.{name}"), before.as_deref(), value.as_deref());
        let name = known.unwrap_or_else(|| name.clone());
        match value {
            Some(value) => all.insert(name, value.clone()),
            None => all.remove(&name),
        };
    }
    (changes.0.len() > begun).then_some(all)
}

/// Refuses a setting that the tier does not have, be it requested or found: see [features of the
/// tiers](https://learn.microsoft.com/azure/container-registry/container-registry-skus#registry-service-tier-features-and-limits).
fn check_sku(options: &UpdateRegistryOptions, found: &RegistrySettings) -> Result<()> {
    let sku = options.sku.map_or(found.registry.sku.as_str(), |sku| sku.as_str());
    let Some(level) = Sku::ALL.iter().position(|known| known.as_str().eq_ignore_ascii_case(sku)) else {
        // A tier that is not known here: Azure decides.
        return Ok(());
    };
    let is = |word: &Option<String>, other: &str| word.as_deref().is_some_and(|one| one.eq_ignore_ascii_case(other));
    let action = options.default_action.map(|action| action == NetworkAction::Deny);
    let addresses = options.allowed_addresses.as_ref().map(|all| !all.is_empty());
    let needs = [
        ("anonymous_pull", options.anonymous_pull, found.anonymous_pull, Sku::Standard),
        (
            "public_network_access",
            options.public_network_access.map(|enabled| !enabled),
            is(&found.public_network_access, "Disabled"),
            Sku::Premium,
        ),
        ("default_action", action, is(&found.default_action, "Deny"), Sku::Premium),
        ("allowed_addresses", addresses, !found.allowed_addresses.is_empty(), Sku::Premium),
        ("data_endpoint", options.data_endpoint, found.data_endpoint == Some(true), Sku::Premium),
    ];
    for (setting, asked, is_found, least) in needs {
        let is_low = Sku::ALL.iter().position(|known| *known == least).is_some_and(|least| level < least);
        // Of what is only found, the tier matters where it is to change.
        let is_used = asked.unwrap_or(options.sku.is_some() && is_found);
        if is_low && is_used {
            let least = least.as_str();
            let text = if asked.is_some() {
                format!("{setting} as requested needs the SKU {least}: set sku to {least}, or leave {setting} out")
            } else {
                format!("{setting} as it is set on the registry needs the SKU {least}: change it in the same call")
            };
            let err = Error::new(ErrorKind::Unsupported, text).with_context("registry", found.registry.id.name());
            return Err(err.with_context("sku", sku));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    fn found(sku: &str) -> RegistrySettings {
        let id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/\
                  Microsoft.ContainerRegistry/registries/myreg";
        let mut registry = Registry::new(id.parse().unwrap(), "myreg.azurecr.io");
        sku.clone_into(&mut registry.sku);
        registry.tags = BTreeMap::from([("Team".to_owned(), "one".to_owned()), ("cost".to_owned(), "5".to_owned())]);
        let mut settings = RegistrySettings::new(registry);
        settings.admin_user = Some(false);
        settings.data_endpoint = Some(false);
        settings
    }

    fn settings(options: &UpdateRegistryOptions, found: &RegistrySettings) -> Vec<String> {
        decide(options, found).unwrap().1.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_firewall_that_admits_no_address_is_warned_about() {
        let mut settings = found("Premium");
        let deny = UpdateRegistryOptions::default().with_default_action(NetworkAction::Deny);
        assert!(warnings(&deny, &settings)[0].contains("no private endpoint"));
        assert!(warnings(&UpdateRegistryOptions::default().with_admin_user(true), &settings).is_empty());
        assert!(warnings(&deny.clone().with_allowed_addresses(["203.0.113.7"]), &settings).is_empty());
        settings.private_endpoints =
            vec![PrivateEndpointConnection { name: "one".to_owned(), status: "Approved".to_owned(), endpoint: None }];
        assert!(warnings(&deny, &settings)[0].contains("only its private endpoints"));
        settings.allowed_addresses = vec!["203.0.113.7".to_owned()];
        assert!(warnings(&deny, &settings).is_empty());
        settings.default_action = Some("Deny".to_owned());
        let none = UpdateRegistryOptions::default().with_allowed_addresses(Vec::<String>::new());
        assert_eq!(warnings(&none, &settings).len(), 1);
    }

    #[test]
    fn only_what_differs_is_sent() {
        let options = UpdateRegistryOptions::default().with_sku(Sku::Basic).with_admin_user(false);
        assert_eq!(decide(&options, &found("basic")).unwrap(), (RegistryUpdate::default(), Vec::new()));
        // A switch that Azure did not report may be on.
        let mut unknown = found("Basic");
        unknown.admin_user = None;
        assert_eq!(settings(&options, &unknown), ["admin_user: false, before nothing"]);
    }

    #[test]
    fn tags_are_merged_unless_they_replace() {
        let options = UpdateRegistryOptions::default().with_tag("team", Some("two")).with_tag("cost", None);
        let (update, changes) = decide(&options, &found("Basic")).unwrap();
        assert_eq!(update.tags, Some(BTreeMap::from([("Team".to_owned(), "two".to_owned())])));
        let shown: Vec<String> = changes.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["tags.cost: nothing, before 5", "tags.team: two, before one"]);
        let replace = UpdateRegistryOptions::default().with_replace_tags(true);
        assert_eq!(decide(&replace, &found("Basic")).unwrap().0.tags, Some(BTreeMap::new()));
        let same = UpdateRegistryOptions::default().with_tag("TEAM", Some("one")).with_tag("absent", None);
        assert_eq!(settings(&same, &found("Basic")), Vec::<String>::new());
    }

    #[test]
    fn a_registry_without_a_firewall_lets_everyone_in() {
        let open = UpdateRegistryOptions::default().with_default_action(NetworkAction::Allow);
        let none = open.clone().with_allowed_addresses(Vec::<String>::new());
        assert_eq!(settings(&none, &found("Standard")), Vec::<String>::new());
        assert_eq!(settings(&open, &found("Premium")), ["default_action: Allow, before nothing"]);
    }

    #[test]
    fn network_rules_are_sent_as_a_whole() {
        let mut registry = found("Premium");
        registry.default_action = Some("Deny".to_owned());
        registry.allowed_addresses = vec!["1.2.3.4".to_owned()];
        let same = UpdateRegistryOptions::default().with_allowed_addresses(["1.2.3.4/32"]);
        assert_eq!(settings(&same, &registry), Vec::<String>::new());
        let more = UpdateRegistryOptions::default().with_allowed_addresses(["1.2.3.4", "5.6.7.0/24"]);
        let rules = decide(&more, &registry).unwrap().0.network_rules.unwrap();
        assert_eq!((rules.default_action.as_str(), rules.allowed_addresses.len()), ("Deny", 2));
    }

    #[test]
    fn a_setting_that_the_tier_does_not_have_is_refused_and_the_tier_is_named() {
        let asked = UpdateRegistryOptions::default;
        let all = [
            (asked().with_anonymous_pull(true), "Standard"),
            (asked().with_public_network_access(false), "Premium"),
            (asked().with_default_action(NetworkAction::Deny), "Premium"),
            (asked().with_allowed_addresses(["1.2.3.4"]), "Premium"),
            (asked().with_data_endpoint(true), "Premium"),
        ];
        for (options, least) in all {
            let err = decide(&options, &found("Basic")).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::Unsupported);
            assert!(err.to_string().contains(&format!("needs the SKU {least}")), "{err}");
            let options = options.with_sku(Sku::Premium);
            let options = match &options.allowed_addresses {
                Some(_) => options.with_default_action(NetworkAction::Deny),
                None => options,
            };
            assert!(decide(&options, &found("Basic")).is_ok());
        }
        let mut premium = found("Premium");
        premium.default_action = Some("Deny".to_owned());
        let down = UpdateRegistryOptions::default().with_sku(Sku::Standard);
        assert!(decide(&down, &premium).unwrap_err().to_string().contains("default_action"));
        assert!(decide(&down.with_default_action(NetworkAction::Allow), &premium).is_ok());
    }

    #[test]
    fn addresses_that_would_leave_the_registry_open_are_refused() {
        let asked = UpdateRegistryOptions::default().with_allowed_addresses(["203.0.113.0/24"]);
        let err = decide(&asked, &found("Premium")).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidInput);
        assert!(err.to_string().contains("set default_action to Deny"), "{err}");
        assert!(decide(&asked.clone().with_default_action(NetworkAction::Allow), &found("Premium")).is_err());
        assert!(decide(&asked.clone().with_default_action(NetworkAction::Deny), &found("Premium")).is_ok());
        let mut closed = found("Premium");
        closed.default_action = Some("Deny".to_owned());
        assert!(decide(&asked, &closed).is_ok());
        let none = UpdateRegistryOptions::default().with_allowed_addresses(Vec::<String>::new());
        assert!(decide(&none, &found("Premium")).is_ok());
    }
}
