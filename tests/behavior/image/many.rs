//! Many images from a list.

use super::posts;
use crate::{
    case::{Case, Checked, cases, refused},
    emulator::Scene,
};
use aks_acr::{CallOptions, CancellationToken, Error, ErrorKind, Import, ImportItem, ImportManyOptions, ImportOptions};
use aks_acr_emulator::{Fault, Timing};
use std::time::Duration;
use tokio::time::Instant;

pub fn cases() -> Vec<Case> {
    cases! { "image";
        everywhere: [];
        on_emulator: [
            a_list_of_images_is_imported_in_its_order,
            one_failure_does_not_stop_the_others,
            equal_images_of_a_list_are_not_copied_again,
            so_many_imports_are_under_way_at_a_time_and_no_more,
            a_slow_image_keeps_no_other_waiting,
            a_list_in_which_two_images_want_one_target_is_refused_before_a_request,
            a_list_outlasts_throttling,
            one_refusal_for_throttling_makes_the_whole_list_wait,
            a_list_ends_at_its_deadline_and_keeps_what_was_done,
            a_list_that_is_cancelled_ends_at_once,
            an_empty_list_is_no_failure,
        ];
    }
}

/// An Azure with images `app0` to `app9` elsewhere, and their list.
fn ten() -> Result<(Scene, Vec<ImportItem>), libtest_mimic::Failed> {
    let scene = Scene::new()?;
    let mut items = Vec::new();
    for number in 0..10 {
        let source = format!("quay.example/team/app{number}:v{number}");
        scene.azure.push_image(&source, &["linux/amd64"]);
        items.push(ImportItem::new(source.parse()?, ImportOptions::default()));
    }
    Ok((scene, items))
}

async fn import(
    scene: &Scene,
    items: Vec<ImportItem>,
    options: ImportManyOptions,
) -> aks_acr::Result<Vec<Result<Import, Error>>> {
    scene.client.import_images(&scene.by_id(), items, options).await
}

async fn a_list_of_images_is_imported_in_its_order() -> Checked {
    let (scene, items) = ten()?;
    let results = import(&scene, items, ImportManyOptions::default()).await?;
    for (number, result) in results.into_iter().enumerate() {
        let done = result?;
        assert_eq!(done.target.to_string(), format!("myregistry.azurecr.io/team/app{number}:v{number}"));
        assert!(done.is_new);
        assert_eq!(scene.azure.digest(&done.target.to_string()), scene.azure.digest(&done.source.to_string()));
    }
    Ok(())
}

async fn one_failure_does_not_stop_the_others() -> Checked {
    let (scene, mut items) = ten()?;
    items.insert(3, ImportItem::new("quay.example/no/such:image".parse()?, ImportOptions::default()));
    let results = import(&scene, items, ImportManyOptions::default().with_concurrency(1)).await?;
    let failed: Vec<usize> = results.iter().enumerate().filter(|(_, one)| one.is_err()).map(|(at, _)| at).collect();
    assert_eq!((failed, results.len()), (vec![3], 11));
    assert!(results[3].as_ref().is_err_and(|err| err.kind() == ErrorKind::NotFound));
    Ok(())
}

async fn equal_images_of_a_list_are_not_copied_again() -> Checked {
    let (scene, items) = ten()?;
    import(&scene, items[..4].to_vec(), ImportManyOptions::default()).await?;
    assert_eq!(posts(&scene), 4);
    let results = import(&scene, items, ImportManyOptions::default()).await?;
    let new = results.iter().filter(|one| one.as_ref().is_ok_and(|done| done.is_new)).count();
    assert_eq!((new, posts(&scene)), (6, 10));
    Ok(())
}

/// Each takes a minute: ten at two at a time take five.
async fn so_many_imports_are_under_way_at_a_time_and_no_more() -> Checked {
    for (concurrency, rounds) in [(2, 5), (10, 1), (4, 3)] {
        let (scene, items) = ten()?;
        scene.azure.set_timing(Timing::none().with_import(Duration::from_secs(60)));
        let begun = Instant::now();
        let results = import(&scene, items, ImportManyOptions::default().with_concurrency(concurrency)).await?;
        assert!(results.iter().all(Result::is_ok));
        let took = begun.elapsed().as_secs();
        assert!((rounds * 60..rounds * 60 + 15 * rounds).contains(&took), "{concurrency}: {took} s");
    }
    Ok(())
}

