//! What configurations are taken and what is said of the others.

use proptest::prelude::*;

use super::*;

fn args() -> GlobalArgs {
    GlobalArgs::default()
}

fn checked(args: &GlobalArgs, text: &str) -> Result<Config, Vec<String>> {
    let (file, problems) = parse(text).map_err(|problem| vec![problem])?;
    check(args, &Source { path: Some(PathBuf::from("lockstep.toml")), file, problems })
}

#[test]
fn without_a_file_everything_has_a_default() {
    let config = check(&args(), &Source::default()).unwrap();
    assert_eq!(config.data, PathBuf::from("lockstep-data"));
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!((config.postgres, config.public_url, config.log.as_str()), (None, None, "warn"));
    assert_eq!((config.outbound.private_networks, config.outbound.plain_http, config.log_days), (true, false, 30));
}

#[test]
fn options_are_stronger_than_the_file() {
    let domain = Some("contoso.com".to_owned());
    let args = GlobalArgs {
        default_domain: domain,
        listen: Some("127.0.0.1:1".to_owned()),
        log: Some("debug".to_owned()),
        ..args()
    };
    let config =
        checked(&args, "listen = \"[::]:2\"\ndefault_domain = \"fabrikam.com\"\npublic_url = \"https://scim.example.com/\"\nlog = \"info\"\n").unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:1");
    assert_eq!(config.default_domain.as_deref(), Some("contoso.com"));
    assert_eq!((config.log.as_str(), config.public_url.as_deref()), ("debug", Some("https://scim.example.com")));
}

#[test]
fn a_default_domain_is_the_name_of_one() {
    for good in ["contoso.com", "eu-1.contoso.com", "bücher.example"] {
        assert_eq!(checked(&args(), &format!("default_domain = {good:?}")).unwrap().default_domain.unwrap(), good);
    }
    for bad in ["contoso", "@contoso.com", "contoso..com", "-x.contoso.com", "contoso.com.", "a b.com", ""] {
        let told = checked(&args(), &format!("default_domain = {bad:?}")).unwrap_err();
        assert_eq!(told, [format!("lockstep.toml: default_domain: {bad:?} is no domain like contoso.com")]);
    }
    for (name, is_good) in [
        (format!("{}.com", "a".repeat(63)), true),
        (format!("{}.com", "a".repeat(64)), false),
        (format!("{}m", "a.".repeat(126)), true),
        (format!("{}om", "a.".repeat(126)), false),
    ] {
        assert_eq!(domain(&name).is_ok(), is_good, "{name}");
    }
}

