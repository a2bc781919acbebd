//! A TCP proxy on a free port, with switches for what networks do, and traps for what only a debugger could time
//! otherwise: the moment between a statement and its answer.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::wait::PATIENCE;

/// A proxy in front of one server. It ends with the test's runtime.
pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

/// What happens to the first connection whose client sends a certain text. It stays like that until it is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trap {
    /// The text, and whatever follows, never arrives.
    Withhold,
    /// The text arrives and the answer never does.
    WithholdAnswer,
}

struct State {
    switches: watch::Sender<Switches>,
    trap: Mutex<Option<(Trap, Vec<u8>)>>,
    sprung: watch::Sender<bool>,
}

#[derive(Clone, Copy, Default)]
struct Switches {
    /// Grows with each cut: connections of an earlier number end.
    cuts: u32,
    freeze: bool,
    freeze_requests: bool,
}

/// Large enough that a statement with its arguments arrives in one piece.
const BUFFER: usize = 256 * 1024;

impl Proxy {
    /// A proxy to the server of this URL.
    pub async fn to(url: &str) -> Self {
        let (_, target) = address(url);
        let target = target.to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("no free port on 127.0.0.1");
        let port = listener
            .local_addr()
            .expect("a bound socket has an address")
            .port();
        let state = Arc::new(State {
            switches: watch::Sender::default(),
            trap: Mutex::new(None),
            sprung: watch::Sender::new(false),
        });
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if let Ok(server) = TcpStream::connect(&target).await {
                    join(client, server, &shared);
                }
            }
        });
        Self { port, state }
    }

    /// The same URL, with the proxy's address.
    pub fn url(&self, url: &str) -> String {
        let (before, target) = address(url);
        let after = &url[before.len() + target.len()..];
        format!("{before}127.0.0.1:{}{after}", self.port)
    }

    /// Ends all connections, as the kernel does for a process that was killed.
    pub fn cut(&self) {
        self.state.switches.send_modify(|switches| switches.cuts += 1);
    }

    /// From now on nothing passes, and nothing ends.
    pub fn freeze(&self) {
        self.state.switches.send_modify(|switches| switches.freeze = true);
    }

    /// From now on nothing passes from the client to the server, while what the server sends still arrives.
    pub fn freeze_requests(&self) {
        self.state
            .switches
            .send_modify(|switches| switches.freeze_requests = true);
    }

    /// Sets a trap, for the first message of a client that holds `text`.
    pub fn set_trap(&self, trap: Trap, text: &str) {
        *self.state.lock_trap() = Some((trap, text.as_bytes().to_vec()));
    }

    /// Waits until a connection is in the trap.
    ///
    /// # Panics
    /// When none comes.
    pub async fn trap_sprung(&self) {
        let mut sprung = self.state.sprung.subscribe();
        let waited = tokio::time::timeout(PATIENCE, sprung.wait_for(|sprung| *sprung)).await;
        assert!(waited.is_ok(), "waited {PATIENCE:?} for a connection in the trap");
    }
}

impl State {
    fn lock_trap(&self) -> std::sync::MutexGuard<'_, Option<(Trap, Vec<u8>)>> {
        self.trap.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The trap that this message is caught in; there is none after it.
    fn catches(&self, message: &[u8]) -> Option<Trap> {
        let mut set = self.lock_trap();
        let (trap, text) = set.as_ref()?;
        let trap = *trap;
        let caught = message.windows(text.len()).any(|part| part == text);
        caught.then(|| {
            *set = None;
            trap
        })
    }
}

/// What stands before the host and port, and these.
fn address(url: &str) -> (&str, &str) {
    let scheme = url.find("://").expect("a URL has a scheme") + 3;
    let start = url.find('@').map_or(scheme, |at| at + 1);
    let end = url[start..].find('/').map_or(url.len(), |slash| start + slash);
    (&url[..start], &url[start..end])
}

fn join(client: TcpStream, server: TcpStream, state: &Arc<State>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mute = watch::Sender::new(false);
    let answers = copy_answers(from_server, to_client, state.clone(), mute.subscribe());
    let requests = copy_requests(from_client, to_server, state.clone(), mute);
    let mut switches = state.switches.subscribe();
    let born = switches.borrow().cuts;
    tokio::spawn(async move {
        let cut = switches.wait_for(|switches| switches.cuts != born);
        tokio::select! {
            // Either side's end is the other's, too: dropping both halves closes both sockets.
            () = requests => {}
            () = answers => {}
            _ = cut => {}
        }
    });
}

async fn copy_requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: Arc<State>,
    mute: watch::Sender<bool>,
) {
    let mut switches = state.switches.subscribe();
    let mut buffer = vec![0; BUFFER];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let message = &buffer[..count];
        let thawed = switches.wait_for(|switches| !switches.freeze && !switches.freeze_requests);
        if thawed.await.is_err() {
            return;
        }
        let caught = state.catches(message);
        if caught.is_some() {
            // Before the message is passed on, or its answer could slip through.
            mute.send_replace(true);
        }
        if caught != Some(Trap::Withhold) && to.write_all(message).await.is_err() {
            return;
        }
        if caught.is_some() {
            state.sprung.send_replace(true);
            std::future::pending::<()>().await;
        }
    }
}

async fn copy_answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: Arc<State>,
    mut mute: watch::Receiver<bool>,
) {
    let mut switches = state.switches.subscribe();
    let mut buffer = vec![0; BUFFER];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if switches.wait_for(|switches| !switches.freeze).await.is_err()
            || mute.wait_for(|mute| !mute).await.is_err()
            || to.write_all(&buffer[..count]).await.is_err()
        {
            return;
        }
    }
}
