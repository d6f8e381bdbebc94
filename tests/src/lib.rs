//! What the test programs share: the folder of test data, folders of their own, the clock, a transport that answers what it
//! was given, and who hears what is told.

pub mod data;
pub mod folder;
pub mod hearing;
pub mod replay;
