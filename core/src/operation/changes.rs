//! What has changed at a cluster and a registry, by Azure's activity log and Azure Resource Graph.

use super::{Parts, check::ended::unless_ended};
use crate::{
    call::Call,
    diagnosis::{
        facts::{Read, Unread},
        name_changes,
        report::Report,
    },
    error::Result,
    id::{ResourceId, SubscriptionId},
    inventory::{Change, ChangedProperty, RecordedChanges},
};
use futures::future::{try_join, try_join_all};
use std::{
    cmp::Reverse,
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

/// How far back changes are read, if no pull that has succeeded is known: Azure Resource Graph keeps them for 14 days, the activity log has 90.
const SPAN: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// How long the reads may take: they are optional.
const LONGEST: Duration = Duration::from_secs(10);
/// How many changes a report has.
const MOST: usize = 20;

/// Adds the changes since a pull has last succeeded.
pub(super) async fn add(parts: &Parts, reports: &mut [(&mut Report, Option<SystemTime>)], call: &Call) -> Result<()> {
    let oldest = parts.time() - SPAN;
    let since = |last: &Option<SystemTime>| last.map_or(oldest, |last| last.max(oldest));
    let Some(first) = reports.iter().map(|(_, last)| since(last)).min() else { return Ok(()) };
    let step = "reading what has changed at the cluster and the registries";
    let reading = try_join(logs(parts, reports, first, call), recorded(parts, reports, first, call));
    let (logs, recorded) = call.step(step, reading).await?;
    for (report, last) in reports {
        let since = since(last);
        let mut all = Vec::new();
        for (of, log) in &logs {
            match log {
                _ if !subjects(report).any(|id| *of == group_of(id)) => {}
                Ok(log) => all.extend(log.iter().filter(|one| one.time >= since && is_about(one, report)).cloned()),
                Err(unread) => report.assumptions.push(unknown(unread)),
            }
        }
        match &recorded {
            Ok(recorded) => {
                let own = recorded.changes.iter().filter(|one| subjects(report).any(|id| id.is(&one.resource)));
                own.for_each(|change| join(&mut all, change, since));
                if recorded.has_more {
                    report.assumptions.push(NO_OLDER.to_owned());
                }
            }
            Err(unread) => report.assumptions.push(without_properties(unread)),
        }
        // Nodes that are added and removed must not hide that a grant was.
        all.sort_by_key(|one| (!matters(one), Reverse(one.time)));
        all.truncate(MOST);
        all.sort_by_key(|one| Reverse(one.time));
        report.changes = all;
        name_changes(report);
    }
    Ok(())
}

/// Adds what Azure Resource Graph has recorded to the event about the same request, or as a change of its own.
fn join(all: &mut Vec<Change>, recorded: &Change, since: SystemTime) {
    let fit = |one: &Change| {
        let ids = one.correlation_id.as_deref().zip(recorded.correlation_id.as_deref());
        let is_by = one.action.eq_ignore_ascii_case(&recorded.action);
        match below(&recorded.resource, &one.resource) {
            Some(rest) if ids.is_some_and(|(one, other)| one.eq_ignore_ascii_case(other)) => match rest {
                "" => 1 + u8::from(is_by),
                // A write of a node pool changes its cluster.
                _ => u8::from(is_by),
            },
            _ => 0,
        }
    };
    match all.iter_mut().max_by_key(|one| fit(one)).filter(|one| fit(one) > 0) {
        Some(event) => {
            recorded.properties.iter().for_each(|one| merge(&mut event.properties, one));
            event.is_truncated |= recorded.is_truncated;
        }
        None if recorded.time >= since => all.push(recorded.clone()),
        None => {}
    }
}

/// Adds an older change of a property: one request may change it in steps.
fn merge(properties: &mut Vec<ChangedProperty>, older: &ChangedProperty) {
    match properties.binary_search_by(|one| one.property.cmp(&older.property)) {
        Ok(at) => properties[at].before.clone_from(&older.before),
        Err(at) => properties.insert(at, older.clone()),
    }
}

/// Whether pulls may depend on a change.
fn matters(change: &Change) -> bool {
    change.properties.is_empty() || change.is_truncated || change.properties.iter().any(ChangedProperty::matters)
}

/// A resource group, with its subscription.
type Group = (SubscriptionId, String);

/// The log of each group, read once.
async fn logs(
    parts: &Parts,
    reports: &[(&mut Report, Option<SystemTime>)],
    since: SystemTime,
    call: &Call,
) -> Result<BTreeMap<Group, Read<Vec<Change>>>> {
    let limited = &call.at_most(LONGEST);
    let mut groups: Vec<Group> = reports.iter().flat_map(|(report, _)| subjects(report)).map(group_of).collect();
    groups.sort();
    groups.dedup();
    let read = groups.into_iter().map(|(subscription, group)| async move {
        let changes = parts.inventory().changes(subscription, &group, since, limited).await;
        Ok::<_, crate::Error>(((subscription, group), unless_ended(changes, call)?))
    });
    Ok(try_join_all(read).await?.into_iter().collect())
}

/// The changes of all clusters and registries, in one query.
async fn recorded(
    parts: &Parts,
    reports: &[(&mut Report, Option<SystemTime>)],
    since: SystemTime,
    call: &Call,
) -> Result<Read<RecordedChanges>> {
    let mut resources: Vec<ResourceId> = Vec::new();
    for id in reports.iter().flat_map(|(report, _)| subjects(report)) {
        if !resources.iter().any(|one| one.is(id.as_str())) {
            resources.push(id.clone());
        }
    }
    let found = parts.inventory().resource_changes(&resources, since, &call.at_most(LONGEST)).await;
    unless_ended(found, call)
}

fn subjects(report: &Report) -> impl Iterator<Item = &ResourceId> {
    std::iter::once(&report.cluster).chain(&report.registry)
}

fn group_of(id: &ResourceId) -> Group {
    (id.subscription(), id.group().to_ascii_lowercase())
}

/// Whether a change is of the cluster, the registry or what is below them, or of access to their whole group. The log has also who has listed
/// credentials, which changes nothing.
fn is_about(change: &Change, report: &Report) -> bool {
    let verb = change.action.to_ascii_lowercase();
    let verb = verb.strip_suffix("/action").and_then(|rest| rest.rsplit('/').next());
    if verb.is_some_and(|verb| verb.starts_with("list")) {
        return false;
    }
    subjects(report).any(|id| {
        let access =
            format!("{}/resourcegroups/{}/providers/microsoft.authorization", id.subscription().path(), id.group());
        [id.as_str(), &access].into_iter().any(|scope| below(scope, &change.resource).is_some())
    })
}

/// What an ID has after that of a resource, if it is the ID of that resource or of one below it.
fn below<'a>(resource: &str, id: &'a str) -> Option<&'a str> {
    let (start, rest) = id.split_at_checked(resource.len())?;
    (start.eq_ignore_ascii_case(resource) && (rest.is_empty() || rest.starts_with('/'))).then_some(rest)
}

const NO_OLDER: &str = "no older setting has changed: Azure Resource Graph has more changes than were read";

fn unknown(unread: &Unread) -> String {
    format!("nothing has changed: the activity log could not be read ({})", unread.need)
}

fn without_properties(unread: &Unread) -> String {
    format!("no setting has changed: Azure Resource Graph could not be read ({})", unread.need)
}
