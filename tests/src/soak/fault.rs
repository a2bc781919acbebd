//! Fault: what can be done to the system.

use std::fmt;

use gristmill_testkit::Direction;

/// The processes, which are named by their place in this list.
pub const MEMBERS: [&str; 5] = ["api-1", "api-2", "worker-1", "worker-2", "worker-3"];

/// The first so many of [`MEMBERS`] are APIs.
pub const APIS: usize = 2;

/// One fault, whatever it takes to undo it included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A process of Gristmill.
    Process(usize, ProcessFault),
    /// The network between a process and a server.
    Link(usize, Server, LinkFault),
    /// The broker itself.
    Broker(BrokerFault),
    /// The database server itself.
    Database(DatabaseFault),
    /// What lies in the queues.
    Messages(MessageFault),
}

/// The other end of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Server {
    /// PostgreSQL.
    Database,
    /// RabbitMQ.
    Broker,
}

/// Signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessFault {
    /// SIGKILL, and a new process a while later.
    Kill,
    /// SIGTERM, and a new process a while after its end.
    Term,
    /// SIGSTOP, and SIGCONT a while later.
    Freeze,
}

/// Switches of the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkFault {
    /// All connections end.
    Cut,
    /// All connections are reset.
    Reset,
    /// New connections are reset.
    Refuse,
    /// Nothing passes.
    Freeze,
    /// Everything is late.
    Delay,
    /// Nothing passes in one direction, until later.
    Withhold(Direction),
    /// Nothing passes in one direction, ever.
    Discard(Direction),
    /// Connections end in the middle of a message.
    Limit,
    /// One direction ends.
    HalfClose(Direction),
}

/// What happens to the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerFault {
    /// SIGKILL and a restart.
    Kill,
    /// `stop_app` and `start_app`.
    StopApp,
    /// `close_all_connections`.
    CloseConnections,
    /// SIGSTOP and SIGCONT.
    Freeze,
    /// A lane's queue is deleted with all that is in it.
    DeleteQueue,
    /// The memory alarm: nobody may publish.
    MemoryAlarm,
}

/// What happens to the database server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseFault {
    /// An immediate shutdown, and a restart that recovers from the log.
    Restart,
    /// SIGKILL for one session: the server ends all of them and recovers.
    KillSession,
    /// `pg_terminate_backend` for a session at random, every 200 ms.
    TerminateSessions,
    /// SIGSTOP for the server and all its sessions, and SIGCONT.
    Freeze,
    /// A foreign session holds executions locked.
    LockRows,
}

/// What is put into the queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageFault {
    /// Copies of the job of an execution that has not ended.
    Duplicate,
    /// A job of an execution's first attempt, whatever its attempt is now.
    Old,
    /// A message that is no job of this version.
    Poison,
}

/// What a fault needs for itself: two faults of one target never overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// A process.
    Process(usize),
    /// A proxy.
    Link(usize, Server),
    /// The server.
    Server(Server),
}

impl Fault {
    /// What it needs for itself, if anything.
    pub fn target(&self) -> Option<Target> {
        match self {
            Self::Process(member, _) => Some(Target::Process(*member)),
            Self::Link(member, server, _) => Some(Target::Link(*member, *server)),
            Self::Broker(BrokerFault::DeleteQueue) => None,
            Self::Broker(_) => Some(Target::Server(Server::Broker)),
            Self::Database(DatabaseFault::LockRows | DatabaseFault::TerminateSessions) => None,
            Self::Database(_) => Some(Target::Server(Server::Database)),
            Self::Messages(_) => None,
        }
    }

    /// How long it may last, in seconds. What has no length is over at once.
    pub fn seconds(&self) -> (f64, f64) {
        match self {
            Self::Process(_, ProcessFault::Kill) => (0.0, 4.0),
            Self::Process(_, ProcessFault::Term) => (0.0, 2.0),
            // Longer than a lease, sometimes.
            Self::Process(_, ProcessFault::Freeze) => (0.5, 15.0),
            Self::Link(_, _, fault) => match fault {
                LinkFault::Cut | LinkFault::Reset | LinkFault::HalfClose(_) => (0.0, 0.0),
                LinkFault::Refuse => (0.5, 5.0),
                LinkFault::Delay | LinkFault::Limit => (2.0, 10.0),
                LinkFault::Freeze | LinkFault::Withhold(_) | LinkFault::Discard(_) => (0.5, 15.0),
            },
            Self::Broker(fault) => match fault {
                BrokerFault::Kill | BrokerFault::StopApp => (0.0, 3.0),
                BrokerFault::CloseConnections | BrokerFault::DeleteQueue => (0.0, 0.0),
                BrokerFault::Freeze => (0.5, 15.0),
                BrokerFault::MemoryAlarm => (1.0, 8.0),
            },
            Self::Database(fault) => match fault {
                DatabaseFault::Restart | DatabaseFault::KillSession => (0.0, 0.0),
                DatabaseFault::TerminateSessions => (1.0, 4.0),
                DatabaseFault::Freeze => (0.5, 12.0),
                DatabaseFault::LockRows => (1.0, 9.0),
            },
            Self::Messages(_) => (0.0, 0.0),
        }
    }

    /// What it is called in the summary: the kind, without whom it meets.
    pub fn kind(&self) -> String {
        match self {
            Self::Process(member, fault) => {
                let role = if *member < APIS { "api" } else { "worker" };
                format!("{role} {fault:?}")
            }
            Self::Link(_, server, fault) => format!("{server:?} link {fault:?}"),
            Self::Broker(fault) => format!("Broker {fault:?}"),
            Self::Database(fault) => format!("Database {fault:?}"),
            Self::Messages(fault) => format!("Messages {fault:?}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process(member, fault) => write!(f, "{} {fault:?}", MEMBERS[*member]),
            Self::Link(member, server, fault) => write!(f, "{} to {server:?} {fault:?}", MEMBERS[*member]),
            _ => f.write_str(&self.kind()),
        }
    }
}
