//! When values flow: what a mapping says beside where its value comes from.

use mapping::AttributeMapping;
use provisioning::{Dialect, JobChange};
use serde_json::{Value, json};

use crate::fake_target::Nature;
use crate::world::{Job, lines, on_both};

/// Adds a mapping of users in the layout of data files, in place of one with the same target.
async fn map(job: &Job<'_>, mapping: Value) {
    job.map(|objects| {
        let mapping: AttributeMapping = serde_json::from_value(mapping).expect("it is a mapping");
        objects[0].attributes.retain(|other| other.target != mapping.target);
        objects[0].attributes.push(mapping);
    })
    .await;
}

#[test]
fn what_is_only_added_never_takes_a_value_away() {
    for dialect in [Dialect::Rfc, Dialect::Entra, Dialect::EntraCompliant] {
        on_both(|world| async move {
            let job = world.job("scim", Nature::default()).await;
            job.change(JobChange { dialect: Some(dialect), ..JobChange::default() }).await;
            map(
                &job,
                json!({ "target": "ims", "source": "[facsimileTelephoneNumber]", "flowType": "MultiValueAddOnly" }),
            )
            .await;
            let ann = world.joins_with("Ann", &[("facsimileTelephoneNumber", "one")]).await;
            world.assign(job.app, ann).await;
            job.until_calm().await;
            // Somebody adds one of their own at the application, with more about it than the mapping knows.
            job.target.with(|app| {
                let own = json!([{ "value": "own", "type": "xmpp" }, { "value": "one", "type": "aim" }]);
                app.users.values_mut().for_each(|user| drop(user.attributes.insert("ims".to_owned(), own.clone())));
            });
            job.target.take_requests();
            world.set(ann, "facsimileTelephoneNumber", "two").await;
            world.set(ann, "jobTitle", "Chief").await;
            assert_eq!(job.until_calm().await.updated, 1);
            let held = job.target.with(|app| app.user_attribute("ann@contoso.com", "ims"));
            let values: Vec<_> = held.as_array().into_iter().flatten().map(|one| one["value"].clone()).collect();
            assert_eq!(values, [json!("own"), json!("one"), json!("two")], "{dialect:?}");
            let writes = lines(&job.target.take_writes());
            assert!(writes.contains(r#""path":"ims","value":[{"value":"two"}]"#), "{writes}");
            // What is there already is not sent again.
            world.set(ann, "facsimileTelephoneNumber", "own").await;
            job.until_calm().await;
            let writes = lines(&job.target.take_writes());
            assert!(!writes.contains("ims"), "{writes}");
        });
    }
}
