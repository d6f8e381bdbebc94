//! Reports to be shown to others: pseudonyms instead of names, in every form.

use super::{IMAGE, check, grants::kubelet, registry, scene_of};
use crate::{
    case::{Checked, refused, some},
    emulator::{CLUSTER, GROUP, Scene, deployment},
};
use aks_acr::{ErrorKind, ExplainOptions, ExplainTarget, Explanation, FindingStatus, PullFailure, Report};
use aks_acr_emulator::ClusterSeed;
use libtest_mimic::Failed;
use serde_json::Value;
use std::time::Duration;

/// A name in the resource of another subscription.
const HOSTILE: &str = "Zeus's \"<script src=//olymp.example>alert(1)</script>\" & größe \u{1b}[2J";

const POD: &str = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: hidden-account}}\n---\n\
                   {apiVersion: v1, kind: Pod, metadata: {name: olymp}, spec: {imagePullSecrets: [{name: hidden-secret}], \
                   serviceAccountName: hidden-account, containers: [{name: hidden-main, image: 'IMAGE'}]}}";

fn scene() -> Result<Scene, Failed> {
    scene_of(ClusterSeed::new(GROUP, CLUSTER), registry(false).only_from(&["203.0.113.7"]), &["linux/amd64"])
}

/// Values of a scene that must not remain.
fn names(scene: &Scene) -> Vec<String> {
    let identity = kubelet(scene);
    let known =
        ["group", "dev", "myregistry", "team/app", "team", "198.51.100.20", "203.0.113.7", "zeus", "olymp", "größe"];
    let ids = [identity, scene.azure.subscription().to_string()];
    known.into_iter().map(str::to_owned).chain(ids).collect()
}

/// Whether a name stands in a text, not within another word.
fn has(text: &str, name: &str) -> bool {
    let text = text.to_lowercase();
    let is_letter = |letter: Option<char>| letter.is_some_and(|one| one.is_alphanumeric() || one == '-' || one == '_');
    text.match_indices(name)
        .any(|(at, _)| !is_letter(text[..at].chars().next_back()) && !is_letter(text[at + name.len()..].chars().next()))
}

fn has_no_name(scene: &Scene, forms: [String; 3]) {
    for form in forms {
        for name in names(scene) {
            assert!(!has(&form, &name), "{name} in {form}");
        }
    }
}

/// The forms of a report and of an explanation, each with pseudonyms.
fn forms(report: &Report) -> Result<[String; 3], Failed> {
    Ok([serde_json::to_string(report)?, report.to_string(), report.to_html()])
}

pub async fn a_redacted_report_has_no_name() -> Checked {
    let scene = scene()?;
    scene.azure.add_deny_assignment(HOSTILE, &["*/pull/read"], scene.by_id().as_str(), &[]);
    let report = check(&scene).await?;
    assert!(has(&report.to_string(), "zeus") && has(&report.to_string(), "198.51.100.20"), "{report}");
    let redacted = report.redacted()?;
    has_no_name(&scene, forms(&redacted)?);
    // What decides stays.
    let ids = |report: &Report| -> Vec<_> { report.findings.iter().map(|one| (one.id.clone(), one.status)).collect() };
    assert_eq!((redacted.verdict, ids(&redacted)), (report.verdict, ids(&report)));
    assert_eq!((&redacted.root_cause, redacted.checked_at), (&report.root_cause, report.checked_at));
    let states = |report: &Report| -> Vec<_> { report.stages.iter().map(|one| (one.name, one.state)).collect() };
    assert_eq!(states(&redacted), states(&report));
    // Equal values stay equal: the next step is about the same registry.
    let registry = some(redacted.registry.clone(), "the registry")?;
    let steps: Vec<&String> =
        redacted.findings.iter().filter_map(|one| one.next_step.arguments.get("registry")).collect();
    assert!(!steps.is_empty() && steps.iter().all(|one| **one == registry.to_string()), "{redacted}");
    assert_eq!(redacted, report.redacted()?, "the same at every time");
    assert!(redacted.redacted()?.verdict == report.verdict);
    Ok(())
}

