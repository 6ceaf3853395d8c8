//! The hash of a file as CloudTrail counts it: over what it inflates to.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;

use crate::audit::cloudtrail::digest::Hasher;
use crate::audit::decode::is_gzip;

/// Most bytes that a digest may inflate to. A log file may be of any size: it is never held whole.
const LARGEST_DIGEST: u64 = 64 << 20;

/// Reads a file through gzip if it is gzip, else as it is.
fn reader(bytes: &[u8]) -> Box<dyn Read + '_> {
    if is_gzip(bytes) {
        Box::new(MultiGzDecoder::new(bytes))
    } else {
        Box::new(bytes)
    }
}

/// The hash of what a log file inflates to.
///
/// # Errors
/// In words, when it does not inflate.
pub fn of_log(bytes: &[u8]) -> Result<String, String> {
    let mut reader = reader(bytes);
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(count) => hasher.update(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(format!("it does not inflate: {error}")),
        }
    }
}

/// The text of a digest.
///
/// # Errors
/// In words, when it does not inflate, or to more than any digest has.
pub fn text_of_digest(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let count = reader(bytes)
        .take(LARGEST_DIGEST + 1)
        .read_to_end(&mut text)
        .map_err(|error| format!("it does not inflate: {error}"))?;
    if count as u64 > LARGEST_DIGEST {
        return Err(format!("it inflates to more than {LARGEST_DIGEST} bytes"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::audit::cloudtrail::digest::sha256;

    #[test]
    fn a_file_has_the_hash_of_its_text_however_it_is_kept() {
        let text = b"{\"Records\":[]}".repeat(10_000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&text).unwrap();
        let gzip = gzip.finish().unwrap();
        let twice = gzip.repeat(2);
        assert_eq!(of_log(&gzip), Ok(sha256(&text)));
        assert_eq!(of_log(&text), Ok(sha256(&text)));
        assert_eq!(of_log(&twice), Ok(sha256(&text.repeat(2))));
        let cut = gzip.get(..gzip.len() - 9).unwrap();
        assert!(of_log(cut).unwrap_err().starts_with("it does not inflate"));
        assert_eq!(text_of_digest(&gzip).unwrap(), text);
    }
}
