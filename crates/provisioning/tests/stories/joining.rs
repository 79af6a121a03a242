//! Joiners and movers: who gets an account with what in it, and how little is sent when little changes.

use provisioning::{JobChange, ScopeSetting};
use serde_json::json;
use store::ObjectKind;

use crate::fake_target::{FakeTarget, Nature};
use crate::world::{Job, World, lines, on_both};

/// Somebody who has a value in everything that any template maps.
const EVERYTHING: [(&str, &str); 16] = [
    ("jobTitle", "Engineer"),
    ("preferredLanguage", "en"),
    ("physicalDeliveryOfficeName", "Room 7"),
    ("streetAddress", "1 Way"),
    ("city", "Oslo"),
    ("state", "Oslo"),
    ("postalCode", "0150"),
    ("country", "NO"),
    ("telephoneNumber", "+47 1"),
    ("mobile", "+47 2"),
    ("facsimileTelephoneNumber", "+47 3"),
    ("employeeId", "17"),
    ("department", "R&D"),
    ("netBiosName", "CONTOSO"),
    ("onPremisesSamAccountName", "ann"),
    ("companyName", "Contoso"),
];

/// What the first cycle of a template writes for one person in one group.
async fn first_writes(world: &World, template: &str) -> String {
    let job = world.job(template, Nature::default()).await;
    let ann = world.joins_with("Ann", &EVERYTHING).await;
    world.assign(job.app, ann).await;
    let sales = world.group_for(job.app, "Sales").await;
    world.enters(sales, ann).await;
    job.until_calm().await;
    lines(&job.target.take_writes()).replace(&sales.to_string(), "<objectId of Sales>")
}

