//! What a table may hold, how its rows are judged, and what is told of rows that say nothing.

use proptest::prelude::*;

use super::*;

/// Not random, so that tests can be repeated; every byte is another one.
fn counting(bytes: &mut [u8]) {
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::try_from(index * 37 % 251).unwrap_or_default();
    }
}

fn judged(line: &str) -> Judgement {
    Row::read(line, Columns::default()).map_or_else(Judgement::Unreadable, |row| row.judge(Language::ENTRA, &counting))
}

#[test]
fn rows_that_hold() {
    for line in [
        "[a]\t{\"a\": \"x\"}\t\"x\"\tchoice",
        "[a]\t{\"a\": \"x\"}\t\"x\"",
        "[a]\t{\"a\": \"x\"}\t\"x\"\tchoice\r\n",
        "[a]\t{\"a\": [\"x\", \"y\"]}\t[\"x\", \"y\"]",
        "[a]\t{\"a\": true}\t\"True\"",
        "[a]\t{}\tnull",
        "IgnoreAttributeFlow\t{}\t{\"$drop\": \"attribute\"}",
        "IgnoreObjectFlow\t{}\t{\"$drop\": \"object\"}",
        "NoSuchFunction([a])\t{}\t{\"$error\": \"parse\"}",
        "NoSuchFunction([a])\t{}\t{\"$error\": \"eval\"}",
        "CDate([a])\t{\"a\": \"no date\"}\t{\"$error\": \"eval\"}",
        "[a]\t{\"a\": \"b17\"}\t{\"$regex\": \"^(?<letter>[a-z])\\\\d+$\"}",
        "[a]\t{\"a\": \"aB3!x\"}\t{\"$random\": {\"length\": 5, \"minDigits\": 1, \"minUpper\": 1, \"avoid\": \"0O\"}}",
        "SelectUniqueValue([a], [b])\t{\"a\": \"x\", \"b\": \"y\", \"$taken\": [\"X\"]}\t\"y\"",
        "SelectUniqueValue([a], [b])\t{\"a\": \"x\", \"b\": \"y\", \"$taken\": [\"X\", \"y\"]}\t{\"$error\": \"eval\"}",
        "DefaultDomain()\t{\"$defaultDomain\": \"contoso.com\"}\t\"contoso.com\"",
        "Now()\t{\"$now\": \"2026-10-21\"}\t\"10/21/2026 12:00:00 AM\"",
    ] {
        assert_eq!(judged(line), Judgement::Passed, "{line}");
    }
}

#[test]
fn rows_that_do_not_hold_tell_what_they_give() {
    for (line, got, error) in [
        ("[a]\t{\"a\": \"x\"}\t\"y\"", json!("x"), ""),
        ("[a]\t{\"a\": \"x\"}\t[\"x\"]", json!("x"), ""),
        ("[a]\t{}\t\"\"", Json::Null, ""),
        ("[a]\t{\"a\": \"x\"}\t{\"$error\": \"eval\"}", json!("x"), ""),
        ("CDate([a])\t{\"a\": \"no date\"}\t{\"$error\": \"parse\"}", json!({"$error": "eval"}), "CDate"),
        ("Apend([a], \"b\")\t{}\t\"b\"", json!({"$error": "parse"}), "did you mean `Append`?"),
        ("[a]\t{\"a\": \"x17\"}\t{\"$regex\": \"^\\\\d+$\"}", json!("x17"), ""),
        ("[a]\t{\"a\": [\"1\"]}\t{\"$regex\": \"1\"}", json!(["1"]), ""),
        ("[a]\t{\"a\": \"ab0\"}\t{\"$random\": {\"length\": 3, \"avoid\": \"0\"}}", json!("ab0"), ""),
        ("[a]\t{\"a\": \"ab\"}\t{\"$random\": {\"length\": 3}}", json!("ab"), ""),
        (
            "SelectUniqueValue([a], [a])\t{\"a\": \"x\", \"$taken\": [\"x\"]}\t\"x\"",
            json!({"$error": "eval"}),
            "every value is taken",
        ),
        ("SelectUniqueValue([a], [b])\t{}\t\"x\"", json!({"$error": "eval"}), "no rule gives a value"),
    ] {
        let Judgement::Failed { got: given, error: told } = judged(line) else { panic!("{line}: {:?}", judged(line)) };
        assert_eq!(given, got, "{line}");
        assert!(
            told.as_deref().unwrap_or_default().contains(error) && told.is_some() != error.is_empty(),
            "{line}: {told:?}"
        );
    }
}

