//! Tests of regular expressions: what .NET finds and writes, and what it refuses. Attacks, and what they may take, are in `tests/hostile`.

use proptest::prelude::*;

use super::surrogates::HALF;
use super::*;

fn regex(pattern: &str) -> NetRegex {
    NetRegex::new(pattern).unwrap_or_else(|why| panic!("{pattern} {why}"))
}

fn replaced(pattern: &str, text: &str, replacement: &str) -> Result<String, Unreplaced> {
    regex(pattern).replace(text, replacement, 1_000, &mut Effort::default())
}

#[track_caller]
fn check_matches(rows: &[(&str, &str, bool)]) {
    for (pattern, text, expected) in rows {
        assert_eq!(regex(pattern).is_match(text, &mut Effort::default()), Ok(*expected), "{pattern} {text:?}");
    }
}

#[test]
fn texts_that_hold_a_match() {
    check_matches(&[
        ("b", "abc", true),
        ("B", "abc", false),
        ("(?i)B", "abc", true),
        ("a(?i:B)c", "aBc", true),
        ("a(?i:B)c", "AbC", false),
        ("a(?i)B", "Ab", false),
        ("^abc$", "abc", true),
        ("^abc$", "abc\n", true),
        ("^abc$", "abc\n\n", false),
        ("abc\\z", "abc\n", false),
        ("abc\\Z", "abc\n", true),
        ("\\Aabc", "\nabc", false),
        ("^b", "a\nb", false),
        ("(?m)^b$", "a\nb\nc", true),
        ("a.c", "a\nc", false),
        ("(?s)a.c", "a\nc", true),
        ("a.c", "a\rc", true),
        ("(?x) a b # comment\n c", "abc", true),
        ("a(?# comment )b", "ab", true),
        (".*\\@domain.com", "ann@domain.com", true),
        ("[\\<\\>]", "a>b", true),
        ("[a-z-[aeiou]]", "aei", false),
        ("[a-z-[aeiou]]", "aeib", true),
        ("[a-z-[c-x-[m]]]", "m", true),
        ("[a-z-[c-x-[m]]]", "n", false),
        ("[^a-z]", "abc", false),
        ("[a&&b]", "&", true),
        ("[[]", "[", true),
        ("[]a]", "]", true),
        ("[a\\]b]", "]", true),
        ("[a-]", "-", true),
        ("[-a]", "-", true),
        ("[\\w.-]+@x", "ann.lee-b@x", true),
        ("\\d", "٣", true),
        ("\\w", "ß", true),
        ("\\p{Lu}", "aÄ", true),
        ("\\P{L}", "aÄ", false),
        ("\\p{IsGreek}", "λ", true),
        ("[\\p{L}\\d]", "-", false),
        ("\\p{IsCJKSymbolsandPunctuation}", "「", true),
        ("[\\p{IsIPAExtensions}\\p{IsArrows}]", "→", true),
        ("\\P{IsSpecials}", "\u{fffd}", false),
    ]);
}

#[test]
fn texts_that_hold_a_match_of_escapes_counts_and_groups() {
    check_matches(&[
        ("\\x41\\u0042\\x43", "ABC", true),
        ("\\101", "A", true),
        ("\\18", "\u{1}8", true),
        ("a\\tb", "a\tb", true),
        ("\\cA", "\u{1}", true),
        ("\\c[(a)\\1", "\u{1b}aa", true),
        ("\\x5b(a)\\u005b\\1", "[a[a", true),
        ("a{2}", "aa", true),
        ("a{2,}b", "ab", false),
        ("a{,2}", "a{,2}", true),
        ("a{x}", "a{x}", true),
        ("{", "{", true),
        ("a}", "a}", true),
        ("foo(?=bar)", "foobar", true),
        ("foo(?!bar)", "foobar", false),
        ("(?<=a+)b", "xaab", true),
        ("(?<!a)b", "ab", false),
        ("(?>a+)ab", "aaab", false),
        ("(a)\\1", "aa", true),
        ("(?<x>a)\\k<x>", "aa", true),
        ("(?'x'a)\\k'x'", "ab", false),
        ("\\bann\\b", "joann ann", true),
        ("\\bann\\b", "joann", false),
        ("", "", true),
        ("a|", "b", true),
    ]);
}

