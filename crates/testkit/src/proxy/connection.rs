//! What passes between one client and the server.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

use super::{State, Trap};

/// Large enough that a statement with its arguments arrives in one piece.
const BUFFER: usize = 256 * 1024;

/// Lets both talk to each other until one of them ends, or there were more cuts than at its birth.
pub(super) fn join(client: TcpStream, server: TcpStream, state: &Arc<State>, born: u32) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mute = watch::Sender::new(false);
    let answers = copy_answers(from_server, to_client, state.clone(), mute.subscribe());
    let requests = copy_requests(from_client, to_server, state.clone(), mute);
    let mut switches = state.switches.subscribe();
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
