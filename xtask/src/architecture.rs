//! The architecture test: rules of the layout that a compiler does not check. The rules are in the modules below, as
//! functions over data; here they meet the repository.

mod documents;
mod sources;
mod uses;

use crate::{packages, repository};

/// What the repository breaks of its own rules, one sentence each with its cure; empty when all is well.
pub fn broken() -> anyhow::Result<Vec<String>> {
    let files = repository::files()?;
    let mut broken = uses::broken(&packages::of_workspace()?);
    broken.extend(sources::broken(&files));
    broken.extend(documents::broken(&files));
    Ok(broken)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_repository_keeps_its_own_rules() {
        let broken = super::broken().unwrap();
        assert!(broken.is_empty(), "{} rules are broken:\n{}", broken.len(), broken.join("\n"));
    }
}
