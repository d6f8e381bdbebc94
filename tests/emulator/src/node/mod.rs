//! What a node does to get an image: the credential provider of its kubelet, and its container runtime.
