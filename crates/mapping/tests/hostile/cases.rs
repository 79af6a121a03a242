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
    regular_expressions().chain(doubling()).chain(nesting())
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
