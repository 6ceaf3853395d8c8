//! Shows how far a scan is, on standard error, to a person who watches.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{
    HumanBytes, HumanCount, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle,
};

use super::terminal::Terminal;

const LISTING: &str = "{spinner} Listing   {msg}";
const FETCHING: &str =
    "{spinner} Fetching  {bar:24} {bytes}/{total_bytes} {bytes_per_sec}, {eta} to go, {msg}";
const DECODING: &str = "{spinner} Decoding  {msg}";

/// Two lines: what is listed and then fetched, and what is decoded. Any thread may report.
///
/// Silent and almost free where nobody watches.
#[derive(Debug)]
pub struct Progress {
    lines: MultiProgress,
    fetch: ProgressBar,
    decode: ProgressBar,
    files: AtomicU64,
    bytes: AtomicU64,
    records: AtomicU64,
    unicode: bool,
}

impl Progress {
    /// Draws if the terminal is watched and silence was not asked for.
    #[must_use]
    pub fn new(stderr: &Terminal, quiet: bool) -> Self {
        let target = if stderr.interactive && !quiet {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let drawn = !target.is_hidden();
        let lines = MultiProgress::with_draw_target(target);
        let fetch = lines.add(ProgressBar::no_length());
        let decode = lines.add(ProgressBar::no_length());
        fetch.set_style(spinner(LISTING, stderr.unicode));
        decode.set_style(spinner(DECODING, stderr.unicode));
        if drawn {
            for line in [&fetch, &decode] {
                line.enable_steady_tick(Duration::from_millis(100));
            }
        }
        Self {
            lines,
            fetch,
            decode,
            files: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            records: AtomicU64::new(0),
            unicode: stderr.unicode,
        }
    }

    /// More log files were found, of so many bytes as they lie there.
    pub fn listed(&self, files: u64, bytes: u64) {
        let files = add(&self.files, files);
        let bytes = add(&self.bytes, bytes);
        self.fetch.set_message(format!(
            "{} files, {}",
            HumanCount(files),
            HumanBytes(bytes)
        ));
    }

    /// All log files are known: from now on it can be said how long it will take.
    pub fn listing_done(&self) {
        let files = HumanCount(self.files.load(Ordering::Relaxed));
        let bar = if self.unicode { "━╸ " } else { "=> " };
        self.fetch
            .set_style(spinner(FETCHING, self.unicode).progress_chars(bar));
        self.fetch.set_length(self.bytes.load(Ordering::Relaxed));
        self.fetch.set_message(format!("{files} files"));
    }

    /// So many more bytes were fetched, as they lie there.
    pub fn fetched(&self, bytes: u64) {
        self.fetch.inc(bytes);
    }

    /// So many more bytes were decoded, after inflating, and the records in them.
    pub fn decoded(&self, bytes: u64, records: u64) {
        self.decode.inc(bytes);
        let records = add(&self.records, records);
        let seconds = self.decode.elapsed().as_secs().max(1);
        let rate = records / seconds;
        let bytes = HumanBytes(self.decode.position());
        let (records, rate) = (HumanCount(records), HumanCount(rate));
        self.decode
            .set_message(format!("{bytes}, {records} records, {rate} records/s"));
    }

    /// Takes the lines away while something else is written to the terminal.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.lines.suspend(write)
    }

    /// Takes the lines away for good.
    pub fn finish(&self) {
        self.fetch.finish_and_clear();
        self.decode.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

fn add(total: &AtomicU64, more: u64) -> u64 {
    total
        .fetch_add(more, Ordering::Relaxed)
        .saturating_add(more)
}

/// A style of a template that a test has seen to be valid.
fn spinner(template: &str, unicode: bool) -> ProgressStyle {
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.tick_chars(if unicode {
        "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "
    } else {
        "|/-\\ "
    })
}

impl crate::audit::pipeline::Progress for Progress {
    fn listed(&self, files: u64, bytes: u64) {
        self.listed(files, bytes);
    }

    fn listing_done(&self) {
        self.listing_done();
    }

    fn fetched(&self, bytes: u64) {
        self.fetched(bytes);
    }

    fn decoded(&self, bytes: u64, records: u64) {
        self.decoded(bytes, records);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WATCHED: Terminal = Terminal {
        colour: true,
        width: 100,
        unicode: true,
        interactive: true,
    };

    fn hidden() -> Progress {
        Progress::new(
            &Terminal {
                interactive: false,
                ..WATCHED
            },
            false,
        )
    }

    #[test]
    fn nothing_is_drawn_where_nobody_watches_or_silence_was_asked_for() {
        assert!(hidden().lines.is_hidden());
        assert!(Progress::new(&WATCHED, true).lines.is_hidden());
    }

    #[test]
    fn listing_counts_up_and_fetching_counts_towards_it() {
        let progress = hidden();
        progress.listed(2, 1024);
        progress.listed(1_000, 1024);
        assert_eq!(progress.fetch.message(), "1,002 files, 2.00 KiB");
        assert_eq!(progress.fetch.length(), None);
        progress.listing_done();
        progress.fetched(512);
        assert_eq!(
            (progress.fetch.position(), progress.fetch.length()),
            (512, Some(2048))
        );
        assert_eq!(progress.fetch.message(), "1,002 files");
    }

    #[test]
    fn decoding_from_several_threads_adds_up() {
        let progress = hidden();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..25).for_each(|_| progress.decoded(1024, 10)));
            }
        });
        progress.decoded(0, 0);
        let message = progress.decode.message();
        assert!(
            message.starts_with("100.00 KiB, 1,000 records, "),
            "{message}"
        );
    }

    #[test]
    fn what_is_written_in_between_is_handed_back() {
        assert_eq!(hidden().suspend(|| 7), 7);
    }

    #[test]
    fn the_templates_are_valid() {
        for template in [LISTING, FETCHING, DECODING] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
