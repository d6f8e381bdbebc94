//! The scene that a server starts with, as it stands in a file (YAML, and so JSON too) or on the command line.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ServeError;
use super::scene_cluster::Cluster;
use super::scene_network::PrivateEndpoint;
use super::scene_registry::{Image, Referrer, Registry};
use super::scene_upstream::Outside;
use crate::arm::registry::name_fault;
use crate::emulator::Emulator;
use crate::principal::Principal;
use crate::role_seed::RoleSeed;
use crate::world::OWNER;

/// What a seed file says. Everything may be left out, and nothing else may be said.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Scene {
    /// Subscriptions in addition to the first one.
    subscriptions: Vec<String>,
    /// Subscriptions of other tenants.
    foreign_subscriptions: Vec<ForeignSubscription>,
    owner: Owner,
    groups: Vec<Group>,
    registries: Vec<Registry>,
    clusters: Vec<Cluster>,
    /// Private endpoints of registries in the networks of clusters.
    private_endpoints: Vec<PrivateEndpoint>,
    images: Vec<Image>,
    /// What refers to images: signatures, SBOMs.
    referrers: Vec<Referrer>,
    /// Registries outside of Azure that require a sign-in to pull, or answer differently.
    upstreams: Vec<Outside>,
    roles: Vec<Role>,
    callers: Vec<Caller>,
    /// Entra groups, with members and roles.
    entra_groups: Vec<EntraGroup>,
    /// Resource providers that the first subscription has not registered.
    unregistered: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ForeignSubscription {
    id: String,
    tenant: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Owner {
    secret: Option<String>,
    /// Whether the owner of the subscription may use the directory too. In Azure, owning one brings no right to it.
    directory: bool,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Group {
    name: String,
    #[serde(default = "location")]
    location: String,
}

fn location() -> String {
    String::from("westeurope")
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Role {
    name: String,
    #[serde(default)]
    actions: Vec<String>,
    #[serde(default)]
    data_actions: Vec<String>,
    #[serde(default)]
    not_actions: Vec<String>,
    #[serde(default)]
    not_data_actions: Vec<String>,
    /// Where it can be assigned; empty: in every subscription. `{subscription}` stands for the id of the first one.
    #[serde(default)]
    assignable_scopes: Vec<String>,
}

/// An Entra group.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EntraGroup {
    name: String,
    /// Callers and other groups by name, a cluster's kubelet identity as `group/name`, or any principal by object ID.
    #[serde(default)]
    members: Vec<String>,
    /// Callers by name, who can change its members without a permission in Graph.
    #[serde(default)]
    owners: Vec<String>,
    #[serde(default)]
    roles: Vec<Held>,
}

impl EntraGroup {
    fn enter(&self, azure: Emulator) -> Result<Emulator, ServeError> {
        let mut azure = azure.with_entra_group(&self.name);
        for held in &self.roles {
            let scope = held.scope_in(&azure);
            if azure.act(|world| world.access.role_named(&held.role).is_none()) {
                return Err(ServeError::new(format!("role {} does not exist", held.role)));
            }
            azure.grant(&held.role, &azure.group_id(&self.name), &scope);
        }
        for owner in &self.owners {
            if azure.object_id_of(owner).is_empty() {
                return Err(ServeError::new(format!("group {}: owner {owner} does not exist", self.name)));
            }
            azure = azure.with_group_owner(&self.name, owner);
        }
        for member in &self.members {
            if azure.member_id(member).is_none() {
                return Err(ServeError::new(format!("group {}: member {member} does not exist", self.name)));
            }
            azure = azure.with_member(&self.name, member);
        }
        Ok(azure)
    }
}

/// A caller that signs in.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Caller {
    name: String,
    secret: Option<String>,
    #[serde(default)]
    roles: Vec<Held>,
    /// Its Entra groups, by name; missing ones are created.
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    directory: bool,
    /// Single permissions in Graph, such as `GroupMember.ReadWrite.All`.
    #[serde(default)]
    permissions: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object with a role, such as { role: 'Reader' }")]
struct Held {
    role: String,
    /// `{subscription}` stands for the id of the first one; without a scope, that is meant.
    #[serde(default)]
    scope: String,
}

impl Held {
    fn scope_in(&self, azure: &Emulator) -> String {
        let scope = self.scope.replace("{subscription}", azure.subscription());
        if scope.is_empty() { format!("/subscriptions/{}", azure.subscription()) } else { scope }
    }
}

impl Caller {
    /// Reads one from a command line: `name:secret:Role@scope`, with more of the last part or none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':');
        let name = parts.next().filter(|name| !name.is_empty()).ok_or("a caller must have a name")?;
        let secret = parts.next().filter(|secret| !secret.is_empty()).map(str::to_owned);
        let held = |part: &str| {
            let (role, scope) = part.split_once('@').unwrap_or((part, ""));
            Held { role: role.to_owned(), scope: scope.to_owned() }
        };
        let roles = parts.next().unwrap_or_default().split(',').filter(|part| !part.is_empty()).map(held).collect();
        Ok(Self { name: name.to_owned(), secret, roles, groups: Vec::new(), directory: false, permissions: Vec::new() })
    }

    pub(super) fn enter(self, mut azure: Emulator) -> Result<Emulator, ServeError> {
        let mut roles = Vec::new();
        for held in &self.roles {
            let scope = held.scope_in(&azure);
            if azure.act(|world| world.access.role_named(&held.role).is_none()) {
                return Err(ServeError::new(format!("role {} does not exist", held.role)));
            }
            roles.push((held.role.as_str(), scope));
        }
        if !azure.object_id_of(&self.name).is_empty() {
            return Err(ServeError::new(format!("two callers are named {}", self.name)));
        }
        let roles: Vec<(&str, &str)> = roles.iter().map(|(role, scope)| (*role, scope.as_str())).collect();
        azure = azure.with_caller(&self.name, &roles);
        for group in &self.groups {
            azure = azure.with_member(group, &self.name);
        }
        if self.directory {
            azure = azure.with_graph_rights(&self.name);
        }
        for permission in &self.permissions {
            azure = azure.with_graph_permission(&self.name, permission);
        }
        set_secret(&azure, &self.name, self.secret);
        Ok(azure)
    }
}

fn set_secret(azure: &Emulator, name: &str, secret: Option<String>) {
    azure.act(|world| {
        let known = world.principals.iter_mut().find(|one| one.name == name);
        if let (Some(known), Some(secret)) = (known, secret) {
            known.passwords = Principal::service(name, secret, known.made).passwords;
        }
    });
}

impl Scene {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self, ServeError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|fault| ServeError::io(&shown, &fault))?;
        Self::parse(&text).map_err(|fault| ServeError::new(format!("{shown}: {fault}")))
    }

    fn parse(text: &str) -> Result<Self, String> {
        serde_saphyr::from_str(text).map_err(|fault| fault.to_string())
    }

    /// Images to bring in, and nothing of one's own: what there is when nothing is said.
    pub(super) fn usual() -> Self {
        let image = |(name, platforms): (&str, &[&str])| Image::of(name, platforms);
        let known: [(&str, &[&str]); 6] = [
            ("docker.io/library/nginx:latest", &[]),
            ("docker.io/library/hello-world:latest", &[]),
            ("mcr.microsoft.com/hello-world:latest", &["linux/amd64"]),
            ("mcr.microsoft.com/azuredocs/aks-helloworld:v1", &["linux/amd64"]),
            ("mcr.microsoft.com/azuredocs/azure-vote-front:v1", &["linux/amd64"]),
            ("mcr.microsoft.com/oss/nginx/nginx:1.15.5-alpine", &[]),
        ];
        Self { images: known.into_iter().map(image).collect(), ..Self::default() }
    }

    /// Makes the scene in an emulator that has nothing yet.
    pub(super) fn set(self, mut azure: Emulator) -> Result<Emulator, ServeError> {
        set_secret(&azure, OWNER, self.owner.secret);
        if self.owner.directory {
            azure = azure.with_graph_rights(OWNER);
        }
        for id in &self.subscriptions {
            azure = azure.with_subscription(id);
        }
        for ForeignSubscription { id, tenant } in &self.foreign_subscriptions {
            azure = azure.with_foreign_subscription(id, tenant);
        }
        for group in &self.groups {
            azure = azure.with_group(&group.name, &group.location);
        }
        for registry in self.registries {
            if let Some(fault) = name_fault(&registry.name) {
                return Err(ServeError::new(format!("registries: the name {:?}: {fault}", registry.name)));
            }
            let logged = registry.logged();
            azure = azure.with_registry_of(registry.seed()?);
            if let Some((group, name, workspace)) = logged {
                azure.send_registry_logs(&group, &name, &workspace);
            }
        }
        for cluster in self.clusters {
            let seed = cluster.seed(&azure)?;
            azure = azure.with_cluster_of(seed);
        }
        for outside in self.upstreams {
            azure = azure.with_upstream(outside.seed()?);
        }
        for endpoint in &self.private_endpoints {
            endpoint.enter(&azure)?;
        }
        for image in &self.images {
            azure = image.enter(azure)?;
        }
        for Referrer { subject, artifact_type } in &self.referrers {
            let pushed = azure.push_referrer(subject, artifact_type);
            pushed.ok_or_else(|| ServeError::new(format!("referrers: the image {subject} does not exist")))?;
        }
        for role in &self.roles {
            azure = role.enter(azure);
        }
        for caller in self.callers {
            azure = caller.enter(azure)?;
        }
        // All of them first: one may be a member of another.
        for group in &self.entra_groups {
            azure = azure.with_entra_group(&group.name);
        }
        for group in &self.entra_groups {
            azure = group.enter(azure)?;
        }
        for namespace in &self.unregistered {
            azure.unregister_provider(namespace);
        }
        Ok(azure)
    }
}

