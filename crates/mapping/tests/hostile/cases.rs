//! Expressions that are made to take long, to grow without end or to break the parser, each with the value of the attribute `x` that it reads.
//! The tests run them against the limits, the benchmark against the clock.

/// One attack.
pub struct Case {
    /// What kind it is: the number of the attack.
    pub id: &'static str,
    /// What is parsed.
    pub expression: String,
    /// What `[x]` holds.
    pub value: String,
}

/// Patterns that send a backtracking engine into an exponential search, or that are large when their repetitions are written out.
pub const PATTERNS: [&str; 38] = [
    "(a+)+$",
    "(a*)*b",
    "(a|aa)+$",
    "(a|a)*$",
    "(.*){50}",
    "(.*){50}b",
    "(?=(a+))\\1b",
    "^(?:(?=.*b)a)*$",
    "(a+)+\\1b",
    "(?<=a*)b",
    "(?:a?){200}a{200}b",
    "(\\w+\\s?)+$",
    "((?:a*)*)*\\1$",
    "(?!(a+)+b).",
    "(?:(?=.*x)|a)*c",
    "(?:(?=[^x]*x)|.)+?c",
    "(?<=(a|b)+)(?=c)",
    "(?s)(?:(?!.*x).)*y",
    "(?<=[a-z])(?=[A-Z])",
    "(.)(.)(.)(.)(.)(.)(.)(.)\\8\\7",
    "(?:(a)|b|(c)|\\w)+?\\1z",
    "(?<!.*x)b",
    "\\b(\\w+)\\s+\\1\\b",
    "(?>a+)+b",
    "(?i)(A+)+B",
    "\\w{1,300}x",
    "(\\p{L}{1,100}\\s*){1,20}q",
    "(?:\\w{1,100}){100}",
    "(((((a{1,9}){1,9}){1,9}){1,9}){1,9}){1,9}b",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "[\\s\\S]{0,1000}$",
    "\\p{L}{1,64}$",
    "(?:\\w{1,100}){1,9}z",
    "\\w{1,2000}(?=!)",
    "(?:a|b|aB){1,300}(?=c)",
    "(?=\\w{1,50}x)(?=\\w{1,50}y)z",
    "(?:a?){12}(?=c)",
    "(?<=a{1,100})(?=a{1,100}b)",
];

/// Texts that nearly match them, as large as a value may be, and one that is larger than it may be.
pub fn texts() -> [String; 5] {
    ["a".repeat(60_000) + "!", "a".repeat(500) + "!", "ab ".repeat(20_000), "aB".repeat(200), "a".repeat(1 << 20)]
}

/// All attacks.
pub fn cases() -> impl Iterator<Item = Case> {
    regular_expressions().chain(doubling()).chain(nesting()).chain(remembering()).chain(lettering())
}

/// Patterns of which much is remembered: each place of a text is met in a way of its own, as each place may be the last of those that they
/// count. What they end with is nowhere, and makes many of them out of one.
pub const REMEMBERING: [&str; 18] = [
    "[ab]*a[ab]{12}c",
    "[ab]*a[ab]{300}c",
    "([ab]*a[ab]{12})c",
    "(?:a|b)*a(?:a|b){16}$",
    "[ab]*?a[ab]{14}\\bc",
    "(?:[a-m]|[n-z])*a.{200}c",
    "a.{14}c",
    "\\b\\w*a\\w{8}c",
    "(?=[ab]*a[ab]{100}c)",
    "(?=a[ab]{100}c)",
    "(?>[ab]*a[ab]{20})c",
    "(?:(?=[ab]*a[ab]{14}c)|[ab])*c",
    "(?>(?:(?=.*b)[ab])*)c",
    "(?<=c[ab]{12}[ab]*)[ab]",
    "(?<=\\w{1,30})c",
    "(?<=a\\w{12}\\w*)c",
    "(?=.*[a-z])(?=.*[A-Z])(?=.*\\d)[A-Za-z\\d]{8,20}$",
    "(\\w+)\\s+\\1c",
];

