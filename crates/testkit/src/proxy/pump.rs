//! Pump: what passes in one direction of one connection.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::Trap;
use super::connection::Connection;
use super::switches::{Direction, Switches};

/// Large enough that a statement with its arguments arrives in one piece.
const BUFFER: usize = 256 * 1024;

/// How many pieces may be on their way while the network is slow or frozen; then the sender has to wait.
const ON_THE_WAY: usize = 16;

/// A piece, and when it is due at the other end.
type Piece = (Instant, Vec<u8>);

pub(super) struct Pump<'a> {
    connection: &'a Connection,
    direction: Direction,
    switches: watch::Receiver<Switches>,
    to: WriteHalf<'a>,
    closed: bool,
    /// Something was thrown away: what comes after it makes no sense to anybody, so nothing does.
    lossy: bool,
}

/// The connection has no more to say in this direction, or may not.
struct Ended;

impl<'a> Pump<'a> {
    pub(super) fn new(connection: &'a Connection, direction: Direction, to: WriteHalf<'a>) -> Self {
        Self {
            connection,
            direction,
            switches: connection.state.switches.subscribe(),
            to,
            closed: false,
            lossy: false,
        }
    }

    /// Until the sender ends, and what it has sent has arrived; or until the receiver takes nothing more.
    pub(super) async fn carry(self, from: ReadHalf<'_>) {
        let (sender, receiver) = mpsc::channel(ON_THE_WAY);
        let reading = read(from, self.switches.clone(), sender);
        let delivering = self.deliver_all(receiver);
        tokio::pin!(delivering);
        tokio::select! {
            _ = &mut delivering => {}
            () = reading => drop(delivering.await),
        }
    }

    async fn deliver_all(mut self, mut pieces: mpsc::Receiver<Piece>) -> Result<(), Ended> {
        let (mut switches, direction) = (self.switches.clone(), self.direction);
        let born = self.connection.born.way(direction).half_closes;
        loop {
            let half_closed = async {
                // An error means that no one is left who could, and then it never is.
                let changed = switches.wait_for(|now| now.way(direction).half_closes != born);
                drop(changed.await);
            };
            tokio::select! {
                biased;
                () = half_closed, if !self.closed => {
                    self.closed = true;
                    self.to.shutdown().await.map_err(|_| Ended)?;
                }
                piece = pieces.recv() => match piece {
                    Some((due, bytes)) => {
                        sleep_until(due).await;
                        self.deliver(&bytes).await?;
                    }
                    None => return Err(Ended),
                },
            }
        }
    }

    async fn deliver(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        let direction = self.direction;
        let passing = self.switches.wait_for(|now| !now.way(direction).withhold);
        let switches = *passing.await.map_err(|_| Ended)?;
        self.lossy |= switches.way(direction).discard;
        if self.lossy || self.closed {
            let discarded = &self.connection.state.discarded;
            discarded.send_modify(|discarded| *discarded += bytes.len());
            return Ok(());
        }
        match direction {
            Direction::Requests => self.request(bytes, &switches).await,
            Direction::Answers => {
                let mut mute = self.connection.mute.subscribe();
                mute.wait_for(|mute| !mute).await.map_err(|_| Ended)?;
                self.write(bytes, &switches).await
            }
        }
    }

    async fn request(&mut self, bytes: &[u8], switches: &Switches) -> Result<(), Ended> {
        let Some(trap) = self.connection.state.catches(bytes) else {
            return self.write(bytes, switches).await;
        };
        // Before the message is passed on, or its answer could slip through.
        self.connection.mute.send_replace(true);
        if trap == Trap::WithholdAnswer {
            self.write(bytes, switches).await?;
        }
        self.connection.state.sprung.send_replace(true);
        std::future::pending().await
    }

    async fn write(&mut self, bytes: &[u8], switches: &Switches) -> Result<(), Ended> {
        let granted = match switches.limit {
            Some(limit) => self.connection.grant(limit, bytes.len()),
            None => bytes.len(),
        };
        self.to.write_all(&bytes[..granted]).await.map_err(|_| Ended)?;
        if granted < bytes.len() { Err(Ended) } else { Ok(()) }
    }
}

/// Reads until the sender ends. A piece never overtakes an earlier one.
async fn read(mut from: ReadHalf<'_>, switches: watch::Receiver<Switches>, pieces: mpsc::Sender<Piece>) {
    let mut buffer = vec![0; BUFFER];
    let mut last = Instant::now();
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let delay = switches.borrow().delay;
        let due = Instant::now() + delay.map(|delay| delay.next()).unwrap_or_default();
        last = last.max(due);
        if pieces.send((last, buffer[..count].to_vec())).await.is_err() {
            return;
        }
    }
}