impl Role {
    fn enter(&self, azure: Emulator) -> Emulator {
        fn words(list: &[String]) -> Vec<&str> {
            list.iter().map(String::as_str).collect()
        }
        let seed = RoleSeed::new(&self.name)
            .block(&words(&self.actions), &words(&self.not_actions))
            .data_block(&words(&self.data_actions), &words(&self.not_data_actions));
        let subscription = azure.subscription().to_owned();
        let scopes = self.assignable_scopes.iter().map(|scope| scope.replace("{subscription}", &subscription));
        azure.with_role(scopes.fold(seed, |seed, scope| seed.assignable_at(&scope)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[tokio::test]
    async fn a_file_sets_the_scene() {
        let scene = "
owner: {secret: open}
groups: [{name: empty, location: northeurope}]
registries: [{group: group, name: myregistry, sku: Premium, abac: true}]
clusters:
- {group: group, name: dev, nodes: [{name: aks-arm-0, architecture: arm64}]}
images: [{name: 'myregistry.azurecr.io/app:1', platforms: [linux/arm64]}]
callers: [{name: reader, secret: s, roles: [{role: Reader}]}]
";
        let azure = Scene::parse(scene).unwrap().set(Emulator::new()).unwrap();
        assert_eq!(azure.client_secret_of("owner").1, "open");
        assert_eq!(azure.client_secret_of("reader").1, "s");
        assert!(azure.digest("myregistry.azurecr.io/app:1").is_some());
        assert!(!azure.kubelet_object_id("group", "dev").is_empty());
        let own = azure.object_id_of("reader");
        let scope = format!("/subscriptions/{}", azure.subscription());
        assert!(azure.role_assignments().iter().any(|one| one.principal_id == own && one.scope == scope));
    }

    /// The names of all fields, but for Azure's own.
    fn words_of(value: &Value, words: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    words.push(name.clone());
                    words_of(value, words);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| words_of(item, words)),
            _ => {}
        }
    }

    const MANUAL: &str = include_str!("../../README.md");

    /// The scene that the manual shows, as text.
    fn shown() -> &'static str {
        MANUAL.split("```yaml").nth(1).and_then(|rest| rest.split("```").next()).unwrap()
    }

