//! What is asked of the person at the terminal: secrets, and leave to destroy something.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use anyhow::Context as _;
use console::{Key, Term};

use crate::outcome::usage;

/// Longest file that is read as a secret token, in bytes.
pub const SECRET_BYTES_MAX: u64 = 64 << 10;
/// Longest answer to a question, in bytes.
const ANSWER_BYTES_MAX: usize = 20;
/// What Ctrl+D types.
const END_OF_INPUT: char = '\u{4}';

/// The secret token: from a file, from standard input (`-`), or typed without echo where there is a terminal.
pub fn secret_token(file: Option<&Path>) -> anyhow::Result<String> {
    let text = match file {
        Some(path) if path == Path::new("-") => read_secret(std::io::stdin().lock(), "standard input")?,
        Some(path) => {
            let (file, _) = crate::files::open(path, "the secret token in")?;
            read_secret(file, &path.display().to_string())?
        }
        None if std::io::stdin().is_terminal() => typed_secret()?,
        None => {
            return Err(usage(
                "the secret token is missing; name its file with --secret-token-file FILE, or - for standard input",
            ));
        }
    };
    let token = text.trim_start_matches('\u{feff}').trim();
    if token.is_empty() {
        anyhow::bail!("the secret token is empty; copy it from the application again");
    }
    Ok(token.to_owned())
}

fn read_secret(from: impl std::io::Read, name: &str) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    from.take(SECRET_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("the secret token in {name} cannot be read"))?;
    if bytes.len() as u64 > SECRET_BYTES_MAX {
        anyhow::bail!(
            "{name} has more than {SECRET_BYTES_MAX} bytes and is no secret token; name the file that holds only the token"
        );
    }
    String::from_utf8(bytes).map_err(|_| {
        anyhow::anyhow!("{name} is not UTF-8 and is no secret token; name the file that holds only the token")
    })
}

fn typed_secret() -> anyhow::Result<String> {
    let terminal = Term::stderr();
    write!(&terminal, "Secret Token (not shown): ")?;
    Ok(terminal.read_secure_line()?)
}

/// Asks before something is destroyed. Without a terminal, only `--yes` is leave. Any answer but yes, and Ctrl+C, is none.
pub fn confirm(question: &str, yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(usage(format!("{question} Nothing was done; say --yes to do it without being asked")));
    }
    let mut terminal = Term::stderr();
    write!(&terminal, "{} [y/N] ", crate::output::clean(question))?;
    let answer = if terminal.is_term() {
        // Keys are read one by one, because Ctrl+C would end the program without a word.
        let keys = terminal.clone();
        answer_of(|| keys.read_key_raw(), &mut terminal)?
    } else {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        line
    };
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        Ok(())
    } else {
        anyhow::bail!("nothing was done")
    }
}

/// What is typed up to Enter, shown as it is typed; empty where it is given up.
fn answer_of(
    mut next: impl FnMut() -> std::io::Result<Key>,
    shown: &mut impl std::io::Write,
) -> std::io::Result<String> {
    let mut answer = String::new();
    loop {
        match next()? {
            Key::Enter => break,
            Key::CtrlC | Key::Escape | Key::Char(END_OF_INPUT) => {
                answer.clear();
                break;
            }
            Key::Backspace => {
                let taken_back = answer.pop().map_or("", |_| "\u{8} \u{8}");
                write!(shown, "{taken_back}")?;
            }
            Key::Char(c) if !c.is_control() && answer.len() < ANSWER_BYTES_MAX => {
                answer.push(c);
                write!(shown, "{c}")?;
            }
            _ => {}
        }
        shown.flush()?;
    }
    writeln!(shown)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_short_texts() {
        assert_eq!(read_secret(&b"lst_x\n"[..], "f").unwrap(), "lst_x\n");
        let most = usize::try_from(SECRET_BYTES_MAX).unwrap();
        assert!(read_secret(&vec![b'a'; most][..], "f").is_ok());
        assert!(read_secret(&vec![b'a'; most + 1][..], "f").unwrap_err().to_string().contains("more than 65536 bytes"));
        assert!(read_secret(&[0xff, 0xfe][..], "f").unwrap_err().to_string().contains("not UTF-8"));
    }

    #[test]
    fn only_yes_is_yes() {
        let typed = |text: &str| text.chars().map(Key::Char).collect::<Vec<_>>();
        for (keys, answer, shown) in [
            ([typed("y"), vec![Key::Enter]].concat(), "y", "y\n"),
            (
                [typed("no"), vec![Key::Backspace; 3], typed("yes"), vec![Key::Enter]].concat(),
                "yes",
                "no\u{8} \u{8}\u{8} \u{8}yes\n",
            ),
            (vec![Key::Enter], "", "\n"),
            (vec![Key::CtrlC], "", "\n"),
            ([typed("yes"), vec![Key::CtrlC]].concat(), "", "yes\n"),
            ([typed("y\u{4}"), vec![Key::Enter]].concat(), "", "y\n"),
            (vec![Key::ArrowUp, Key::Char('\u{1}'), Key::Escape], "", "\n"),
            ([typed(&"y".repeat(30)), vec![Key::Enter]].concat(), &"y".repeat(20), &format!("{}\n", "y".repeat(20))),
        ] {
            let (mut keys, mut seen) = (keys.into_iter(), Vec::new());
            let given = answer_of(|| Ok(keys.next().unwrap()), &mut seen).unwrap();
            assert_eq!((given.as_str(), String::from_utf8(seen).unwrap().as_str()), (answer, shown));
        }
        assert!(answer_of(|| Err(std::io::ErrorKind::UnexpectedEof.into()), &mut Vec::new()).is_err());
    }
}