#[test]
fn every_wrong_key_is_named() {
    for (text, expected) in [
        ("listen = \"8080\"", "lockstep.toml: listen: \"8080\" is no address with a port"),
        ("database = \"mysql://x\"", "lockstep.toml: database: is no PostgreSQL address"),
        ("public_url = \"example.com\"", "lockstep.toml: public_url: \"example.com\" is no address"),
        ("public_url = \"https://user@example.com\"", "lockstep.toml: public_url: "),
        (
            "public_url = \"https://scim.example.com:65536\"",
            "public_url: \"https://scim.example.com:65536\" is no address like https://scim.example.com: a port is a number from 1",
        ),
        ("public_url = \"http://localhost:0/scim\"", "a port is a number from 1 to 65535"),
        ("public_url = \"http://[::1]:99999\"", "a port is a number from 1 to 65535"),
        ("public_url = \"https://scim.example.com:\"", "a port is a number from 1 to 65535"),
        ("public_url = \"http://127.1\"", "a host that is a number is written like 192.0.2.1"),
        (
            "limits.requests_per_second = 1000001",
            "limits.requests_per_second: must be a whole number between 0 and 1000000 requests",
        ),
        ("log = \"warn,provisioning=loud\"", "lockstep.toml: log: "),
        ("log = \"inof\"", "there are off, error, warn, info, debug, trace"),
        ("log = \"\"", "lockstep.toml: log: "),
        ("log = \" aೝ=\"", "lockstep.toml: log: "),
        (
            "[provisioning]\ninterval_seconds = 0",
            "provisioning.interval_seconds: must be a whole number between 1 and 2592000 seconds",
        ),
        ("provisioning.log_days = 0", "provisioning.log_days: must be a whole number between 1 and 3650 days"),
        ("provisioning.log_days = 70000", "provisioning.log_days: must be a whole number between 1 and 3650 days"),
        ("provisioning.log_days = -1", "provisioning.log_days: must be a whole number"),
        ("provisioning.log_days = \"30\"", "provisioning.log_days: must be a whole number"),
        ("provisioning = 1", "lockstep.toml: provisioning: is a table; write its keys below [provisioning]"),
        ("outbound.plain_http = \"yes\"", "outbound.plain_http: must be true or false, without quotation marks"),
        ("[outbound]\nca_file = \"no-such.pem\"", "lockstep.toml: outbound.ca_file: no-such.pem is not a file"),
        ("limits.connections = 1", "limits.connections: must be a whole number between 8 and 1000000 connections"),
        ("request_log.megabytes = 0", "request_log.megabytes: must be a whole number between 1 and 10000 MB"),
        ("metrics.listen = 9464", "metrics.listen: must be an address with a port, like"),
        ("[traces]\nendpoint = \"collector:4318\"", "lockstep.toml: traces.endpoint: is no address of a collector"),
        ("[traces]\nendpoint = \"https://key@collector\"", "traces.endpoint: is no address of a collector"),
        ("[traces]\nheaders = \"x\"", "traces.headers: must be headers like"),
        ("[traces]\nheaders = \"host=x\"", "and none of content-type, content-length, host"),
        ("[traces]\nheaders = \"a=b%0d%0ac: d\"", "traces.headers: must be headers like"),
        ("[traces]\nservice_name = \"\"", "traces.service_name: must have 1 to 255 bytes"),
        ("traces.share = 1.01", "traces.share: must be a number between 0 (none) and 1 (all)"),
        ("traces.share = nan", "traces.share: must be a number between 0"),
        ("traces.share = \"all\"", "traces.share: must be a number between 0"),
        ("lisen = \"x\"", "lockstep.toml: lisen: is not a key of this file; did you mean listen?"),
        ("[outbound]\nproxy = \"x\"", "outbound.proxy: is not a key of this file; there are data, listen, "),
        (
            "[provisoning]\nlog_days = 1",
            "provisoning.log_days: is not a key of this file; did you mean provisioning.log_days?",
        ),
        ("log_days = 1", "log_days: is not a key of this file; did you mean provisioning.log_days?"),
        ("[proxy]", "lockstep.toml: proxy: is not a key of this file"),
        ("[listen]", "lockstep.toml: listen: must be a text in quotation marks"),
        ("data = 5", "lockstep.toml: data: must be a text in quotation marks"),
        ("log_format = \"xml\"", "lockstep.toml: log_format: must be \"text\" or \"json\""),
        ("listen = ", "listen = "),
    ] {
        let problems = checked(&args(), text).unwrap_err().join("\n");
        assert!(problems.contains(expected), "{text} gave: {problems}");
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let all = "listen = \"x\"\nlisten_at = 1\nlog_format = 5\n[outbound]\nproxy = 1\nplain_http = 1\n[provisioning]\nlog_days = 0";
    let all = checked(&args(), all).unwrap_err();
    assert_eq!(all.len(), 6, "all problems are told at once: {all:?}");
    let many: Vec<String> = (0..100).map(|number| format!("key{number} = 1")).collect();
    assert_eq!(checked(&args(), &many.join("\n")).unwrap_err().len(), UNKNOWN_TOLD_MAX);
    let option = GlobalArgs { listen: Some("here".to_owned()), ..args() };
    assert!(checked(&option, "").unwrap_err()[0].starts_with("--listen or LOCKSTEP_LISTEN: listen: \"here\""));
}

#[test]
fn a_folder_that_may_not_be_entered_is_told_with_the_cause() {
    let told = |path: &str| cannot_look(Path::new(path), std::io::ErrorKind::PermissionDenied.into()).to_string();
    assert!(told("a/lockstep.toml").starts_with("a cannot be entered: permission denied; "), "{}", told("a/x"));
    assert!(told("lockstep.toml").starts_with(". cannot be entered: permission denied; "));
}

#[test]
fn passwords_of_databases_are_not_repeated() {
    for text in ["database = \"mysql://u:geheim@h/n\"", "databas = \"mysql://u:geheim@h/n\"", "database = [\"geheim\"]"]
    {
        let problems = checked(&args(), text).unwrap_err().join("\n");
        assert!(!problems.contains("geheim"), "{problems}");
    }
}

#[test]
fn the_list_of_keys_is_whole() {
    let mut file = String::new();
    let mut tables: std::collections::BTreeMap<&str, Vec<&str>> = std::collections::BTreeMap::new();
    for key in KEYS {
        let (table, name) = key.split_once('.').unwrap_or(("", key));
        tables.entry(table).or_default().push(name);
    }
    for (table, names) in tables {
        if !table.is_empty() {
            file.extend(["[", table, "]\n"]);
        }
        for name in names {
            let value = match name {
                "interval_seconds"
                | "log_days"
                | "days"
                | "megabytes"
                | "requests_per_second"
                | "connections"
                | "connections_per_address" => "60",
                "private_networks" | "plain_http" | "on" => "true",
                "share" => "0.5",
                "listen" if table == "metrics" => "\"127.0.0.1:9464\"",
                "log_format" => "\"json\"",
                _ => "\"x\"",
            };
            file.extend([name, " = ", value, "\n"]);
        }
    }
    let (read, problems) = parse(&file).unwrap();
    assert_eq!(problems, []);
    let shown = format!("{read:?}");
    assert!(!shown.contains("None"), "a key is missing from the list: {shown}");
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = checked(&args(), &text);
        let _ = (traces::collector_url(&text, traces::collector_policy(false)), traces::collector_headers(&text));
        let _ = (socket_address(&text), postgres_url(&text), public_url(&text), log_levels(&text));
    }
}