    /// All words that a scene can have.
    fn every_word() -> Vec<String> {
        let mut scene = Scene::parse(shown()).unwrap();
        let more = "
registries: [{group: group, name: myregistry, cacheRules: [{name: hub, source: 'docker.io/library/*', target: 'hub/*'}]}]
clusters: [{group: group, name: dev, nodes: [{name: aks-arm-0}], serviceAccountPulls: {default: pulls}}]
privateEndpoints: [{registry: group/myregistry, cluster: group/dev}]
foreignSubscriptions: [{id: one, tenant: two}]
";
        let more = Scene::parse(more).unwrap();
        (scene.registries, scene.clusters) = (more.registries, more.clusters);
        (scene.private_endpoints, scene.foreign_subscriptions) = (more.private_endpoints, more.foreign_subscriptions);
        let mut words = Vec::new();
        words_of(&serde_json::to_value(&scene).unwrap(), &mut words);
        assert!(words.len() > 70, "{words:?}");
        words
    }

    #[tokio::test]
    async fn the_scene_of_the_page_on_testing_is_valid() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/testing.md");
        let page = std::fs::read_to_string(path).unwrap();
        let scene = page.split("```yaml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        assert!(Scene::parse(scene).unwrap().set(Emulator::new()).is_ok());
    }

