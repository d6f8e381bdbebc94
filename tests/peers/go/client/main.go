// The story of a registry and a cluster by Azure's SDK for Go: made, granted, filled, read and deleted. It prints a line of JSON for each
// step, and ends with the first error.
//
//	go AUTHORITY RESOURCE_MANAGER SUBSCRIPTION GROUP
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/containers/azcontainerregistry"
	auth "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	acr "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v6"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
)

const (
	location = "westeurope"
	acrPull  = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
)

// The waits between polls are the SDK's, which are 30 seconds unless the service says otherwise.
var poll = &runtime.PollUntilDoneOptions{Frequency: time.Second}

func must[T any](value T, err error) T {
	if err != nil {
		var refused *azcore.ResponseError
		if errors.As(err, &refused) {
			say("error", map[string]any{"status": refused.StatusCode, "code": refused.ErrorCode})
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

// The code of an error that has to come.
func refused(err error) map[string]any {
	var refused *azcore.ResponseError
	if !errors.As(err, &refused) {
		fmt.Fprintf(os.Stderr, "no error of the service: %v\n", err)
		os.Exit(1)
	}
	return map[string]any{"status": refused.StatusCode, "code": refused.ErrorCode}
}

func say(step string, value any) {
	text := must(json.Marshal(map[string]any{"step": step, "gives": value}))
	fmt.Println(string(text))
}

func done[T any](ctx context.Context, poller *runtime.Poller[T]) T {
	return must(poller.PollUntilDone(ctx, poll))
}

func main() {
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	defer stop()
	authority, manager, subscription, group := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	services := map[cloud.ServiceName]cloud.ServiceConfiguration{
		cloud.ResourceManager:           {Endpoint: manager, Audience: "https://management.azure.com"},
		azcontainerregistry.ServiceName: {Audience: "https://containerregistry.azure.net"},
	}
	client := azcore.ClientOptions{Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: authority, Services: services}}
	options := &arm.ClientOptions{ClientOptions: client}
	credential := must(azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{
		ClientOptions: client, DisableInstanceDiscovery: true}))

	groups := must(armresources.NewResourceGroupsClient(subscription, credential, options))
	made := must(groups.CreateOrUpdate(ctx, group, armresources.ResourceGroup{Location: to.Ptr(location)}, nil))
	say("group", *made.Properties.ProvisioningState)

	registries := must(acr.NewRegistriesClient(subscription, credential, options))
	_, err := registries.Get(ctx, group, "goregistry", nil)
	say("no registry", refused(err))
	registry := done(ctx, must(registries.BeginCreate(ctx, group, "goregistry", acr.Registry{
		Location: to.Ptr(location), SKU: &acr.SKU{Name: to.Ptr(acr.SKUNameBasic)}}, nil)))
	say("registry", map[string]any{"server": *registry.Properties.LoginServer, "state": *registry.Properties.ProvisioningState})
	done(ctx, must(registries.BeginImportImage(ctx, group, "goregistry", acr.ImportImageParameters{
		Source:     &acr.ImportSource{RegistryURI: to.Ptr("docker.io"), SourceImage: to.Ptr("library/nginx:latest")},
		TargetTags: []*string{to.Ptr("team/app:v1")}}, nil)))
	updated := done(ctx, must(registries.BeginUpdate(ctx, group, "goregistry", acr.RegistryUpdateParameters{
		Tags: map[string]*string{"team": to.Ptr("web")}}, nil)))
	say("tags", updated.Tags)

	clusters := must(aks.NewManagedClustersClient(subscription, credential, options))
	pool := &aks.ManagedClusterAgentPoolProfile{Name: to.Ptr("nodepool1"), Count: to.Ptr[int32](1),
		VMSize: to.Ptr("Standard_D4s_v3"), Mode: to.Ptr(aks.AgentPoolModeSystem)}
	cluster := done(ctx, must(clusters.BeginCreateOrUpdate(ctx, group, "dev", aks.ManagedCluster{
		Location: to.Ptr(location), Identity: &aks.ManagedClusterIdentity{Type: to.Ptr(aks.ResourceIdentityTypeSystemAssigned)},
		Properties: &aks.ManagedClusterProperties{DNSPrefix: to.Ptr("dev"),
			AgentPoolProfiles: []*aks.ManagedClusterAgentPoolProfile{pool}}}, nil)))
	kubelet := cluster.Properties.IdentityProfile["kubeletidentity"].ObjectID
	say("cluster", map[string]any{"state": *cluster.Properties.ProvisioningState, "kubelet": kubelet != nil})
	given := must(clusters.ListClusterUserCredentials(ctx, group, "dev", nil))
	say("kubeconfigs", len(given.Kubeconfigs))

	assignments := must(auth.NewRoleAssignmentsClient(subscription, credential, options))
	role := fmt.Sprintf("/subscriptions/%s/providers/Microsoft.Authorization/roleDefinitions/%s", subscription, acrPull)
	wanted := auth.RoleAssignmentCreateParameters{Properties: &auth.RoleAssignmentProperties{
		PrincipalID: kubelet, PrincipalType: to.Ptr(auth.PrincipalTypeServicePrincipal), RoleDefinitionID: to.Ptr(role)}}
	names := []string{"5e0b9a3c-25a4-4f3e-9a7e-3a0f6dbb9c11", "c5f7b2f0-9ddc-4f0b-8d0f-52d6a1d1f0a2"}
	granted := must(assignments.Create(ctx, *registry.ID, names[0], wanted, nil))
	_, err = assignments.Create(ctx, *registry.ID, names[1], wanted, nil)
	say("granted twice", refused(err))
	count := 0
	for pages := assignments.NewListForScopePager(*registry.ID, &auth.RoleAssignmentsClientListForScopeOptions{
		Filter: to.Ptr("atScope()")}); pages.More(); {
		for _, one := range must(pages.NextPage(ctx)).Value {
			if *one.Properties.RoleDefinitionID == *granted.Properties.RoleDefinitionID {
				count++
			}
		}
	}
	say("grants", count)

	images(ctx, "https://"+*registry.Properties.LoginServer, credential, client)

	done(ctx, must(clusters.BeginDelete(ctx, group, "dev", nil)))
	done(ctx, must(registries.BeginDelete(ctx, group, "goregistry", nil)))
	left := 0
	for pages := registries.NewListPager(nil); pages.More(); {
		left += len(must(pages.NextPage(ctx)).Value)
	}
	say("left", left)
}

// What the client of registries does, with the caller's own permissions.
func images(ctx context.Context, endpoint string, credential azcore.TokenCredential, options azcore.ClientOptions) {
	client := must(azcontainerregistry.NewClient(endpoint, credential, &azcontainerregistry.ClientOptions{ClientOptions: options}))
	blobs := must(azcontainerregistry.NewBlobClient(endpoint, credential,
		&azcontainerregistry.BlobClientOptions{ClientOptions: options}))
	config := []byte(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`)
	digest := push(ctx, blobs, config)
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",`+
		`"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%d},"layers":[]}`, digest, len(config))
	media := azcontainerregistry.ContentTypeApplicationVndOciImageManifestV1JSON
	pushed := must(client.UploadManifest(ctx, "team/own", "v1", media, streaming.NopCloser(strings.NewReader(manifest)), nil))
	got := must(client.GetManifest(ctx, "team/own", "v1", &azcontainerregistry.ClientGetManifestOptions{Accept: to.Ptr(string(media))}))
	text := must(io.ReadAll(got.ManifestData))
	say("manifest", string(text) == manifest && *got.DockerContentDigest == *pushed.DockerContentDigest)

	names, tags := []string{}, []string{}
	for pages := client.NewListRepositoriesPager(nil); pages.More(); {
		for _, one := range must(pages.NextPage(ctx)).Names {
			names = append(names, *one)
		}
	}
	for pages := client.NewListTagsPager("team/app", nil); pages.More(); {
		for _, one := range must(pages.NextPage(ctx)).Tags {
			tags = append(tags, *one.Name)
		}
	}
	say("images", map[string]any{"repositories": names, "tags": tags})
	must(blobs.DeleteBlob(ctx, "team/own", digest, nil))
	_, err := blobs.GetBlob(ctx, "team/own", digest, nil)
	say("no blob", refused(err)["status"])
	must(client.DeleteManifest(ctx, "team/own", *pushed.DockerContentDigest, nil))
	_, err = client.GetManifestProperties(ctx, "team/own", *pushed.DockerContentDigest, nil)
	say("no manifest", refused(err)["status"])
}

// Uploads a blob in two parts; its digest.
func push(ctx context.Context, blobs *azcontainerregistry.BlobClient, data []byte) string {
	begun := must(blobs.StartUpload(ctx, "team/own", nil))
	location, calculator := *begun.Location, azcontainerregistry.NewBlobDigestCalculator()
	start := int32(0)
	for _, part := range [][]byte{data[:10], data[10:]} {
		end := start + int32(len(part)) - 1
		chunk := &azcontainerregistry.BlobClientUploadChunkOptions{RangeStart: &start, RangeEnd: &end}
		sent := must(blobs.UploadChunk(ctx, location, bytes.NewReader(part), calculator, chunk))
		location, start = *sent.Location, end+1
	}
	return *must(blobs.CompleteUpload(ctx, location, calculator, nil)).DockerContentDigest
}
