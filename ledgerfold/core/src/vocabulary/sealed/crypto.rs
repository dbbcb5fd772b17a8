//! AES-256-GCM and HMAC-SHA-256, and the framing of their inputs. All cryptography of this crate is here; `ring` does
//! the work.

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};
use zeroize::Zeroizing;

pub(super) const KEY_BYTES: usize = 32;
pub(super) const NONCE_BYTES: usize = NONCE_LEN;
pub(super) const TAG_BYTES: usize = 16;

/// A key that is overwritten when it is dropped.
pub(super) type Secret = Zeroizing<[u8; KEY_BYTES]>;

/// The ciphertext of this plaintext, with its tag.
pub(super) fn encrypt(
    key: &Secret,
    nonce: [u8; NONCE_BYTES],
    aad: &[u8],
    plaintext: &[u8],
) -> Vec<u8> {
    // Ciphertext replaces plaintext in place. With room for the tag, no copy of the plaintext stays behind.
    let mut text = Vec::with_capacity(plaintext.len() + TAG_BYTES);
    text.extend_from_slice(plaintext);
    let nonce = Nonce::assume_unique_for_key(nonce);
    let sealed = cipher(key).seal_in_place_append_tag(nonce, Aad::from(aad), &mut text);
    sealed.expect("no value has 64 GiB, the limit of AES-GCM");
    text
}

/// The plaintext of a ciphertext with its tag; `None` if key, nonce, AAD or ciphertext are not those of the
/// encryption.
pub(super) fn decrypt(
    key: &Secret,
    nonce: [u8; NONCE_BYTES],
    aad: &[u8],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(ciphertext.to_vec());
    let nonce = Nonce::assume_unique_for_key(nonce);
    let length = cipher(key).open_in_place(nonce, Aad::from(aad), &mut text).ok()?.len();
    text.truncate(length);
    Some(text)
}

fn cipher(key: &Secret) -> LessSafeKey {
    let key = UnboundKey::new(&AES_256_GCM, &**key).expect("a key has 32 bytes");
    LessSafeKey::new(key)
}

/// HMAC-SHA-256 over a purpose and these parts. Each is preceded by its length, so that no two lists of parts give the
/// same bytes.
pub(super) fn mac(key: &Secret, purpose: &str, parts: &[&[u8]]) -> [u8; KEY_BYTES] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &**key));
    context.update(&framed(purpose, parts));
    let mut tag = [0; KEY_BYTES];
    tag.copy_from_slice(context.sign().as_ref());
    tag
}

/// A key for one purpose only.
pub(super) fn derived(key: &Secret, purpose: &str) -> Secret {
    Zeroizing::new(mac(key, purpose, &[]))
}

/// A purpose and parts as bytes, each preceded by its length.
pub(super) fn framed(purpose: &str, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let parts = || std::iter::once(purpose.as_bytes()).chain(parts.iter().copied());
    let length = parts().map(|part| part.len() + 8).sum();
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    for part in parts() {
        bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// The first bytes of a tag.
pub(super) fn first<const BYTES: usize>(tag: &[u8; KEY_BYTES]) -> [u8; BYTES] {
    let mut first = [0; BYTES];
    first.copy_from_slice(&tag[..BYTES]);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
        (0..hex.len()).step_by(2).map(digit).collect()
    }

    fn array<const BYTES: usize>(hex: &str) -> [u8; BYTES] {
        bytes(hex).try_into().expect("the vector has this length")
    }

    struct Vector {
        key: &'static str,
        nonce: &'static str,
        aad: &'static str,
        plaintext: &'static str,
        ciphertext: &'static str,
        tag: &'static str,
    }

    const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
    const KEY: &str = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";

    /// Test cases 13 to 16 of "The Galois/Counter Mode of Operation (GCM)" by McGrew and Viega, which NIST refers to
    /// in SP 800-38D: all those with 256 bits of key and 96 bits of nonce.
    const VECTORS: [Vector; 4] = [
        Vector {
            key: ZEROS,
            nonce: "000000000000000000000000",
            aad: "",
            plaintext: "",
            ciphertext: "",
            tag: "530f8afbc74536b9a963b4f1c4cb738b",
        },
        Vector {
            key: ZEROS,
            nonce: "000000000000000000000000",
            aad: "",
            plaintext: "00000000000000000000000000000000",
            ciphertext: "cea7403d4d606b6e074ec5d3baf39d18",
            tag: "d0d1c8a799996bf0265b98b5d48ab919",
        },
        Vector {
            key: KEY,
            nonce: "cafebabefacedbaddecaf888",
            aad: "",
            plaintext: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
                        1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
            ciphertext: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
                         8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
            tag: "b094dac5d93471bdec1a502270e3cc6c",
        },
        Vector {
            key: KEY,
            nonce: "cafebabefacedbaddecaf888",
            aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            plaintext: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
                        1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            ciphertext: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
                         8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
            tag: "76fc6ece0f4e1768cddf8853bb2d551b",
        },
    ];

    // Guards: a-sealed-value-opens-only-as-it-was-sealed
    #[test]
    fn aes_256_gcm_gives_the_published_ciphertexts() {
        for vector in VECTORS {
            let key = Zeroizing::new(array(vector.key));
            let nonce = array(vector.nonce);
            let aad = bytes(vector.aad);
            let plaintext = bytes(vector.plaintext);
            let expected = [bytes(vector.ciphertext), bytes(vector.tag)].concat();
            assert_eq!(encrypt(&key, nonce, &aad, &plaintext), expected);
            assert_eq!(decrypt(&key, nonce, &aad, &expected).as_deref(), Some(&plaintext));
        }
    }

    #[test]
    fn any_changed_bit_is_refused() {
        let [.., vector] = VECTORS;
        let key = Zeroizing::new(array(vector.key));
        let nonce = array(vector.nonce);
        let aad = bytes(vector.aad);
        let sealed = [bytes(vector.ciphertext), bytes(vector.tag)].concat();
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(decrypt(&key, nonce, &aad, &changed).is_none(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(decrypt(&key, nonce, &aad, &sealed[..length]).is_none(), "{length} bytes");
        }
    }

    /// RFC 4231, test case 1, with the key padded to 32 bytes as HMAC pads it.
    #[test]
    fn hmac_sha_256_gives_the_published_tag() {
        let mut key = [0; KEY_BYTES];
        key[..20].fill(0x0b);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), b"Hi There");
        let published = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(tag.as_ref(), bytes(published));
    }

    #[test]
    fn the_ends_of_parts_count() {
        let key = Zeroizing::new([7; KEY_BYTES]);
        let tags = [
            mac(&key, "a", &[b"bc"]),
            mac(&key, "a", &[b"b", b"c"]),
            mac(&key, "ab", &[b"c"]),
            mac(&key, "a", &[b"bc", b""]),
            mac(&key, "abc", &[]),
        ];
        for (at, tag) in tags.iter().enumerate() {
            assert!(!tags[..at].contains(tag), "{at}");
        }
    }
}