#[test]
fn limits_the_request_log_and_metrics_are_set_in_the_file() {
    let text = "[limits]\nrequests_per_second = 0\nconnections = 100\n[request_log]\non = false\ndays = 3\nmegabytes = 5\n[metrics]\nlisten = \"localhost:9464\"";
    let edge = checked(&args(), text).unwrap().edge;
    let expected = EdgeConfig {
        requests_per_second: 0,
        connections: Some(100),
        connections_per_address: None,
        log: false,
        log_days: 3,
        log_megabytes: 5,
        metrics: "127.0.0.1:9464".parse().ok(),
    };
    assert_eq!(edge, expected);
    assert_eq!(check(&args(), &Source::default()).unwrap().edge, EdgeConfig::default());
}

#[test]
fn traces_are_off_unless_a_collector_is_named() {
    let all = "[traces]\nendpoint = \"http://collector:4318/\"\nheaders = \"X-Key=geheim,authorization=Bearer%20abc\"\nservice_name = \"scim\"\nshare = 1";
    let traces = checked(&args(), all).unwrap().traces.unwrap();
    assert_eq!(
        (traces.url.as_str(), traces.share, traces.service_name.as_str()),
        ("http://collector:4318/v1/traces", 1.0, "scim")
    );
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(traces.headers.0, [header("x-key", "geheim"), header("authorization", "Bearer abc")]);
    assert!(!format!("{traces:?}").contains("geheim"));
    assert_eq!(checked(&args(), "[traces]\nshare = 0.5").unwrap().traces, None);
    let option = |endpoint: &str| GlobalArgs { otlp_endpoint: Some(endpoint.to_owned()), ..args() };
    let named = checked(&option("https://x/v1/traces"), all).unwrap().traces.unwrap();
    assert_eq!(named.url, "https://x/v1/traces");
    let allowed = "outbound.plain_http = true\noutbound.private_networks = false";
    for (endpoint, file) in [("http://93.184.216.34", allowed), ("http://127.0.0.1:4318", allowed)] {
        assert!(checked(&option(endpoint), file).unwrap().traces.is_some(), "{endpoint}");
    }
    let least = checked(&option("http://127.0.0.1:4318"), "").unwrap().traces.unwrap();
    assert_eq!(
        (least.headers, least.service_name.as_str(), least.share),
        (traces::CollectorHeaders::default(), "lockstep", 0.01)
    );
    assert_eq!(checked(&option(""), "").unwrap().traces, None, "an empty variable is one that is not set");
    let wrong = GlobalArgs { otlp_headers: Some("geheim".to_owned()), ..option("geheim") };
    let told = checked(&wrong, "").unwrap_err().join("\n");
    assert!(told.contains("--otlp-endpoint or OTEL_EXPORTER_OTLP_ENDPOINT: traces.endpoint: "), "{told}");
    assert!(told.contains("OTEL_EXPORTER_OTLP_HEADERS: traces.headers: ") && !told.contains("geheim"), "{told}");
    let many = (0..17).map(|number| format!("a{number}=b")).collect::<Vec<_>>().join(",");
    assert!(traces::collector_headers(&many).is_err() && traces::collector_headers(&"x".repeat(9000)).is_err());
}

#[test]
fn a_collector_that_could_not_be_reached_is_refused_when_it_is_named() {
    for (text, expected) in [
        ("traces.endpoint = \"http://127.0.0.1:99999\"", "4318: a port is a number from 1 to 65535"),
        ("traces.endpoint = \"http://127.1\"", "4318: a host that is a number is written like 192.0.2.1"),
        ("traces.endpoint = \"http://0x7f.1:4318\"", "4318: a host that is a number is written like"),
        (
            "traces.endpoint = \"http://93.184.216.34\"",
            "traces.endpoint: nothing could be sent there: http:// is only allowed inside your own network; use https://",
        ),
        ("traces.endpoint = \"https://169.254.169.254\"", "sent there: link-local, metadata,"),
    ] {
        let told = checked(&args(), text).unwrap_err().join("\n");
        assert!(told.contains(expected), "{text}: {told}");
    }
}