    #[test]
    fn the_manual_has_each_word_of_a_scene() {
        let is_shown = |word: &String| MANUAL.contains(&format!("`{word}`")) || shown().contains(&format!("{word}: "));
        let words = every_word();
        let missing: Vec<&String> = words.iter().filter(|word| !is_shown(word)).collect();
        assert!(missing.is_empty(), "README.md lacks {missing:?}");
    }

    #[test]
    fn the_types_of_the_packages_have_each_word_of_a_scene() {
        let (python, node) =
            (include_str!("../../python/python/aks_acr_emulator/scene.py"), include_str!("../../node/index.d.cts"));
        for word in every_word() {
            assert!(python.contains(&format!("    {word}: ")), "scene.py lacks {word}");
            let is_typed = ["?: ", ": "].iter().any(|end| node.contains(&format!(" {word}{end}")));
            assert!(is_typed, "index.d.cts lacks {word}");
        }
    }

    #[tokio::test]
    async fn a_group_has_members_in_a_scene() {
        let scene = "
registries: [{group: group, name: myregistry}]
clusters: [{group: group, name: dev}]
callers: [{name: ci}]
roles: [{name: narrow, actions: ['*'], notActions: ['*/delete'], assignableScopes: ['/subscriptions/{subscription}/resourceGroups/group']}]
entraGroups:
- {name: outer, members: [inner, ci], roles: [{role: AcrPull}]}
- {name: inner, members: [group/dev]}
";
        let azure = Scene::parse(scene).unwrap().set(Emulator::new()).unwrap();
        let kubelet = azure.kubelet_object_id("group", "dev");
        let groups = azure.act(|world| world.groups_of(world.principal(&kubelet).unwrap()));
        assert_eq!(groups.len(), 2);
        assert!(azure.role_assignments().iter().any(|one| one.principal_id == azure.group_id("outer")));
        let lost = "entraGroups: [{name: g, members: [nobody]}]";
        assert!(Scene::parse(lost).unwrap().set(Emulator::new()).is_err());
    }

    #[tokio::test]
    async fn a_registry_has_a_name_that_azure_takes() {
        for name in ["regx", "my-registry", "azure", ""] {
            let scene = Scene::parse(&format!("registries: [{{group: group, name: '{name}'}}]")).unwrap();
            let fault = scene.set(Emulator::new()).unwrap_err().to_string();
            assert!(fault.contains(&format!("{name:?}")), "{fault}");
        }
    }

