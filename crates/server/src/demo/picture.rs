//! Pictures of the demonstration, drawn by a few lines: no photo of anybody.

/// A PNG of bands of colour, uncompressed, so that it is as heavy as a photo: about 90 KB.
pub fn png() -> Vec<u8> {
    const WIDTH: u32 = 200;
    const HEIGHT: u32 = 150;
    let mut pixels = Vec::new();
    for y in 0..HEIGHT {
        pixels.push(0); // No filter on this row.
        for x in 0..WIDTH {
            let plate = (i64::from(x) - 100).pow(2) + (i64::from(y) - 75).pow(2) < 60 * 60;
            let tint = ((x + y) / 4 % 32) as u8;
            pixels.extend(if plate { [235 - tint, 235 - tint, 225] } else { [60 + tint, 110, 120 + tint] });
        }
    }
    let header: Vec<u8> =
        [WIDTH.to_be_bytes(), HEIGHT.to_be_bytes()].concat().into_iter().chain([8, 2, 0, 0, 0]).collect();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, content) in [(b"IHDR", header), (b"IDAT", stored(&pixels)), (b"IEND", Vec::new())] {
        let mut named = kind.to_vec();
        named.extend(&content);
        file.extend((content.len() as u32).to_be_bytes());
        file.extend(&named);
        file.extend(crc32(&named).to_be_bytes());
    }
    file
}

/// A zlib stream (RFC 1950) of stored blocks.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut blocks = bytes.chunks(0xFFFF).peekable();
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    stream.extend(((b << 16) | a).to_be_bytes());
    stream
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// A JPEG of grey squares, about 1 KB: baseline (ITU-T T.81), one component, each block of 8 × 8
/// pixels of one tone.
pub fn jpeg() -> Vec<u8> {
    const BLOCKS: u8 = 20;
    let mut file = vec![0xFF, 0xD8];
    let mut segment = |marker: u8, content: &[u8]| {
        file.extend([0xFF, marker]);
        file.extend((content.len() as u16 + 2).to_be_bytes());
        file.extend(content);
    };
    segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    // With every quantum 8, the first coefficient of a block is its tone less 128.
    segment(0xDB, &[&[0][..], &[8; 64]].concat());
    let pixels = u16::from(BLOCKS) * 8;
    segment(0xC0, &[&[8][..], &pixels.to_be_bytes(), &pixels.to_be_bytes(), &[1, 1, 0x11, 0]].concat());
    // Differences of tone: nine categories with codes of four bits. All else: one code, "the rest is 0".
    segment(
        0xC4,
        &[&[0x00, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &[0, 1, 2, 3, 4, 5, 6, 7, 8]].concat(),
    );
    segment(0xC4, &[0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    segment(0xDA, &[1, 1, 0, 0, 63, 0]);
    let mut bits = String::new();
    let mut before = 0_i32;
    for block in 0..u16::from(BLOCKS) * u16::from(BLOCKS) {
        let (x, y) = (i32::from(block % u16::from(BLOCKS)), i32::from(block / u16::from(BLOCKS)));
        let tone = if (x - 10).pow(2) + (y - 10).pow(2) < 49 { 90 - 6 * y } else { -100 + 3 * x };
        let difference = tone - before;
        let category = i32::BITS - difference.abs().leading_zeros();
        bits += &format!("{category:04b}");
        let value = if difference < 0 { difference + (1 << category) - 1 } else { difference };
        if category > 0 {
            bits += &format!("{value:0width$b}", width = category as usize);
        }
        bits.push('0');
        before = tone;
    }
    bits += &"1".repeat((8 - bits.len() % 8) % 8);
    for byte in bits.as_bytes().chunks(8) {
        let byte = byte.iter().fold(0_u8, |byte, bit| byte << 1 | (bit - b'0'));
        file.push(byte);
        if byte == 0xFF {
            file.push(0);
        }
    }
    file.extend([0xFF, 0xD9]);
    file
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_the_one_of_png() {
        assert_eq!(super::crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn the_pictures_are_of_the_sizes_they_are_meant_to_show() {
        assert!((90_000..100_000).contains(&super::png().len()), "heavy enough to be stored apart");
        assert!((500..2_000).contains(&super::jpeg().len()), "light enough to stay in the note");
    }
}
