//! Tests of what an administrator reads about an expression that is none: the exact words and the place.

use super::super::{Expression, Language};

#[track_caller]
fn refuse(text: &str, expected: &str) {
    assert_eq!(text.parse::<Expression>().unwrap_err().to_string(), expected, "{text}");
}

#[test]
fn names_that_are_not_known() {
    for (text, expected) in [
        (r#"append([a], "x")"#, "there is no function `append`, at character 1; did you mean `Append`?"),
        ("ToLowr([a])", "there is no function `ToLowr`, at character 1; did you mean `ToLower`?"),
        (r#"Jion("", [a])"#, "there is no function `Jion`, at character 1; did you mean `Join`?"),
        ("UCase([a])", "there is no function `UCase`, at character 1; did you mean `ToUpper`?"),
        ("Substr([a], 1, 2)", "there is no function `Substr`, at character 1; did you mean `Mid`?"),
        ("NoSuchFunction([a])", "there is no function `NoSuchFunction`, at character 1"),
        (
            r#"IIF(NOT IsPresent([a]),"1","0")"#,
            "there is no operator `NOT`; a function turns a condition round, at character 5; did you mean `Not(…)`?",
        ),
        (
            "IIF(Not [a], 1, 2)",
            "the arguments of the function `Not` are missing, at character 5; did you mean `Not(…)`?",
        ),
        (
            "mail",
            "`mail` is no word of the language; attributes stand in brackets, texts in quotes, at character 1; did you mean `[mail]`?",
        ),
        (
            "True",
            r#"`True` is no word of the language; attributes stand in brackets, texts in quotes, at character 1; did you mean `"True"`?"#,
        ),
        (
            "ignoreAttributeFlow",
            "`ignoreAttributeFlow` is no word of the language; attributes stand in brackets, texts in quotes, at character 1; did you mean `IgnoreAttributeFlow`?",
        ),
        ("Now", "the arguments of the function `Now` are missing, at character 1; did you mean `Now(…)`?"),
        (
            "Trim([a])",
            r#"`Trim` is an extension of Lockstep that Entra does not know, and extensions are off; `"extensions": true` in the object mapping switches them on, at character 1"#,
        ),
        (
            r#"IIF(And([a] = "x", [b] = "y"), "1", "2")"#,
            r#"`And` is an extension of Lockstep that Entra does not know, and extensions are off; `"extensions": true` in the object mapping switches them on, at character 5"#,
        ),
        ("trim([a])", "there is no function `trim`, at character 1"),
        (
            "Join(\" \", [givenName],\n  [surname],\n  ToUper([department]))",
            "there is no function `ToUper`, at character 39; did you mean `ToUpper`?",
        ),
    ] {
        refuse(text, expected);
    }
}

#[test]
fn arguments_that_are_wrong() {
    for (text, expected) in [
        ("ToLower(SelectUniqueValue([a], [b]))", "`SelectUniqueValue` must be the outermost function, at character 9"),
        ("SelectUniqueValue([a], [b]) = [c]", "`SelectUniqueValue` must be the outermost function, at character 29"),
        (
            "SelectUniqueValue([a])",
            "`SelectUniqueValue` needs at least two rules, and none may be left out, at character 1",
        ),
        (
            "SelectUniqueValue([a], , [b])",
            "`SelectUniqueValue` needs at least two rules, and none may be left out, at character 24",
        ),
        (
            r#"Replace([a], , "(x", , "", , )"#,
            "the `regexPattern` of `Replace` has a `(` that is not closed, at character 16",
        ),
        (
            r#"Replace([a], , "(?<x>a)", "y", "", , )"#,
            "the `regexPattern` of `Replace` has no group `y`, at character 27",
        ),
        (
            r#"Replace([a], "x")"#,
            "`Replace` takes `oldValue` with `replacementValue` or `template`, or `regexPattern` with `replacementValue`, with `regexGroupName` and `replacementValue`, or with `regexGroupName` and `replacementAttributeName`, at character 1",
        ),
        (
            r#"FormatDateTime([a], , "'yyyy", "yyyy")"#,
            "`FormatDateTime`: `inputFormat` has a ' that is not closed, at character 23",
        ),
        (
            r#"FormatDateTime([a], "yyyy")"#,
            "`FormatDateTime` needs the argument `outputFormat`: `FormatDateTime(source, dateTimeStyles?, inputFormat, outputFormat)` or `FormatDateTime(source, inputFormat, outputFormat)`, at character 1",
        ),
        (
            r#"FormatDateTime([a], "Nope", "yyyy", "yyyy")"#,
            "`FormatDateTime`: `dateTimeStyles` names a style that .NET does not have, at character 21",
        ),
        (
            r#"FormatDateTime([a], "RoundtripKind,AssumeLocal", "yyyy", "yyyy")"#,
            "`FormatDateTime`: `dateTimeStyles` has both `RoundtripKind` and `AssumeLocal`, which exclude one another, at character 21",
        ),
    ] {
        refuse(text, expected);
    }
}

#[test]
fn arguments_that_are_wrong_too() {
    for (text, expected) in [
        (
            "Mid([a], 1)",
            "`Mid` needs the argument `length`, its number 3: `Mid(source, start, length)`, at character 1",
        ),
        (
            "Mid([a], , 2)",
            "`Mid` needs the argument `start`, its number 2: `Mid(source, start, length)`, at character 10",
        ),
        ("Now(1)", "`Now` takes no arguments, not 1, at character 5"),
        ("Len([a], 1)", "`Len` takes one argument, not 2: `Len(source)`, at character 10"),
        ("Mid([a], 1, 2, 3)", "`Mid` takes 3 arguments, not 4: `Mid(source, start, length)`, at character 16"),
        (
            "InStr([a], 1, 2, 3, 4)",
            "`InStr` takes at most 4 arguments, not 5: `InStr(value1, value2, start?, compareType?)`, at character 21",
        ),
        (r#"Join(",")"#, "`Join` needs at least one source: `Join(separator, source1, …)`, at character 1"),
        ("Coalesce()", "`Coalesce` needs at least one source: `Coalesce(source1, …)`, at character 1"),
        (
            r#"Switch([a], , "1")"#,
            "`Switch` needs a source, a default value and pairs of key and value: an even number of arguments, at least 4, not 3, at character 1",
        ),
        ("&H", "`&H` needs hexadecimal digits after it, at character 1"),
        (
            r#"IIF(,"x","y")"#,
            "`IIF` needs the argument `condition`, its number 1: `IIF(condition, valueIfTrue?, valueIfFalse?)`, at character 5",
        ),
    ] {
        refuse(text, expected);
    }
}

#[test]
fn syntax_that_is_wrong() {
    for (text, expected) in [
        ("", "the expression is empty, at character 1"),
        ("   ", "the expression is empty, at character 1"),
        (r#"Append([a], "x""#, "the `)` that ends the arguments of `Append` (character 1) is missing, at character 16"),
        (
            r#"Join(" ", ToLower([a], Mid([b], 1, 2))"#,
            "the `)` that ends the arguments of `Join` (character 1) is missing, at character 39",
        ),
        (r#"Append([a], "x"))"#, "the expression is complete before `)`, at character 17"),
        (r#"Append([a] "x")"#, "`,` or `)` is expected in the arguments of `Append`, not a string, at character 12"),
        (r#"Append([a], "b")("#, "the expression is complete before `(`, at character 17"),
        (r#"IIF([a], "x" , "y""#, "the `)` that ends the arguments of `IIF` (character 1) is missing, at character 19"),
        ("[a", "this `[` is not closed by a `]`, at character 1"),
        ("[ ]", "an attribute name is missing between the brackets, at character 1"),
        (r#""abc"#, r#"this string is not closed by a `"`, at character 1"#),
        (
            r#"Append("C:\", [a])"#,
            r#"this string is not closed by a `"`; in it, `\"` is a quote that belongs to the text, at character 8"#,
        ),
        ("&HFFFFFFFFFFFFFFFFF", "this hexadecimal number is too large, at character 1"),
        ("[a]]", "this `]` closes no attribute name, at character 4"),
        (r#"Append([a], "x"), "y""#, "the expression is complete before `,`, at character 17"),
        (r#"IIF([a]=,"x","y")"#, "a function, an attribute or a string is expected, not `,`, at character 9"),
    ] {
        refuse(text, expected);
    }
}

#[test]
fn what_other_languages_have() {
    for (text, expected) in [
        (r#"Append([a]; "x")"#, "arguments are separated by `,`, not by `;`, at character 11"),
        ("[a] = [b] = [c]", "comparisons cannot be chained; nest `IIF` instead, at character 11"),
        ("IIF([a] = [b] = [c], 1, 2)", "comparisons cannot be chained; nest `IIF` instead, at character 15"),
        (
            r#"IIF([a] == "x", 1, 2)"#,
            "one comparison follows another; equality is `=`, inequality is `<>`, at character 10; did you mean `=`?",
        ),
        (
            r#"IIF([a] != "x", 1, 2)"#,
            "there is no operator `!`; inequality is `<>`, and `Not` turns a condition round, at character 9",
        ),
        (
            r#"[a] => "x""#,
            "one comparison follows another; equality is `=`, inequality is `<>`, at character 6; did you mean `>=`?",
        ),
        (
            r#"[a] > = "x""#,
            "one comparison follows another; equality is `=`, inequality is `<>`, at character 7; did you mean `>=`?",
        ),
        (
            r#"[a] =< "x""#,
            "one comparison follows another; equality is `=`, inequality is `<>`, at character 6; did you mean `<=`?",
        ),
    ] {
        refuse(text, expected);
    }
}

#[test]
fn operators_of_other_languages() {
    for (text, expected) in [
        (
            r#"IIF([a] = "x" AND [b] = "y", 1, 2)"#,
            "there is no operator `AND`; for both of two conditions write `IIF(first, IIF(second, yes, no), no)`, at character 15",
        ),
        (
            r#"IIF([a] = "x" && [b] = "y", 1, 2)"#,
            "there is no operator `&&`; for both of two conditions write `IIF(first, IIF(second, yes, no), no)`, at character 15",
        ),
        (
            r#"IIF([a] = "x" || [b] = "y", 1, 2)"#,
            "there is no operator `||`; for one of two conditions write `IIF(first, yes, IIF(second, yes, no))`, at character 15",
        ),
        (
            r#"IIF([a] = "x" or [b] = "y", 1, 2)"#,
            "there is no operator `or`; for one of two conditions write `IIF(first, yes, IIF(second, yes, no))`, at character 15",
        ),
        (
            "IIF([a] is null, 1, 2)",
            "there is no operator `is`; `IsNull(…)` and `IsPresent(…)` ask whether there is a value, at character 9",
        ),
        (r#"[a] in "b""#, "there is no operator `in`; `Switch(…)` compares with several values, at character 5"),
        (r#"[a] LIKE "b""#, "there is no operator `LIKE`; `InStr(…)` finds a text in another, at character 5"),
        ("[a] not", "there is no operator `not`; `Not(…)` turns a condition round, at character 5"),
        (
            r#"IIF(([a]="x"), 1, 2)"#,
            "a `(` stands only behind the name of a function; conditions and texts have no parentheses around them, at character 5",
        ),
        (
            "[a] & [b]",
            r#"there is no operator `&`; texts are put together by a function, at character 5; did you mean `Join("", …)`?"#,
        ),
        (
            "[a] + [b]",
            r#"there is no operator `+`; texts are put together by a function, at character 5; did you mean `Join("", …)`?"#,
        ),
        ("[n] - 1", "there is no operator `-`: the language has no arithmetic, at character 5"),
        ("[n] * 2", "there is no operator `*`: the language has no arithmetic, at character 5"),
        ("“a”", r#"a string begins with a straight double quote, not with `“`, at character 1; did you mean `"a"`?"#),
        (
            "Append([a], 'b\\c')",
            r#"a string begins with a straight double quote, not with `'`, at character 13; did you mean `"b\\c"`?"#,
        ),
        ("'a", "a string begins with a straight double quote, not with `'`, at character 1"),
        (r#"Append([a], "x") // all"#, "there are no comments in an expression; remove this one, at character 18"),
        ("/* all */ [a]", "there are no comments in an expression; remove this one, at character 1"),
        ("user.mail", "`.` has no place in an expression outside of strings and brackets, at character 5"),
        ("={a}", "`{` has no place in an expression outside of strings and brackets, at character 2"),
    ] {
        refuse(text, expected);
    }
}

/// The combinations of arguments that mean nothing: which of them is too much.
#[test]
fn arguments_of_replace_that_do_not_go_together() {
    const COMBINATIONS: &str = "`Replace` takes `oldValue` with `replacementValue` or `template`, or `regexPattern` with `replacementValue`, with `regexGroupName` and `replacementValue`, or with `regexGroupName` and `replacementAttributeName`";
    for (text, too_much, place) in [
        (
            r#"Replace([a], "h", "j")"#,
            "`regexPattern` is too much beside `oldValue`",
            r#"19; did you mean `Replace([a], "h", , , "j", , )`?"#,
        ),
        (r#"Replace([a], "h", "j", , "k")"#, "`regexPattern` is too much beside `oldValue`", "19"),
        (r#"Replace([a], , "h", , "k", , "t")"#, "`template` is too much beside `regexPattern`", "30"),
        (r#"Replace([a], "h", , "g", "k")"#, "`regexGroupName` is too much beside `oldValue`", "21"),
        (r#"Replace([a], "h", "", "", "k", "", "t")"#, "`template` is too much beside `oldValue`", "36"),
    ] {
        refuse(text, &format!("{too_much}: {COMBINATIONS}, at character {place}"));
    }
    let meant = r#"did you mean `Replace([a], "h", , , "", , )`?"#;
    refuse(r#"Replace([a], "h", "")"#, &format!("{COMBINATIONS}, at character 1; {meant}"));
}

/// Published mappings fill every place.
#[test]
fn empty_arguments_that_replace_has_no_use_for_are_left_out() {
    for (text, printed) in [
        (r#"Replace([a], ".", "", "", "", "", "")"#, r#"Replace([a], ".", , , "", , )"#),
        (r#"Replace([a], ".", "", "", "-", "", "")"#, r#"Replace([a], ".", , , "-", , )"#),
        (r#"Replace([a], "", "[0-9]", "", "", "", "")"#, r#"Replace([a], , "[0-9]", , "", , )"#),
        (r#"Replace([a], "", "(?<g>x)", "g", "", [b], "")"#, r#"Replace([a], , "(?<g>x)", "g", , [b], )"#),
        (r#"Replace([a], "<a>", "", "", "", "", "<a>@b")"#, r#"Replace([a], "<a>", , , , , "<a>@b")"#),
        (r#"Replace([a], , "", , "y", , )"#, r#"Replace([a], , "", , "y", , )"#),
        (r#"Replace([a], "x", , , , , "")"#, r#"Replace([a], "x", , , , , "")"#),
    ] {
        assert_eq!(text.parse::<Expression>().map(|read| read.to_string()).as_deref(), Ok(printed), "{text}");
    }
}

#[test]
fn null_and_units_of_time_have_no_word() {
    const BARE: &str = "is no word of the language; attributes stand in brackets, texts in quotes, at character";
    const NULL: &str = "an argument that is left out is null, and `IsNull(…)` and `IsNullOrEmpty(…)` ask for it";
    for (text, word, place, meant) in [
        ("Coalesce([a],null)", "null", 14, None),
        ("NULL", "NULL", 1, None),
        ("IIF([a]<>null,1,2)", "null", 10, Some("IsPresent([a])")),
        ("IIF(ToLower([a]) = Nothing,1,2)", "Nothing", 20, Some("IsNull(ToLower([a]))")),
        ("IIF([a] > null,1,2)", "null", 11, None),
        ("IIF(null = [a],1,2)", "null", 5, None),
    ] {
        let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
        refuse(text, &format!("there is no word `{word}`; {NULL}, at character {place}{meant}"));
    }
    for (text, word, place, meant) in [
        ("DateAdd(d, 1, Now())", "d", 9, "\"d\""),
        ("DateAdd(days, 1, Now())", "days", 9, "\"d\""),
        ("DateDiff( Year, [a], [b])", "Year", 11, "\"yyyy\""),
        ("DateAdd(YYYY, 1, Now())", "YYYY", 9, "\"yyyy\""),
        ("DateAdd(unit, 1, Now())", "unit", 9, "[unit]"),
        ("DateAdd(\"d\", d, Now())", "d", 14, "[d]"),
    ] {
        refuse(text, &format!("`{word}` {BARE} {place}; did you mean `{meant}`?"));
    }
}

#[test]
fn the_nearest_name_is_of_the_language() {
    let message = |text, language| Expression::parse_with(text, language).unwrap_err().to_string();
    assert_eq!(
        message("Tirm([a])", Language::EXTENDED),
        "there is no function `Tirm`, at character 1; did you mean `Trim`?"
    );
    assert_eq!(message("Tirm([a])", Language::ENTRA), "there is no function `Tirm`, at character 1");
}