    #[tokio::test]
    async fn a_cluster_has_versions_of_kubernetes_and_containerd() {
        for (field, version, is_valid) in [
            ("containerd", "2.0", true),
            ("containerd", "1.7.35", true),
            ("containerd", "latest", false),
            ("containerd", "2", false),
            ("containerd", "", false),
            ("version", "1.33", true),
            ("version", "1.35.2", true),
            ("version", "latest", false),
            ("version", "v1.33.4", false),
            ("version", "1", false),
            ("version", "2.1", false),
        ] {
            let scene =
                Scene::parse(&format!("clusters: [{{group: group, name: dev, {field}: '{version}'}}]")).unwrap();
            match scene.set(Emulator::new()) {
                Ok(_) => assert!(is_valid, "{version}"),
                Err(fault) => {
                    let (fault, place) = (fault.to_string(), format!("{field} of dev"));
                    assert!(!is_valid && fault.contains(&place) && fault.contains(version), "{fault}");
                }
            }
        }
    }

    #[tokio::test]
    async fn a_value_that_azure_does_not_have_is_rejected_with_the_choices() {
        for (scene, fault) in [
            ("clusters: [{group: group, name: dev, state: Failed}]", None),
            ("clusters: [{group: group, name: dev, state: Canceled}]", None),
            (
                "clusters: [{group: group, name: dev, state: Sleeping}]",
                Some(["state of dev", "Sleeping", "Succeeded, Failed"]),
            ),
            (
                "clusters: [{group: group, name: dev, state: failed}]",
                Some(["state of dev", "failed", "Succeeded, Failed"]),
            ),
            ("clusters: [{group: group, name: dev, nodes: [{name: n, os: windows}]}]", None),
            ("clusters: [{group: group, name: dev, nodes: [{name: n, architecture: arm64}]}]", None),
            (
                "clusters: [{group: group, name: dev, nodes: [{name: n, os: Linux}]}]",
                Some(["node n of dev: os", "Linux", "linux, windows"]),
            ),
            (
                "clusters: [{group: group, name: dev, nodes: [{name: n, architecture: x86_64}]}]",
                Some(["node n of dev: architecture", "x86_64", "amd64, arm64"]),
            ),
            ("registries: [{group: group, name: myregistry, sku: Premium}]", None),
            (
                "registries: [{group: group, name: myregistry, sku: Gold}]",
                Some(["sku of myregistry", "Gold", "Basic, Standard, Premium"]),
            ),
        ] {
            match (Scene::parse(scene).unwrap().set(Emulator::new()), fault) {
                (Ok(_), None) => {}
                (Err(shown), Some(words)) => {
                    let shown = shown.to_string();
                    assert!(words.iter().all(|word| shown.contains(word)), "{scene}: {shown}");
                }
                (Ok(_), Some(_)) => panic!("{scene} was accepted"),
                (Err(shown), None) => panic!("{scene}: {shown}"),
            }
        }
    }

    #[tokio::test]
    async fn a_deleted_image_needs_no_soft_delete() {
        let scene = "
registries: [{group: group, name: myregistry}]
images: [{name: 'myregistry.azurecr.io/app:1', deleted: true}]
";
        let azure = Scene::parse(scene).unwrap().set(Emulator::new()).unwrap();
        assert!(azure.digest("myregistry.azurecr.io/app:1").is_none());
    }

