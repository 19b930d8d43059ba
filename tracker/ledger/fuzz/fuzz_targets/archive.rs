//! Archives as files: whatever the bytes, nothing that is made of them is larger than they are.
//!
//! The checksums of headers are made right first; a fuzzer would not find them.

#![no_main]

use farmops_ledger::archive::{FormatError, Lines, Opened};
use libfuzzer_sys::fuzz_target;

/// A header, and what the contents of a member are filled up to.
const BLOCK: usize = 512;

fuzz_target!(|input: &[u8]| {
    let file = summed(input);
    let Ok(archive) = Opened::read(&file[..]) else {
        return;
    };
    let _ = archive.read_through();
    let (lines, heads) = (archive.lines(), archive.heads());
    let spooled = length(lines) + length(heads);
    assert!(
        spooled <= file.len() as u64,
        "{spooled} bytes of {}",
        file.len()
    );
});

/// How many bytes all lines have.
fn length<T>(lines: Result<Lines<T>, FormatError>) -> u64
where
    Lines<T>: Iterator,
{
    let mut lines = lines.expect("a spool is read");
    while lines.next().is_some() {}
    lines.at()
}

/// The file with the checksums that its headers should have.
fn summed(input: &[u8]) -> Vec<u8> {
    let mut file = input.to_vec();
    let mut at = 0;
    while let Some(header) = file.get_mut(at..at + BLOCK) {
        if header.iter().any(|byte| *byte != 0) {
            header[148..156].fill(b' ');
            let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        let size = std::str::from_utf8(&header[124..135]).ok();
        let size = size.and_then(|digits| usize::from_str_radix(digits, 8).ok());
        at += BLOCK + size.unwrap_or(0).next_multiple_of(BLOCK);
    }
    file
}
