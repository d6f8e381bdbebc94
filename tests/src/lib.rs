//! What the test programs share: the folder of test data, folders of their own, the clock, and a transport that answers what it was given.

pub mod data;
pub mod folder;
pub mod replay;
