//! What a filter says: its canonical text, the equalities that an index could answer, what it matches, and why it is refused.

use scim::{Filter, ResourceType};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let users = ResourceType::user();
    let text = r#"USERNAME Eq "ada" and (emails[type eq "work"] or not (active eq "False"))"#;
    let filter: Filter = text.parse()?;
    println!("read:    {filter}");
    for (path, value) in filter.equality_terms(&users) {
        println!("holds in every match: {path} = {value}");
    }
    for text in ["userName eq", "(userName pr", "active gt true", "password eq \"x\"", "shoeSize eq 4"] {
        let refused = text.parse::<Filter>().and_then(|filter| filter.check(&users)).expect_err("none of them is one");
        println!("{text}: {}", refused.detail);
    }
    Ok(())
}
