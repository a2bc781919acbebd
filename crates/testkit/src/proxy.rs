//! Proxy: a TCP proxy on a free port, with switches for what networks do, and traps for what only a debugger could time
//! otherwise: the moment between a statement and its answer.

mod connection;
mod pump;
mod switches;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub use switches::Direction;
use switches::{Delay, Limit, Switches};

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
    /// How many limits were set.
    limits: AtomicU32,
    /// How many bytes were thrown away.
    discarded: watch::Sender<usize>,
    trap: Mutex<Option<(Trap, Vec<u8>)>>,
    sprung: watch::Sender<bool>,
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
            limits: AtomicU32::new(0),
            discarded: watch::Sender::new(0),
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
        self.end(false);
    }

    /// Ends all connections by a TCP reset (`SO_LINGER` of zero): both sides get an error, and what was on its way is lost.
    pub fn reset(&self) {
        self.end(true);
    }

    /// From now on new connections are reset at once; those that there are stay.
    pub fn refuse(&self) {
        self.switch(|switches| switches.refuse = true);
    }

    /// Undoes [`Proxy::refuse`].
    pub fn accept(&self) {
        self.switch(|switches| switches.refuse = false);
    }

    /// From now on nothing passes, and nothing ends.
    pub fn freeze(&self) {
        self.withhold(Direction::Requests);
        self.withhold(Direction::Answers);
    }

    /// From now on nothing passes in this direction, while everything does in the other.
    pub fn withhold(&self, direction: Direction) {
        self.switch(|switches| switches.way_mut(direction).withhold = true);
    }

    /// Undoes [`Proxy::freeze`] and [`Proxy::withhold`]: what was held up arrives.
    pub fn thaw(&self) {
        self.switch(|switches| {
            switches.requests.withhold = false;
            switches.answers.withhold = false;
        });
    }

    /// From now on what is sent in this direction is thrown away. A connection that has lost something never carries
    /// anything in that direction again, for TCP has no gaps.
    pub fn discard(&self, direction: Direction) {
        self.switch(|switches| switches.way_mut(direction).discard = true);
    }

    /// Waits until this many bytes were thrown away, counted from the beginning.
    ///
    /// # Panics
    /// When there are not.
    pub async fn discarded_at_least(&self, bytes: usize) {
        let mut discarded = self.state.discarded.subscribe();
        let enough = discarded.wait_for(|discarded| *discarded >= bytes);
        let waited = tokio::time::timeout(PATIENCE, enough).await;
        assert!(
            waited.is_ok(),
            "waited {PATIENCE:?} for {bytes} bytes to be thrown away"
        );
    }

    /// From now on everything arrives late: by `least`, and up to `jitter` more. The order stays.
    pub fn delay(&self, least: Duration, jitter: Duration) {
        self.switch(|switches| switches.delay = Some(Delay { least, jitter }));
    }

    /// From now on each connection ends once it has carried this many bytes, in both directions together and counted
    /// from now; the last message may be torn.
    pub fn limit(&self, bytes: usize) {
        let number = self.state.limits.fetch_add(1, Ordering::Relaxed) + 1;
        self.switch(|switches| switches.limit = Some(Limit { number, bytes }));
    }

    /// Tells the receivers of all connections that nothing more comes in this direction, and sees to it; the other
    /// direction stays open until they close it.
    pub fn half_close(&self, direction: Direction) {
        self.switch(|switches| switches.way_mut(direction).half_closes += 1);
    }

    /// Undoes every switch: from now on all is as at first, for connections that have lost nothing.
    pub fn heal(&self) {
        self.switch(|switches| {
            for way in [&mut switches.requests, &mut switches.answers] {
                way.withhold = false;
                way.discard = false;
            }
            switches.refuse = false;
            switches.delay = None;
            switches.limit = None;
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

    fn end(&self, reset: bool) {
        self.switch(|switches| {
            switches.ends += 1;
            switches.reset = reset;
        });
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
        let born = *state.switches.borrow();
        if born.refuse {
            connection::reset(&client);
        } else if let Ok(server) = TcpStream::connect(&target).await {
            connection::join(client, server, &state, born);
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
