//! Code that the test programs share: one caller for all operations, the folder of test data, temporary folders, the clock, a transport
//! with scripted responses, and a listener for `tracing`.

pub mod arguments;
pub mod calls;
pub mod data;
pub mod folder;
pub mod hearing;
pub mod operate;
pub mod replay;