/// The first image is accepted late; the other nine go one after another beside it, and the results stand in the list's order.
async fn a_slow_image_keeps_no_other_waiting() -> Checked {
    let slow = Duration::from_secs(115);
    let took = async |items: Vec<ImportItem>, scene: &Scene| {
        let begun = Instant::now();
        let results = import(scene, items, ImportManyOptions::default().with_concurrency(2)).await?;
        Ok::<_, Error>((begun.elapsed(), results))
    };
    let (scene, items) = ten()?;
    let (one, _) = took(items[..1].to_vec(), &scene).await?;
    let (scene, items) = ten()?;
    scene.azure.fault(Fault::on("POST", "/importImage").delay(slow));
    let (all, results) = took(items.clone(), &scene).await?;
    // A list that waits for its head does one more beside it, and then eight, two at a time.
    let beside = one * 9 + Duration::from_secs(5);
    assert!(all <= (slow + one).max(beside) + Duration::from_secs(5), "{all:?}, where one takes {one:?}");
    for (item, result) in items.iter().zip(results) {
        assert_eq!(result?.source, item.source);
    }
    Ok(())
}

async fn a_list_in_which_two_images_want_one_target_is_refused_before_a_request() -> Checked {
    let (scene, mut items) = ten()?;
    items[7].options = ImportOptions::default().with_target("team/app2:v2");
    let err = refused(import(&scene, items.clone(), ImportManyOptions::default()).await, ErrorKind::InvalidInput)?;
    assert!(err.to_string().contains("team/app2:v2"), "{err}");
    let none = ImportManyOptions::default().with_concurrency(0);
    refused(import(&scene, items[..2].to_vec(), none).await, ErrorKind::InvalidInput)?;
    assert_eq!(scene.azure.requests(), []);
    Ok(())
}

async fn a_list_outlasts_throttling() -> Checked {
    let (scene, items) = ten()?;
    scene.azure.fault(Fault::on("POST", "/importImage").status(429).header("retry-after", "17").times(12));
    let results = import(&scene, items, ImportManyOptions::default()).await?;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(posts(&scene), 22);
    Ok(())
}

/// One image after another comes to be sent; a bucket of one, which takes a minute to fill, refuses the second. The others wait with it.
async fn one_refusal_for_throttling_makes_the_whole_list_wait() -> Checked {
    let (scene, items) = ten()?;
    for (number, item) in items.iter().take(4).enumerate() {
        let look = format!("/{}/manifests/", item.source.repository());
        scene.azure.fault(Fault::on("HEAD", &look).delay(Duration::from_millis(900 * number as u64)));
    }
    scene.azure.throttle_at("writes", 1, 1.0 / 60.0);
    let results = import(&scene, items[..4].to_vec(), ImportManyOptions::default()).await?;
    assert!(results.iter().all(Result::is_ok));
    let refused = scene.azure.requests().iter().filter(|one| one.status == Some(429)).count();
    // The second is refused, and the others wait with it. They go on together when the minute is over: two are refused; and a minute later
    // one. Were each to find out by itself, it would be three, then two, then one.
    assert_eq!(refused, 1 + 2 + 1, "{refused} requests were refused");
    Ok(())
}

async fn a_list_ends_at_its_deadline_and_keeps_what_was_done() -> Checked {
    let (scene, items) = ten()?;
    scene.azure.set_timing(Timing::none().with_import(Duration::from_secs(60)));
    let call = CallOptions::default().with_deadline(Duration::from_secs(100));
    let begun = Instant::now();
    let results = import(&scene, items, ImportManyOptions::default().with_call(call)).await?;
    assert!(begun.elapsed() <= Duration::from_secs(101));
    let (done, late): (Vec<_>, Vec<_>) = results.iter().partition(|one| one.is_ok());
    assert_eq!((done.len(), late.len()), (4, 6));
    Ok(())
}

async fn a_list_that_is_cancelled_ends_at_once() -> Checked {
    let (scene, items) = ten()?;
    scene.azure.set_timing(Timing::none().with_import(Duration::from_secs(60)));
    let cancel = CancellationToken::new();
    let options = ImportManyOptions::default().with_call(CallOptions::default().with_cancel(cancel.clone()));
    let begun = Instant::now();
    let (results, ()) = tokio::join!(import(&scene, items, options), async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        cancel.cancel();
    });
    assert!(results?.iter().all(|one| one.as_ref().is_err_and(|err| err.kind() == ErrorKind::Cancelled)));
    assert!(begun.elapsed() < Duration::from_secs(12) && posts(&scene) == 4);
    Ok(())
}

async fn an_empty_list_is_no_failure() -> Checked {
    let scene = Scene::new()?;
    assert!(import(&scene, Vec::new(), ImportManyOptions::default()).await?.is_empty());
    Ok(())
}
