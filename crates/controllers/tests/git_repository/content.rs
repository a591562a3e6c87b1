//! References, and what is in artifacts.

use super::*;
use world::condition;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn references_are_resolved() {
    both(async |world: &mut World| {
        let first = world.git.commit("app", &[("a.yaml", "1")]);
        world.git.git("app", &["tag", "v1.0.0"]);
        world
            .git
            .git("app", &["update-ref", "refs/pull/1/head", "HEAD"]);
        let second = world.git.commit("app", &[("a.yaml", "2")]);
        world.git.git(
            "app",
            &[
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@x",
                "tag",
                "-am",
                "x",
                "v1.1.0",
            ],
        );
        let cases = [
            ("tag", json!({"tag": "v1.0.0"}), &first),
            ("annotated", json!({"tag": "v1.1.0"}), &second),
            ("semver", json!({"semver": "~1.0"}), &first),
            ("highest", json!({"semver": ">=1.0.0"}), &second),
            ("pull", json!({"name": "refs/pull/1/head"}), &first),
            ("full", json!({"name": "refs/heads/main"}), &second),
            ("fulltag", json!({"name": "refs/tags/v1.1.0"}), &second),
            ("commit", json!({"commit": first}), &first),
            (
                "onbranch",
                json!({"commit": first, "branch": "main"}),
                &first,
            ),
        ];
        for (name, value, commit) in cases {
            world.create(name, "app", reference(value)).await;
            world.step(name, name, at(commit)).await;
            world.reconcile(name, "again").await;
            world.step(&format!("{name} again"), name, at(commit)).await;
            world.note_events(name).await;
        }
        let wrong = [
            ("notag", json!({"tag": "nope"})),
            ("nosemver", json!({"semver": "9.x"})),
            ("badsemver", json!({"semver": "not a range"})),
            ("noname", json!({"name": "refs/x/y"})),
            ("slash", json!({"name": "/refs/heads/main"})),
            (
                "nocommit",
                json!({"commit": "1234567890123456789012345678901234567890"}),
            ),
            (
                "nobranch",
                json!({"commit": "1234567890123456789012345678901234567890", "branch": "nope"}),
            ),
        ];
        for (name, value) in wrong {
            world.create(name, "app", reference(value)).await;
            world.step(name, name, has_failed).await;
            world.note_events(name).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_ignored_is_left_out() {
    both(async |world: &mut World| {
        let files = [
            (".gitignore", "x"),
            (".github/workflows/a.yaml", "a"),
            ("docs/a.md", "a"),
            ("docs/logo.png", "p"),
            ("deploy/a.yaml", "a"),
            ("deploy/.sourceignore", "secret.yaml\n"),
            ("deploy/secret.yaml", "s"),
            ("deploy/run.sh", "#!/bin/sh"),
            ("img/b.jpg", "b"),
            (".sops.yaml", "k"),
            ("x y/ü.yaml", "u"),
        ];
        let first = world.git.commit("app", &files);
        world.create("nested", "app", json!({})).await;
        world.step("nested file", "nested", at(&first)).await;
        world
            .create(
                "own",
                "app",
                json!({"ignore": "/*\n!/deploy\n!/docs/\n*.md\n"}),
            )
            .await;
        world.step("own patterns", "own", at(&first)).await;
        world
            .patch("own", json!({"spec": {"ignore": "# all\n*.sh\n"}}))
            .await;
        world
            .step("other patterns", "own", |object| {
                is_ready(object) && object["status"]["observedIgnore"] == "# all\n*.sh\n"
            })
            .await;
        world.patch("own", json!({"spec": {"ignore": null}})).await;
        world
            .step("none", "own", |object| {
                is_ready(object) && object["status"]["observedIgnore"].is_null()
            })
            .await;
        world.note_events("own").await;
        let plain: Vec<(&str, &str)> = files
            .into_iter()
            .filter(|(name, _)| !name.contains("sourceignore"))
            .collect();
        let second = world.git.commit("plain", &plain);
        world.create("plain", "plain", json!({})).await;
        world.step("defaults", "plain", at(&second)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sparse_checkouts() {
    both(async |world: &mut World| {
        let first = world.git.commit("app", &[("apps/a/x", "1"), ("apps/b/x", "1"), ("infra/x", "1"), ("root", "1")]);
        world.create("app", "app", json!({"sparseCheckout": ["./apps/a", "infra"]})).await;
        world.step("sparse", "app", at(&first)).await;
        world.patch("app", json!({"spec": {"sparseCheckout": ["apps"]}})).await;
        world.step("other", "app", |object| is_ready(object) && object["status"]["observedSparseCheckout"] == json!(["apps"])).await;
        world.note_events("app").await;
        world.create("missing", "app", json!({"sparseCheckout": ["nowhere"]})).await;
        let object = world.until("missing", has_failed).await;
        let message = condition(&object, "Ready")["message"].as_str().unwrap().to_owned();
        let start = "failed to sparse checkout directories : sparse checkout dir 'nowhere' does not exist in repository: lstat ";
        assert!(message.starts_with(start) && message.ends_with("nowhere: no such file or directory"), "{message}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn includes() {
    both(async |world: &mut World| {
        let first = world.git.commit("app", &[("a.yaml", "1")]);
        let include = json!({"include": [
            {"repository": {"name": "lib"}, "fromPath": "deploy", "toPath": "vendor/lib"},
            {"repository": {"name": "lib"}, "fromPath": "deploy/x.yaml", "toPath": "x.yaml"},
            {"repository": {"name": "other"}},
        ]});
        world.create("app", "app", include).await;
        let waits = |object: &Value| {
            has_failed(object) && !condition(object, "IncludeUnavailable").is_null()
        };
        world.step("waiting", "app", waits).await;
        let lib = world.git.commit(
            "lib",
            &[
                ("deploy/x.yaml", "x"),
                ("deploy/d/y.yaml", "y"),
                ("no.yaml", "n"),
            ],
        );
        let other = world.git.commit("other", &[("o.yaml", "o")]);
        world.create("lib", "lib", json!({})).await;
        world.until("lib", at(&lib)).await;
        world.create("other", "other", json!({})).await;
        world.until("other", at(&other)).await;
        world.step("included", "app", at(&first)).await;
        let next = world
            .git
            .commit("lib", &[("deploy/x.yaml", "x2"), ("deploy/d/y.yaml", "y")]);
        world.reconcile("lib", "next").await;
        world.until("lib", at(&next)).await;
        world.reconcile("app", "next").await;
        let has_next = |object: &Value| {
            is_ready(object)
                && object["status"]["includedArtifacts"][0]["revision"]
                    .as_str()
                    .unwrap()
                    .ends_with(&next)
        };
        world.step("included anew", "app", has_next).await;
        world.reconcile("app", "same").await;
        world.step("the same", "app", has_next).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_and_submodules() {
    both(async |world: &mut World| {
        let lib = world.git.commit("lib", &[("lib.yaml", "1")]);
        let url = world.git.url("lib");
        world.git.commit(
            "app",
            &[
                (
                    ".gitmodules",
                    &format!("[submodule \"l\"]\n\tpath = deps/lib\n\turl = {url}\n"),
                ),
                ("a", "1"),
            ],
        );
        let target = world.git.root().join("target");
        std::fs::write(&target, "a").unwrap();
        let link = world
            .git
            .git("app", &["hash-object", "-w", &target.to_string_lossy()])
            .trim()
            .to_owned();
        world.git.git("app", &["read-tree", "main"]);
        for entry in [
            format!("160000,{lib},deps/lib"),
            format!("120000,{link},link"),
        ] {
            world
                .git
                .git("app", &["update-index", "--add", "--cacheinfo", &entry]);
        }
        let tree = world.git.git("app", &["write-tree"]).trim().to_owned();
        let commit = world.git.git(
            "app",
            &[
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@x",
                "commit-tree",
                "-m",
                "m",
                &tree,
            ],
        );
        world
            .git
            .git("app", &["update-ref", "refs/heads/main", commit.trim()]);
        world
            .create("with", "app", json!({"recurseSubmodules": true}))
            .await;
        world
            .step("with submodules", "with", |object| at(&commit)(object))
            .await;
        world.create("without", "app", json!({})).await;
        world
            .step("without submodules", "without", |object| {
                at(&commit)(object)
            })
            .await;
    })
    .await;
}
