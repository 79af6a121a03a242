//! The examples that the help of a command ends with; a test reads each of them as a command line.

/// Commands by their names, and lines that show how each is used.
const EXAMPLES: [(&[&str], &[&str]); 35] = [
    (
        &[],
        &[
            "lockstep demo --once",
            "lockstep serve --data /var/lib/lockstep --listen 127.0.0.1:8080",
            "lockstep tenant add acme",
            "lockstep token add acme entra",
        ],
    ),
    (&["demo"], &["lockstep demo", "lockstep demo --once", "lockstep demo --data demo --listen 127.0.0.1:8080"]),
    (
        &["serve"],
        &[
            "lockstep serve --data /var/lib/lockstep --listen 127.0.0.1:8080 --public-url https://scim.example",
            "lockstep serve --database postgres://lockstep@db.example/lockstep",
        ],
    ),
    (
        &["import", "users"],
        &["lockstep import users people.csv --dry-run", "lockstep import users people.csv --keep-empty"],
    ),
    (&["import", "groups"], &["lockstep import groups groups.csv"]),
    (
        &["import", "members"],
        &["lockstep import members members.csv", "lockstep import members sales.csv --group Sales"],
    ),
    (
        &["user", "add"],
        &["lockstep user add ada@contoso.example --display-name 'Ada Lovelace' --set department=Engines"],
    ),
    (&["user", "set"], &["lockstep user set ada@contoso.example jobTitle=Countess department="]),
    (&["group", "members", "add"], &["lockstep group members add Sales ada@contoso.example grace@contoso.example"]),
    (
        &["app", "add"],
        &[
            "lockstep app add --template scim --name CRM --tenant-url https://crm.example/scim/v2 --secret-token-file token",
        ],
    ),
    (
        &["app", "set"],
        &["lockstep app set CRM --status on --interval 600", "lockstep app set CRM --secret-token-file -"],
    ),
    (
        &["assign"],
        &[
            "lockstep assign CRM --user ada@contoso.example --group Sales",
            "lockstep assign CRM --group Admins --role Admin",
        ],
    ),
    (
        &["expression", "eval"],
        &[
            "lockstep expression eval 'Mid([surname], 1, 3)' --user ada@contoso.example",
            "lockstep expression eval '[department]' --user ada --set department=Engines",
            "lockstep expression eval - --input sample.json --now 2026-10-21T08:00:00Z",
            "lockstep expression eval '[mailNickname]' --group Sales --json",
        ],
    ),
    (&["expression", "check"], &["lockstep expression check expressions.tsv", "lockstep expression check - --json"]),
    (
        &["mapping", "test"],
        &[
            "lockstep mapping test --app CRM --user ada@contoso.example",
            "lockstep mapping test --app CRM --user ada@contoso.example --update",
            "lockstep mapping test --app CRM --group Sales --mappings mappings.json",
        ],
    ),
    (
        &["filter", "test"],
        &[
            "lockstep filter test --app CRM --only out --limit 0",
            "lockstep filter test --app CRM --user ada@contoso.example",
            "lockstep filter test --app CRM --filters filters.json --scope all",
        ],
    ),
    (&["mapping", "diff"], &["lockstep mapping diff --app CRM", "lockstep mapping diff --app CRM 3 7"]),
    (&["mapping", "rollback"], &["lockstep mapping rollback --app CRM 3"]),
    (
        &["schema", "import"],
        &[
            "lockstep schema import --app CRM entra.json --dry-run",
            "lockstep schema import --app CRM entra.json --to crm.toml",
        ],
    ),
    (
        &["schema", "convert"],
        &["lockstep schema convert entra.json --name CRM --tenant-url https://crm.example/scim/v2 --to crm.toml"],
    ),
    (
        &["config", "export"],
        &["lockstep config export --app CRM crm.toml", "lockstep config export --all jobs --without-assignments"],
    ),
    (&["config", "diff"], &["lockstep config diff crm.toml", "lockstep config diff jobs/crm.toml --exit-code"]),
    (
        &["config", "apply"],
        &[
            "lockstep config apply crm.toml",
            "lockstep config apply jobs/crm.toml jobs/hr.toml --yes",
            "lockstep config apply new.toml --secret-token-file token",
        ],
    ),
    (&["logs"], &["lockstep logs --app CRM --status failure --verbose", "lockstep logs --user ada@contoso.example"]),
    (
        &["tenant", "add"],
        &[
            "lockstep tenant add acme",
            "lockstep tenant add acme --profile netskope --path /api/v2/scim",
            "lockstep tenant add acme --schema devices.json",
        ],
    ),
    (
        &["tenant", "set"],
        &[
            "lockstep tenant set acme --host acme.example --path /SCIM/V2",
            "lockstep tenant set acme --users-max 5000 --requests-per-second 200 --log-bodies on",
        ],
    ),
    (
        &["tenant", "export"],
        &["lockstep tenant export acme --output acme.jsonl", "lockstep tenant export acme | jq -r .userName"],
    ),
    (
        &["tenant", "requests"],
        &[
            "lockstep tenant requests acme --status 4xx --since 2h",
            "lockstep tenant requests acme --caller entra --method PATCH --path /Groups --limit 0 --json",
        ],
    ),
    (
        &["tenant", "events"],
        &["lockstep tenant events acme --follow", "lockstep tenant events acme --after 120 --limit 0 --json"],
    ),
    (
        &["tenant", "webhook", "add"],
        &[
            "lockstep tenant webhook add acme app --url https://app.example/hooks/scim",
            "lockstep tenant webhook add acme app --url https://app.example/hooks --events create,deactivate,delete --types User",
        ],
    ),
    (&["tenant", "schema", "set"], &["lockstep tenant schema set acme devices.json --dry-run"]),
    (
        &["tenant", "client", "add"],
        &[
            "lockstep tenant client add acme entra --secret-days 180",
            "lockstep tenant client add acme robot --no-secret",
        ],
    ),
    (
        &["tenant", "client", "federate"],
        &[
            "lockstep tenant client federate acme robot --issuer https://idp.example --audience api://scim --subject robot --jwks-url https://idp.example/keys",
        ],
    ),
    (&["token", "add"], &["lockstep token add acme entra", "lockstep token add acme report --scope read --days 90"]),
    (&["token", "rotate"], &["lockstep token rotate acme entra --overlap 48"]),
];

/// The command with its examples, and those below it with theirs.
pub fn with_examples(command: clap::Command) -> clap::Command {
    EXAMPLES.iter().fold(command, |command, (path, lines)| added(command, path, lines))
}

fn added(command: clap::Command, path: &[&str], lines: &[&str]) -> clap::Command {
    let Some((name, below)) = path.split_first() else {
        let after = command.get_after_help().map(|text| format!("\n\n{text}")).unwrap_or_default();
        let lines: Vec<String> = lines.iter().map(|line| format!("  {line}")).collect();
        return command.after_help(format!("Examples:\n{}{after}", lines.join("\n")));
    };
    command.mut_subcommands(|command| if command.get_name() == *name { added(command, below, lines) } else { command })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_example_is_one_of_its_command_and_can_be_read() {
        for (path, lines) in EXAMPLES {
            for line in lines {
                crate::cli::tests::read_line(line).unwrap_or_else(|error| panic!("{line}: {error}"));
                let of = std::iter::once(&"lockstep").chain(path).copied().collect::<Vec<_>>().join(" ");
                assert!(line.starts_with(&of), "{line} is no example of {of}");
            }
        }
    }
}
