//! A TCP proxy on a free port, with switches for what networks do, and traps for what only a debugger could time
//! otherwise: the moment between a statement and its answer.

mod connection;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A connection walks into a trap within this, or never. Generous: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

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
    refuse: bool,
    freeze: bool,
    freeze_requests: bool,
}

impl Proxy {
    /// A proxy to the server of this URL.
    ///
    /// # Panics
    /// When there is no port to listen on, or the URL is none.
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
        tokio::spawn(accept(listener, target, state.clone()));
        Self { port, state }
    }

    /// The same URL, with the proxy's address.
    ///
    /// # Panics
    /// When the URL is none.
    pub fn url(&self, url: &str) -> String {
        let (before, target) = address(url);
        let after = &url[before.len() + target.len()..];
        format!("{before}127.0.0.1:{}{after}", self.port)
    }

    /// Ends all connections, as the kernel does for a process that was killed.
    pub fn cut(&self) {
        self.switch(|switches| switches.cuts += 1);
    }

    /// From now on new connections end at once; those that there are stay.
    pub fn refuse(&self) {
        self.switch(|switches| switches.refuse = true);
    }

    /// Undoes [`Proxy::refuse`].
    pub fn accept(&self) {
        self.switch(|switches| switches.refuse = false);
    }

    /// From now on nothing passes, and nothing ends.
    pub fn freeze(&self) {
        self.switch(|switches| switches.freeze = true);
    }

    /// From now on nothing passes from the client to the server, while what the server sends still arrives.
    pub fn freeze_requests(&self) {
        self.switch(|switches| switches.freeze_requests = true);
    }

    /// Undoes [`Proxy::freeze`] and [`Proxy::freeze_requests`]: what was held up arrives.
    pub fn thaw(&self) {
        self.switch(|switches| {
            switches.freeze = false;
            switches.freeze_requests = false;
        });
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

    fn switch(&self, set: impl FnOnce(&mut Switches)) {
        self.state.switches.send_modify(set);
    }
}

impl State {
    fn lock_trap(&self) -> MutexGuard<'_, Option<(Trap, Vec<u8>)>> {
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

async fn accept(listener: TcpListener, target: String, state: Arc<State>) {
    while let Ok((client, _)) = listener.accept().await {
        // Before the server is connected to: a cut in the meantime is for this connection as well.
        let Switches { refuse, cuts, .. } = *state.switches.borrow();
        if !refuse && let Ok(server) = TcpStream::connect(&target).await {
            connection::join(client, server, &state, cuts);
        }
    }
}

/// What stands before the host and port, and these.
fn address(url: &str) -> (&str, &str) {
    let scheme = url.find("://").expect("a URL has a scheme") + 3;
    let start = url.find('@').map_or(scheme, |at| at + 1);
    let end = url[start..].find('/').map_or(url.len(), |slash| start + slash);
    (&url[..start], &url[start..end])
}
