//! The completions in the repository are those of the command line as it is.
//!
//! `TFDRIFT_UPDATE=1 cargo test --test completions` writes them anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tfdrift::cli::completions::{SHELLS, completions, file_name};

#[test]
fn the_completions_in_the_repository_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    let update = std::env::var_os("TFDRIFT_UPDATE").is_some();
    for shell in SHELLS {
        let mut script = Vec::new();
        completions(shell, &mut script).unwrap();
        let file = folder.join(file_name(shell));
        if update {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, &script).unwrap();
        }
        let kept = fs::read(&file).unwrap_or_default();
        assert!(
            kept == script,
            "{} is out of date: run TFDRIFT_UPDATE=1 cargo test --test completions",
            file.display()
        );
    }
    let kept: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let made: BTreeSet<String> = SHELLS.into_iter().map(file_name).collect();
    assert_eq!(kept, made, "nothing else lies beside them");
}
