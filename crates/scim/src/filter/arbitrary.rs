//! Random filters and paths for the laws.

use proptest::prelude::*;

use super::{Filter, Literal, Operator};
use crate::AttributePath;

fn name() -> impl Strategy<Value = String> {
    let words = proptest::sample::select(&["not", "Not", "and", "or", "pr", "eq"][..]).prop_map(str::to_owned);
    prop_oneof![8 => "[a-zA-Z][a-zA-Z0-9_-]{0,6}", 1 => words]
}

fn plain_paths() -> impl Strategy<Value = AttributePath> {
    let urn = proptest::option::of(
        "urn:[a-z]{1,4}:[a-zA-Z0-9.:]{0,4}[a-z0-9]".prop_filter("no empty part", |urn| !urn.contains("::")),
    );
    (urn, name(), proptest::option::of(name())).prop_map(|(urn, attribute, sub_attribute)| AttributePath {
        urn,
        attribute,
        filter: None,
        sub_attribute,
    })
}

fn literals() -> impl Strategy<Value = Literal> {
    prop_oneof![
        any::<String>().prop_map(|text| Literal::String(text.replace('\0', ""))),
        any::<i64>().prop_map(|number| Literal::Number { value: number.into(), written: number.to_string() }),
        (-1.0e6..1.0e6).prop_map(|number: f64| {
            let value = serde_json::Number::from_f64(number).unwrap();
            Literal::Number { written: value.to_string(), value }
        }),
        any::<bool>().prop_map(Literal::Boolean),
        Just(Literal::Null),
    ]
}

fn terms(paths: impl Strategy<Value = AttributePath> + Clone + 'static) -> impl Strategy<Value = Filter> {
    let compare = (paths.clone(), proptest::sample::select(&Operator::ALL[..]), literals());
    prop_oneof![
        paths.prop_map(Filter::Present),
        compare.prop_map(|(path, operator, value)| Filter::Compare { path, operator, value })
    ]
}

fn combined(leaf: BoxedStrategy<Filter>) -> BoxedStrategy<Filter> {
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::Or),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
    .boxed()
}

fn inner_filters() -> BoxedStrategy<Filter> {
    let sub =
        name().prop_map(|attribute| AttributePath { urn: None, attribute, filter: None, sub_attribute: None }).boxed();
    combined(terms(sub).boxed())
}

/// Any path.
pub(crate) fn paths() -> impl Strategy<Value = AttributePath> {
    (plain_paths(), proptest::option::of(inner_filters()), proptest::option::of(name())).prop_map(
        |(path, filter, sub)| match filter {
            Some(filter) => AttributePath { filter: Some(Box::new(filter)), sub_attribute: sub, ..path },
            None => path,
        },
    )
}

/// Any filter.
pub(crate) fn filters() -> impl Strategy<Value = Filter> {
    let value_path = (plain_paths(), inner_filters()).prop_map(|(path, filter)| Filter::ValuePath {
        path: AttributePath { sub_attribute: None, ..path },
        filter: Box::new(filter),
    });
    combined(prop_oneof![4 => terms(paths().boxed()), 1 => value_path].boxed())
}
