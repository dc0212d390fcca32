//! The contract: one test that every backend must pass.
//!
//! In: a function that gives a fresh, empty store. Out: a panic that says which law is broken.

use std::time::Duration;

use crate::{Change, Error, Event, NoEvent, Revision, Store, Transaction};

const SOON: Duration = Duration::from_secs(5);
const AT_ONCE: Duration = Duration::from_millis(20);

/// Checks all laws, each on a fresh store.
pub(crate) fn check<S: Store>(mut fresh: impl FnMut() -> S) {
    puts_are_read_back(&fresh());
    revisions_grow(&fresh());
    preconditions_hold_or_nothing_is_written(&fresh());
    the_last_write_of_a_key_wins(&fresh());
    lists_are_by_prefix_and_ordered(&fresh());
    limits_are_refused(&fresh());
    watches_see_their_prefix_in_order(&fresh());
    a_watch_that_is_not_read_ends(&fresh());
    racing_writers_lose_nothing(&fresh());
}

fn put(store: &impl Store, key: &str, value: &str) -> Revision {
    store.commit(Transaction::new().put(key, value)).unwrap()
}

fn value(store: &impl Store, key: &str) -> Option<String> {
    store.get(key).unwrap().map(|entry| String::from_utf8(entry.value).unwrap())
}

fn keys(store: &impl Store, prefix: &str) -> Vec<String> {
    store.list(prefix).unwrap().entries.into_iter().map(|entry| entry.key).collect()
}

fn puts_are_read_back(store: &impl Store) {
    assert_eq!(store.get("a").unwrap(), None);
    let revision = put(store, "a", "1");
    let entry = store.get("a").unwrap().unwrap();
    assert_eq!((entry.key.as_str(), entry.value.as_slice()), ("a", &b"1"[..]));
    assert_eq!(entry.revision, revision);
    store.commit(Transaction::new().delete("a").delete("never-there")).unwrap();
    assert_eq!(store.get("a").unwrap(), None);
    put(store, "empty", "");
    assert_eq!(value(store, "empty").as_deref(), Some(""));
}

fn revisions_grow(store: &impl Store) {
    let before = store.list("").unwrap().revision;
    let first = put(store, "a", "1");
    let second = store.commit(Transaction::new().put("b", "1").put("c", "1")).unwrap();
    assert!(before < first && first < second);
    assert_eq!(store.get("a").unwrap().unwrap().revision, first, "another's write left it alone");
    assert_eq!(store.get("b").unwrap().unwrap().revision, second);
    assert_eq!(store.list("").unwrap().revision, second);
    assert!(put(store, "a", "1") > second, "an equal value is a write too");
}

fn preconditions_hold_or_nothing_is_written(store: &impl Store) {
    let first = store.commit(Transaction::new().absent("a").put("a", "1")).unwrap();
    let second = store.commit(Transaction::new().at("a", first).put("a", "2")).unwrap();
    let refused = [
        Transaction::new().put("b", "x").absent("a").put("a", "x"),
        Transaction::new().put("b", "x").at("a", first),
        Transaction::new().at("gone", first).put("b", "x"),
        Transaction::new().at("a", second).absent("a").delete("a"),
    ];
    for transaction in refused {
        let expected = transaction.expects().last().unwrap().key().to_owned();
        match store.commit(transaction) {
            Err(Error::Conflict { key }) if key == expected || key == "gone" => {}
            other => panic!("conflict expected, got {other:?}"),
        }
    }
    assert_eq!((value(store, "a").as_deref(), value(store, "b")), (Some("2"), None));
    store.commit(Transaction::new().at("a", second).absent("b").delete("a")).unwrap();
    assert_eq!(value(store, "a"), None);
}

fn the_last_write_of_a_key_wins(store: &impl Store) {
    store.commit(Transaction::new().put("a", "1").delete("a").put("a", "2").delete("b")).unwrap();
    assert_eq!(value(store, "a").as_deref(), Some("2"));
    store.commit(Transaction::new().put("a", "3").delete("a")).unwrap();
    assert_eq!(value(store, "a"), None);
}

fn lists_are_by_prefix_and_ordered(store: &impl Store) {
    for key in ["n/2", "n/1", "na/1", "m/1", "n/1/x", "n/é"] {
        put(store, key, key);
    }
    assert_eq!(keys(store, "n/"), ["n/1", "n/1/x", "n/2", "n/é"]);
    assert_eq!(keys(store, "n/1"), ["n/1", "n/1/x"]);
    assert_eq!(keys(store, "nothing/"), [""; 0]);
    assert_eq!(keys(store, "").len(), 6);
    let listing = store.list("m/").unwrap();
    assert_eq!(listing.entries[0].value, b"m/1");
}

fn limits_are_refused(store: &impl Store) {
    let bad_key = store.commit(Transaction::new().put("ok", "x").put("a//b", "x"));
    assert!(matches!(bad_key, Err(Error::InvalidKey { .. })));
    let long = Transaction::new().put("ok", vec![0; crate::MAX_VALUE + 1]);
    assert!(matches!(store.commit(long), Err(Error::ValueTooLong { .. })));
    assert_eq!(value(store, "ok"), None);
    store.commit(Transaction::new().put("ok", vec![7; crate::MAX_VALUE])).unwrap();
    assert!(matches!(store.get(""), Err(Error::InvalidKey { .. })));
}

fn watches_see_their_prefix_in_order(store: &impl Store) {
    put(store, "n/0", "before");
    let watch = store.watch("n/").unwrap();
    let first = store.commit(Transaction::new().put("n/1", "1").put("m/1", "x")).unwrap();
    let second = store.commit(Transaction::new().delete("n/0")).unwrap();
    let refused = store.commit(Transaction::new().absent("n/1").put("n/9", "x"));
    assert!(refused.is_err());
    let key = |key: &str| key.to_owned();
    let put = Event { revision: first, key: key("n/1"), change: Change::Put(b"1".to_vec()) };
    assert_eq!(watch.next(SOON), Ok(put));
    let deleted = Event { revision: second, key: key("n/0"), change: Change::Deleted };
    assert_eq!(watch.next(SOON), Ok(deleted));
    assert_eq!(watch.next(AT_ONCE), Err(NoEvent::Timeout), "a refused commit is no event");
}

fn a_watch_that_is_not_read_ends(store: &impl Store) {
    let watch = store.watch("n/").unwrap();
    let full = (0..100).fold(Transaction::new(), |t, n| t.put(format!("n/{n}"), "x"));
    for _ in 0..30 {
        store.commit(full.clone()).unwrap();
    }
    let seen = std::iter::from_fn(|| watch.next(SOON).ok()).count();
    assert!(seen < 3000, "its queue is bounded");
    assert_eq!(watch.next(SOON), Err(NoEvent::Ended));
}

fn racing_writers_lose_nothing(store: &impl Store) {
    put(store, "counter", "0");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10).for_each(|_| increment(store)));
        }
    });
    assert_eq!(value(store, "counter").as_deref(), Some("40"));
}

fn increment(store: &impl Store) {
    loop {
        let entry = store.get("counter").unwrap().unwrap();
        let count: u32 = String::from_utf8(entry.value).unwrap().parse().unwrap();
        let next = (count + 1).to_string();
        let transaction = Transaction::new().at("counter", entry.revision).put("counter", next);
        match store.commit(transaction) {
            Ok(_) => return,
            Err(Error::Conflict { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
