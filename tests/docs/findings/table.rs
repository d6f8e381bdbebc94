//! What the pages of findings say besides core's catalogue: what is read, how to see it by hand, the step as a command, and what each
//! finding is confused with.

use Step::{Command, Example, Operation, Person, Wait};

/// A finding.
pub struct Facts {
    pub id: &'static str,
    /// Keys of the requests that lead to it. `K` is a text only.
    pub reads: &'static str,
    /// A command that shows it.
    pub confirm: &'static str,
    /// What that command shows then.
    pub shows: &'static str,
    pub step: Step,
    /// Other findings that look alike, and the difference.
    pub confused: &'static [(&'static str, &'static str)],
}

/// What to do.
pub enum Step {
    /// An operation of this library, and the command that does the same.
    Operation(&'static str, &'static str),
    /// An operation, the example that shows its option, and commands that give the option's value.
    Example(&'static str, &'static str, &'static str),
    /// Commands.
    Command(&'static str),
    /// Something that only a person can decide or do.
    Person,
    /// It takes time only.
    Wait,
}

const ATTACH: Step = Operation(
    "attach",
    "az role assignment create --assignee-object-id PRINCIPAL --assignee-principal-type ServicePrincipal --role AcrPull --scope REGISTRY_ID",
);
const READER: Step = Command("az role assignment create --assignee ME --role Reader --scope RESOURCE_ID");
const SECRET: Step = Operation(
    "apply_pull_secret",
    "kubectl create secret docker-registry NAME --namespace NAMESPACE --docker-server HOST --docker-username USER \\\n    \
     --docker-password PASSWORD --dry-run=client --output yaml | kubectl apply -f -",
);
const GRANTS: &str =
    "az role assignment list --scope REGISTRY_ID --include-inherited --assignee PRINCIPAL --output table";
const ON_NODE: &str =
    "kubectl debug node/NODE -it --image=mcr.microsoft.com/azurelinux/busybox:1.36 -- nslookup myregistry.azurecr.io";
const REIMAGE: &str =
    "az aks nodepool upgrade --node-image-only --resource-group my-group --cluster-name my-cluster --name POOL";
const EVENTS: &str = "kubectl get events --field-selector involvedObject.name=POD";
const CLUSTER: &str = "az aks show --resource-group my-group --name my-cluster";

macro_rules! facts {
    ($($id:literal: $reads:literal; $confirm:expr => $shows:literal; $step:expr; [$($other:literal: $how:literal),* $(,)?])*) => {
        pub const ALL: &[Facts] = &[
            $(Facts { id: $id, reads: $reads, confirm: $confirm, shows: $shows, step: $step, confused: &[$(($other, $how)),*] },)*
        ];
    };
}

facts! {
    "reference.invalid": "K";
        "kubectl get pod POD --output jsonpath='{.spec.containers[*].image}'" => "a name with capital letters, spaces, or an empty tag";
        Command("kubectl set image deployment/NAME CONTAINER=myregistry.azurecr.io/team/app:v1");
        ["image.not_found": "the name is valid, and the registry does not have the image"]
    "reference.host_misspelled": "A2 K";
        "az acr show --name myregistry --query loginServer" => "another host than the image's";
        Command("kubectl set image deployment/NAME CONTAINER=myregistry.azurecr.io/team/app:v1");
        ["dns.lookup_failed": "the host is right, and does not resolve on the node", "reference.other_registry": "the host exists, and is another registry's"]
    "reference.other_registry": "A2 K";
        "az acr show --name myregistry --query loginServer" => "another host than the image's";
        Command("kubectl set image deployment/NAME CONTAINER=myregistry.azurecr.io/team/app:v1");
        ["network.untrusted_certificate": "the certificate is for the right host, and its issuer is not trusted"]
    "reference.pull_policy_never": "K";
        "kubectl get pod POD --output jsonpath='{.spec.containers[*].imagePullPolicy}'" => "`Never`";
        Command("kubectl edit deployment/NAME");
        ["image.not_found": "the node asked the registry; with the policy `Never` it does not"]
    "cluster.stopped": "A1";
        "az aks show --resource-group my-group --name my-cluster --query powerState.code" => "`Stopped`";
        Command("az aks start --resource-group my-group --name my-cluster");
        ["cluster.not_ready": "the cluster runs, and an operation has not ended or has failed"]
    "cluster.not_ready": "A1";
        "az aks show --resource-group my-group --name my-cluster --query provisioningState" => "a state other than `Succeeded`";
        Command("az aks update --resource-group my-group --name my-cluster --yes");
        ["cluster.stopped": "the cluster is stopped, and no operation will start it by itself"]
    "cluster.bootstrap_failed": "A1 A3 K1";
        "az aks show --resource-group my-group --name my-cluster --query '[bootstrapProfile, status.provisioningError.message]'" => "`artifactSource: Cache`, and one of the exit codes 207, 208, 210, 211, 212 and 231";
        Operation("attach", "az role assignment create --assignee-object-id PRINCIPAL --assignee-principal-type ServicePrincipal --role AcrPull --scope REGISTRY_ID");
        ["cluster.not_ready": "the last operation failed for another reason", "grant.missing": "the nodes have joined, and pods cannot pull"]
    "admission.denied": "K K4 K4b K4c K4d";
        "kubectl get events --field-selector reason=FailedCreate" => "`denied the request`, `violates PodSecurity`, `denied request` or `exceeded quota`";
        Command("kubectl edit deployment/NAME");
        ["reference.invalid": "the pod was created, and the kubelet cannot read the image's name"]
    "registry.not_found": "A2 A15";
        "az acr check-name --name myregistry" => "`nameAvailable: true`";
        Operation("create_registry", "az acr create --resource-group my-group --name myregistry --sku Basic");
        ["registry.not_visible": "the registry may exist in a subscription that you cannot see", "dns.lookup_failed": "the registry exists, and its name does not resolve on the node"]
    "registry.not_visible": "A2 A15";
        "az acr check-name --name myregistry" => "`nameAvailable: false` if the registry exists";
        READER;
        ["registry.not_found": "no registry has the ID, or the name is free"]
    "registry.other_tenant": "A2";
        "az account show --subscription SUBSCRIPTION --query tenantId" => "another tenant than that of the cluster's subscription";
        SECRET;
        ["registry.not_visible": "the registry may be in another subscription of the same tenant"]
    "registry.not_ready": "A2";
        "az acr show --name myregistry --query provisioningState" => "a state other than `Succeeded`";
        Wait;
        ["registry.encryption_key_unavailable": "the registry was created, and lost its key later"]
    "registry.encryption_key_unavailable": "A2 D3 K";
        "az acr encryption show --name myregistry" => "the key, and the identity that reads it";
        Command("az keyvault key recover --vault-name VAULT --name KEY");
        ["network.outbound_ip_not_allowed": "the 403 names an address, and not the registry's identity"]
    "registry.throttled": "K";
        EVENTS => "`429 Too Many Requests`, or `toomanyrequests`";
        Command("az acr update --name myregistry --sku Premium");
        ["registry.cache_rule_upstream_throttled": "the upstream registry throttles, and the message names the cache rule", "node.pull_rate_exceeded": "the kubelet's own limit; the registry was not asked"]
    "network.public_access_disabled": "A2 K";
        "az acr show --name myregistry --query '[publicNetworkAccess, privateEndpointConnections]'" => "`Disabled`, and an empty list";
        Command("az acr update --name myregistry --public-network-enabled true");
        ["network.outbound_ip_not_allowed": "public access is on, and limited to some addresses", "network.private_endpoint_not_approved": "an endpoint exists, and waits for approval"]
    "network.private_endpoint_not_approved": "A2";
        "az acr private-endpoint-connection list --registry-name myregistry --query '[].privateLinkServiceConnectionState.status'" => "no `Approved`";
        Command("az acr private-endpoint-connection approve --registry-name myregistry --name CONNECTION");
        ["network.public_access_disabled": "no endpoint exists at all"]
    "dns.private_zone_not_linked": "A1 A2 A8 A8g A9 A9g A10";
        "az network private-dns link vnet list --resource-group my-group --zone-name privatelink.azurecr.io --query '[].virtualNetwork.id'" => "a list without the cluster's virtual network";
        Command("az network private-dns link vnet create --resource-group my-group --zone-name privatelink.azurecr.io --name NAME --virtual-network NETWORK --registration-enabled false");
        ["network.outbound_ip_not_allowed": "the node has the same 403: without the link, the name leads to the registry's public address", "dns.record_missing": "a zone is linked, and lacks the name"]
    "dns.record_missing": "A1 A2 A8 A8g A9 A9g A9r A10";
        "az network private-dns record-set a list --resource-group my-group --zone-name privatelink.azurecr.io --query '[].name'" => "a list without the registry's name, or without its data endpoint, such as `myregistry.westeurope.data`";
        Command("az network private-dns record-set a add-record --resource-group my-group --zone-name privatelink.azurecr.io --record-set-name RECORD --ipv4-address ADDRESS");
        ["dns.private_zone_not_linked": "no zone is linked, so that the name leads to the public address", "network.data_endpoint_blocked": "the name of the data endpoint exists, and its address does not respond"]
    "dns.lookup_failed": "K";
        ON_NODE => "`NXDOMAIN`, or no answer";
        Command("az network private-dns link vnet create --resource-group my-group --zone-name privatelink.azurecr.io --name NAME --virtual-network NETWORK --registration-enabled false");
        ["dns.record_missing": "the zone could be read, and lacks the record", "reference.host_misspelled": "the host in the image is wrong", "network.address_timeout": "the name resolves, and the address does not respond"]
    "network.outbound_ip_not_allowed": "A1 A2 A7 A7g A10 K";
        "az acr network-rule list --name myregistry" => "a list without the address in the message";
        Command("az acr network-rule add --name myregistry --ip-address ADDRESS");
        ["dns.private_zone_not_linked": "the same 403, although the registry has a private endpoint: the name resolves to the public address", "network.public_access_disabled": "no public address is allowed, whatever the rules say", "grant.missing": "a missing role is a 401, never a 403"]
    "network.no_egress": "A1 A2";
        "az aks show --resource-group my-group --name my-cluster --query networkProfile.outboundType" => "`none` or `block`";
        Person;
        ["network.address_timeout": "the nodes have a way out, and a firewall or a route ends it"]
    "network.outbound_ip_unknown": "A1 A2 A7 A7g A10";
        "az aks show --resource-group my-group --name my-cluster --query networkProfile" => "an outbound type whose addresses Azure does not list, such as `userDefinedRouting`";
        Example(
            "check",
            "check_addresses",
            "# The public addresses of your firewall or NAT gateway.\n\
             az network public-ip list --resource-group NETWORK_GROUP --query '[].ipAddress'",
        );
        ["network.outbound_ip_not_allowed": "the addresses are known, and none is allowed"]
    "network.subnet_rules_not_visible": "A1 A2 A10";
        "az network vnet subnet show --ids SUBNET_ID --query serviceEndpoints" => "the endpoint `Microsoft.ContainerRegistry`";
        Command("az acr network-rule add --name myregistry --ip-address ADDRESS");
        ["network.outbound_ip_not_allowed": "the subnet has no service endpoint, so that no rule can allow it"]
    "network.private_path_unknown": "A1 A2 A8 A8g A9 A9g A9r A10";
        ON_NODE => "the private address of the endpoint if the path is complete";
        Operation("prove_pull", "az network vnet peering create --resource-group my-group --vnet-name NETWORK --name NAME --remote-vnet OTHER_NETWORK --allow-vnet-access");
        ["dns.private_zone_not_linked": "everything could be read, and the link is missing", "network.public_access_disabled": "there is no private endpoint"]
    "network.proxy_blocks": "A1 K";
        "az aks show --resource-group my-group --name my-cluster --query httpProxyConfig" => "the proxy, and `noProxy` without the registry's hosts";
        Command("az aks update --resource-group my-group --name my-cluster --http-proxy-config FILE");
        ["network.address_timeout": "the message names the registry's address, not the proxy's"]
    "network.address_timeout": "K";
        "kubectl debug node/NODE -it --image=mcr.microsoft.com/azurelinux/busybox:1.36 -- nc -vz myregistry.azurecr.io 443" => "a timeout";
        Person;
        ["network.data_endpoint_blocked": "the login server responds, and the host of the layers does not", "dns.lookup_failed": "the name does not resolve"]
    "network.untrusted_certificate": "K";
        "openssl s_client -connect myregistry.azurecr.io:443 -showcerts" => "an issuer other than Microsoft's or DigiCert's";
        Person;
        ["reference.other_registry": "the certificate is valid, for other hosts"]
    "identity.missing": "A1 K";
        "az aks show --resource-group my-group --name my-cluster --query '[identityProfile.kubeletidentity, servicePrincipalProfile.clientId]'" => "no kubelet identity";
        Command("az aks update --resource-group my-group --name my-cluster --enable-managed-identity --assign-identity ID --assign-kubelet-identity KUBELET_ID");
        ["grant.missing": "the identity exists, and has no role", "identity.no_credential": "only the message is known"]
    "identity.not_on_nodes": "A1 A11 K";
        "az vmss list --resource-group NODE_RESOURCE_GROUP --query '[].[name, identity.userAssignedIdentities]'" => "a scale set without the cluster's kubelet identity";
        Command("az aks update --resource-group my-group --name my-cluster --yes");
        ["grant.missing": "the scale sets have the identity, and it has no role", "identity.nodes_outdated": "the nodes have an identity, which is another one than the cluster's"]
    "identity.nodes_outdated": "A1 K K1";
        "kubectl get nodes --label-columns kubernetes.azure.com/kubelet-identity-client-id" => "another client ID than `az aks show --query identityProfile.kubeletidentity.clientId`";
        Command(REIMAGE);
        ["grant.missing": "the cluster's present identity has no role either", "identity.no_credential": "the nodes' labels could not be read"]
    "identity.service_principal_expired": "A1 G1 K";
        "az ad app credential list --id CLIENT_ID --query '[].endDateTime'" => "no time that is still to come; the client ID is the cluster's `servicePrincipalProfile.clientId`. A disabled service principal has `accountEnabled: false` in `az ad sp show --id CLIENT_ID`";
        Command("az aks update-credentials --resource-group my-group --name my-cluster --reset-service-principal --service-principal CLIENT_ID --client-secret SECRET");
        ["grant.missing": "the secret is valid, and the service principal has no role: the registry's message is the same", "pull_secret.expired": "the message is the same, for a pull secret of the pod"]
    "identity.service_account_pulls": "A1 A14 A14b A3 K K6";
        "az rest --method get --url 'CLUSTER_ID?api-version=2026-08-02-preview' --query properties.securityProfile.serviceAccountImagePullProfile" => "`enabled: true`, and perhaps a default identity";
        Command("kubectl annotate serviceaccount NAME --namespace NAMESPACE kubernetes.azure.com/acr-client-id=CLIENT_ID");
        ["grant.missing": "the identity that pulls is known, and it has no role", "identity.no_credential": "the nodes pull with the kubelet identity, and had no credential"]
    "identity.provider_skips_host": "A1 A2 K";
        "kubectl get nodes --label-columns kubernetes.azure.com/node-image-version" => "a node image older than `202607.29`, with an image host such as `myregistry.westeurope.geo.azurecr.io`";
        Command(REIMAGE);
        ["identity.no_credential": "the image's host is the login server", "grant.missing": "the message is the same, and the identity has no role"]
    "sign_in.arm_tokens_refused": "A1 A2 K";
        "az acr config authentication-as-arm show --registry myregistry" => "`disabled`, while `az aks nodepool list --query '[].nodeImageVersion'` has an image of before April 2025";
        Command(REIMAGE);
        ["grant.missing": "the same message, where the registry accepts such tokens", "identity.nodes_outdated": "the nodes have another identity, whatever their image"]
    "pull_secret.unusable": "K K5";
        "kubectl get secret NAME --namespace NAMESPACE --output jsonpath='{.type}'" => "`NotFound`, or a type other than `kubernetes.io/dockerconfigjson`";
        SECRET;
        ["pull_secret.expired": "the secret can be read, and the registry rejects what is in it"]
    "pull_secret.expired": "K K5";
        "kubectl get secret NAME --namespace NAMESPACE --output jsonpath='{.data.\\.dockerconfigjson}' | base64 -d \\\n    | jq '.auths | map_values(.username // (.auth | @base64d | split(\":\")[0]))'" => "the hosts and the user names, without the passwords, to compare with the registry's tokens. The secret itself contains the passwords: do not put it in a log";
        SECRET;
        ["pull_secret.unusable": "the secret is missing, or is not for this host", "grant.missing": "the nodes' identity was rejected, not a user name and password"]
    "sign_in.credentials_invalidated": "A2 A3 K";
        "az monitor activity-log list --resource-id REGISTRY_ID --offset 2h --query '[].operationName.value'" => "a write of the registry within the last hour";
        Command(REIMAGE);
        ["grant.not_effective_yet": "the role was granted a short time ago, and the mode did not change"]
    "grant.role_not_honoured": "A1 A2 A3 A5 K";
        "az acr show --name myregistry --query roleAssignmentMode" => "a mode in which the role that was granted has no effect";
        ATTACH;
        ["grant.missing": "no role was granted at all"]
    "grant.to_wrong_identity": "A1 A2 A3 K";
        "az aks show --resource-group my-group --name my-cluster --query '[identity.principalId, identityProfile.kubeletidentity.objectId]'" => "two IDs, of which the first has the role";
        ATTACH;
        ["grant.missing": "no identity of the cluster has a role"]
    "grant.denied": "A3 A6 K";
        "az rest --method get --url 'REGISTRY_ID/providers/Microsoft.Authorization/denyAssignments?api-version=2022-04-01&$filter=atScope()'" => "a deny assignment with the pull action";
        Person;
        ["grant.missing": "nothing is denied, and nothing is granted"]
    "grant.condition_excludes_repository": "A2 A3 K";
        GRANTS => "a role with a condition that does not name the repository";
        ATTACH;
        ["image.not_found": "the repository may be read, and does not exist", "grant.condition_not_evaluated": "the condition has a form that is not understood here"]
    "grant.condition_not_evaluated": "A2 A3";
        GRANTS => "a condition with another attribute than the repository's name";
        Person;
        ["grant.condition_excludes_repository": "the condition is understood, and excludes the repository"]
    "grant.missing": "A1 A2 A3 A4 A5 K";
        GRANTS => "no `AcrPull`, or in the mode for repositories no `Container Registry Repository Reader`";
        ATTACH;
        [
            "identity.no_credential": "the same message, where the role assignments were not read",
            "grant.not_effective_yet": "the role exists, and was granted a short time ago",
            "grant.role_not_honoured": "a role exists that has no effect in the registry's mode",
            "pull_secret.expired": "the message is about a user name and password",
        ]
    "grant.limited_to_repositories": "A2 A3";
        GRANTS => "roles with conditions that name repositories";
        Operation("check", "az role assignment list --scope REGISTRY_ID --assignee PRINCIPAL --query '[].condition'");
        ["grant.condition_excludes_repository": "one image was asked for, and it is excluded"]
    "grant.not_effective_yet": "A3 K";
        "az role assignment list --scope REGISTRY_ID --assignee PRINCIPAL --query '[].createdOn'" => "a time that is a few minutes ago, or later than the message";
        Wait;
        ["sign_in.credentials_invalidated": "the registry's mode was changed within the last hour", "grant.through_group": "access comes from a group's membership"]
    "grant.through_group": "A3 A4 K";
        "az ad group member check --group GROUP --member-id PRINCIPAL" => "`true`, while the identity itself has no role";
        ATTACH;
        ["grant.not_effective_yet": "the identity itself has a role"]
    "identity.no_credential": "K";
        "az aks show --resource-group my-group --name my-cluster --query identityProfile.kubeletidentity.objectId" => "the identity whose roles decide";
        ATTACH;
        ["grant.missing": "the same message, where the role assignments were read", "identity.missing": "the cluster has no kubelet identity", "image.private_or_missing": "the registry is another vendor's"]
    "image.soft_deleted": "A2 D3 DD K";
        "az acr manifest list-deleted-tags --registry myregistry --name team/app:v1" => "the tag, with the digest of the deleted image";
        Command("az acr manifest restore --registry myregistry --name team/app:v1 --digest DIGEST");
        ["image.not_found": "the registry keeps no deleted image of this name"]
    "image.quarantined": "A2 D3 D4 K";
        "az acr manifest list-metadata --registry myregistry --name team/app --query '[].changeableAttributes.quarantineState'" => "a state other than `Passed`, or none";
        Person;
        ["image.read_disabled": "someone disabled the reading of this image, and no scanner is involved", "image.not_found": "by tag, the registry answers 404 for both"]
    "image.read_disabled": "D3 D4 K";
        "az acr repository show --name myregistry --image team/app:v1 --query changeableAttributes.readEnabled" => "`false`; the repository or the manifest can have the switch, too";
        Command("az acr repository update --name myregistry --image team/app:v1 --read-enabled true");
        ["image.not_found": "the registry answers 404, not 405", "image.quarantined": "a scanner has to pass the image"]
    "registry.cache_rule_upstream_denied": "A13 D3 K";
        "az acr credential-set list --registry myregistry" => "a credential set that is not healthy";
        Command("az keyvault secret set --vault-name VAULT --name SECRET --value PASSWORD");
        ["grant.missing": "the message does not name a cache rule"]
    "registry.cache_rule_upstream_throttled": "A13 D3 K";
        "az acr cache list --registry myregistry" => "a rule without a credential set";
        Command("az acr cache update --registry myregistry --name RULE --cred-set SET");
        ["registry.throttled": "the registry itself throttles"]
    "image.private_or_missing": "K";
        "docker manifest inspect IMAGE" => "the image, if it exists and you may read it";
        SECRET;
        ["image.not_found": "the registry is Azure's, and says that it does not have the image", "identity.no_credential": "the registry is Azure's"]
    "image.not_replicated_yet": "A12 D3 D4 K";
        "az acr replication list --registry myregistry --output table" => "more than one region, each with its status; `az acr manifest list-metadata --registry myregistry --name team/app` shows when the image was pushed";
        Command(
            "az acr replication list --registry myregistry --output table    # the column STATUS, for each region\n\
             kubectl delete pod POD    # its controller creates a new pod, which pulls at once, without the kubelet's back-off",
        );
        ["image.not_found": "no replica has the image, however long the node waits"]
    "image.not_found": "D3 D4 DD A12 A13 K";
        "az acr repository show-tags --name myregistry --repository team/app" => "no such tag, or no such repository";
        Operation("import_image", "az acr import --name myregistry --source docker.io/library/nginx:latest --image nginx:v1");
        ["image.platform_missing": "the tag exists, for other platforms", "grant.condition_excludes_repository": "a repository that the identity may not read is a 401"]
    "image.windows_version_mismatch": "A1 D3 K";
        "docker manifest inspect myregistry.azurecr.io/team/app:v1" => "an `os.version` other than the nodes'";
        Person;
        ["image.platform_missing": "no variant for Windows exists"]
    "image.platform_missing": "A1 D3 K";
        "docker manifest inspect myregistry.azurecr.io/team/app:v1" => "no entry for the nodes' platform";
        Command("docker buildx build --platform linux/amd64,linux/arm64 --tag myregistry.azurecr.io/team/app:v1 --push .");
        ["image.not_found": "the tag does not exist for any platform"]
    "image.schema1": "D3 K";
        "az acr manifest list-metadata --registry myregistry --name team/app --query '[].mediaType'" => "`application/vnd.docker.distribution.manifest.v1+prettyjws`";
        Command("docker buildx build --tag myregistry.azurecr.io/team/app:v1 --push .");
        ["image.not_an_image": "the artifact is no image in any format"]
    "image.not_an_image": "D3 K";
        "az acr manifest show --registry myregistry --name team/app:v1 --query config.mediaType" => "a type other than an image's, such as a Helm chart's";
        Command("kubectl set image deployment/NAME CONTAINER=myregistry.azurecr.io/team/app:v1");
        ["image.schema1": "it is an image, in a format that is too old"]
    "network.data_endpoint_blocked": "K";
        "az acr show-endpoints --name myregistry" => "the data endpoints, which the nodes have to reach";
        Person;
        ["network.address_timeout": "the login server does not respond either", "node.store_damaged": "the layers were fetched, and lost on the node"]
    "node.disk_full": "A1 D3 K";
        "kubectl describe node NODE" => "the condition `DiskPressure`";
        Command("az aks nodepool add --resource-group my-group --cluster-name my-cluster --name POOL --node-osdisk-size 256");
        ["node.store_damaged": "there is room, and content is missing"]
    "node.store_damaged": "K";
        "kubectl get pod POD --output jsonpath='{.spec.nodeName}'" => "the same node for every pod that fails";
        Command(
            "kubectl delete pod POD\n\
             # If the failure persists on that node: move the pod to another node, and reimage the nodes of the pool.\n\
             kubectl cordon NODE\n\
             kubectl delete pod POD\n\
             az aks nodepool upgrade --node-image-only --resource-group my-group --cluster-name my-cluster --name POOL",
        );
        ["image.not_found": "the registry does not have the image, on any node"]
    "node.credentials_rechecked": "K K1";
        "kubectl get node NODE --output jsonpath='{.status.nodeInfo.kubeletVersion} {.status.images[*].names}'" => "`v1.35` or newer, and the image's name";
        Command("kubectl patch serviceaccount default --patch '{\"imagePullSecrets\": [{\"name\": \"NAME\"}]}'");
        ["pull_secret.expired": "the credential itself is refused; this finding stands beside it, and says why the image on the node does not help", "reference.pull_policy_never": "the node does not have the image, and may not pull it"]
    "node.pull_rate_exceeded": "K";
        EVENTS => "`pull QPS exceeded`";
        Wait;
        ["registry.throttled": "the registry throttles, with status 429"]
    "pull.cause_unknown": "K";
        EVENTS => "the kubelet's message, from the first failed try";
        Command("kubectl describe pod POD");
        ["identity.no_credential": "the message has `401 Unauthorized`"]
    "pull.succeeded_before_change": "A2 A3 K";
        "kubectl get events --all-namespaces --field-selector reason=Pulled" => "no `Successfully pulled image` of the registry that is newer than the change";
        Operation("prove_pull", "kubectl run proof --image=myregistry.azurecr.io/team/app:v1 --image-pull-policy=Always");
        ["network.private_path_unknown": "no node is known to have pulled from the registry"]
    "unknown.cluster": "A1"; CLUSTER => "`AuthorizationFailed`"; READER; ["cluster.not_ready": "the cluster was read"]
    "unknown.registry": "A2"; "az acr show --name myregistry" => "`AuthorizationFailed`"; READER; ["registry.not_visible": "the lookup by name succeeded, and found nothing"]
    "unknown.network": "A1 A2 A7"; "az acr show --name myregistry --query '[publicNetworkAccess, networkRuleSet]'" => "`AuthorizationFailed`, or a value that this version does not know"; READER; ["network.outbound_ip_unknown": "the settings were read, and do not name the nodes' addresses"]
    "unknown.principal": "A1"; CLUSTER => "neither a kubelet identity nor the object ID of the service principal"; Example(
            "check",
            "check_principal",
            "# With a service principal: its client ID, and then its object ID.\n\
             CLIENT_ID=$(az aks show --resource-group my-group --name my-cluster --query servicePrincipalProfile.clientId --output tsv)\n\
             az ad sp show --id $CLIENT_ID --query id --output tsv\n\
             # With managed identities: the object ID of the kubelet identity.\n\
             az aks show --resource-group my-group --name my-cluster --query identityProfile.kubeletidentity.objectId --output tsv",
        ); ["identity.missing": "the cluster was read, and has no identity"]
    "unknown.nodes": "A11 K1";
        "kubectl get nodes" => "`Forbidden`, or no answer";
        Operation("prove_pull", "kubectl auth can-i list nodes");
        ["identity.nodes_outdated": "the nodes were read, and have another identity"]
    "unknown.role_assignments": "A3 A6"; GRANTS => "`AuthorizationFailed`"; READER; ["grant.missing": "the role assignments were read, and none allows the pull"]
    "unknown.role_definition": "A5"; "az role definition list --name ROLE --scope REGISTRY_ID" => "`AuthorizationFailed`, or an empty list"; READER; ["grant.role_not_honoured": "the role was read, and has no effect"]
    "unknown.image": "D2 D3"; "az acr manifest show --registry myregistry --name team/app:v1" => "`UNAUTHORIZED`, `DENIED`, or no answer"; Command("az role assignment create --assignee ME --role AcrPull --scope REGISTRY_ID"); ["image.not_found": "the registry was read, and does not have the image"]
    "unknown.platform": "A1 D3"; "docker manifest inspect myregistry.azurecr.io/team/app:v1" => "no platform, or one that Azure does not report for the nodes"; Command("kubectl get nodes --label-columns kubernetes.io/os,kubernetes.io/arch"); ["image.platform_missing": "the platforms are known, and do not fit"]
}

/// The requests, by their keys: what is read, and the permission and the smallest role that it needs.
pub const REQUESTS: &[(&str, &str, &str, &str)] = &[
    ("A1", "`GET` the cluster", "Microsoft.ContainerService/managedClusters/read", "Reader"),
    (
        "A2",
        "`GET` the registry, or the list of registries for a name",
        "Microsoft.ContainerRegistry/registries/read",
        "Reader",
    ),
    (
        "A3",
        "`GET` role assignments at the registry and above it",
        "Microsoft.Authorization/roleAssignments/read",
        "Reader",
    ),
    ("A4", "`GET` role assignments of the identity's groups", "Microsoft.Authorization/roleAssignments/read", "Reader"),
    ("A5", "`GET` the definition of a custom role", "Microsoft.Authorization/roleDefinitions/read", "Reader"),
    (
        "A6",
        "`GET` deny assignments at the registry and above it",
        "Microsoft.Authorization/denyAssignments/read",
        "Reader",
    ),
    ("A7", "`GET` the cluster's public IP addresses", "Microsoft.Network/publicIPAddresses/read", "Reader"),
    ("A7g", "`GET` the subnet's NAT gateway", "Microsoft.Network/natGateways/read", "Reader"),
    ("A8", "`GET` the private endpoint", "Microsoft.Network/privateEndpoints/read", "Reader"),
    (
        "A8g",
        "list the DNS zone groups of the private endpoint",
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups/read",
        "Reader",
    ),
    (
        "A9",
        "list the virtual network links of the private DNS zone",
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks/read",
        "Reader",
    ),
    (
        "A9g",
        "query Azure Resource Graph for other zones of that name that are linked to the nodes' network",
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks/read",
        "Reader",
    ),
    ("A9r", "list the A records of the private DNS zone", "Microsoft.Network/privateDnsZones/A/read", "Reader"),
    (
        "A10",
        "`GET` the nodes' virtual network, or list those of their resource group",
        "Microsoft.Network/virtualNetworks/read",
        "Reader",
    ),
    ("A11", "`GET` the scale sets of the node pools", "Microsoft.Compute/virtualMachineScaleSets/read", "Reader"),
    (
        "A15",
        "`POST` whether the registry's name is free, if no registry is found",
        "Microsoft.ContainerRegistry/checkNameAvailability/read",
        "Reader",
    ),
    ("A14", "`GET` the cluster with a preview version", "Microsoft.ContainerService/managedClusters/read", "Reader"),
    (
        "A14b",
        "list the identity bindings of the cluster, if its nodes pull as service accounts",
        "Microsoft.ContainerService/managedClusters/identityBindings/read",
        "Reader",
    ),
    (
        "G1",
        "`GET` the service principal and its application in Microsoft Graph, with `query_graph`",
        "Application.Read.All",
        "Directory Readers, a role of Entra ID",
    ),
    ("D2", "`POST` for a token of the registry", "Microsoft.ContainerRegistry/registries/pull/read", "AcrPull"),
    ("D3", "`GET` the image's manifest", "Microsoft.ContainerRegistry/registries/pull/read", "AcrPull"),
    (
        "D4",
        "`GET` the newest manifests of the repository, and what can be read of repository and tag, if the image is not served",
        "Microsoft.ContainerRegistry/registries/pull/read",
        "AcrPull",
    ),
    (
        "DD",
        "`GET` the deleted images of the repository, if the image is missing and the registry keeps deleted ones",
        "Microsoft.ContainerRegistry/registries/deleted/read",
        "Reader",
    ),
    (
        "A12",
        "`GET` the replicas of a Premium registry, if the image is missing",
        "Microsoft.ContainerRegistry/registries/replications/read",
        "Reader",
    ),
    (
        "A13",
        "`GET` the cache rules, if the image is missing or comes from upstream",
        "Microsoft.ContainerRegistry/registries/cacheRules/read",
        "Reader",
    ),
    (
        "A13",
        "`GET` the credential sets with their health",
        "Microsoft.ContainerRegistry/registries/credentialSets/read",
        "Reader",
    ),
    ("K", "`GET` pods", "Microsoft.ContainerService/managedClusters/pods/read", "Azure Kubernetes Service RBAC Reader"),
    (
        "K",
        "`GET` events",
        "Microsoft.ContainerService/managedClusters/events/read",
        "Azure Kubernetes Service RBAC Reader",
    ),
    (
        "K1",
        "`GET` the nodes' labels",
        "Microsoft.ContainerService/managedClusters/nodes/read",
        "Azure Kubernetes Service RBAC Cluster Admin",
    ),
    (
        "K4",
        "`GET` replica sets",
        "Microsoft.ContainerService/managedClusters/apps/replicasets/read",
        "Azure Kubernetes Service RBAC Reader",
    ),
    (
        "K4b",
        "`GET` StatefulSets, if events report that their pods are not created",
        "Microsoft.ContainerService/managedClusters/apps/statefulsets/read",
        "Azure Kubernetes Service RBAC Reader",
    ),
    (
        "K4c",
        "the same for DaemonSets",
        "Microsoft.ContainerService/managedClusters/apps/daemonsets/read",
        "Azure Kubernetes Service RBAC Reader",
    ),
    (
        "K4d",
        "the same for Jobs",
        "Microsoft.ContainerService/managedClusters/batch/jobs/read",
        "Azure Kubernetes Service RBAC Reader",
    ),
    (
        "K6",
        "`GET` service accounts, if the nodes pull as those",
        "Microsoft.ContainerService/managedClusters/serviceaccounts/read",
        "Azure Kubernetes Service RBAC Reader",
    ),
    (
        "K5",
        "`GET` the pull secret, of which only type and hosts are kept",
        "Microsoft.ContainerService/managedClusters/secrets/read",
        "Azure Kubernetes Service RBAC Writer",
    ),
];
