//! What has changed at a cluster and a registry, by Azure's activity log.

use super::{Parts, check::ended::unless_ended};
use crate::{
    call::Call,
    diagnosis::{
        facts::{Read, Unread},
        report::Report,
    },
    error::Result,
    id::{ResourceId, SubscriptionId},
    inventory::Change,
};
use futures::future::try_join_all;
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

/// How far back the log is read, if no pull that has succeeded is known. Azure keeps it for 90 days.
const SPAN: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// How long the log may take: it is optional.
const LONGEST: Duration = Duration::from_secs(10);
/// How many changes a report has: the newest.
const MOST: usize = 20;

/// Adds the changes since a pull has last succeeded.
pub(super) async fn add(parts: &Parts, reports: &mut [(&mut Report, Option<SystemTime>)], call: &Call) -> Result<()> {
    let oldest = parts.time() - SPAN;
    let since = |last: &Option<SystemTime>| last.map_or(oldest, |last| last.max(oldest));
    let Some(first) = reports.iter().map(|(_, last)| since(last)).min() else { return Ok(()) };
    let step = "reading what has changed at the cluster and the registries";
    let read = call.step(step, logs(parts, reports, first, call)).await?;
    for (report, last) in reports {
        let since = since(last);
        let mut all = Vec::new();
        for (of, log) in &read {
            match log {
                _ if !subjects(report).any(|id| *of == group_of(id)) => {}
                Ok(log) => all.extend(log.iter().filter(|one| one.time >= since && is_about(one, report)).cloned()),
                Err(unread) => report.assumptions.push(unknown(unread)),
            }
        }
        all.sort_by_key(|one: &Change| std::cmp::Reverse(one.time));
        all.truncate(MOST);
        report.changes = all;
    }
    Ok(())
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
    let resource = change.resource.to_ascii_lowercase();
    subjects(report).any(|id| {
        let (group, id) = (format!("{}/resourcegroups/{}", id.subscription().path(), id.group()), id.as_str());
        let is_below = resource
            .strip_prefix(&id.to_ascii_lowercase())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        is_below || resource.starts_with(&format!("{group}/providers/microsoft.authorization/").to_ascii_lowercase())
    })
}

fn unknown(unread: &Unread) -> String {
    format!("nothing has changed: the activity log could not be read ({})", unread.need)
}
