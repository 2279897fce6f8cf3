//! A file of /proc or /sys: read whole into a buffer that is kept, cut into lines, fields, numbers.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use gz_monitor_sdk::{Error, Host, Result};

/// No file of /proc that is read here comes near this size; one that does is cut off, and its last
/// line is then dropped like any other that cannot be read.
const MAX_BYTES: u64 = 8 << 20;

/// One file that is read again and again.
pub struct ProcFile {
    path: PathBuf,
    text: Vec<u8>,
}

impl ProcFile {
    /// The file `relative` of the host, which need not be there yet.
    pub fn new(host: &Host, relative: &str) -> Self {
        Self { path: host.path(relative), text: Vec::new() }
    }

    /// As [`ProcFile::new`], but fails if the file cannot be read now.
    pub fn open(host: &Host, relative: &str) -> Result<Self> {
        let mut file = Self::new(host, relative);
        file.read()?;
        Ok(file)
    }

    /// What the file says now.
    pub fn read(&mut self) -> Result<&[u8]> {
        match fill(&self.path, &mut self.text) {
            Ok(()) => Ok(&self.text),
            Err(error) => Err(Error::Unavailable(format!("{}: {error}", self.path.display()))),
        }
    }

    /// As [`ProcFile::read`], for whoever must tell one error from another.
    pub fn try_read(&mut self) -> io::Result<&[u8]> {
        fill(&self.path, &mut self.text)?;
        Ok(&self.text)
    }

    /// The error for a file in which nothing could be understood.
    pub fn not_understood(&self) -> Error {
        Error::Internal(format!("{}: nothing in it is understood", self.path.display()))
    }
}

/// `take` also keeps the standard library from asking for the file's size, which is 0 in /proc.
fn fill(path: &Path, text: &mut Vec<u8>) -> io::Result<()> {
    text.clear();
    File::open(path)?.take(MAX_BYTES).read_to_end(text)?;
    Ok(())
}

/// The first word of a small file, such as an attribute in /sys; `None` if it cannot be read.
pub fn read_word<'b>(path: &Path, buffer: &'b mut [u8; 64]) -> Option<&'b [u8]> {
    let length = File::open(path).and_then(|mut file| file.read(buffer)).ok()?;
    fields(&buffer[..length]).next()
}

/// The number in a small file; `None` if it cannot be read or is none.
pub fn read_number(path: &Path) -> Option<f64> {
    number(read_word(path, &mut [0; 64])?)
}

/// The lines of `text`, without empty ones.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// What white space separates.
pub fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty())
}

/// A number that is not negative. Above 2^53 it is rounded, as every sample is.
pub fn number(field: &[u8]) -> Option<f64> {
    // The standard library would also read "inf", "nan" and signs.
    field.first().filter(|byte| byte.is_ascii_digit())?;
    let value: f64 = std::str::from_utf8(field).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_digits() {
        let check = |text: &str, expected| assert_eq!(number(text.as_bytes()), expected, "{text}");
        check("0", Some(0.0));
        check("0.13", Some(0.13));
        check("18446744073709551615", Some(18_446_744_073_709_551_615.0));
        for bad in ["", "-1", "+1", "inf", "nan", "1x", "0x10", "kB"] {
            check(bad, None);
        }
        assert_eq!(number(b"1\xff"), None);
        assert_eq!(number("9".repeat(400).as_bytes()), None);
    }

    proptest! {
        #[test]
        fn every_kernel_counter_is_read(value: u64) {
            prop_assert_eq!(number(value.to_string().as_bytes()), Some(value as f64));
        }

        #[test]
        fn any_bytes_can_be_cut(bytes: Vec<u8>) {
            for field in lines(&bytes).flat_map(fields) {
                prop_assert!(!field.is_empty());
                let _ = number(field);
            }
        }
    }
}
