//! A custom role that a test starts with.

use crate::principal::stable_id;
use crate::rbac::Role;

/// A custom role to start with: its blocks of permissions, and the scopes at which it can be assigned.
#[derive(Clone, Debug)]
pub struct RoleSeed {
    name: String,
    blocks: Vec<Role>,
    assignable: Vec<String>,
}

impl RoleSeed {
    /// A role that allows nothing and can be assigned in every subscription.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), blocks: Vec::new(), assignable: Vec::new() }
    }

    /// Adds a block of actions, without those that it excludes.
    #[must_use]
    pub fn block(mut self, actions: &[&str], not_actions: &[&str]) -> Self {
        self.blocks.push(Role { actions: owned(actions), not_actions: owned(not_actions), ..Role::default() });
        self
    }

    /// Adds a block of actions on data, without those that it excludes.
    #[must_use]
    pub fn data_block(mut self, actions: &[&str], not_actions: &[&str]) -> Self {
        let block = Role { data_actions: owned(actions), not_data_actions: owned(not_actions), ..Role::default() };
        self.blocks.push(block);
        self
    }

    /// Adds an assignable scope. The role then exists only at and below these scopes.
    #[must_use]
    pub fn assignable_at(mut self, scope: &str) -> Self {
        self.assignable.push(scope.to_owned());
        self
    }

    pub(crate) fn into_role(self) -> Role {
        let mut blocks = self.blocks.into_iter();
        let first = blocks.next().unwrap_or_default();
        Role {
            id: stable_id(&format!("role/{}", self.name)),
            description: format!("The custom role {}.", self.name),
            name: self.name,
            further: blocks.collect(),
            assignable: self.assignable,
            ..first
        }
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
