//! Messages that were taken from a queue, and what became of the objects they name.

use std::collections::{HashMap, HashSet};

/// A message, while the queue keeps it from others.
#[derive(Debug)]
struct Message {
    receipt: String,
    /// Objects that are still to be read.
    open: HashSet<String>,
    /// Whether it is to stay in the queue whatever was read of it.
    stays: bool,
}

/// All messages of one drain.
#[derive(Debug, Default)]
pub struct Held {
    messages: HashMap<String, Message>,
    /// Ids of messages, by the objects they name.
    by_object: HashMap<String, HashSet<String>>,
    /// Objects that were read whole, so that a second message of one need not wait.
    read: HashSet<String>,
}

impl Held {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Takes a message that names these objects. Returns those that nobody named before.
    pub fn take(
        &mut self,
        id: &str,
        receipt: String,
        objects: impl Iterator<Item = String>,
    ) -> Vec<String> {
        let mut fresh = Vec::new();
        let mut open = HashSet::new();
        for object in objects {
            let by = self.by_object.entry(object.clone()).or_default();
            if by.is_empty() {
                fresh.push(object.clone());
            }
            by.insert(id.to_owned());
            if !self.read.contains(&object) {
                open.insert(object);
            }
        }
        // Received again: only the newest receipt is good.
        let message = self.messages.entry(id.to_owned()).or_insert(Message {
            receipt: String::new(),
            open,
            stays: false,
        });
        message.receipt = receipt;
        fresh
    }

    /// Takes a message that is to stay in the queue.
    pub fn leave(&mut self, id: &str, receipt: String) {
        self.take(id, receipt, std::iter::empty());
        if let Some(message) = self.messages.get_mut(id) {
            message.stays = true;
        }
    }

    /// Notes that an object was read whole, or need not be read.
    pub fn done(&mut self, object: &str) {
        let Some(ids) = self.by_object.get(object) else {
            return;
        };
        self.read.insert(object.to_owned());
        for id in ids {
            if let Some(message) = self.messages.get_mut(id) {
                message.open.remove(object);
            }
        }
    }

    /// Ids and receipts of all.
    pub fn all(&self) -> Vec<(String, String)> {
        let entry = |(id, message): (&String, &Message)| (id.clone(), message.receipt.clone());
        self.messages.iter().map(entry).collect()
    }

    /// Gives up all: ids and receipts of those that are done with, and of those that stay.
    pub fn settle(&mut self) -> (Vec<Receipt>, Vec<Receipt>) {
        let all = std::mem::take(self).messages.into_iter();
        let (done, stay): (Vec<_>, Vec<_>) =
            all.partition(|(_, message)| message.open.is_empty() && !message.stays);
        let receipts = |list: Vec<(String, Message)>| {
            let mut list: Vec<_> = list
                .into_iter()
                .map(|(id, message)| (id, message.receipt))
                .collect();
            list.sort();
            list
        };
        (receipts(done), receipts(stay))
    }
}

/// A message's id, and what the queue wants to hear to delete it.
pub type Receipt = (String, String);

#[cfg(test)]
mod tests {
    use super::*;

    fn take(held: &mut Held, id: &str, objects: &[&str]) -> Vec<String> {
        held.take(
            id,
            format!("r-{id}"),
            objects.iter().map(ToString::to_string),
        )
    }

    #[test]
    fn a_message_is_done_with_when_all_it_names_was_read() {
        let mut held = Held::default();
        assert_eq!(take(&mut held, "both", &["a", "b"]), ["a", "b"]);
        assert_eq!(take(&mut held, "copy", &["a"]), [""; 0]);
        take(&mut held, "nothing", &[]);
        take(&mut held, "never", &["c"]);
        held.leave("poison", "r-poison".to_owned());
        held.done("a");
        held.done("unheard of");
        // Comes when the object is read already.
        assert_eq!(take(&mut held, "late", &["a"]), [""; 0]);
        assert_eq!(held.len(), 6);
        let ids =
            |list: Vec<Receipt>| -> Vec<String> { list.into_iter().map(|one| one.0).collect() };
        let (done, stay) = held.settle();
        assert_eq!(ids(done), ["copy", "late", "nothing"]);
        assert_eq!(ids(stay), ["both", "never", "poison"]);
        assert_eq!(held.len(), 0);
    }

    #[test]
    fn a_message_that_comes_again_keeps_its_newest_receipt() {
        let mut held = Held::default();
        held.take("m", "old".to_owned(), std::iter::once("a".to_owned()));
        held.take("m", "new".to_owned(), std::iter::once("a".to_owned()));
        held.done("a");
        assert_eq!(held.settle().0, [("m".to_owned(), "new".to_owned())]);
    }
}