/// A text of `a` and `b` of which no part is like another, as far as the patterns look.
pub fn mixed(length: usize) -> String {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if state >> 31 == 0 { 'a' } else { 'b' }
    };
    (0..length).map(|_| next()).collect()
}

/// Patterns with many groups, in front of what has many places, and the value that they are tried on.
fn grouped() -> impl Iterator<Item = (String, String)> {
    [("()", "[a-z]{200}"), ("(a?)", ""), ("()", "\\w{5}")].into_iter().flat_map(|(group, rest)| {
        [10, 50, 100, 500, 1_500].into_iter().flat_map(move |times| {
            let pattern = format!("{}{rest}", group.repeat(times));
            [format!("(?=a){pattern}"), pattern].map(|pattern| (pattern, mixed(60_000)))
        })
    })
}

/// EX-07: what remembers much of a long value, once and in as many patterns as there may be.
fn remembering() -> impl Iterator<Item = Case> {
    let case = |expression: String, value: String| Case { id: "EX-07", expression, value };
    let call = |pattern: &str, new: &str| format!("Replace([x],,{},,\"{new}\",,)", quoted(pattern));
    let many = REMEMBERING.into_iter().flat_map(move |pattern| {
        [1, 6, 30, 80].into_iter().flat_map(move |times| {
            let calls: Vec<String> = (0..times).map(|number| call(&format!("{pattern}{number}"), "")).collect();
            let expression = format!("Count(Split(Join(\"\", {}), \"b\"))", calls.join(","));
            [1_000, 8_000, 39_000, 60_000].map(|length| case(expression.clone(), mixed(length)))
        })
    });
    let grouped = grouped().map(move |(pattern, value)| case(call(&pattern, "$1"), value));
    // The pattern is the value.
    let values = REMEMBERING.into_iter().map(move |pattern| {
        let calls = ["Replace(\"aabb\",,[x],,\"\",,)"; 4].join(",");
        case(format!("Join(\"\", {calls})"), pattern.to_owned())
    });
    many.chain(grouped).chain(values)
}

/// A string of the language.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// EX-01: each pattern on each text.
fn regular_expressions() -> impl Iterator<Item = Case> {
    let alone = PATTERNS.into_iter().flat_map(|pattern| {
        let expression = format!("Replace([x], , {}, , \"-$1\", , )", quoted(pattern));
        texts().map(|value| Case { id: "EX-01", expression: expression.clone(), value })
    });
    let again = MATCHES.into_iter().flat_map(|(pattern, replacement)| {
        let call = format!("Replace(@, , {}, , {}, , )", quoted(pattern), quoted(replacement));
        let expression = (0..30).fold("[x]".to_owned(), |inner, _| call.replace('@', &inner));
        ["a".repeat(60_000), "a ".repeat(30_000), "\u{e4} ".repeat(20_000)].map(|value| Case {
            id: "EX-01",
            expression: expression.clone(),
            value,
        })
    });
    alone.chain(again)
}

/// Patterns that match at each place of a text, with what leaves the text as long as it is: there are as many searches as there can be.
const MATCHES: [(&str, &str); 14] = [
    ("a", "a"),
    ("[ab]", "a"),
    ("[a-z]+", "a"),
    ("([a-z])", "$1"),
    ("([a-z])([a-z]*)", "$1$2"),
    ("(?=a)", ""),
    ("(a)(?= )", "$1"),
    ("\\b", ""),
    ("(\\b)", "$1"),
    ("\\bq", ""),
    ("\\b[^ ]{1,20}q", ""),
    ("\\b(?:.+x?.+)+q", ""),
    ("\\b[^ ]", "a"),
    ("", ""),
];

/// `call` with `$` for what it works on, inside itself as often as calls may be.
fn nested(call: &str, times: usize) -> String {
    (0..times).fold("[x]".to_owned(), |inner, _| call.replace('$', &inner))
}

