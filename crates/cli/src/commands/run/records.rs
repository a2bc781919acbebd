//! The inputs: one, or one a line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use serde_json::{Map, Value};
use tokio::sync::mpsc;

use crate::error::Error;

/// One input.
pub(super) struct Record {
    /// The line that it stands on; the first is 1.
    pub(super) number: usize,
    /// A JSON object as text, or why it is none.
    pub(super) input: Result<String, String>,
}

/// Where the inputs come from.
pub(super) enum Source {
    /// The command line.
    One(String),
    /// A file, or standard input.
    Lines(Box<dyn Read + Send>),
}

/// How many lines are read ahead.
const AHEAD: usize = 256;

impl Source {
    /// What the arguments name; an empty object when they name nothing.
    ///
    /// # Errors
    /// When the input is no JSON object, or the file cannot be opened.
    pub(super) fn new(input: Option<String>, file: Option<PathBuf>) -> Result<Self, Error> {
        match (input, file) {
            (_, Some(path)) if path.as_os_str() == "-" => Ok(Self::Lines(Box::new(std::io::stdin()))),
            (_, Some(path)) => match File::open(&path) {
                Ok(file) => Ok(Self::Lines(Box::new(file))),
                Err(source) => Err(Error::Named {
                    what: "inputs in",
                    path,
                    source,
                }),
            },
            (Some(text), None) => object(&text)
                .map(Self::One)
                .map_err(|why| Error::Usage(format!("--input: {why}"))),
            (None, None) => Ok(Self::One("{}".to_owned())),
        }
    }

    /// How many inputs there are, where that is known.
    pub(super) fn len(&self) -> Option<u64> {
        match self {
            Self::One(_) => Some(1),
            Self::Lines(_) => None,
        }
    }

    /// Begins to read. A thread of its own does, since standard input may keep it waiting for ever.
    pub(super) fn read(self) -> mpsc::Receiver<Record> {
        let (records, receiver) = mpsc::channel(AHEAD);
        std::thread::spawn(move || match self {
            Self::One(input) => drop(records.blocking_send(Record {
                number: 1,
                input: Ok(input),
            })),
            Self::Lines(reader) => read_lines(reader, &records),
        });
        receiver
    }
}

fn read_lines(reader: impl Read, records: &mpsc::Sender<Record>) {
    for (index, line) in BufReader::new(reader).lines().enumerate() {
        let unreadable = line.is_err();
        let input = match line {
            Ok(line) if line.trim().is_empty() => continue,
            Ok(line) => object(&line),
            Err(error) => Err(format!("cannot be read: {error}")),
        };
        let gone = records
            .blocking_send(Record {
                number: index + 1,
                input,
            })
            .is_err();
        if gone || unreadable {
            return;
        }
    }
}

/// The text itself when it is a JSON object: numbers stay as they were written.
fn object(text: &str) -> Result<String, String> {
    match serde_json::from_str::<Map<String, Value>>(text) {
        Ok(_) => Ok(text.trim().to_owned()),
        Err(error) => Err(format!("not a JSON object: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_record_and_a_bad_one_says_why() {
        let text = "{\"a\": 1.10}\n\n[1]\n{\"b\": null}";
        let mut records = Source::Lines(Box::new(text.as_bytes())).read();
        let mut seen = Vec::new();
        while let Some(record) = records.blocking_recv() {
            seen.push((
                record.number,
                record.input.unwrap_or_else(|why| why[..17].to_owned()),
            ));
        }
        let expected = [
            (1, "{\"a\": 1.10}"),
            (3, "not a JSON object"),
            (4, "{\"b\": null}"),
        ];
        assert_eq!(seen, expected.map(|(number, text)| (number, text.to_owned())));
    }
}
