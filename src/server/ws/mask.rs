//! The masking of client frames (RFC 6455 section 5.3).

/// A masking key, at the place in it where the payload has arrived.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mask([u8; 4]);

impl Mask {
    pub fn new(key: [u8; 4]) -> Self {
        Self(key)
    }

    /// Masks or unmasks the next bytes of the payload, which may come in any pieces.
    pub fn apply(&mut self, payload: &mut [u8]) {
        let [a, b, c, d] = self.0;
        let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
        let (blocks, rest) = payload.as_chunks_mut::<8>();
        for block in blocks {
            *block = (u64::from_ne_bytes(*block) ^ wide).to_ne_bytes();
        }
        for (byte, key) in rest.iter_mut().zip(self.0.iter().cycle()) {
            *byte ^= key;
        }
        self.0.rotate_left(rest.len() % 4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// In whatever pieces a payload comes, byte i is combined with byte i mod 4 of the key.
        #[test]
        fn each_byte_meets_its_key_byte(
            key: [u8; 4],
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8),
        ) {
            let whole = pieces.concat();
            let expected: Vec<u8> =
                whole.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
            let mut mask = Mask::new(key);
            let masked = pieces.into_iter().flat_map(|mut piece| {
                mask.apply(&mut piece);
                piece
            });
            prop_assert_eq!(masked.collect::<Vec<_>>(), expected);
        }
    }
}
