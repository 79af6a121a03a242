//! A proxy before the server that hands on one message at a time, as some poolers do, and ends a connection behind an answer of its
//! choice, as a server does that goes away.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::{Database, Store};

/// What the server tells whom it sends away: FATAL, 57P01.
const SENT_AWAY: &[u8] = b"E\x00\x00\x00\x2cSFATAL\0VFATAL\0C57P01\0Mgoing away now!!\0\0";
/// The message that ends an answer (ReadyForQuery).
const END: u8 = b'Z';

pub(super) struct Proxy {
    config: Config,
    port: u16,
    /// Ends of answers until a connection is cut, once.
    left: Arc<AtomicU32>,
}

impl Proxy {
    /// Before the server of a test's database; `None` where there is none, or none by TCP.
    pub(super) fn before(database: &Database) -> Option<Self> {
        let Database::Postgres(url) = database else { return None };
        let config: Config = url.parse().unwrap();
        let Some(Host::Tcp(host)) = config.get_hosts().first() else { return None };
        let server = (host.clone(), config.get_ports().first().copied().unwrap_or(5432));
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let left = Arc::new(AtomicU32::new(0));
        let cut = Arc::clone(&left);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (server, cut) = (TcpStream::connect(&server).unwrap(), Arc::clone(&cut));
                hand_on(client, server, cut);
            }
        });
        Some(Self { config, port, left })
    }

    /// The store behind the proxy.
    pub(super) fn open(&self) -> Store {
        let mut text = format!("host=127.0.0.1 port={} sslmode=disable", self.port);
        let password = self.config.get_password().map(|password| String::from_utf8_lossy(password).into_owned());
        for (name, value) in [
            ("user", self.config.get_user()),
            ("dbname", self.config.get_dbname()),
            ("options", self.config.get_options()),
            ("password", password.as_deref()),
        ] {
            text += &value.map_or_else(String::new, |value| format!(" {name}='{value}'"));
        }
        Store::open(&Database::Postgres(text)).unwrap()
    }

    /// Ends the connection behind the so-manieth answer from now on.
    pub(super) fn cut_after(&self, answers: u32) {
        self.left.store(answers, Ordering::SeqCst);
    }
}

fn hand_on(client: TcpStream, server: TcpStream, left: Arc<AtomicU32>) {
    client.set_nodelay(true).unwrap();
    let (mut asked, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || {
        drop(std::io::copy(&mut asked, &mut to_server));
        drop(to_server.shutdown(Shutdown::Both));
    });
    std::thread::spawn(move || {
        drop(answers(&server, &client, &left));
        for stream in [client, server] {
            drop(stream.shutdown(Shutdown::Both));
        }
    });
}

fn answers(mut server: &TcpStream, mut client: &TcpStream, left: &AtomicU32) -> std::io::Result<()> {
    loop {
        let mut head = [0; 5];
        server.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let mut message = head.to_vec();
        message.resize(length + 1, 0);
        server.read_exact(&mut message[5..])?;
        let counted = || left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if head[0] == END && counted() == Ok(1) {
            message.extend_from_slice(SENT_AWAY);
            return client.write_all(&message);
        }
        client.write_all(&message)?;
        // Lets the reader come to it before the next one does.
        std::thread::yield_now();
    }
}