/// <https://learn.microsoft.com/en-us/dotnet/standard/base-types/substitutions-in-regular-expressions>
#[test]
fn what_takes_the_place_of_a_match() {
    for (pattern, text, replacement, expected) in [
        ("x*", "abc", "-", "-a-b-c-"),
        ("a*", "baac", "-", "-b--c-"),
        ("(a)(b)", "ab", "$2$1", "ba"),
        ("(a)", "a", "$10", "$10"),
        ("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)", "abcdefghij", "$10", "j"),
        ("(a)", "a", "${1}0", "a0"),
        ("(?<x>a)", "a", "<${x}>", "<a>"),
        ("(?<x>a)", "a", "${y}", "${y}"),
        ("a", "a", "$a", "$a"),
        ("a", "a", "$", "$"),
        ("a", "a", "$$", "$"),
        ("a", "a", "$$1", "$1"),
        ("b", "abc", "[$&]", "a[b]c"),
        ("b", "abc", "[$0]", "a[b]c"),
        ("b", "abc", "[$`]", "a[a]c"),
        ("b", "abc", "[$']", "a[c]c"),
        ("b", "abc", "[$_]", "a[abc]c"),
        ("(a)(b)", "ab", "$+", "b"),
        ("(a)|(b)", "b", "[$1]", "[]"),
        ("(?<n>x)(y)", "xy", "$1$2", "yx"),
        ("(?<x>a)|(?<x>b)", "ab", "<${x}>", "<a><b>"),
        ("(?<=[a-z])(?=[A-Z])", "camelCaseText", " ", "camel Case Text"),
        ("$", "ab\n", "-", "ab-\n-"),
        ("$+", "ab\n", "-", "ab-\n-"),
        ("$+", "a", "!", "a!"),
        ("$*a", "a", "-", "-"),
        ("^*a", "ba", "-", "b-"),
        ("(?m:^){2,}a", "a\naa", "-", "-\n-a"),
        ("\\b??a", "ba", "-", "b-"),
        ("(?=h)*h", "hh", "x", "xx"),
        ("(?<=a)*b", "abb", "-", "a--"),
        ("(?<!a)+b", "abb", "-", "ab-"),
        ("(?:)*", "ab", "-", "-a-b-"),
        ("(?:(?:^|$)*)+b", "ab", "-", "a-"),
        ("(?=(h))?h", "h", "<$1>", "<h>"),
        ("(?=(h))??h", "h", "<$1>", "<>"),
        ("(?=(x)){0}(h)", "h", "<$1$2>", "<h>"),
        ("(?=a|$)*(a|$)", "a", "-", "--"),
        ("(?m)$", "a\nb", ";", "a;\nb;"),
        ("é", "café", "e", "cafe"),
    ] {
        assert_eq!(replaced(pattern, text, replacement).as_deref(), Ok(expected), "{pattern} {text} {replacement}");
    }
}

#[test]
fn one_group_of_each_match_is_replaced() {
    for (pattern, text, group, new, expected) in [
        ("(?<number>^\\d*)", "545 Tremont Street", "number", "888", "888 Tremont Street"),
        ("a(b)c", "abc abc", "1", "-", "a-c a-c"),
        ("a(b)?c", "ac abc", "1", "-", "ac a-c"),
        ("a(?=(?<x>b))", "ab", "x", "-", "a-b"),
        ("(?<x>a)", "aaa", "x", "$1", "$1$1$1"),
    ] {
        let replaced = regex(pattern).replace_group(text, group, new, 1_000, &mut Effort::default());
        assert_eq!(replaced.as_deref(), Ok(expected), "{pattern} {text}");
    }
}

#[test]
fn the_first_match_gives_its_group() {
    for (pattern, text, group, expected) in [
        ("\\+(?<code>\\d* )(?<phone>\\d{10})", "+91 8887779999", "phone", Some("8887779999")),
        ("\\+(?<code>\\d* )(?<phone>\\d{10})", "nope", "phone", None),
        ("(a)|(b)", "b", "1", None),
        ("(a)|(b)", "b", "0", Some("b")),
    ] {
        let found = regex(pattern).first_group(text, group, &mut Effort::default());
        assert_eq!(found, Ok(expected), "{pattern} {text} {group}");
    }
}