/// EX-08: what looks each letter of a long value up in tables, again and again.
fn lettering() -> impl Iterator<Item = Case> {
    let calls = [
        "PCase($)",
        "PCase($, \"bcd\")",
        "NormalizeDiacritics($)",
        "ToUpper($, \"tr-TR\")",
        "ToLower($)",
        "StripSpaces($)",
        "Mid($, 1, 60000)",
        "Word($, 1, \"q\")",
    ];
    calls.into_iter().flat_map(|call| {
        [10, 45, 140].into_iter().flat_map(move |times| {
            let letters = ["a", "A b ", "\u{e9}", "\u{1ead}", "e\u{301}\u{323}", "\u{fdfa}"];
            letters.map(|letter| Case {
                id: "EX-08",
                expression: nested(call, times),
                value: letter.repeat(60_000 / letter.len()),
            })
        })
    })
}

/// EX-02: what doubles a value with each call, and what is written out many times.
fn doubling() -> impl Iterator<Item = Case> {
    let case = |expression: String, value: String| Case { id: "EX-02", expression, value };
    let calls = [
        "Replace($, \"a\", , , \"aa\", , )",
        "Replace($, , \"a\", , \"aa\", , )",
        "ConvertToUTF8Hex($)",
        "ConvertToBase64($)",
        "Replace($, , \"\", , \"ab\", , )",
        "Replace($, \"a\", , , , , \"aaaaaaaaaaaaaaaa\")",
    ];
    let nested = calls.map(|call| case(nested(call, 32), "a".to_owned()));
    let wide = ["Join(\"\", ", "Coalesce(\"\", ", "SelectUniqueValue("].map(|begin| {
        let expression = format!("{begin}{})", vec!["ToUpper([x])"; 700].join(","));
        case(expression, "a".repeat(64 * 1024))
    });
    let grown = [
        "Replace(\"u\", \"u\", , , , , [x])",
        "Replace([x], \"a\", , , [x], , )",
        "Replace([x], , \"a\", , [x], , )",
        "Replace([x], , [x], , [x], , )",
        "Join([x], [x], [x], [x])",
        "Split([x], \"a\")",
        "RemoveDuplicates(Split([x], \"a\"))",
    ];
    let grown = grown.into_iter().flat_map(move |expression| {
        ["a".repeat(30_000), "a".repeat(1 << 20)].map(|value| case(expression.to_owned(), value))
    });
    nested.into_iter().chain(wide).chain(grown)
}

/// Patterns of which several in one expression are as large as an expression may be.
const LARGE: [&str; 8] = [
    "\\w{400}",
    "\\w{40}$",
    "\\w{14}",
    "(\\w\\p{L})$",
    "(\\w)$(\\w)",
    "(\\w)(?=a)(\\w)\\b",
    "(?i)[a-z]{300}",
    "\\D{100}",
];

/// EX-03: what is deep or long.
fn nesting() -> impl Iterator<Item = Case> {
    let expressions = [
        format!("{}[x]{}", "Not(".repeat(2_000), ")".repeat(2_000)),
        "Not(".repeat(2_500),
        "(".repeat(9_999),
        "[".repeat(9_999),
        "\"\\".repeat(4_999),
        "=".repeat(9_999),
        format!("Coalesce({})", ",".repeat(9_000)),
        format!("Coalesce({})", vec!["[x]"; 1_024].join(",")),
        format!("Append([x], \"{}\")", "a".repeat(100_000)),
        "Append(".repeat(15_000),
        format!("Replace([x], , \"{}a{}\", , \"\", , )", "(".repeat(4_000), ")".repeat(4_000)),
        format!("Replace([x], , \"{}\", , \"\", , )", "(?:a|".repeat(1_500)),
        format!("Replace([x], , \"{}\", , \"\", , )", "[a-z]{9}".repeat(1_000)),
    ];
    let large = LARGE.into_iter().flat_map(|pattern| {
        [1, 2, 4, 7, 14, 28, 200].map(|times| {
            let call = format!("Replace([x], , {}, , \"-$0\", , )", quoted(pattern));
            format!("Join(\"\", {})", vec![call; times].join(","))
        })
    });
    expressions.into_iter().chain(large).map(|expression| Case { id: "EX-03", expression, value: "aaaa".to_owned() })
}
