terraform {
  required_providers {
    azapi = { source = "Azure/azapi" }
  }
}

variable "origin" { type = string }
variable "subscription" { type = string }
variable "team" { type = string }
variable "nodes" { type = number }

provider "azapi" {
  subscription_id                = var.subscription
  disable_correlation_request_id = true
  skip_provider_registration     = true
  endpoint = [{
    resource_manager_endpoint       = var.origin
    resource_manager_audience       = "https://management.azure.com"
    active_directory_authority_host = var.origin
  }]
}

# The provider's own schemas are off, so that a checkout without its largest files does.
resource "azapi_resource" "group" {
  type                      = "Microsoft.Resources/resourceGroups@2024-11-01"
  name                      = "made"
  schema_validation_enabled = false
  location                  = "westeurope"
  parent_id                 = "/subscriptions/${var.subscription}"
}

resource "azapi_resource" "registry" {
  type                      = "Microsoft.ContainerRegistry/registries@2025-04-01"
  name                      = "tofuregistry"
  schema_validation_enabled = false
  location                  = "westeurope"
  parent_id                 = azapi_resource.group.id
  body                      = { sku = { name = "Standard" }, properties = { adminUserEnabled = false } }
  response_export_values    = ["properties.loginServer"]
}

resource "azapi_resource" "identity" {
  type                      = "Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30"
  name                      = "deployer"
  schema_validation_enabled = false
  location                  = "westeurope"
  parent_id                 = azapi_resource.group.id
  response_export_values    = ["properties.principalId"]
}

resource "azapi_resource" "cluster" {
  type                      = "Microsoft.ContainerService/managedClusters@2025-10-01"
  name                      = "tofu"
  schema_validation_enabled = false
  location                  = "westeurope"
  parent_id                 = azapi_resource.group.id
  tags                      = { team = var.team }
  identity { type = "SystemAssigned" }
  body = {
    sku = { name = "Base", tier = "Free" }
    properties = {
      dnsPrefix         = "tofu"
      agentPoolProfiles = [{ name = "nodepool1", count = var.nodes, vmSize = "Standard_D2s_v3", mode = "System", osType = "Linux" }]
    }
  }
  response_export_values = ["properties.identityProfile.kubeletidentity.objectId"]
}

locals {
  pull    = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
  kubelet = azapi_resource.cluster.output.properties.identityProfile.kubeletidentity.objectId
}

resource "azapi_resource" "grant" {
  type = "Microsoft.Authorization/roleAssignments@2022-04-01"
  # The name that Bicep, azurerm and the library derive.
  name                      = uuidv5("11fb06fb-712d-4ddd-98c7-e71bbd588830", lower("${azapi_resource.registry.id}-${local.kubelet}-${local.pull}"))
  schema_validation_enabled = false
  parent_id                 = azapi_resource.registry.id
  body = {
    properties = {
      roleDefinitionId = "/subscriptions/${var.subscription}/providers/Microsoft.Authorization/roleDefinitions/${local.pull}"
      principalId      = local.kubelet
      principalType    = "ServicePrincipal"
    }
  }
}

data "azapi_resource_action" "kubeconfig" {
  type                   = "Microsoft.ContainerService/managedClusters@2025-10-01"
  resource_id            = azapi_resource.cluster.id
  action                 = "listClusterUserCredential"
  method                 = "POST"
  response_export_values = ["kubeconfigs"]
}

output "server" { value = azapi_resource.registry.output.properties.loginServer }
output "kubeconfig" { value = data.azapi_resource_action.kubeconfig.output.kubeconfigs[0].name }