#[test]
fn what_is_no_pattern_is_refused_in_words() {
    for (pattern, expected) in [
        ("(a", "has a `(` that is not closed"),
        ("a)", "has a `)` that closes nothing"),
        ("[a", "has a `[` that is not closed"),
        ("[b-a]", "has a range of characters in reverse order"),
        ("[a-\\d]", "has a range of characters that ends with a class"),
        ("*a", "has the quantifier `*` where there is nothing to repeat"),
        ("a**", "has a quantifier behind another one"),
        ("a{1}{2}", "has a quantifier behind another one"),
        ("a{2,1}", "has the quantifier `{2,1}`, whose first number is greater than its second"),
        ("^{1,0}a", "has the quantifier `{1,0}`, whose first number is greater than its second"),
        ("$+*", "has a quantifier behind another one"),
        ("(?<x-y>a)", "has a balancing group (`(?<a-b>`), which is not supported"),
        ("(?<>a)", "has a group whose name is none"),
        ("(?<0>a)", "gives a group the number 0, which is the whole match"),
        ("(?(1)a|b)", "asks whether a group took part (`(?(`), which is not supported"),
        ("(?z)a", "has a `(?` that begins no group of .NET"),
        ("(?P<x>a)", "has a `(?` that begins no group of .NET"),
        ("a\\", "ends with a backslash that escapes nothing"),
        ("\\q", "has `\\q`, which is no escape"),
        ("\\2(a)", "refers to the group 2, which it does not have"),
        ("\\k<x>", "refers to the group `x`, which it does not have"),
        ("\\uD83D", HALF),
        ("\\uD83Da", HALF),
        ("\\uDE00", HALF),
        ("[\\uD800-\\uDBFF]", HALF),
        ("[a\\uD83D]", HALF),
        ("[^\\uD83D]", HALF),
        ("[\\uD83C-\\uD83D][\\uDC00-\\uDC10]", HALF),
        ("\\uD83D[\\uDC00-\\uDC10]*", HALF),
        ("\\uD83D\\uDE00{2}", HALF),
        ("\\P{IsLowSurrogates}", HALF),
        ("[a-z-[\\uD83D]]", HALF),
        ("\\k", "has a `\\k` without `<name>`"),
        ("\\xZZ", "has a `\\x` without 2 hexadecimal digits of a character"),
        ("\\p{Nope}", "has `\\p{Nope}`, which is no category or block that is known"),
        ("\\p", "has a `\\p` without `{name}`"),
        ("(?# a", "has a comment that is not closed"),
        ("((a{1000}){1000}){1000}", TOO_LARGE),
    ] {
        assert_eq!(NetRegex::new(pattern).err().as_deref(), Some(expected), "{pattern}");
    }
    assert_eq!(
        NetRegex::new(&"a".repeat(PATTERN_CHARS_MAX + 1)).err().as_deref(),
        Some("has 10001 characters, more than 10000")
    );
    assert!(NetRegex::new(&"(".repeat(500)).is_err());
    assert!(NetRegex::new(&"(a)".repeat(100)).is_ok());
    assert_eq!(
        NetRegex::new(&"(a)".repeat(101)).unwrap_err(),
        "has more than 100 groups: write `(?:` for those that nothing asks for"
    );
    assert!(NetRegex::new(&format!("{}a{}", "(?:".repeat(200), ")*".repeat(200))).is_err());
}

#[test]
fn an_evaluation_has_so_much_effort_and_no_more() {
    let mut effort = Effort::default();
    let regex = regex("(?=a+)a");
    let text = "a".repeat(2_000);
    assert_eq!(regex.replace(&text, "", 1_000, &mut effort), Err(Unreplaced::Exhausted(Exhausted)));
    assert_eq!(regex.is_match(&text, &mut effort), Err(Exhausted));
}

