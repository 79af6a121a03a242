//! The functions whose parameters Microsoft Graph documents: names are the keys of arguments in the tree of an expression, and differ from
//! those of the portal's pages. <https://learn.microsoft.com/graph/api/synchronization-synchronizationschema-functions>

/// A parameter as Graph lists it.
pub(super) struct Listed {
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) kind: &'static str,
}

const fn needs(name: &'static str) -> Listed {
    Listed { name, required: true, kind: "String" }
}

const fn takes(name: &'static str) -> Listed {
    Listed { name, required: false, kind: "String" }
}

const fn of(kind: &'static str, name: &'static str) -> Listed {
    Listed { name, required: true, kind }
}

/// In the order of the arguments; what is repeated stands last.
static LISTED: &[(&str, &[Listed])] = &[
    // Graph lists it as `AppRoleAssignments`.
    ("AppRoleAssignmentsComplex", &[needs("source")]),
    ("Append", &[needs("source"), needs("suffix")]),
    // Not in the list, but made like the one above.
    ("AssertiveAppRoleAssignmentsComplex", &[needs("source")]),
    ("DefaultDomain", &[]),
    // The list has the form of three arguments, without the styles.
    ("FormatDateTime", &[needs("source"), takes("dateTimeStyles"), needs("inputFormat"), needs("outputFormat")]),
    ("IsNothing", &[of("Boolean", "source")]),
    ("Join", &[needs("separator"), needs("source")]),
    ("Mid", &[needs("source"), of("Integer", "start"), of("Integer", "length")]),
    ("Not", &[of("Boolean", "source")]),
    ("Prepend", &[needs("prefix"), needs("source")]),
    (
        "Replace",
        &[
            needs("source"),
            takes("Find"),
            takes("RegularExpression"),
            takes("RegularExpressionGroupName"),
            takes("Replacement"),
            takes("ReplacementPropertyName"),
            takes("Template"),
        ],
    ),
    ("SingleAppRoleAssignment", &[needs("source")]),
    ("Split", &[needs("source"), takes("delimiter")]),
    ("StripSpaces", &[needs("source")]),
    ("Switch", &[needs("source"), takes("defaultValue"), takes("switchValue")]),
];

/// What Graph lists of a function; `None` where it lists nothing.
pub(super) fn listed(function: &str) -> Option<&'static [Listed]> {
    LISTED.iter().find(|(name, _)| *name == function).map(|(_, parameters)| *parameters)
}

#[cfg(test)]
mod tests {
    use super::super::super::functions::{self, Rest};
    use super::*;

    #[test]
    fn each_listed_function_has_as_many_parameters_here() {
        for (name, parameters) in LISTED {
            let function = functions::find(name).unwrap_or_else(|| panic!("{name} is no function"));
            let here = function.parameters.len() + usize::from(function.rest != Rest::None);
            assert_eq!(parameters.len(), here, "{name}");
        }
    }
}
