//! Reads files of bounded size. A file may be anything: a pipe that nobody writes to, a device without
//! an end, a link to either.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

/// Reads a file that was found in a folder. It must be a regular file: to open a pipe could block
/// forever.
///
/// # Errors
/// The file cannot be read, is not a regular file, or is larger than `most` bytes.
pub fn regular(file: &Path, most: u64) -> io::Result<Vec<u8>> {
    if !fs::metadata(file)?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
    }
    limited(file, most)
}

/// Reads a file that the user named, which may be a pipe.
///
/// # Errors
/// The file cannot be read, or is larger than `most` bytes.
pub fn limited(file: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let message = format!("it is larger than {} MiB", most >> 20);
        return Err(io::Error::new(ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_device_without_an_end_is_too_large() {
        let error = limited(Path::new("/dev/zero"), 1 << 20).expect_err("it has no end");
        assert_eq!(error.to_string(), "it is larger than 1 MiB");
        let error = regular(Path::new("/dev/zero"), 1 << 20).expect_err("a device");
        assert_eq!(error.to_string(), "it is not a regular file");
    }

    #[test]
    fn a_file_of_the_maximum_size_is_read() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let length = fs::metadata(&file).expect("it is there").len();
        assert_eq!(regular(&file, length).expect("it fits").len() as u64, length);
        assert!(regular(&file, length - 1).is_err());
    }
}
