//! What writes a kubeconfig file.

use crate::{
    case::{Case, case},
    scene::{Scene, cluster},
};
use aks_acr::{Access, MergeKubeconfigOptions, OnExistingEntry};
use std::fs;

/// Another owner's file, with a comment and an entry that Azure did not create.
const OTHERS: &str = "\
# mine, by hand
apiVersion: v1
kind: Config
current-context: elsewhere
clusters:
- name: elsewhere
  cluster: {server: 'https://elsewhere.example'}   # behind the proxy
contexts:
- {name: elsewhere, context: {cluster: elsewhere, user: me}}
users:
- name: me
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: sign-in, interactiveMode: Never}
";

/// An old entry of the cluster's name.
const OLD: &str = "\
apiVersion: v1
kind: Config
clusters:
- name: dev
  cluster: {server: 'https://old.example'}
contexts:
- name: dev
  context: {cluster: dev, user: clusterUser_group_dev}
users:
- name: clusterUser_group_dev
  user: {}
";

pub fn cases() -> Vec<Case> {
    vec![
        case!("merge_kubeconfig", "no file", Scene::plain(), |client, scene| {
            client.merge_kubeconfig(&cluster(), into_file(scene)).await
        }),
        case!("merge_kubeconfig", "a file of others", with(OTHERS), |client, scene| {
            client.merge_kubeconfig(&cluster(), into_file(scene)).await
        }),
        case!("merge_kubeconfig", "an old entry, to be replaced", with(OLD), |client, scene| {
            client.merge_kubeconfig(&cluster(), into_file(scene).with_on_existing_entry(OnExistingEntry::Replace)).await
        }),
        case!("merge_kubeconfig", "as administrator, not made current", with(OTHERS), |client, scene| {
            let options = into_file(scene).with_access(Access::Admin).with_set_current(false);
            client.merge_kubeconfig(&cluster(), options).await
        }),
    ]
}

fn into_file(scene: &Scene) -> MergeKubeconfigOptions {
    MergeKubeconfigOptions::default().with_call(scene.call()).with_file(scene.folder.join("config"))
}

fn with(text: &str) -> Scene {
    let scene = Scene::plain();
    fs::write(scene.folder.join("config"), text).expect("a file");
    scene
}