#[test]
fn forcepoint_gets_exactly_what_is_mapped() {
    on_both(|world| async move {
        insta::assert_snapshot!(first_writes(&world, "forcepoint-csg").await, @r#"
        POST /Users {"displayName":"Ann Example","externalId":"ann","meta":{"resourceType":"User"},"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"urn:ietf:params:scim:schemas:extension:forcepoint:2.0:User":{"ntlmId":"CONTOSO\\ann"},"userName":"ann@contoso.com"}
        POST /Groups {"displayName":"Sales","externalId":"<objectId of Sales>","meta":{"resourceType":"Group"},"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"]}
        PATCH /Groups/g2 {"Operations":[{"op":"Add","path":"members","value":[{"$ref":null,"value":"u1"}]}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}
        "#);
    });
}

#[test]
fn netskope_gets_exactly_what_is_mapped() {
    on_both(|world| async move {
        insta::assert_snapshot!(first_writes(&world, "netskope").await, @r#"
        POST /Users {"active":true,"displayName":"Ann Example","emails":[{"primary":true,"type":"work","value":"ann@contoso.com"}],"externalId":"ann","meta":{"resourceType":"User"},"name":{"familyName":"Example","givenName":"Ann"},"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ann@contoso.com"}
        POST /Groups {"displayName":"Sales","externalId":"<objectId of Sales>","meta":{"resourceType":"Group"},"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"]}
        PATCH /Groups/g2 {"Operations":[{"op":"Add","path":"members","value":[{"$ref":null,"value":"u1"}]}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}
        "#);
    });
}

#[test]
fn palo_alto_gets_exactly_what_is_mapped() {
    on_both(|world| async move {
        insta::assert_snapshot!(first_writes(&world, "palo-alto-cie").await, @r#"
        POST /Users {"active":true,"addresses":[{"country":"NO","formatted":"Room 7","locality":"Oslo","postalCode":"0150","region":"Oslo","streetAddress":"1 Way","type":"work"}],"displayName":"Ann Example","emails":[{"primary":true,"type":"work","value":"ann@contoso.com"}],"externalId":"ann","meta":{"resourceType":"User"},"name":{"familyName":"Example","formatted":"Ann Example","givenName":"Ann"},"phoneNumbers":[{"type":"work","value":"+47 1"},{"type":"mobile","value":"+47 2"},{"type":"fax","value":"+47 3"}],"preferredLanguage":"en","schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"title":"Engineer","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R&D","employeeNumber":"17"},"userName":"ann@contoso.com"}
        POST /Groups {"displayName":"Sales","meta":{"resourceType":"Group"},"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"]}
        PATCH /Groups/g2 {"Operations":[{"op":"Add","path":"members","value":[{"$ref":null,"value":"u1"}]}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}
        "#);
    });
}

#[test]
fn storegate_gets_exactly_what_is_mapped_and_no_groups() {
    on_both(|world| async move {
        insta::assert_snapshot!(first_writes(&world, "storegate").await, @r#"POST /Users {"active":true,"meta":{"resourceType":"User"},"name":{"familyName":"Example","givenName":"Ann"},"preferredLanguage":"en","schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ann@contoso.com"}"#);
    });
}

#[test]
fn any_other_application_gets_exactly_what_is_mapped() {
    on_both(|world| async move {
        insta::assert_snapshot!(first_writes(&world, "scim").await, @r#"
        POST /Users {"active":true,"addresses":[{"country":"NO","formatted":"Room 7","locality":"Oslo","postalCode":"0150","region":"Oslo","streetAddress":"1 Way","type":"work"}],"displayName":"Ann Example","emails":[{"primary":true,"type":"work","value":"ann@contoso.com"}],"externalId":"ann","name":{"familyName":"Example","formatted":"Ann Example","givenName":"Ann"},"phoneNumbers":[{"type":"work","value":"+47 1"},{"type":"mobile","value":"+47 2"},{"type":"fax","value":"+47 3"}],"preferredLanguage":"en","schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"title":"Engineer","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"R&D","employeeNumber":"17"},"userName":"ann@contoso.com"}
        POST /Groups {"displayName":"Sales","externalId":"<objectId of Sales>","schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"]}
        PATCH /Groups/g2 {"Operations":[{"op":"add","path":"members","value":[{"value":"u1"}]}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}
        "#);
    });
}

#[test]
fn a_quiet_cycle_sends_nothing() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        world.joins_for(job.app, "Ann").await;
        assert_eq!(job.cycle().await.cycle, "initial");
        let report = job.cycle().await;
        assert_eq!((report.cycle, report.requests), ("incremental", 0));
    });
}

#[test]
fn one_changed_attribute_is_read_and_written_alone() {
    for (template, expected) in [
        ("scim", r#"[{"op":"add","path":"title","value":"Chief"}]"#),
        ("palo-alto-cie", r#"[{"op":"Add","path":"title","value":"Chief"}]"#),
    ] {
        on_both(|world| async move {
            let job = world.job(template, Nature::default()).await;
            let ann = world.joins_for(job.app, "Ann").await;
            job.until_calm().await;
            job.target.take_requests();
            world.set(ann, "jobTitle", "Chief").await;
            job.cycle().await;
            let requests = job.target.take_requests();
            let about_ann: Vec<_> = requests.iter().filter(|one| one.path.starts_with("/Users/")).collect();
            assert_eq!(about_ann.iter().map(|one| one.method).collect::<Vec<_>>(), ["GET", "PATCH"]);
            let body = about_ann[1].body.clone().unwrap_or_default();
            assert_eq!(body["Operations"].to_string(), expected);
        });
    }
}

#[test]
fn an_attribute_that_is_not_mapped_is_nobodys_business() {
    on_both(|world| async move {
        let job = world.job("netskope", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        world.set(ann, "jobTitle", "Chief").await;
        assert_eq!(job.cycle().await.requests, 0);
    });
}

#[test]
fn a_value_that_is_gone_stays_at_the_application() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_with("Ann", &[("jobTitle", "Chief")]).await;
        world.assign(job.app, ann).await;
        job.until_calm().await;
        world.set(ann, "jobTitle", "").await;
        job.until_calm().await;
        assert_eq!(job.target.with(|app| app.user_attribute("ann@contoso.com", "title")), "Chief");
    });
}

#[test]
fn a_new_name_goes_to_the_same_account() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        let before = job.target.with(|app| app.user_id("ann@contoso.com"));
        world.set(ann, "userPrincipalName", "ann.lee@contoso.com").await;
        job.until_calm().await;
        assert_eq!(job.target.with(|app| (app.user_id("ann.lee@contoso.com"), app.users.len())), (before, 1));
    });
}

#[test]
fn a_guest_is_known_by_the_address_of_home() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let guest = world.joins("Gus").await;
        world.set(guest, "userPrincipalName", "gus_fabrikam.com#EXT#@contoso.com").await;
        world.assign(job.app, guest).await;
        job.until_calm().await;
        assert!(job.target.with(|app| app.user_id("gus@fabrikam.com")).is_some());
    });
}

#[test]
fn default_access_counts_only_where_the_application_says_so() {
    for (template, accounts) in [("netskope", 1), ("storegate", 1), ("scim", 2), ("forcepoint-csg", 2)] {
        on_both(|world| async move {
            let job = world.job(template, Nature::default()).await;
            world.joins_for(job.app, "Ann").await;
            let bob = world.joins("Bob").await;
            world.assign_with(job.app, bob.into(), ObjectKind::User, None).await;
            job.until_calm().await;
            assert_eq!(job.target.with(|app| app.users.len()), accounts, "{template}");
            job.change(JobChange { exclude_default_access: Some(false), ..JobChange::default() }).await;
            job.until_calm().await;
            assert_eq!(job.target.with(|app| app.users.len()), 2, "{template}");
        });
    }
}

