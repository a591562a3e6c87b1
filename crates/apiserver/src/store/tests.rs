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

async fn try_put(
    store: &Store,
    name: &str,
    expected: Expected,
    value: &str,
) -> Result<i64, WriteError> {
    let bucket = store.bucket(&resource());
    let pending = store.put(&bucket, &key_of("a", name), expected, &encoded(name, value))?;
    pending.committed().await.map(|stored| stored.revision)
}

#[tokio::test]
async fn writes_that_find_no_room_are_taken_back_and_later_ones_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let (database, contents) = Database::open(directory.path()).unwrap();
    database.limit_pages(60).unwrap();
    let store = Store::over(database, contents);
    let bucket = store.bucket(&resource());
    let large = "x".repeat(20_000);
    let (mut kept, mut refused) = (Vec::new(), 0);
    for index in 0..30 {
        let name = format!("n{index:02}");
        match try_put(&store, &name, Expected::Absent, &large).await {
            Ok(revision) => kept.push((name, revision)),
            Err(WriteError::Store(StoreError::Database(why))) => {
                assert!(why.contains("full"), "{why}");
                assert!(bucket.get(&key_of("a", &name)).is_none());
                refused += 1;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(
        kept.len() > 2 && refused > 2,
        "{} kept, {refused} refused",
        kept.len()
    );
    // An object keeps its state when a change of it is refused.
    let (name, revision) = kept[0].clone();
    let change = try_put(
        &store,
        &name,
        Expected::Revision(revision),
        &large.repeat(20),
    )
    .await;
    assert!(matches!(change, Err(WriteError::Store(_))));
    assert_eq!(bucket.get(&key_of("a", &name)).unwrap().revision, revision);
    // Who has seen what was taken back has to list again.
    assert!(bucket.events_since(store.revision() - 1, 10).is_err());
    // What is small finds room, also after what was refused.
    let small = try_put(&store, "small", Expected::Absent, "1")
        .await
        .unwrap();
    store.close();
    drop((bucket, store));
    let store = Store::open(directory.path()).unwrap();
    let found = store.bucket(&resource()).list(&Range::all()).objects;
    let mut names: Vec<(String, i64)> = kept;
    names.push(("small".to_owned(), small));
    let found: Vec<(String, i64)> = found
        .iter()
        .map(|stored| (stored.name().to_owned(), stored.revision))
        .collect();
    assert_eq!(found, names);
}

#[tokio::test]
async fn compaction_under_load_keeps_what_is_current_and_bounds_the_rest() {
    const WRITERS: usize = 8;
    const ROUNDS: usize = 3_000;
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(directory.path()).unwrap());
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            let name = format!("w{writer}");
            let kept = format!("k{writer}");
            put(&store, &kept, Expected::Absent, "once").await;
            let mut expected = Expected::Absent;
            for round in 0..ROUNDS {
                let revision = put(&store, &name, expected, &round.to_string()).await;
                expected = Expected::Revision(revision);
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    store.close();
    drop(Arc::into_inner(store));
    let (database, _contents) = Database::open(directory.path()).unwrap();
    let rows = database.rows().unwrap();
    // The newest 10 000 and a quarter that may gather, the first write of each, and its predecessors.
    assert!((10_000..12_600).contains(&rows), "{rows} rows");
    drop(database);
    let store = Store::open(directory.path()).unwrap();
    let bucket = store.bucket(&resource());
    for writer in 0..WRITERS {
        let last = bucket.get(&format!("a/w{writer}")).unwrap().value();
        assert_eq!(last["data"]["k"], (ROUNDS - 1).to_string());
        let kept = bucket.get(&format!("a/k{writer}")).unwrap().value();
        assert_eq!(kept["data"]["k"], "once");
    }
    assert!(bucket.events_since(100, 1).is_err());
    let events = bucket
        .events_since(store.revision() - 5_000, 10_000)
        .unwrap();
    assert_eq!(events.len(), 5_000);
}
