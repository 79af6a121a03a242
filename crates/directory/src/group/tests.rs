//! Stories of groups: made, changed, deleted, restored, purged.

use store::testing::on_both;
use store::{changes_after, number_changes};
use uuid::Uuid;

use super::*;
use crate::{add_application, assign};

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn id(number: u128) -> GroupId {
    GroupId::new(Uuid::from_u128(number))
}

#[test]
fn names_are_not_unique_and_ids_tell_groups_apart() {
    on_both(|store| async move {
        store
            .write(|tx| {
                for (number, name) in [(1, "Sales"), (2, "SALES"), (3, "Support")] {
                    create_group(tx, id(number), &GroupDraft::new(name), now())?;
                }
                let error = find_group(tx, "sales").unwrap_err().to_string();
                assert_eq!(error, r#"2 groups are named "sales"; use the object id of the one you mean"#);
                assert_eq!(find_group(tx, &id(2).to_string())?.display_name, "SALES");
                delete_group(tx, id(2), now())?;
                assert_eq!(find_group(tx, "sales")?.id, id(1));
                assert_eq!(find_deleted_group(tx, "sales")?.id, id(2));
                assert!(matches!(find_group(tx, "nobody"), Err(DirectoryError::NotFound { .. })));
                assert!(matches!(find_group(tx, "\0"), Err(DirectoryError::NotFound { .. })));
                let taken = create_group(tx, id(1), &GroupDraft::new("Other"), now()).unwrap_err();
                assert!(matches!(taken, DirectoryError::NotUnique { attribute: "id", .. }));
                assert!(create_group(tx, id(4), &GroupDraft::new(""), now()).is_err());
                let live = list_groups(tx, &GroupSearch { text: Some("S".to_owned()), deleted: false }, None, 1)?;
                assert_eq!((live.items.len(), live.next.is_some()), (1, true));
                create_group(tx, id(5), &GroupDraft::new("all staff"), now())?;
                create_group(tx, id(6), &GroupDraft::new("Sales"), now())?;
                let (mut listed, mut after) = (Vec::new(), None);
                loop {
                    let page = list_groups(tx, &GroupSearch::default(), after, 1)?;
                    listed.extend(page.items.into_iter().map(|group| group.id));
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
                assert_eq!(listed, [id(5), id(1), id(6), id(3)], "by name, then by id");
                Ok::<_, DirectoryError>(())
            })
            .await
            .unwrap();
    });
}

type Step = Box<dyn FnMut(&mut WriteTx<'_>) -> Result<(), DirectoryError> + Send>;

#[test]
fn what_a_group_entitles_to_is_told_whenever_it_changes() {
    on_both(|store| async move {
        let kinds = |changes: Vec<store::Change>| changes.iter().map(|c| c.object).collect::<Vec<_>>();
        let (group, assignment) = (ObjectKind::Group, ObjectKind::Assignment);
        let app = Uuid::from_u128(9).into();
        store
            .write(move |tx| {
                create_group(tx, id(1), &GroupDraft::new("Sales"), now())?;
                add_application(tx, app, "App", "t", &[], now())?;
                assign(tx, app, id(1).into(), group, None, now()).map(drop)
            })
            .await
            .unwrap();
        let changes = |name: &str, value: Value| vec![(name.to_owned(), Some(value))];
        let (described, same) = (changes("description", "x".into()), changes("description", "x".into()));
        let (off, on) = (changes("securityEnabled", false.into()), changes("securityEnabled", true.into()));
        let steps: [(Step, Vec<ObjectKind>); 7] = [
            (Box::new(move |tx| change_group(tx, id(1), &described, now()).map(drop)), vec![group]),
            (Box::new(move |tx| change_group(tx, id(1), &same, now()).map(drop)), vec![]),
            (Box::new(move |tx| change_group(tx, id(1), &off, now()).map(drop)), vec![group, assignment]),
            (Box::new(move |tx| change_group(tx, id(1), &on, now()).map(drop)), vec![group, assignment]),
            (Box::new(|tx| delete_group(tx, id(1), now()).map(drop)), vec![group, assignment]),
            (Box::new(|tx| restore_group(tx, id(1), now()).map(drop)), vec![group, assignment]),
            (
                Box::new(|tx| {
                    delete_group(tx, id(1), now())?;
                    purge_group(tx, id(1), now())
                }),
                vec![group, assignment, assignment, group],
            ),
        ];
        let mut seen = 2;
        for (mut step, expected) in steps {
            store.write(move |tx| step(tx)).await.unwrap();
            let news = store
                .write(move |tx| {
                    number_changes(tx, DIRECTORY_FEED)?;
                    changes_after(tx, DIRECTORY_FEED, seen, 100)
                })
                .await;
            let news: Vec<store::Change> = news.map_err(|e: StoreError| e.to_string()).unwrap();
            seen += i64::try_from(news.len()).unwrap();
            assert_eq!(kinds(news), expected);
        }
    });
}