#[test]
fn a_disabled_person_is_not_provisioned_before_being_let_in() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        world.set(ann, "accountEnabled", false).await;
        assert_eq!(job.until_calm().await.requests, 0);
        world.set(ann, "accountEnabled", true).await;
        assert_eq!(job.until_calm().await.created, 1);
    });
}

#[test]
fn a_required_attribute_without_value_keeps_the_person_waiting_and_then_waiting_longer() {
    on_both(|world| async move {
        let job = world.job("palo-alto-cie", Nature::default()).await;
        let ann = world.joins("Ann").await;
        world.set(ann, "surname", "").await;
        world.assign(job.app, ann).await;
        assert_eq!(job.cycle().await.failed, 1);
        assert_eq!(job.log_lines().await, ["other ann@contoso.com failure MandatoryFieldsMissing"]);
        // Once more in the next cycle, then six hours after the first failure.
        assert_eq!(job.cycle().await.failed, 1);
        assert_eq!(job.cycle().await.failed, 0);
        world.clock.advance(jiff::SignedDuration::from_hours(5));
        assert_eq!(job.cycle().await.failed, 0);
        world.clock.advance(jiff::SignedDuration::from_hours(1));
        assert_eq!(job.cycle().await.failed, 1);
        assert_eq!(world.engine().job(job.app).await.expect("the job is there").escrows, 1);
        // A change of the person is a reason to try at once.
        world.set(ann, "surname", "Example").await;
        assert_eq!(job.until_calm().await.created, 1);
        assert_eq!(world.engine().job(job.app).await.expect("the job is there").escrows, 0);
    });
}

#[test]
fn a_restart_keeps_the_links_and_writes_nothing_when_all_is_equal() {
    on_both(|world| async move {
        let job = world.job("scim", Nature { normalises: true, ..Nature::default() }).await;
        job.map(|objects| objects[0].attributes.retain(|mapping| mapping.target != "displayName")).await;
        let ann = world.joins_for(job.app, "Ann").await;
        let bob = world.joins_for(job.app, "Bob").await;
        world.set(bob, "manager", ann.to_string()).await;
        job.until_calm().await;
        job.target.take_requests();
        job.change(JobChange { restart: true, ..JobChange::default() }).await;
        assert_eq!(job.cycle().await.cycle, "initial");
        assert_eq!(lines(&job.target.take_writes()), "");
    });
}

#[test]
fn everybody_is_in_scope_when_the_scope_is_all_and_out_again_when_it_is_not() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        world.joins_for(job.app, "Ann").await;
        world.joins("Bob").await;
        world.group("Sales").await;
        assert_eq!(job.until_calm().await.created, 1);
        job.change(JobChange { scope: Some(ScopeSetting::All), ..JobChange::default() }).await;
        assert_eq!(job.until_calm().await.created, 2);
        job.change(JobChange { scope: Some(ScopeSetting::Assigned), ..JobChange::default() }).await;
        let report = job.until_calm().await;
        assert_eq!((report.disabled, report.deleted), (1, 1));
        assert_eq!(job.target.with(|app| app.user_attribute("bob@contoso.com", "active")), false);
    });
}

#[test]
fn two_applications_know_nothing_of_each_other() {
    on_both(|world| async move {
        let one = world.job_named("one", "scim", Nature::default(), None).await;
        let two = world.job_named("two", "scim", Nature::default(), None).await;
        let ann = world.joins_for(one.app, "Ann").await;
        let count = |target: &FakeTarget| target.with(|app| app.users.len());
        settle_both(&one, &two).await;
        assert_eq!((count(&one.target), count(&two.target)), (1, 0));
        world.assign(two.app, ann).await;
        settle_both(&one, &two).await;
        world.unassign(one.app, ann).await;
        settle_both(&one, &two).await;
        let active = |target: &FakeTarget| target.with(|app| app.user_attribute("ann@contoso.com", "active"));
        assert_eq!((active(&one.target), active(&two.target)), (json!(false), json!(true)));
        world.engine().remove_job(one.app).await.expect("nothing runs");
        world.set(ann, "jobTitle", "Chief").await;
        two.until_calm().await;
        assert_eq!(two.target.with(|app| app.user_attribute("ann@contoso.com", "title")), "Chief");
    });
}

async fn settle_both(one: &Job<'_>, two: &Job<'_>) {
    one.until_calm().await;
    two.until_calm().await;
}