/// What truncates is written like this, and .NET takes all of it.
#[test]
fn counted_repetitions_of_large_classes_are_taken() {
    let name = "\u{e4}bc_9".repeat(200);
    for (pattern, text, expected) in [
        ("^\\w{1,50}", name.as_str(), (0, 50)),
        ("^\\w{1,44}?$", &name[..36], (0, 30)),
        ("^[\\w .-]{1,64}", &name, (0, 64)),
        ("^(?<first>\\w{1,64})", &name, (0, 64)),
        ("\\w{1,64}$", &name[..960], (736, 800)),
        ("\\p{L}{1,64}$", "9\u{e4}b", (1, 3)),
        ("[\\s\\S]{0,256}$", &name[..480], (144, 400)),
        ("\\d{1,500}", "a123", (1, 4)),
        ("\\S{1,500}", " ab c", (1, 3)),
        // What was taken is given back, as few as are asked for are taken, and what is fixed stays so.
        ("^\\w{1,200}9", "ab9c9d", (0, 5)),
        ("^\\w{1,200}?9", "ab9c9d", (0, 3)),
        ("^(\\w{30,60})(\\w{2})$", &name[..48], (0, 40)),
        ("^(?:\\w{1,63}\\.){1,10}\\w+", "a.b.c", (0, 5)),
        ("^(?:\\w[.-]?){1,64}$", "a.b-c", (0, 5)),
        ("(?i)^(?:K\\w{50,60})", &format!("k{name}"), (0, 61)),
        ("(?<=^\\w{50})9", &format!("{}9", &name[..60]), (50, 51)),
    ] {
        let replaced = regex(pattern).replace(text, "<$0>", 2_000, &mut Effort::default());
        let begin: String = text.chars().take(expected.0).collect();
        let found: String = text.chars().skip(expected.0).take(expected.1 - expected.0).collect();
        let replaced = replaced.unwrap_or_else(|why| panic!("{pattern} {why:?}"));
        assert!(replaced.starts_with(&format!("{begin}<{found}>")), "{pattern} {replaced}");
    }
}

/// A large class that is kept once gives the groups that it gives where it is written out.
#[test]
fn groups_are_the_same_where_a_class_is_kept_once() {
    let regex = regex("^(?<a>\\w{1,100})-(?<b>\\w{0,100}?)(?<c>\\w{1,100})$");
    for (group, expected) in [("a", "one"), ("b", ""), ("c", "two")] {
        assert_eq!(regex.first_group("one-two", group, &mut Effort::default()), Ok(Some(expected)), "{group}");
    }
}

#[test]
fn the_size_counts_all_that_is_compiled() {
    for (smaller, larger) in [
        ("\\w{5}", "\\w{5}$"),
        ("\\d{10}", "\\w{10}"),
        ("\\w{60}", "\\w{10}"),
        ("(?:\\w)(?=a)", "(\\w)(?=a)"),
        ("[a-z]{10}", "(?i)[a-z]{10}"),
    ] {
        let (smaller_size, larger_size) = (regex(smaller).weight(), regex(larger).weight());
        assert!(smaller_size < larger_size, "{smaller}: {smaller_size}, {larger}: {larger_size}");
    }
    assert!(regex("\\w{5}$").weight() > 5 * 2 * 80_000);
}

/// What a pattern remembers of the values that it meets counts as what is compiled does.
#[test]
fn the_weight_counts_what_is_remembered() {
    for (pattern, least, most) in [
        ("abcdefghijk", 1 << 10, 16 << 10),
        ("[ab]+", 1 << 10, 8 << 10),
        ("[ab]*a[ab]{12}c", 64 << 10, 80 << 10),
        ("(?=[ab]*a[ab]{12}c)", 64 << 10, 96 << 10),
        ("^[A-Z]{2}[0-9]{4}$", 128 << 10, 160 << 10),
        // Each place of a class of all languages remembers where each group was found.
        ("(a)(b)(c)(d)(e)(f)(g)(h)\\w{5}", 3 << 19, 4 << 20),
        ("(?<=\\w{1,9})x", 9 * 80_000, 2 << 20),
    ] {
        let weight = regex(pattern).weight();
        assert!((least..most).contains(&weight), "{pattern}: {weight}");
    }
    // It is looked for backwards in one piece, though each class is kept once when it is checked.
    assert_eq!(NetRegex::new("(?<=\\w{1,30})x").unwrap_err(), TOO_LARGE);
    assert!(NetRegex::new("(?<=\\w{30})x").is_ok());
    // What comes out of a value has less room, as it is compiled beside what the expression has.
    assert!(NetRegex::new("\\w{10}").is_ok());
    assert_eq!(NetRegex::of_value("\\w{10}").unwrap_err(), TOO_LARGE);
}

/// Where so much would have to be remembered that the text is looked at slowly, or is looked at again and again, the price is that of the worst.
#[test]
fn what_would_take_seconds_gives_up_at_once() {
    for (pattern, length, expected) in [
        ("[ab]*a[ab]{300}c", 60_000, Err(Exhausted)),
        ("[ab]*a[ab]{300}c", 1_000, Ok(false)),
        ("abababababac", 60_000, Ok(false)),
        ("(?>[ab]*a[ab]{20})c", 15_000, Err(Exhausted)),
        ("(?>[ab]*a[ab]{20})c", 500, Ok(false)),
        ("(?:(?=.*b)[ab])*c", 4_000, Err(Exhausted)),
        ("(?=.*[a-z])(?=.*[A-Z])(?=.*\\d)[A-Za-z\\d]{8,20}", 4_000, Err(Exhausted)),
        ("(?=.*[a-z])(?=.*[A-Z])(?=.*\\d)[A-Za-z\\d]{8,20}", 100, Ok(false)),
        ("^(?=.*[a-z])(?=.*[A-Z])(?=.*\\d)[A-Za-z\\d]{8,20}$", 10_000, Ok(false)),
    ] {
        let found = regex(pattern).is_match(&"ab".repeat(length / 2), &mut Effort::default());
        assert_eq!(found, expected, "{pattern} on {length}");
    }
}

