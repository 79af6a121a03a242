//! Any bytes are a synchronization schema or refused; a schema is kept to the last member, and what is read out of it is written back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mapping::ObjectMapping;
use mapping::schema::{Difference, Document, Names, SOURCE_DIRECTORY, TARGET_DIRECTORY, read, write};

/// Printed expressions may be longer than what was written, and are refused when they are too long.
const SOURCE_BYTES_MAX: usize = 3_000;

fn names() -> Names {
    Names {
        schema_id: "job".to_owned(),
        rule_id: "rule".to_owned(),
        source_directory_id: "source".to_owned(),
        target_directory_id: "target".to_owned(),
        source_directory: SOURCE_DIRECTORY.to_owned(),
        target_directory: TARGET_DIRECTORY.to_owned(),
    }
}

fn anew(objects: &[ObjectMapping]) -> Vec<ObjectMapping> {
    read(&write(None, objects, &names()).document).objects
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = Document::parse(bytes) else { return };
    let text = document.to_text();
    assert_eq!(Document::parse(text.as_bytes()).as_ref(), Ok(&document));
    let imported = read(&document);
    for finding in &imported.findings {
        assert!(!finding.to_string().is_empty());
    }
    let objects = imported.objects;
    assert_eq!(write(Some(&document), &objects, &names()).document, document);
    let is_short = |mapping: &ObjectMapping| {
        mapping.attributes.iter().all(|attribute| attribute.source.to_string().len() <= SOURCE_BYTES_MAX)
    };
    if objects.iter().all(is_short) {
        let once = anew(&objects);
        assert_eq!(once.len(), objects.len());
        assert_eq!(anew(&once), once);
        assert!(Difference::between(&once, &once).is_empty());
    }
});