#[test]
fn a_table_may_use_the_extensions_where_they_are_switched_on() {
    let row = Row::read("Trim([a])\t{\"a\": \" x \"}\t\"x\"", Columns::default()).unwrap();
    assert_eq!(row.judge(Language::EXTENDED, &counting), Judgement::Passed);
    let Judgement::Failed { error: Some(error), .. } = row.judge(Language::ENTRA, &counting) else { panic!("{row:?}") };
    assert!(error.contains("extension"), "{error}");
}

#[test]
fn rows_that_say_nothing_are_told_of() {
    for (line, words) in [
        ("[a]", "the row has 1 field, 3 are needed"),
        ("[a]\t{}", "the row has 2 fields, 3 are needed"),
        ("[a]\t{\"a\"\tnull", "`input_json` is no JSON object: it ends before it is complete"),
        ("[a]\t[]\tnull", "`input_json` is no JSON object: an object in braces is expected, at its character 1"),
        ("[a]\t{}\tx", "`expected_json` is no JSON: "),
        ("[a]\t{}\t7", "a number or a boolean is a text, as \"7\" or \"True\""),
        ("[a]\t{}\t[1]", "a number or a boolean is a text"),
        ("[a]\t{}\t{\"$drop\": \"all\"}", "`$drop` is \"attribute\" or \"object\""),
        ("[a]\t{}\t{\"$error\": \"run\"}", "`$error` is \"eval\" or \"parse\""),
        ("[a]\t{}\t{\"$regex\": \"(\"}", "the pattern of `$regex` has a `(` that is not closed"),
        ("[a]\t{}\t{\"$regex\": 1}", "`$regex` is a text"),
        ("[a]\t{}\t{\"$random\": {}}", "the rule of `$random` is not understood: missing field `length`"),
        ("[a]\t{}\t{\"$value\": \"x\"}", "not one with `$value`"),
        ("[a]\t{}\t{}", "`expected_json` is a text, a list of texts"),
        ("[a]\t{\"$now\": \"soon\"}\tnull", "`$now` must be an instant"),
        ("[a]\t{\"$taken\": \"x\"}\tnull", "`$taken` must be a list of texts"),
        ("[a]\t{\"$defaultDomain\": 1}\tnull", "`$defaultDomain` must be a text"),
    ] {
        let Judgement::Unreadable(why) = judged(line) else { panic!("{line}: {:?}", judged(line)) };
        assert!(why.contains(words), "{line}: {why}");
    }
    let long = format!("[a]\t{{}}\t\"{}\"", "x".repeat(ROW_BYTES_MAX));
    assert!(matches!(judged(&long), Judgement::Unreadable(why) if why.contains("at most 1048576 are allowed")));
}

#[test]
fn columns_are_found_by_their_names() {
    let turned = Columns::of("origin\texpected_json\tInput_JSON\texpression\r\n").unwrap().unwrap();
    let row = Row::read("choice\t\"x\"\t{\"a\": \"x\"}\t[a]\r\n", turned).unwrap();
    assert_eq!(row, Row { expression: "[a]", input: "{\"a\": \"x\"}", expected: "\"x\"" });
    assert_eq!(Columns::of("[a]\t{}\tnull"), Ok(None), "a table may do without the names");
    let missing = Columns::of("expression\tinput\texpected_json").unwrap_err().to_string();
    assert!(
        missing.starts_with("the first line names no column `input_json`; the columns are expression,"),
        "{missing}"
    );
}

#[test]
fn instants_and_dates() {
    for (text, expected) in [
        ("2025-07-30T00:00:00Z", Some("2025-07-30T00:00:00Z")),
        ("2025-07-30T01:00:00+02:00", Some("2025-07-29T23:00:00Z")),
        (" 2025-07-30 ", Some("2025-07-30T00:00:00Z")),
        ("2025-07-30T12:30:00", Some("2025-07-30T12:30:00Z")),
        ("tomorrow", None),
        ("", None),
    ] {
        assert_eq!(instant(text).map(|at| at.to_string()).as_deref(), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn no_line_panics(line in any::<String>(), tabs in 0_usize..4) {
        let line = line.replace(' ', &"\t".repeat(tabs));
        let _ = (judged(&line), Columns::of(&line));
    }

    #[test]
    fn a_row_that_expects_what_it_gives_holds(value in "[a-zA-Z0-9 ]{0,8}", function in "ToUpper|Trim|ToLower|CDate|Word|Apend") {
        let expression = format!("{function}([a])");
        let input = json!({ "a": value }).to_string();
        let Judgement::Failed { got, .. } = judged(&format!("{expression}\t{input}\t\"\\u0000\"")) else { panic!("{expression}") };
        prop_assert_eq!(judged(&format!("{expression}\t{input}\t{got}")), Judgement::Passed);
    }
}
