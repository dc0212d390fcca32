//! Resolving, tagging and removing, with Docker's rules and words.

use super::*;
use crate::{Removed, User};

fn nobody(_: &ImageId) -> Vec<User> {
    Vec::new()
}

fn user(running: bool) -> impl Fn(&ImageId) -> Vec<User> {
    move |_| vec![User { container: "c".repeat(64), running }]
}

fn untagged(name: &str) -> Removed {
    Removed::Untagged(name.to_owned())
}

fn message<T: std::fmt::Debug>(result: crate::Result<T>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn images_are_found_by_name_and_id() {
    let store = Store::new();
    let id = store.import("busybox", "1");
    let hex = id.0.hex();
    for text in [
        "busybox",
        "busybox:latest",
        "docker.io/library/busybox",
        hex,
        &hex[..4],
        &hex[..1],
        id.as_str(),
        &id.as_str()[..20],
    ] {
        assert_eq!(store.images.resolve(text).unwrap().id, id, "{text}");
    }
    let missing = |text: &str| message(store.images.resolve(text));
    assert_eq!(missing("nothing"), "No such image: nothing:latest");
    assert_eq!(missing("busybox:2"), "No such image: busybox:2");
    let other = "0".repeat(64);
    assert_eq!(missing(&other), format!("No such image: sha256:{other}"));
    let missing_digest = format!("busybox@sha256:{other}");
    assert_eq!(missing(&missing_digest), format!("No such image: {missing_digest}"));
    assert_eq!(missing("a b"), "invalid reference format");
    assert_eq!(missing(""), "invalid reference format");
}

#[test]
fn an_ambiguous_prefix_finds_nothing() {
    let store = Store::new();
    let ids: Vec<ImageId> =
        (0..17).map(|n| store.import(&format!("i{n}"), &n.to_string())).collect();
    // Of 17 ids two begin with the same digit.
    let shared = ids
        .iter()
        .find(|id| ids.iter().filter(|other| other.0.hex()[..1] == id.0.hex()[..1]).count() > 1);
    let digit = &shared.unwrap().0.hex()[..1];
    assert!(message(store.images.resolve(digit)).starts_with("No such image"));
}

#[test]
fn a_name_comes_before_an_id() {
    let store = Store::new();
    let first = store.import("a", "1");
    let named_so = store.import(&first.0.hex()[..6], "2");
    assert_eq!(store.images.resolve(&first.0.hex()[..6]).unwrap().id, named_so);
}

#[test]
fn tags_are_given_and_taken() {
    let store = Store::new();
    let (one, two) = (store.import("one", "1"), store.import("two", "2"));
    store.images.tag("one", "x/y:1").unwrap();
    store.images.tag("two", "x/y:1").unwrap();
    let store = store.reopen();
    assert_eq!(store.images.resolve("x/y:1").unwrap().id, two);
    assert_eq!(store.images.resolve("one").unwrap().repo_tags, ["one:latest"]);
    let refuse = |target: &str| message(store.images.tag("one", target));
    assert_eq!(message(store.images.tag("none", "y")), "No such image: none:latest");
    let digest = format!("y@{one}");
    assert_eq!(refuse(&digest), "refusing to create a tag with a digest reference");
    assert_eq!(
        refuse("sha256:x"),
        "refusing to create an ambiguous tag using digest algorithm as name"
    );
    assert_eq!(refuse("y:"), "invalid reference format");
}

#[test]
fn the_last_name_takes_the_image_with_it() {
    let store = Store::new();
    let id = store.import("a", "1");
    store.images.tag("a", "b").unwrap();
    assert_eq!(store.images.remove("a", false, &nobody).unwrap(), [untagged("a:latest")]);
    let removed = store.images.remove("b", false, &nobody).unwrap();
    assert_eq!(removed[..2], [untagged("b:latest"), Removed::Deleted(id.to_string())]);
    assert_eq!(removed.len(), 3, "and its layer");
    let store = store.reopen();
    assert_eq!(store.leftovers(), [""; 0]);
    assert_eq!(message(store.images.remove("a", false, &nobody)), "No such image: a:latest");
}

#[test]
fn layers_that_are_shared_stay() {
    let store = Store::new();
    let (base, top) = (layer(&[("a", "1")]), layer(&[("b", "1")]));
    store.images.load(docker_archive(&["one"], &[&base]).as_slice()).unwrap();
    store.images.load(docker_archive(&["two"], &[&base, &top]).as_slice()).unwrap();
    let removed = store.images.remove("two", false, &nobody).unwrap();
    assert_eq!(removed.len(), 3, "{removed:?}");
    let rootfs = store.images.create_rootfs("c1", &store.images.resolve("one").unwrap().id);
    assert!(rootfs.unwrap().lowers[0].join("a").exists());
}

#[test]
fn conflicts_are_told_in_dockers_words() {
    let store = Store::new();
    let id = store.import("a", "1");
    let short = id.short().to_owned();
    let conflict = |reference: &str, force, running| {
        let error = store.images.remove(reference, force, &user(running)).unwrap_err();
        assert_eq!(error.kind(), crate::Kind::Conflict);
        error.to_string()
    };
    assert_eq!(
        conflict("a", false, false),
        format!(
            "conflict: unable to remove repository reference \"a:latest\" (must force) - container cccccccccccc is using its referenced image {short}"
        )
    );
    assert_eq!(
        conflict(&short, false, false),
        format!(
            "conflict: unable to delete {short} (must be forced) - image is being used by stopped container cccccccccccc"
        )
    );
    assert_eq!(
        conflict(&short, true, true),
        format!(
            "conflict: unable to delete {short} (cannot be forced) - image is being used by running container cccccccccccc"
        )
    );
    store.images.tag("a", "b").unwrap();
    let error = store.images.remove(&short, false, &nobody).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "conflict: unable to delete {short} (must be forced) - image is referenced in multiple repositories"
        )
    );
    assert_eq!(store.images.resolve("a").unwrap().repo_tags, ["a:latest", "b:latest"]);
    let removed = store.images.remove(&short, true, &nobody).unwrap();
    assert_eq!(removed[..2], [untagged("a:latest"), untagged("b:latest")]);
}

#[test]
fn two_tags_of_one_repository_are_several_names() {
    let store = Store::new();
    let id = store.import("a:1", "1");
    store.images.tag("a:1", "a:2").unwrap();
    assert!(message(store.images.remove(id.short(), false, &nobody)).contains("must be forced"));
    assert_eq!(store.images.remove("a:1", false, &user(true)).unwrap(), [untagged("a:1")]);
}
