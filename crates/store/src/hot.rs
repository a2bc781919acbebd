//! The protocol, twice: once in the words of each database.

mod postgres;
mod sqlite;
