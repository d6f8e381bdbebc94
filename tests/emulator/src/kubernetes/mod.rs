//! The Kubernetes of one cluster: objects, controllers, nodes. It knows nothing of Azure.