    #[tokio::test]
    async fn an_outside_registry_can_be_private_in_a_scene() {
        let scene = "
upstreams:
- {host: ghcr.io, users: [{name: robot, password: word}], challenge: both, realm: 'https://ghcr.io/t', digest: none}
images: [{name: 'ghcr.io/team/app:1'}]
";
        let azure = Scene::parse(scene).unwrap().set(Emulator::new()).unwrap();
        assert!(azure.act(|world| world.upstreams["ghcr.io"].lets_in("robot", "word")));
        let odd = "upstreams: [{host: ghcr.io, challenge: riddle}]";
        assert!(Scene::parse(odd).unwrap().set(Emulator::new()).is_err());
        assert!(Scene::parse("upstreams: [{host: ghcr.io, users: [{name: robot}]}]").is_err());
    }

    #[tokio::test]
    async fn a_private_endpoint_has_its_records_in_the_group_of_its_registry() {
        let scene = "
registries: [{group: registries, name: myregistry, sku: Premium}]
clusters: [{group: clusters, name: dev}, {group: clusters, name: apart}]
privateEndpoints:
- {registry: registries/myregistry, cluster: clusters/dev, missingRecords: [myregistry]}
";
        let azure = Scene::parse(scene).unwrap().set(Emulator::new()).unwrap();
        let zone = "/resourceGroups/registries/providers/Microsoft.Network/privateDnsZones/privatelink.azurecr.io";
        let zone = format!("/subscriptions/{}{zone}", azure.subscription());
        assert_eq!(azure.links_of(&zone).len(), 1);
        assert!(azure.delete_network(&format!("{zone}/A/myregistry.westeurope.data")));
        assert!(!azure.delete_network(&format!("{zone}/A/myregistry")), "it is missing from the start");
        let hub = scene.replace("missingRecords: [myregistry]", "linkedZone: hub");
        let azure = Scene::parse(&hub).unwrap().set(Emulator::new()).unwrap();
        let hub = zone.replace("/registries/", "/hub/");
        assert_eq!((azure.links_of(&zone).len(), azure.links_of(&hub).len()), (0, 1));
        assert!(azure.delete_network(&format!("{hub}/A/myregistry")), "it has the endpoint's records");
        for odd in ["registry: a/none, cluster: clusters/dev", "registry: registries/myregistry, cluster: dev"] {
            let scene = format!("{scene}- {{{odd}}}\n");
            assert!(Scene::parse(&scene).unwrap().set(Emulator::new()).is_err(), "{odd}");
        }
    }

    #[tokio::test]
    async fn images_that_are_none_are_those_of_registries_of_the_scene() {
        let registries = "registries: [{group: group, name: myregistry}]\n";
        for (image, is_valid) in [
            ("{name: 'myregistry.azurecr.io/a:1', artifact: chart}", true),
            ("{name: 'myregistry.azurecr.io/a:1', artifact: chart, platforms: [linux/amd64]}", false),
            ("{name: 'ghcr.io/a:1', artifact: chart}", false),
            ("{name: 'ghcr.io/a:1', deleted: true}", false),
            ("{name: 'myregistry.azurecr.io/a', readEnabled: false}", true),
        ] {
            let scene = Scene::parse(&format!("{registries}images: [{image}]\n")).unwrap();
            assert_eq!(scene.set(Emulator::new()).is_ok(), is_valid, "{image}");
        }
    }

    #[test]
    fn a_misspelt_word_is_rejected() {
        assert!(Scene::parse("registrys: []").is_err());
    }

    #[tokio::test]
    async fn a_caller_is_read_from_one_word() {
        let scope = "/subscriptions/{subscription}/resourceGroups/group";
        let caller = Caller::parse(&format!("ci:hush:Reader@{scope},AcrPush")).unwrap();
        let azure = caller.enter(Emulator::new()).unwrap();
        assert_eq!(azure.client_secret_of("ci").1, "hush");
        let own = azure.object_id_of("ci");
        assert_eq!(azure.role_assignments().iter().filter(|one| one.principal_id == own).count(), 2);
    }

    #[tokio::test]
    async fn a_role_that_does_not_exist_is_rejected() {
        let caller = Caller::parse("ci::Sorcerer").unwrap();
        assert!(caller.enter(Emulator::new()).is_err());
    }
}
