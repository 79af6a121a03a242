//! The demo is true: it compares what every application holds with what the directory says, and leaves nothing behind.

use crate::installation::{Installation, answer, holds_none};

#[test]
fn the_demo_is_as_it_says() {
    let installation = Installation::embedded();
    let told = answer(installation.bare().args(["demo", "--once", "--json"])).json();
    assert_eq!((&told["people"], &told["groups"]), (&1000.into(), &40.into()));
    for round in ["initial", "incremental", "empty"] {
        assert_eq!(told[round].as_array().unwrap().len(), 4, "{round}");
    }
    for app in told["empty"].as_array().unwrap() {
        assert_eq!(app["report"]["requests"], 0, "{app}");
    }
    for app in told["incremental"].as_array().unwrap() {
        let report = &app["report"];
        let left = report["disabled"].as_u64().unwrap() + report["deleted"].as_u64().unwrap();
        assert_eq!((&report["created"], &report["updated"], left), (&1.into(), &1.into(), 1), "{app}");
    }
    assert!(holds_none(&installation.path(""), "lockstep-demo-"), "the demo's folder is gone");
}

#[test]
fn the_demo_never_mixes_with_real_people() {
    for installation in Installation::each() {
        installation.json(&["user", "add", "ann@contoso.example"]);
        installation.run(&["demo", "--once"]).refused(1, "already holds data");
    }
    let installation = Installation::embedded();
    std::fs::create_dir(installation.data()).unwrap();
    std::fs::write(installation.data().join("letter.txt"), "").unwrap();
    installation.run(&["demo", "--once"]).refused(1, "letter.txt is no file of Lockstep");
    assert!(holds_none(&installation.data(), "master.key"), "nothing is made among the files of others");
}

#[test]
fn the_demo_runs_on_each_database() {
    for installation in Installation::each() {
        let told = installation.run(&["demo", "--once"]);
        assert_eq!(told.code, 0, "{told:?}");
        assert!(told.out.contains("is as the directory says"), "{told:?}");
        assert!(told.out.contains(" serve --listen 127.0.0.1:"), "{told:?}");
    }
}