pub async fn a_redacted_explanation_has_no_name() -> Checked {
    let scene = scene()?;
    scene.apply(&deployment("zeus", IMAGE, 2)).await?;
    scene.apply(&POD.replace("IMAGE", "olymp.example.com/team/app:zeus")).await?;
    tokio::time::sleep(Duration::from_secs(45)).await;
    let found = scene.client.explain(&scene.cluster, &ExplainTarget::default(), ExplainOptions::default()).await?;
    assert_eq!(found.groups.len(), 2, "{found}");
    let redacted = found.redacted()?;
    let forms = [serde_json::to_string(&redacted)?, redacted.to_string(), redacted.to_html()];
    assert!(forms.iter().all(|form| !form.contains("hidden")), "{forms:?}");
    has_no_name(&scene, forms);
    assert_eq!((&redacted.root_cause, redacted.healthy_pods), (&found.root_cause, found.healthy_pods));
    let causes = |one: &Explanation| -> Vec<_> {
        one.groups.iter().map(|group| (group.pods.len(), group.failure.finding.id.clone())).collect()
    };
    assert_eq!(causes(&redacted), causes(&found));
    // One pod has one pseudonym, wherever it stands.
    let pod = some(redacted.groups[0].pods[0].split('/').next_back(), "a name")?;
    assert_eq!(pod, redacted.groups[0].failure.pod);
    Ok(())
}

/// Whatever stands in a report: as a table it is one, with nothing that a browser would load or run.
pub async fn a_table_in_html_is_only_a_table() -> Checked {
    let scene = scene()?;
    let mut json: Value = serde_json::to_value(check(&scene).await?)?;
    hostile(&mut json);
    let report: Report = serde_json::from_value(json)?;
    let html = report.to_html();
    let mut tags: Vec<&str> = html.split('<').skip(1).filter_map(|part| part.split('>').next()).collect();
    tags.sort_unstable();
    tags.dedup();
    let wanted = ["/caption", "/table", "/td", "/th", "/tr", "br", "caption", "table", "td", "th", "tr"];
    assert_eq!(tags, wanted, "{html}");
    assert!(
        html.contains("&lt;script src=//olymp.example&gt;") && html.contains("&quot;") && !html.contains('\u{1b}'),
        "{html}"
    );
    has_no_name(&scene, forms(&report.redacted()?)?);
    Ok(())
}

/// Puts the hostile name into every text that is no ID.
fn hostile(json: &mut Value) {
    match json {
        Value::Object(all) => {
            for (field, value) in all {
                let is_text = ["message", "value", "source", "field", "summary", "command", "by", "image", "reason"];
                match value {
                    Value::String(text) if is_text.contains(&field.as_str()) => {
                        *text = format!("{HOSTILE} {text} {HOSTILE}");
                    }
                    other => hostile(other),
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(hostile),
        _ => {}
    }
}

pub async fn an_error_of_a_gate_has_the_finding_and_the_report() -> Checked {
    let scene = scene()?;
    let report = check(&scene).await?;
    let err = refused(report.require(), ErrorKind::PullFailed)?;
    assert_eq!((err.report(), err.finding()), (Some(&report), report.findings.first()));
    let finding = some(err.finding(), "the finding")?;
    assert_eq!(finding.status, FindingStatus::Failing);
    assert_eq!(Some(&finding.docs), finding.id.docs().as_ref());
    assert!(finding.docs.ends_with(&format!("/docs/findings/{}.md", finding.id)), "{}", finding.docs);
    for text in [format!("{err:#}"), report.to_string()] {
        assert!(text.contains(&finding.docs), "{text}");
    }
    Ok(())
}

/// What a message means is not lost with its names.
pub async fn a_redacted_message_leads_to_the_same_finding() -> Checked {
    #[derive(serde::Deserialize)]
    struct Row {
        finding: String,
        text: String,
    }
    // What these mean is in a name.
    let by_name = ["reference.host_misspelled", "reference.other_registry", "image.private_or_missing"];
    let rows: Vec<Row> = serde_json::from_str(include_str!("../../vectors/pull_texts.json"))?;
    let mut json = serde_json::to_value(check(&scene()?).await?)?;
    for row in rows.iter().filter(|row| !by_name.contains(&&*row.finding)) {
        json["findings"][0]["evidence"][0]["value"] = row.text.clone().into();
        let report: Report = serde_json::from_value(json.clone())?;
        let text = report.redacted()?.findings[0].evidence[0].value.clone();
        let failure = PullFailure::new("p", "c", "", "ErrImagePull", &*text);
        assert_eq!(failure.finding.id, *row.finding, "{}\n{text}", row.text);
        for name in ["myregistry", "team", "acme", "732cbede", "20.150.37.228", "weuman15"] {
            assert!(!text.contains(name), "{text}");
        }
    }
    Ok(())
}
