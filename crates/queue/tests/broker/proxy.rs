//! A TCP proxy on a free port, with switches for what networks do.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub struct Proxy {
    port: u16,
    switches: Arc<watch::Sender<Switches>>,
}

#[derive(Clone, Copy, Default)]
struct Switches {
    /// Grows with each cut: connections of an earlier number end.
    cuts: u32,
    refuse: bool,
    freeze: bool,
}

impl Proxy {
    /// A proxy to the server of this URL. It ends with the test's runtime.
    pub async fn to(url: &str) -> Self {
        let (_, target) = address(url);
        let target = target.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let switches = Arc::new(watch::Sender::new(Switches::default()));
        let watched = switches.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let switches = *watched.borrow();
                if !switches.refuse
                    && let Ok(server) = TcpStream::connect(&target).await
                {
                    join(client, server, watched.subscribe(), switches.cuts);
                }
            }
        });
        Self { port, switches }
    }

    /// The same URL, with the proxy's address.
    pub fn url(&self, url: &str) -> String {
        let (before, target) = address(url);
        let after = &url[before.len() + target.len()..];
        format!("{before}127.0.0.1:{}{after}", self.port)
    }

    /// Ends all connections.
    pub fn cut(&self) {
        self.switches.send_modify(|switches| switches.cuts += 1);
    }

    /// New connections end at once; those that there are stay.
    pub fn refuse(&self, refuse: bool) {
        self.switches.send_modify(|switches| switches.refuse = refuse);
    }

    /// Nothing passes any more, and nothing ends.
    pub fn freeze(&self, freeze: bool) {
        self.switches.send_modify(|switches| switches.freeze = freeze);
    }
}

/// What stands before the host and port, and these.
fn address(url: &str) -> (&str, &str) {
    let start = url
        .find('@')
        .map_or_else(|| url.find("://").unwrap() + 3, |at| at + 1);
    let end = url[start..].find('/').map_or(url.len(), |slash| start + slash);
    (&url[..start], &url[start..end])
}

fn join(client: TcpStream, server: TcpStream, switches: watch::Receiver<Switches>, born: u32) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::spawn(copy(from_client, to_server, switches.clone(), born));
    tokio::spawn(copy(from_server, to_client, switches, born));
}

async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut switches: watch::Receiver<Switches>,
    born: u32,
) {
    let mut cut = switches.clone();
    let pass = async {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            if switches.wait_for(|switches| !switches.freeze).await.is_err() {
                return;
            }
            if to.write_all(&buffer[..count]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = pass => {}
        _ = cut.wait_for(|switches| switches.cuts != born) => {}
    }
}
