//! The layer of a made-up image: a gzip file of a tar archive with one small file, so that container runtimes can unpack it.
//!
//! Both formats are written plainly: [gzip](https://www.rfc-editor.org/rfc/rfc1952) around one stored block of
//! [deflate](https://www.rfc-editor.org/rfc/rfc1951#section-3.2.4), and the header of
//! [ustar](https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06).

use bytes::Bytes;

/// Tar writes blocks of this size.
const BLOCK: usize = 512;

/// A layer as registries keep it, and the archive in it, whose digest is in the image's configuration.
pub(crate) struct Layer {
    pub(crate) compressed: Bytes,
    pub(crate) archive: Vec<u8>,
}

impl Layer {
    /// A layer with the file `/run`.
    pub(crate) fn holding(content: &[u8]) -> Self {
        let archive = archive("run", content);
        Self { compressed: gzip(&archive).into(), archive }
    }
}

fn archive(name: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = header(name, content.len()).to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    // Two empty blocks end an archive.
    bytes.resize(bytes.len() + 2 * BLOCK, 0);
    bytes
}

fn header(name: &str, size: usize) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000755");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{size:011o}"));
    put(136, "00000000000");
    // The sum is taken with blanks in its own place.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = data.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        bytes.push(u8::from(blocks.peek().is_none()));
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&(!length).to_le_bytes());
        bytes.extend_from_slice(block);
    }
    bytes.extend_from_slice(&checksum(data).to_le_bytes());
    bytes.extend_from_slice(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes
}

/// CRC-32 as gzip wants it.
fn checksum(data: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    };
    !data.iter().fold(u32::MAX, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        // The check value of CRC-32/ISO-HDLC in the catalogue at https://reveng.sourceforge.io/crc-catalogue/.
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn an_archive_is_whole_blocks_with_the_content_after_its_header() {
        let layer = Layer::holding(b"some text");
        assert_eq!(layer.archive.len(), 4 * BLOCK);
        assert_eq!(&layer.archive[BLOCK..BLOCK + 9], b"some text");
        assert_eq!(&layer.archive[257..262], b"ustar");
        // One stored block: the archive itself is in the compressed form.
        assert_eq!(&layer.compressed[15..15 + layer.archive.len()], &layer.archive[..]);
    }
}
