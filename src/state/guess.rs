//! Tells states from what lies beside them, by name and by how a file begins.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What a file's name says of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Promise {
    /// It is called a state.
    State,
    /// The name leaves it open.
    Open,
    /// A lock, a backup, or of another kind altogether.
    Never,
}

pub(crate) fn promise(name: &str) -> Promise {
    let is_copy = name == "errored.tfstate"
        || name.contains(".backup")
        || [".tflock", ".lock.info", ".bak"]
            .iter()
            .any(|end| name.ends_with(end));
    if is_copy {
        Promise::Never
    } else if name == ".tfstate"
        || Path::new(name)
            .extension()
            .is_some_and(|end| end == "tfstate")
        // The azurerm backend puts a workspace's name behind the key.
        || name.contains(".tfstateenv:")
    {
        Promise::State
    } else if Path::new(name).extension().is_none_or(|end| end == "json") && !name.starts_with('.')
    {
        Promise::Open
    } else {
        Promise::Never
    }
}

/// Locks and backups, which a pattern such as `*.tfstate*` also matches.
pub(crate) fn is_kept_beside_states(name: &str) -> bool {
    name.contains(".tfstate") || name.ends_with(".tflock")
}

/// Whether the beginning of a file could be that of a state.
pub(crate) fn looks_like_a_state(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(4096).read_to_end(&mut start));
    let holds = |word: &[u8]| memchr::memmem::find(&start, word).is_some();
    let opens = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&start);
    read.is_ok()
        && opens.trim_ascii_start().starts_with(b"{")
        && (holds(b"\"terraform_version\"") || holds(b"\"encrypted_data\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_a_state_from_what_lies_beside_it() {
        for (name, expected) in [
            ("terraform.tfstate", Promise::State),
            (".tfstate", Promise::State),
            ("prod.tfstateenv:dev", Promise::State),
            ("state.json", Promise::Open),
            ("network", Promise::Open),
            ("terraform.tfstate.backup", Promise::Never),
            ("terraform.tfstate.1700000000.backup", Promise::Never),
            (".terraform.tfstate.lock.info", Promise::Never),
            ("terraform.tfstate.tflock", Promise::Never),
            ("errored.tfstate", Promise::Never),
            (".terraform.lock.hcl", Promise::Never),
            ("main.tf", Promise::Never),
        ] {
            assert_eq!(promise(name), expected, "{name}");
        }
    }
}
