//! Why an exchange failed.

use std::error::Error;

use crate::DialError;

/// How those who are called are named in sentences, each without an article.
#[derive(Clone, Copy, Debug)]
pub struct Called {
    /// The machine that is called, such as `target`.
    pub server: &'static str,
    /// What tells its address, such as `Tenant URL`.
    pub address: &'static str,
    /// What should be running there, such as `application`.
    pub program: &'static str,
}

/// What lies at the bottom of an error, in words that help: our dialler's sentence, the TLS failure, or how the exchange ended.
pub fn root_cause(error: &(dyn Error + 'static), called: Called) -> String {
    let mut cause = error;
    loop {
        if let Some(dial) = cause.downcast_ref::<DialError>() {
            return dial_sentence(dial, called);
        }
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return tls_sentence(tls, called);
        }
        // The `source` of an I/O error leaves out the error that it wraps, and the layers below wrap TLS failures in it twice.
        let wrapped = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let Some(source) = wrapped.map(|inner| -> &(dyn Error + 'static) { inner }).or_else(|| cause.source()) else {
            let Called { server, address, program } = called;
            return format!(
                "the connection to the {server} broke off ({cause}); check that the {address} begins with the right scheme and port, and that the {program} is running"
            );
        };
        cause = source;
    }
}

fn dial_sentence(error: &DialError, Called { address, program, .. }: Called) -> String {
    match error {
        DialError::NoAddress(host) => format!("the host {host} cannot be found; check the {address}"),
        DialError::Refused { .. } => error.to_string(),
        DialError::NoAnswer { host, port, cause } => {
            format!("nothing answers at {host}:{port}; check the {address} and that the {program} is running ({cause})")
        }
    }
}

fn tls_sentence(error: &rustls::Error, Called { server, address, .. }: Called) -> String {
    match error {
        // What `openssl req -x509` makes unless told otherwise; trusting it as an authority does not make it a server's.
        rustls::Error::InvalidCertificate(reason) if reason.to_string().contains("CaUsedAsEndEntity") => {
            format!(
                "the {server} shows the certificate of an authority (CA:TRUE) instead of one of its own; give it a server certificate with basicConstraints CA:FALSE, and name what signed it with outbound.ca_file"
            )
        }
        rustls::Error::InvalidCertificate(reason) => {
            format!(
                "the certificate of the {server} is not trusted ({reason}); have it renewed, or name its authority with outbound.ca_file"
            )
        }
        other => format!(
            "no encrypted connection could be made ({other}); check that the {address} begins with the right scheme and port"
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustls::{CertificateError, InvalidMessage};

    use super::*;

    #[test]
    fn failures_say_what_to_do_however_deep_they_lie() {
        let called = Called { server: "target", address: "Tenant URL", program: "application" };
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let no_tls = rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType);
        let wrapped = |error: rustls::Error| io::Error::other(io::Error::other(error));
        for (error, expected) in [
            (io::Error::other(unknown.clone()), "outbound.ca_file"),
            (wrapped(unknown), "outbound.ca_file"),
            (wrapped(no_tls), "the right scheme and port"),
            (io::ErrorKind::ConnectionReset.into(), "the right scheme and port"),
        ] {
            let told = root_cause(&error, called);
            assert!(told.contains(expected), "{told}");
        }
    }
}
