//! The table of functions: a function is one entry. Their bodies live in the modules below, grouped by what they work on;
//! how arguments are evaluated lives in `evaluate`.

pub(super) mod casing;
mod conditions;
mod dates;
mod encoding;
mod lists;
mod random;
mod replace;
mod roles;
mod texts;
pub(super) mod unique;

use std::fmt;

use super::Language;
use super::ast::Node;
use super::evaluate::{Arguments, Evaluated};
use crate::nearest::nearest;

/// One function of the language.
pub(super) struct Function {
    /// Case-sensitive name.
    pub(super) name: &'static str,
    pub(super) parameters: &'static [Parameter],
    pub(super) rest: Rest,
    pub(super) evaluate: fn(&mut Arguments<'_, '_, '_>) -> Evaluated,
    /// Refuses while parsing what the numbers of arguments alone do not show.
    check: fn(&mut [Option<Node>]) -> Result<(), Refusal>,
    /// Entra does not have it.
    pub(super) is_extension: bool,
    /// How it is called, where the parameters alone do not tell it: some of them go together.
    forms: &'static [&'static str],
}

/// What is wrong with a call.
pub(super) struct Refusal {
    /// The argument that is wrong, from 0; `None` where it is the call as a whole.
    pub(super) argument: Option<usize>,
    pub(super) message: String,
    /// What was probably meant.
    pub(super) suggestion: Option<String>,
}

impl Refusal {
    fn of_argument(index: usize, message: String) -> Self {
        Self { argument: Some(index), message, suggestion: None }
    }
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Self { argument: None, message, suggestion: None }
    }
}

pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) required: bool,
}

/// What follows the named parameters.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Rest {
    /// Nothing.
    None,
    /// Any number of sources, one at least.
    Sources,
    /// Pairs of key and value, one at least.
    Pairs,
    /// Any number of rules, two at least.
    Rules,
    /// Any number of conditions, two at least.
    Conditions,
}

const fn needs(name: &'static str) -> Parameter {
    Parameter { name, required: true }
}

const fn takes(name: &'static str) -> Parameter {
    Parameter { name, required: false }
}

type Body = fn(&mut Arguments<'_, '_, '_>) -> Evaluated;

const fn function(name: &'static str, parameters: &'static [Parameter], evaluate: Body) -> Function {
    Function { name, parameters, rest: Rest::None, evaluate, check: |_| Ok(()), is_extension: false, forms: &[] }
}

impl Function {
    const fn followed_by(self, rest: Rest) -> Self {
        Self { rest, ..self }
    }

    const fn checked_by(self, check: fn(&mut [Option<Node>]) -> Result<(), Refusal>) -> Self {
        Self { check, ..self }
    }

    const fn called(self, forms: &'static [&'static str]) -> Self {
        Self { forms, ..self }
    }

    const fn extension(self) -> Self {
        Self { is_extension: true, ..self }
    }
}

