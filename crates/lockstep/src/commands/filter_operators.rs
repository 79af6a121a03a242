//! `filter operators`: the operators of clauses, and what else a clause can be written with.

use mapping::{FilterOperator, Quantifier};
use serde_json::{Value, json};

use crate::outcome::Outcome;
use crate::output::Output;

/// What stands in a clause beside the names of attributes and operators, and what it means. All of it is Lockstep's own.
const WORDS: [(&str, &str); 6] = [
    ("ANY EQUALS", "one value of a multi-valued attribute, or more, satisfies the operator behind ANY"),
    ("NONE EQUALS", "no value does, and there are some"),
    ("ALL EQUALS", "each value does, as for the operator alone"),
    ("manager.department", "`manager.` before an attribute of users reads that of the manager, with every operator"),
    ("memberOf", "the attribute of the operators whose value is a group, which is named by its object id"),
    ("today+14d", "a date, as are 2026-12-31, 2026-12-31T18:00:00Z, today, today-2w, now and now-36h"),
];

/// Carries it out. It needs no data.
pub fn run(output: Output) -> anyhow::Result<Outcome> {
    if output.is_json() {
        let operators: Vec<Value> = FilterOperator::all().map(shown).collect();
        let words = WORDS.map(|(word, meaning)| json!({ "word": word, "meaning": meaning, "extension": true }));
        output.json(&json!({ "operators": operators, "words": words }))?;
        return Ok(Outcome::Done);
    }
    let row = |operator: FilterOperator| {
        vec![
            operator.to_string(),
            operator.value_kind().unwrap_or("none").to_owned(),
            if quantifiers(operator).is_empty() { "no" } else { "yes" }.to_owned(),
            if operator.is_extension() { "Lockstep's own" } else { "Entra's" }.to_owned(),
        ]
    };
    output.table(
        &["OPERATOR", "VALUE", "AFTER ANY, NONE, ALL", "WHOSE"],
        FilterOperator::all().map(row).collect(),
        "",
    )?;
    output.line("\nThese are Lockstep's own, too:")?;
    output.table(
        &["WORD", "MEANING"],
        WORDS.map(|(word, meaning)| vec![word.to_owned(), meaning.to_owned()]).into(),
        "",
    )?;
    Ok(Outcome::Done)
}

/// The words that can stand before an operator.
fn quantifiers(operator: FilterOperator) -> Vec<&'static str> {
    let fits = |quantifier: &Quantifier| operator.quantified(*quantifier).is_some();
    Quantifier::ALL.into_iter().filter(fits).map(Quantifier::name).collect()
}

fn shown(operator: FilterOperator) -> Value {
    json!({
        "operator": operator.to_string(), "takesValue": operator.takes_value(), "value": operator.value_kind(),
        "quantifiers": quantifiers(operator), "extension": operator.is_extension(),
    })
}

#[cfg(test)]
mod tests {
    use mapping::{Clause, RegexMode};

    use super::*;

    #[test]
    fn every_word_can_be_used() {
        for (word, _) in WORDS {
            let (attribute, operator, value) = match word {
                "memberOf" => (word, "IS MEMBER OF", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
                "today+14d" => ("employeeHireDate", "IS BEFORE", word),
                operator if operator.ends_with("EQUALS") => ("otherMails", operator, "x"),
                attribute => (attribute, "EQUALS", "x"),
            };
            let operator: FilterOperator = operator.parse().unwrap();
            let clause = Clause::new(attribute, operator, Some(value.to_owned()), RegexMode::Search);
            assert!(clause.is_ok_and(|clause| clause.is_extension()), "{word}");
        }
    }
}