/// What is looked back at may be of any length, and is refused for its size only.
#[test]
fn what_is_too_large_is_told_apart_from_what_looks_back() {
    let plain = "\\d".repeat(2_000);
    for pattern in ["(?:\\w+a){100}", "(?<=(?:\\w+a){100})b", &plain] {
        assert_eq!(NetRegex::new(pattern).unwrap_err(), TOO_LARGE, "{pattern}");
        // What is advised helps.
        let cured = pattern.replace("\\w", "[A-Za-z0-9_]").replace("\\d", "[0-9]");
        assert!(NetRegex::new(&cured).is_ok(), "{cured}");
    }
    check_matches(&[("(?<=(a)+\\1)b", "aab", true)]);
}

/// A search is charged for what it looked at, not for the rest of the value each time.
#[test]
fn many_matches_in_a_long_value_are_all_replaced() {
    for (pattern, text, replacement, expected) in [
        ("(?=[A-Z])", "aB".repeat(300), " ", "a B".repeat(300)),
        ("(?=[A-Z])", "aB".repeat(5_000), " ", "a B".repeat(5_000)),
        ("(?<=.)(?=.)", "ab".repeat(200), "-", "a-b-".repeat(199) + "a-b"),
        ("(?<![A-Z])B", "aB".repeat(2_000), "b", "ab".repeat(2_000)),
        ("(?=([A-Z]))", "aB".repeat(300), "$1", "aBB".repeat(300)),
        ("a", "a".repeat(30_000), "b", "b".repeat(30_000)),
        ("\\d{3}", "123".repeat(10_000), "x", "x".repeat(10_000)),
        ("\\w+", "word ".repeat(12_000), "x", "x ".repeat(12_000)),
        ("\\s+", "a  b\n".repeat(12_000), " ", "a b ".repeat(12_000)),
        ("[^,]+,?", "ab,".repeat(20_000), ";", ";".repeat(20_000)),
        ("(\\w)(\\w*)", "word ".repeat(3_000), "$1", "w ".repeat(3_000)),
        ("\\b\\w", "\u{e9}a ".repeat(5_000), "x", "xa ".repeat(5_000)),
        ("-{2,}", "a--".repeat(20_000), "-", "a-".repeat(20_000)),
    ] {
        let replaced = regex(pattern).replace(&text, replacement, 1 << 16, &mut Effort::default());
        assert!(replaced.as_deref() == Ok(expected.as_str()), "{pattern} {:?}", replaced.map(|text| text.len()));
    }
}

/// How far a search may look behind the last place where a match could end: only that far its costs are another for each match.
#[test]
fn what_is_looked_at_behind_a_match_has_a_bound_or_none() {
    for (pattern, expected) in [
        ("a", 1),
        ("abc", 3),
        ("a+", 1),
        ("\\w*", 1),
        ("(ab)+", 2),
        ("a{3,}", 3),
        ("a{2,5}b?", 2),
        ("^\\w+", 2),
        ("foo\\w*", 3),
        ("a|bc+", 2),
        ("(a+)+", 1),
        ("(a+b*)*", 1),
        // The rest of the text may be looked at, and the match is short all the same.
        ("a.*b|a", usize::MAX),
        ("a(?:.*b)?", usize::MAX),
        ("(?:a+b)+", usize::MAX),
        ("\\w+\\.\\w+", usize::MAX),
        ("a(?:b+c){2}", usize::MAX),
    ] {
        assert_eq!(regex(pattern).0.prices.cost.beyond, expected, "{pattern}");
    }
}

/// A search that looks at the rest of the text for each match is charged for that.
#[test]
fn what_looks_at_the_rest_for_each_match_gives_up() {
    let text = "a".repeat(60_000);
    for pattern in ["a.*b|a", "a(?:.*b)?", "(?:a+b)?"] {
        let replaced = regex(pattern).replace(&text, "", 1 << 16, &mut Effort::default());
        assert_eq!(replaced, Err(Unreplaced::Exhausted(Exhausted)), "{pattern}");
    }
}

