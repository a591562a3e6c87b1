use serde_json::json;

use super::*;

fn encoded(name: &str, value: &str) -> Encoded {
    Encoded::of(&json!({
        "kind": "ConfigMap", "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "a"}, "data": {"k": value},
    }))
}

fn resource() -> GroupResource {
    GroupResource::new("", "configmaps")
}

async fn put(store: &Store, name: &str, expected: Expected, value: &str) -> i64 {
    let bucket = store.bucket(&resource());
    let pending = store
        .put(&bucket, &key_of("a", name), expected, &encoded(name, value))
        .unwrap();
    pending.committed().await.unwrap().revision
}

#[tokio::test]
async fn writes_survive_and_history_goes_on_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second);
    {
        let store = Store::open(directory.path()).unwrap();
        first = put(&store, "x", Expected::Absent, "1").await;
        second = put(&store, "x", Expected::Revision(first), "2").await;
        assert!(matches!(
            Store::open(directory.path()),
            Err(StoreError::InUse(_))
        ));
        store.close();
    }
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(store.revision(), second);
    let bucket = store.bucket(&resource());
    let found = bucket.get("a/x").unwrap();
    assert_eq!(found.value()["data"]["k"], "2");
    assert_eq!(
        found.value()["metadata"]["resourceVersion"],
        second.to_string()
    );
    let events = bucket.events_since(first, 10).unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].previous.as_ref().unwrap().revision, first);
    assert_eq!(put(&store, "y", Expected::Absent, "1").await, second + 1);
}

#[tokio::test]
async fn a_write_that_expected_something_else_is_refused() {
    let store = Store::in_memory();
    let first = put(&store, "x", Expected::Absent, "1").await;
    let bucket = store.bucket(&resource());
    for wrong in [Expected::Absent, Expected::Revision(first + 1)] {
        let refused = store.put(&bucket, "a/x", wrong, &encoded("x", "2"));
        assert!(matches!(refused, Err(WriteError::Mismatch(Some(_)))));
    }
}

#[tokio::test]
async fn a_list_at_an_older_revision_undoes_what_came_later() {
    let store = Store::in_memory();
    let first = put(&store, "x", Expected::Absent, "1").await;
    let second = put(&store, "y", Expected::Absent, "1").await;
    put(&store, "x", Expected::Revision(first), "2").await;
    let bucket = store.bucket(&resource());
    let last = encoded("y", "1");
    let pending = store
        .remove(&bucket, "a/y", Expected::Revision(second), &last)
        .unwrap();
    pending.committed().await.unwrap();
    let names = |snapshot: Snapshot| {
        snapshot
            .objects
            .iter()
            .map(|stored| format!("{}@{}", stored.key, stored.revision))
            .collect::<Vec<_>>()
    };
    let at = bucket.list_at(&Range::namespace("a"), second).unwrap();
    assert_eq!(names(at), [format!("a/x@{first}"), format!("a/y@{second}")]);
    assert_eq!(bucket.list(&Range::namespace("a")).objects.len(), 1);
    assert_eq!(bucket.list(&Range::namespace("b")).objects.len(), 0);
}

#[test]
fn bytes_differ_from_the_stored_ones_only_by_the_version() {
    let stored = encoded("x", "1").stored("a/x", 7);
    assert!(encoded("x", "1").is_same_as(&stored));
    assert!(!encoded("x", "2").is_same_as(&stored));
    let bare = Encoded::of(&json!({"kind": "K", "apiVersion": "v1", "metadata": {"name": "n"}}));
    assert_eq!(
        String::from_utf8(bare.bytes_with("")).unwrap(),
        r#"{"kind":"K","apiVersion":"v1","metadata":{"name":"n"}}"#
    );
    assert_eq!(
        String::from_utf8(bare.bytes_with("3")).unwrap(),
        r#"{"kind":"K","apiVersion":"v1","metadata":{"name":"n","resourceVersion":"3"}}"#
    );
}
