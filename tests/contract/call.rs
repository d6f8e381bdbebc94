//! Makes the call of a step.

use crate::answer::{Answer, Listener};
use aks_acr::{Client, Error, Operation};
use aks_acr_tests::{arguments::Arguments, operate::operate};
use serde_json::{Map, Value};
use std::path::Path;

/// Calls the operation and collects its result and events.
pub async fn make(client: &Client, name: &str, mut args: Arguments, cancel: Option<&str>) -> Result<Answer, String> {
    let operation: Operation = name.parse().map_err(|err: Error| err.to_string())?;
    let mut listener = Listener::new(cancel)?;
    args.set("deadline", &mut listener.options.deadline).map_err(|err| err.to_string())?;
    let result = operate(client, operation, args, listener.options.clone()).await;
    Ok(listener.answer(result))
}

/// Replaces `$name` by the value that an earlier step kept, and `<folder>` by the story's folder.
pub fn arguments(args: &Map<String, Value>, kept: &Map<String, Value>, folder: &Path) -> Result<Arguments, String> {
    let filled = args.iter().map(|(name, value)| {
        if let Some(file) = value.as_str().and_then(|text| text.strip_prefix("<folder>/")) {
            return Ok((name.clone(), folder.join(file).display().to_string().into()));
        }
        let meant = match value.as_str().and_then(|text| text.strip_prefix('$')) {
            None => value.clone(),
            Some(name) => kept.get(name).cloned().ok_or_else(|| format!("nothing was kept as {name}"))?,
        };
        Ok((name.clone(), meant))
    });
    Ok(Arguments::exact(filled.collect::<Result<_, String>>()?))
}
