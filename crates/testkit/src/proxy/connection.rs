//! Connection: one client and the server.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpStream;
use tokio::sync::watch;

use super::State;
use super::pump::Pump;
use super::switches::{Direction, Limit, Switches};

/// What both directions of a connection share.
pub(super) struct Connection {
    pub(super) state: Arc<State>,
    /// The switches at its birth.
    pub(super) born: Switches,
    /// Whether it is in a trap, so that no answer passes any more.
    pub(super) mute: watch::Sender<bool>,
    spent: Mutex<Spent>,
}

/// How much of which limit is used up.
#[derive(Default)]
struct Spent {
    limit: u32,
    bytes: usize,
}

/// Lets both talk to each other until one of them ends, or the connections are told to.
pub(super) fn join(mut client: TcpStream, mut server: TcpStream, state: &Arc<State>, born: Switches) {
    let connection = Connection {
        state: state.clone(),
        born,
        mute: watch::Sender::new(false),
        spent: Mutex::default(),
    };
    tokio::spawn(async move {
        connection.carry(&mut client, &mut server).await;
        let switches = *connection.state.switches.borrow();
        if switches.ends != born.ends && switches.reset {
            reset(&client);
            reset(&server);
        }
        // Dropping a stream closes it: either side's end is the other's, too.
    });
}

/// Closing it will send a reset in place of a goodbye. It may be closed already, and then there is nobody to be told.
pub(super) fn reset(stream: &TcpStream) {
    stream.set_zero_linger().ok();
}

impl Connection {
    async fn carry(&self, client: &mut TcpStream, server: &mut TcpStream) {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let mut switches = self.state.switches.subscribe();
        let ended = switches.wait_for(|switches| switches.ends != self.born.ends);
        tokio::select! {
            () = Pump::new(self, Direction::Requests, to_server).carry(from_client) => {}
            () = Pump::new(self, Direction::Answers, to_client).carry(from_server) => {}
            _ = ended => {}
        }
    }

    /// How many of `wanted` bytes may still pass; they count as passed.
    pub(super) fn grant(&self, limit: Limit, wanted: usize) -> usize {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.limit != limit.number {
            *spent = Spent {
                limit: limit.number,
                bytes: 0,
            };
        }
        let granted = wanted.min(limit.bytes - spent.bytes);
        spent.bytes += granted;
        granted
    }
}