/// Every function that can be called, in alphabetical order.
pub(super) static FUNCTIONS: &[Function] = &[
    function("And", &[], conditions::and).followed_by(Rest::Conditions).extension(),
    function("AppRoleAssignmentsComplex", &[needs("appRoleAssignments")], roles::complex),
    function("Append", &[needs("source"), needs("suffix")], texts::append),
    function("AssertiveAppRoleAssignmentsComplex", &[needs("appRoleAssignments")], roles::assertive_complex),
    function("BitAnd", &[needs("value1"), needs("value2")], conditions::bit_and),
    function("CBool", &[needs("expression")], conditions::c_bool),
    function("CDate", &[needs("expression")], dates::c_date),
    function("CStr", &[needs("value")], texts::c_str),
    function("Coalesce", &[], conditions::coalesce).followed_by(Rest::Sources),
    function("ConvertToBase64", &[needs("source")], encoding::convert_to_base64),
    function("ConvertToUTF8Hex", &[needs("source")], encoding::convert_to_utf8_hex),
    function("Count", &[needs("attribute")], lists::count),
    function("DateAdd", &[needs("interval"), needs("value"), needs("dateTime")], dates::date_add),
    function("DateDiff", &[needs("interval"), needs("date1"), needs("date2")], dates::date_diff),
    function("DateFromNum", &[needs("value")], dates::date_from_num),
    function("DefaultDomain", &[], texts::default_domain),
    function(
        "FormatDateTime",
        &[needs("source"), takes("dateTimeStyles"), takes("inputFormat"), takes("outputFormat")],
        dates::format_date_time,
    )
    .checked_by(dates::check_format)
    .called(&dates::FORMAT_FORMS),
    function("Guid", &[], |arguments| Ok(random::guid(arguments.world()))),
    function("IIF", &[needs("condition"), takes("valueIfTrue"), takes("valueIfFalse")], conditions::iif),
    function("IgnoreFlowIfNullOrEmpty", &[needs("expression")], conditions::ignore_flow_if_null_or_empty),
    function("InStr", &[needs("value1"), needs("value2"), takes("start"), takes("compareType")], texts::in_str),
    function("IsNothing", &[needs("expression")], conditions::is_null),
    function("IsNull", &[needs("expression")], conditions::is_null),
    function("IsNullOrEmpty", &[needs("expression")], conditions::is_null_or_empty),
    function("IsPresent", &[needs("expression")], conditions::is_present),
    function("IsString", &[needs("expression")], conditions::is_string),
    function("Item", &[needs("attribute"), needs("index")], lists::item),
    function("Join", &[needs("separator")], lists::join).followed_by(Rest::Sources),
    function("Left", &[needs("string"), needs("numChars")], texts::left),
    function("Len", &[needs("source")], texts::len),
    function("Mid", &[needs("source"), needs("start"), needs("length")], texts::mid),
    function("NormalizeDiacritics", &[needs("source")], casing::normalize_diacritics),
    function("Not", &[needs("source")], conditions::not),
    function("Now", &[], |arguments| Ok(dates::now(arguments.world()))),
    function("NumFromDate", &[needs("value")], dates::num_from_date),
    function("Or", &[], conditions::or).followed_by(Rest::Conditions).extension(),
    function("PCase", &[needs("source"), takes("wordSeparators")], casing::p_case),
    function("Prepend", &[needs("prefix"), needs("source")], texts::prepend),
    function(
        "RandomString",
        &[
            needs("Length"),
            needs("MinimumNumbers"),
            needs("MinimumSpecialCharacters"),
            needs("MinimumCapital"),
            needs("MinimumLowerCase"),
            takes("CharactersToAvoid"),
        ],
        random::random_string,
    ),
    function("Redact", &[needs("value")], conditions::redact),
    function("RemoveDuplicates", &[needs("attribute")], lists::remove_duplicates),
    function(
        "Replace",
        &[
            needs("source"),
            takes("oldValue"),
            takes("regexPattern"),
            takes("regexGroupName"),
            takes("replacementValue"),
            takes("replacementAttributeName"),
            takes("template"),
        ],
        replace::replace,
    )
    .checked_by(replace::check),
    function("Right", &[needs("string"), needs("numChars")], texts::right).extension(),
    function(SELECT_UNIQUE_VALUE, &[], unique::nested).followed_by(Rest::Rules),
    function("SingleAppRoleAssignment", &[needs("appRoleAssignments")], roles::single),
    function("Split", &[needs("source"), takes("delimiter")], lists::split),
    function("StripSpaces", &[needs("source")], texts::strip_spaces),
    function("Switch", &[needs("source"), takes("defaultValue")], conditions::switch).followed_by(Rest::Pairs),
    function("ToLower", &[needs("source"), takes("culture")], casing::to_lower),
    function("ToUpper", &[needs("source"), takes("culture")], casing::to_upper),
    function("Trim", &[needs("source")], texts::trim).extension(),
    function("Word", &[needs("string"), needs("wordNumber"), needs("delimiters")], texts::word),
];

/// The function whose value depends on what the target holds: it is the outermost one, and its rules are tried there.
pub(super) const SELECT_UNIQUE_VALUE: &str = "SelectUniqueValue";

/// Older names of functions.
static FORMER: &[(&str, &str)] = &[("AppRoleAssignments", "AppRoleAssignmentsComplex")];

/// Names that people know from elsewhere, with what does the same here.
static ELSEWHERE: &[(&str, &str)] = &[
    ("Concat", "Join"),
    ("Concatenate", "Join"),
    ("Contains", "InStr"),
    ("FormatDate", "FormatDateTime"),
    ("If", "IIF"),
    ("IfNull", "Coalesce"),
    ("IndexOf", "InStr"),
    ("IsEmpty", "IsNullOrEmpty"),
    ("LCase", "ToLower"),
    ("Length", "Len"),
    ("Lower", "ToLower"),
    ("LowerCase", "ToLower"),
    ("NewGuid", "Guid"),
    ("ProperCase", "PCase"),
    ("RegexReplace", "Replace"),
    ("RemoveDiacritics", "NormalizeDiacritics"),
    ("Substr", "Mid"),
    ("Substring", "Mid"),
    ("TitleCase", "PCase"),
    ("ToString", "CStr"),
    ("UCase", "ToUpper"),
    ("Upper", "ToUpper"),
    ("UpperCase", "ToUpper"),
    ("Uuid", "Guid"),
];

/// The function with exactly this name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    let name = FORMER.iter().find(|(former, _)| *former == name).map_or(name, |(_, now)| now);
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// The signatures of every function of the language, in alphabetical order.
pub(super) fn signatures(language: Language) -> impl Iterator<Item = String> {
    of(language).flat_map(Function::signatures)
}

fn of(language: Language) -> impl Iterator<Item = &'static Function> + Clone {
    FUNCTIONS.iter().filter(move |function| language.extensions || !function.is_extension)
}

