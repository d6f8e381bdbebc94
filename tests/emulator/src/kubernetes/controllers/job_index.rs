//! Indexed jobs: each pod has a number, and each number has to succeed once.

use serde_json::{Value, json};

use super::super::MOST_PODS;
use super::super::object::{map, name, number, text};
use super::job_state::Tally;

const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// The indexes of the next pods, so many at most; `None` for each pod of a job without indexes.
pub(super) fn missing(job: &Value, tally: &Tally, count: usize) -> Vec<Option<i64>> {
    // No more than this fit into the cluster.
    let count = count.min(MOST_PODS);
    if !is_indexed(job) {
        return vec![None; count];
    }
    let counted = tally.counted.iter().filter(|pod| has_succeeded(pod));
    let single = tally.active.iter().chain(counted).filter_map(index_of).map(|index| (index, index));
    let taken = joined(done(job).into_iter().chain(single).collect());
    let (mut missing, mut next) = (Vec::new(), 0);
    let gaps = taken.into_iter().chain([(completions(job), completions(job))]);
    for (first, last) in gaps {
        missing.extend((next..first).take(count - missing.len()).map(Some));
        next = last + 1;
    }
    missing
}

/// Gives a new pod its number: as an annotation, a label, a variable, and a part of its names.
pub(super) fn mark(job: &Value, pod: &mut Value, index: i64) {
    for part in ["annotations", "labels"] {
        map(pod, &["metadata", part]).insert(INDEX.to_owned(), json!(index.to_string()));
    }
    let host = format!("{}-{index}", name(job));
    map(pod, &["metadata"]).insert("generateName".to_owned(), json!(format!("{host}-")));
    map(pod, &["spec"]).insert("hostname".to_owned(), json!(host));
    let field = json!({"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {"apiVersion": "v1",
        "fieldPath": format!("metadata.labels['{INDEX}']")}}});
    for containers in ["initContainers", "containers"] {
        let containers = map(pod, &["spec"]).get_mut(containers).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let variables = map(container, &[]).entry("env").or_insert_with(|| json!([]));
            if let Some(variables) = variables.as_array_mut() {
                variables.push(field.clone());
            }
        }
    }
}

/// The numbers that have succeeded, in runs, such as `0-2,5`; `None` for a job without indexes.
pub(super) fn completed(job: &Value, finished: &[Value]) -> Option<String> {
    if !is_indexed(job) {
        return None;
    }
    let new = finished.iter().filter(|pod| has_succeeded(pod)).filter_map(index_of).map(|index| (index, index));
    let runs = text_of(&joined(done(job).into_iter().chain(new).collect()));
    (!runs.is_empty()).then_some(runs)
}

fn is_indexed(job: &Value) -> bool {
    text(job, "/spec/completionMode") == "Indexed"
}

fn has_succeeded(pod: &Value) -> bool {
    text(pod, "/status/phase") == "Succeeded"
}

fn index_of(pod: &Value) -> Option<i64> {
    pod["metadata"]["annotations"][INDEX].as_str()?.parse().ok()
}

fn completions(job: &Value) -> i64 {
    number(job, "/spec/completions").unwrap_or(0)
}

/// The first and the last number of each run that has succeeded. A run may have any length, as clients write it too.
fn done(job: &Value) -> Vec<(i64, i64)> {
    let runs = text(job, "/status/completedIndexes").split(',').filter_map(|run| {
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        let (first, last) = first.parse::<i64>().ok().zip(last.parse::<i64>().ok())?;
        Some((first, last.min(completions(job) - 1))).filter(|(first, last)| first <= last)
    });
    joined(runs.collect())
}

/// The same numbers in ascending runs that do not touch.
fn joined(mut runs: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    runs.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::new();
    for (first, last) in runs {
        match joined.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
            _ => joined.push((first, last)),
        }
    }
    joined
}

fn text_of(runs: &[(i64, i64)]) -> String {
    // Two numbers are no run.
    let text = |&(first, last): &(i64, i64)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    };
    runs.iter().map(text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_row_are_a_run() {
        let singles = |indexes: &[i64]| joined(indexes.iter().map(|index| (*index, *index)).collect());
        assert_eq!(text_of(&singles(&[7, 0, 1, 2, 4, 6, 6])), "0-2,4,6,7");
        let done = |indexes: &str, completions: i64| {
            done(&json!({"spec": {"completions": completions}, "status": {"completedIndexes": indexes}}))
        };
        assert_eq!(done("0-2,4", 9), [(0, 2), (4, 4)]);
        assert_eq!(done("0-2147483647", 3), [(0, 2)]);
        assert_eq!(done("5-7,0-9223372036854775807,x,8-4,-1,9", 12), [(0, 11)]);
    }

    #[test]
    fn missing_numbers_are_between_the_runs() {
        let missing = |job: &Value, count| missing(job, &Tally::default(), count);
        let job = |completions: i64, indexes: &str| json!({"spec": {"completionMode": "Indexed", "completions": completions}, "status": {"completedIndexes": indexes}});
        assert_eq!(missing(&job(7, "1,2,4"), 9), [0, 3, 5, 6].map(Some));
        assert_eq!(missing(&job(7, ""), 2), [0, 1].map(Some));
        assert!(missing(&job(i32::MAX.into(), "0-2147483646"), usize::MAX).is_empty());
        assert_eq!(missing(&job(i32::MAX.into(), "1-2147483640"), usize::MAX).len(), 7);
        assert_eq!(missing(&job(i32::MAX.into(), ""), usize::MAX).len(), MOST_PODS);
        assert_eq!(missing(&json!({}), usize::MAX).len(), MOST_PODS);
    }
}