/// .NET sees the halves of characters beyond U+FFFF, and each of these takes all of a character.
#[test]
fn characters_beyond_the_first_plane_are_found_by_their_halves() {
    for (pattern, expected) in [
        ("\\p{Cs}", "a\u{263a}b"),
        ("\\P{Cs}", "\u{1f600}\u{1d4b3}"),
        ("[\\uD800-\\uDFFF]", "a\u{263a}b"),
        ("[\\p{Cs}b]+", "a\u{263a}"),
        ("[^\\uD800-\\uDFFF]", "\u{1f600}\u{1d4b3}"),
        ("[\\uD800-\\uDBFF\\uDC00-\\uDFFF]", "a\u{263a}b"),
        ("[\\uD800-\\uDBFF][\\uDC00-\\uDFFF]", "a\u{263a}b"),
        ("[\\uD800-\\uDBFF]+[\\uDC00-\\uDFFF]*", "a\u{263a}b"),
        ("\\p{IsHighSurrogates}\\p{IsLowSurrogates}", "a\u{263a}b"),
        ("(?:[\\uD800-\\uDBFF][\\uDC00-\\uDFFF])+b", "a\u{1f600}\u{263a}"),
        ("\\uD83D\\uDE00", "a\u{263a}\u{1d4b3}b"),
        ("\\uD83D[\\uDC00-\\uDFFF]+", "a\u{263a}\u{1d4b3}b"),
        ("\\uD83D[\\uDE01-\\uDFFF]", "a\u{1f600}\u{263a}\u{1d4b3}b"),
        ("\\uD83C[\\uDC00-\\uDFFF]|[\\u2600-\\u27BF]", "a\u{1f600}\u{1d4b3}b"),
        ("[\\u0080-\\uFFFF]", "ab"),
        ("[^\\u0000-\\uFFFF]", "a\u{1f600}\u{263a}\u{1d4b3}b"),
    ] {
        let replaced = replaced(pattern, "a\u{1f600}\u{263a}\u{1d4b3}b", "");
        assert_eq!(replaced.as_deref(), Ok(expected), "{pattern}");
    }
}

#[test]
fn what_becomes_too_long_is_refused() {
    let ten = regex("a").replace(&"a".repeat(10), "xx", 19, &mut Effort::default());
    assert_eq!(ten, Err(Unreplaced::TooLong));
}

proptest! {
    /// Whatever is written, it is compiled or refused in words, and what is compiled runs.
    #[test]
    fn any_pattern_is_compiled_or_refused(
        pattern in "(\\\\[a-zA-Z0-9<>{}\\-]|[a-c()\\[\\]{}|*+?^$.,:<>=!'#\\- 0-9\\n]|\\(\\?[a-z<:=!']|[^-]|\\[\\^){0,12}",
        text in "[a-c\\n0-9 ]{0,12}",
        replacement in "[$a-c{}0-9&`'_+]{0,6}",
    ) {
        match NetRegex::new(&pattern) {
            Ok(regex) => {
                let mut effort = Effort::default();
                let found = regex.is_match(&text, &mut effort);
                if let (Ok(false), Ok(same)) = (found, regex.replace(&text, &replacement, 10_000, &mut effort)) {
                    prop_assert_eq!(same, text);
                }
            }
            Err(why) => prop_assert!(!why.is_empty()),
        }
    }

    /// A text that is escaped matches itself and nothing shorter.
    #[test]
    fn an_escaped_text_matches_itself(text in "\\PC{1,12}") {
        let escaped: String = text.chars().flat_map(|letter| {
            let escape = (!letter.is_alphanumeric() && letter != '_').then_some('\\');
            escape.into_iter().chain([letter])
        }).collect();
        let pattern = format!("^{escaped}\\z");
        let regex = NetRegex::new(&pattern);
        prop_assert!(regex.is_ok(), "{} {:?}", pattern, regex);
        let regex = regex.map_err(TestCaseError::fail)?;
        prop_assert_eq!(regex.is_match(&text, &mut Effort::default()), Ok(true));
        let shorter: String = text.chars().skip(1).collect();
        prop_assert_eq!(regex.is_match(&shorter, &mut Effort::default()), Ok(false));
    }
}
