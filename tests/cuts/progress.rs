//! Steps that were started are finished, unless the operation failed.

use aks_acr::Event;

/// What is wrong with the steps of an operation that was heard, if anything. `is_done`: it came to a good end.
pub fn flaw(heard: &[Event], is_done: bool) -> Option<String> {
    let mut open: Vec<&str> = Vec::new();
    for event in heard {
        match event {
            Event::Started { step } => open.push(step),
            Event::Finished { step } => match open.iter().position(|one| one == step) {
                Some(at) => drop(open.remove(at)),
                None => return Some(format!("finished and never started: {step}")),
            },
            _ => {}
        }
    }
    (is_done && !open.is_empty()).then(|| format!("started and never finished: {open:?}"))
}