/// The names of the functions that Entra does not have.
pub(super) fn extensions() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().filter(|function| function.is_extension).map(|function| function.name)
}

/// The function that an unknown name probably meant.
pub(super) fn suggestion(name: &str, language: Language) -> Option<&'static str> {
    let known = of(language).map(|function| function.name);
    let elsewhere = ELSEWHERE.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, here)| *here);
    elsewhere.or_else(|| nearest(name, known))
}

impl Function {
    /// Each way to call it.
    fn signatures(&self) -> Vec<String> {
        if self.forms.is_empty() {
            return vec![self.to_string()];
        }
        self.forms.iter().map(|form| (*form).to_owned()).collect()
    }

    /// Its name, or a former one that has fewer letters.
    pub(super) fn shortest_name(&self) -> &'static str {
        let former = FORMER.iter().filter(|(_, now)| *now == self.name).map(|(former, _)| *former);
        former.chain([self.name]).min_by_key(|name| name.len()).unwrap_or(self.name)
    }

    /// Checks the arguments of a call and drops omitted ones at the end that have no parameter: published expressions
    /// write `ToLower([x], )`.
    pub(super) fn settle(&self, arguments: &mut Vec<Option<Node>>) -> Result<(), Refusal> {
        let named = self.parameters.len();
        while self.is_surplus(arguments.len()) && matches!(arguments.last(), Some(None)) {
            arguments.pop();
        }
        if self.rest == Rest::None && arguments.len() > named {
            let wanted = if named == 0 { String::new() } else { format!(": `{self}`") };
            let message = format!("`{}` takes {}, not {}{wanted}", self.name, self.wanted(), arguments.len());
            return Err(Refusal::of_argument(named, message));
        }
        for (index, parameter) in self.parameters.iter().enumerate() {
            if parameter.required && !matches!(arguments.get(index), Some(Some(_))) {
                let message = format!(
                    "`{}` needs the argument `{}`, its number {}: `{self}`",
                    self.name,
                    parameter.name,
                    index + 1
                );
                return Err(Refusal { argument: arguments.get(index).map(|_| index), message, suggestion: None });
            }
        }
        self.settle_rest(arguments)?;
        (self.check)(arguments)
    }

    fn is_surplus(&self, count: usize) -> bool {
        let named = self.parameters.len();
        match self.rest {
            Rest::None => count > named,
            Rest::Sources | Rest::Rules | Rest::Conditions => false,
            Rest::Pairs => count > named && (count - named) % 2 == 1,
        }
    }

    /// Checks what follows the named parameters.
    fn settle_rest(&self, arguments: &[Option<Node>]) -> Result<(), Refusal> {
        let named = self.parameters.len();
        let of_two = |noun: &str| {
            let left_out = arguments.iter().position(Option::is_none);
            let message = format!("`{}` needs at least two {noun}, and none may be left out", self.name);
            Err(Refusal { argument: left_out, message, suggestion: None })
        };
        match self.rest {
            Rest::Sources if arguments.len() <= named => {
                Err(format!("`{}` needs at least one source: `{self}`", self.name).into())
            }
            Rest::Pairs if arguments.len() < named + 2 || self.is_surplus(arguments.len()) => {
                let message =
                    "needs a source, a default value and pairs of key and value: an even number of arguments, at least";
                Err(format!("`{}` {message} {}, not {}", self.name, named + 2, arguments.len()).into())
            }
            Rest::Rules if arguments.len() < 2 || arguments.iter().any(Option::is_none) => of_two("rules"),
            Rest::Conditions if arguments.len() < 2 || arguments.iter().any(Option::is_none) => of_two("conditions"),
            Rest::None | Rest::Sources | Rest::Pairs | Rest::Rules | Rest::Conditions => Ok(()),
        }
    }

    fn wanted(&self) -> String {
        match self.parameters.len() {
            0 => "no arguments".to_owned(),
            1 => "one argument".to_owned(),
            most if self.parameters.iter().all(|parameter| parameter.required) => {
                format!("{most} arguments")
            }
            most => format!("at most {most} arguments"),
        }
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// The signature: `ToLower(source, culture?)`, where `?` marks what may be left out; the longest, where there are several.
impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(first) = self.forms.first() {
            return f.write_str(first);
        }
        let optional = |parameter: &Parameter| if parameter.required { "" } else { "?" };
        let named = self.parameters.iter().map(|parameter| format!("{}{}", parameter.name, optional(parameter)));
        let rest: &[&str] = match self.rest {
            Rest::None => &[],
            Rest::Sources => &["source1", "…"],
            Rest::Pairs => &["key1", "value1", "…"],
            Rest::Rules => &["rule1", "rule2", "…"],
            Rest::Conditions => &["condition1", "condition2", "…"],
        };
        let parameters: Vec<String> = named.chain(rest.iter().map(|&name| name.to_owned())).collect();
        write!(f, "{}({})", self.name, parameters.join(", "))
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests;
