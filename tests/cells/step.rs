//! Carries out a next step: the operation with its arguments, or the emulator's equivalent of the command, word by word.

use crate::{
    cell::Cell,
    lists,
    scene::{CLUSTER, GROUP, REGISTRY, Scene},
};
use aks_acr::{CallOptions, Finding, FindingId, Operation};
use aks_acr_emulator::RegistrySeed;
use aks_acr_tests::{arguments::Arguments, operate::operate};
use libtest_mimic::Failed;
use serde_json::{Map, Value, json};

/// Whether a step was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    Out,
    /// Only a person can do it, as the checked-in list says.
    ByHand,
}

pub async fn carry_out(scene: &Scene, cell: &Cell, found: &Finding) -> Result<Carried, Failed> {
    let step = &found.next_step;
    if let Some(name) = &step.operation {
        let known = Operation::ALL.iter().find(|one| one.to_string() == *name);
        let operation = known.ok_or_else(|| format!("there is no operation {name}"))?;
        let arguments = step.arguments.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        let arguments = Arguments::exact(arguments.collect::<Map<_, _>>());
        operate(&scene.client, *operation, arguments, CallOptions::default()).await?;
        // Nodes that did not join try it again, as the step says.
        if found.id == FindingId::BOOTSTRAP_FAILED {
            scene.azure.reconcile(GROUP, CLUSTER);
        }
        return Ok(Carried::Out);
    }
    if let Some(command) = &step.command
        && run(scene, command)?
    {
        return Ok(Carried::Out);
    }
    if let Some((id, image)) = cell.correction.as_ref().filter(|(id, _)| *id == found.id) {
        let host = image.split('/').next().unwrap_or_default();
        if !step.summary.contains(host) {
            return Err(format!("the next step of {id} does not say {host}: {step:?}").into());
        }
        scene.correct(image)?;
        return Ok(Carried::Out);
    }
    if let Some((_, mend)) = cell.mends.iter().find(|(id, _)| id.as_ref().is_none_or(|id| *id == found.id)) {
        mend(scene);
        return Ok(Carried::Out);
    }
    if lists::is_by_hand(&found.id)? {
        return Ok(Carried::ByHand);
    }
    Err(format!("nobody carries out the next step of {}: {step:?}", found.id).into())
}

/// The words of a command, and the values of its options.
struct Command<'a>(Vec<&'a str>);

impl<'a> Command<'a> {
    fn starts(&self, words: &str) -> bool {
        let words: Vec<&str> = words.split(' ').collect();
        self.0.starts_with(&words)
    }

    fn value(&self, option: &str) -> Result<&'a str, Failed> {
        let at = self.0.iter().position(|word| *word == option);
        let value = at.and_then(|at| self.0.get(at + 1)).copied();
        value.ok_or_else(|| format!("{:?} has no {option}", self.0).into())
    }

    /// The command is about this thing, not another one.
    fn names(&self, option: &str, wanted: &str) -> Result<(), Failed> {
        let value = self.value(option)?;
        if value == wanted { Ok(()) } else { Err(format!("{:?} is about {value}, not {wanted}", self.0).into()) }
    }
}

/// Does what the command does in Azure. Returns whether the emulator has an equivalent.
fn run(scene: &Scene, command: &str) -> Result<bool, Failed> {
    let command = Command(command.split(' ').collect());
    if command.starts("az acr") {
        return of_registry(scene, &command);
    }
    if command.starts("az aks") {
        return of_cluster(scene, &command);
    }
    if command.starts("az network private-dns") {
        return of_zone(scene, &command);
    }
    if command.starts("az ad sp update") {
        let id = command.value("--id")?;
        command.names("--set", "accountEnabled=true")?;
        scene.azure.set_service_principal_enabled(id, true);
        return Ok(true);
    }
    Ok(false)
}

fn of_registry(scene: &Scene, command: &Command<'_>) -> Result<bool, Failed> {
    let set = |change: &dyn Fn(RegistrySeed) -> RegistrySeed| scene.azure.set_registry(GROUP, REGISTRY, change);
    if command.starts("az acr network-rule add") {
        command.names("--name", REGISTRY)?;
        let address = command.value("--ip-address")?;
        // Those that are listed already stay.
        set(&|seed| seed.only_from(&[address, crate::scene::CALLER]));
    } else if command.starts("az acr update") {
        command.names("--name", REGISTRY)?;
        command.names("--public-network-enabled", "true")?;
        set(&|seed| seed.property("publicNetworkAccess", "Enabled"));
    } else if command.starts("az acr private-endpoint-connection approve") {
        command.names("--registry-name", REGISTRY)?;
        let name = command.value("--name")?;
        return Ok(scene.azure.approve_connection(GROUP, REGISTRY, name));
    } else if command.starts("az acr manifest restore") {
        command.names("--registry", REGISTRY)?;
        let name = format!("{REGISTRY}.azurecr.io/{}", command.value("--name")?);
        return Ok(scene.azure.restore_image(&name, command.value("--digest")?));
    } else if command.starts("az acr repository update") {
        command.names("--name", REGISTRY)?;
        command.names("--read-enabled", "true")?;
        let selected = command.value("--image").or_else(|_| command.value("--repository"))?;
        scene.azure.set_read_enabled(&format!("{REGISTRY}.azurecr.io/{selected}"), true);
    } else {
        return Ok(false);
    }
    Ok(true)
}

fn of_zone(scene: &Scene, command: &Command<'_>) -> Result<bool, Failed> {
    let (group, zone) = (command.value("--resource-group")?, command.value("--zone-name")?);
    if command.starts("az network private-dns link vnet create") {
        command.names("--registration-enabled", "false")?;
        let body = json!({"location": "global", "properties": {"virtualNetwork": {"id": command.value("--virtual-network")?}}});
        let path = format!("privateDnsZones/{zone}/virtualNetworkLinks/{}", command.value("--name")?);
        scene.azure.put_network(group, &path, body);
    } else if command.starts("az network private-dns record-set a add-record") {
        let records = json!([{"ipv4Address": command.value("--ipv4-address")?}]);
        let path = format!("privateDnsZones/{zone}/A/{}", command.value("--record-set-name")?);
        scene.azure.put_network(group, &path, json!({"properties": {"ttl": 3600, "aRecords": records}}));
    } else {
        return Ok(false);
    }
    Ok(true)
}

fn of_cluster(scene: &Scene, command: &Command<'_>) -> Result<bool, Failed> {
    if command.starts("az aks nodepool upgrade --node-image-only") {
        command.names("--resource-group", GROUP)?;
        command.names("--cluster-name", CLUSTER)?;
        scene.azure.renew_nodes(GROUP, CLUSTER, command.value("--name")?);
    } else if command.starts("az aks start") {
        command.names("--resource-group", GROUP)?;
        command.names("--name", CLUSTER)?;
        scene.azure.set_stopped(GROUP, CLUSTER, false);
    } else if command.starts("az aks update --resource-group") && command.0.len() == 8 {
        command.names("--resource-group", GROUP)?;
        command.names("--name", CLUSTER)?;
        scene.azure.reconcile(GROUP, CLUSTER);
    } else if command.starts("az aks update-credentials") {
        command.names("--resource-group", GROUP)?;
        command.names("--name", CLUSTER)?;
        scene.azure.renew_service_principal(GROUP, CLUSTER);
    } else {
        return Ok(false);
    }
    Ok(true)
}
